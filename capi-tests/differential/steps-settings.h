/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Steps that change a setting of the handle, in any state. */
#ifndef STEPS_SETTINGS_H
#define STEPS_SETTINGS_H

#include "closures.h"

/* 14 for the functions of Debian's libnbd 1.14, 24 for all. */
static unsigned level;

static const char *const export_names[] = {
  "", "disk two", "no such export", "a\"b%20c/d", "",
};

static const char *const context_names[] = {
  "base:allocation",
  "base:allocation",
  "x:small",
  "x:wide",
  "x:large",
  "y:long",
  "y:flags",
  "base:",
  "x:",
  "no-colon",
  "",
  "base:no",
};

/* Returns a string of this many letters. */
static const char *
long_string (size_t length)
{
  static char text[5001];

  memset (text, 'n', length);
  text[length] = '\0';
  return text;
}

#define SET_BOOL(name) \
  do { \
    bool value_ = one_in (2); \
    RETURNS (name, (h, value_), "%d", value_); \
  } while (0)

#define NEWER_SET_BOOL(name) \
  do { \
    bool value_ = one_in (2); \
    NEWER_RETURNS (name, (h, value_), "%d", value_); \
  } while (0)

#define SET_STRING(name, value) \
  do { \
    const char *value_ = (value); \
    RETURNS (name, (h, value_), "\"%.60s\"", value_); \
  } while (0)

#define NEWER_SET_STRING(name, value) \
  do { \
    const char *value_ = (value); \
    NEWER_RETURNS (name, (h, value_), "\"%.60s\"", value_); \
  } while (0)

static void
set_flags (void)
{
  /* Strict mode has two bits more since 1.16. */
  uint32_t strict = below (level < 24 ? 0x20 : 0x80);
  uint32_t value;

  switch (below (5)) {
  case 0:
    value = one_in (8) ? 0xffffffff : strict;
    RETURNS (nbd_set_strict_mode, (h, value), "0x%x", value);
    break;
  case 1:
    value = below (one_in (4) ? 0x10 : 4);
    RETURNS (nbd_set_handshake_flags, (h, value), "0x%x", value);
    break;
  case 2:
    /* 1.14 does not support ssh. */
    value = one_in (4) ? 0x40 : below (8);
    RETURNS (nbd_set_uri_allow_transports, (h, value), "0x%x", value);
    break;
  case 3:
    value = below (5) - 1;
    RETURNS (nbd_set_uri_allow_tls, (h, (int) value), "%d", (int) value);
    break;
  default:
    /* TLS itself is tested elsewhere: required here, it only fails. */
    value = one_in (3) ? 2 : below (5) - 1;
    if (value == 1)
      value = 0;
    RETURNS (nbd_set_tls, (h, (int) value), "%d", (int) value);
  }
}

static void
set_string (void)
{
  static const char *const names[] = { "", "a handle", "\xe2\x82\xac" };

  switch (below (level < 24 ? 5 : 9)) {
  case 0:
    SET_STRING (nbd_set_handle_name, ONE_OF (names));
    break;
  case 1:
    SET_STRING (nbd_set_export_name, one_in (6) ? long_string (4096 + below (2))
                                                : ONE_OF (export_names));
    break;
  case 2:
    SET_STRING (nbd_set_tls_certificates, "/nonexistent");
    break;
  case 3:
    SET_STRING (nbd_set_tls_username, "somebody");
    break;
  case 4:
    SET_STRING (nbd_set_tls_psk_file, "/nonexistent/file");
    break;
  case 5:
    NEWER_SET_STRING (nbd_set_tls_hostname, "example.com");
    break;
  case 6:
    NEWER_SET_STRING (nbd_set_tls_priority, "NORMAL");
    break;
  default:
    NEWER_SET_STRING (nbd_set_socket_activation_name,
                      one_in (2)   ? "name"
                      : one_in (2) ? "a-b"
                                   : long_string (32 + below (2)));
  }
}

static void
set_bool (void)
{
  switch (below (level < 24 ? 7 : 10)) {
  case 0:
    SET_BOOL (nbd_set_request_block_size);
    break;
  case 1:
    SET_BOOL (nbd_set_full_info);
    break;
  case 2:
    SET_BOOL (nbd_set_tls_verify_peer);
    break;
  case 3:
    SET_BOOL (nbd_set_request_structured_replies);
    break;
  case 4:
    SET_BOOL (nbd_set_pread_initialize);
    break;
  case 5:
    SET_BOOL (nbd_set_opt_mode);
    break;
  case 6:
    SET_BOOL (nbd_set_uri_allow_local_file);
    break;
  case 7:
    NEWER_SET_BOOL (nbd_set_request_extended_headers);
    break;
  case 8:
    NEWER_SET_BOOL (nbd_set_request_meta_context);
    break;
  default:
    NEWER_SET_BOOL (nbd_set_uri_allow_tls_priority);
  }
}

static void
set_meta_contexts (void)
{
  if (one_in (6))
    RETURNS (nbd_clear_meta_contexts, (h), "%s", "");
  else
    SET_STRING (nbd_add_meta_context, one_in (12)
                                          ? long_string (4096 + below (2))
                                          : ONE_OF (context_names));
}

static void
set_private (void)
{
  uintptr_t value = below (1000);

  switch (below (3)) {
  case 0:
    RETURNS (nbd_set_private_data, (h, value), "%" PRIuPTR, value);
    break;
  case 1: {
    nbd_debug_callback debug = DEBUG;

    RETURNS (nbd_set_debug_callback, (h, debug), "%s", "");
  } break;
  default:
    RETURNS (nbd_clear_debug_callback, (h), "%s", "");
  }
}

static void
set_something (void)
{
  switch (below (10)) {
  case 0:
  case 1:
    set_flags ();
    break;
  case 2:
  case 3:
    set_string ();
    break;
  case 4:
  case 5:
    set_bool ();
    break;
  case 6:
    set_private ();
    break;
  default:
    set_meta_contexts ();
  }
}

#endif /* STEPS_SETTINGS_H */
