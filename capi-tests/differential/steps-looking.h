/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Steps that only query, in any state. */
#ifndef STEPS_LOOKING_H
#define STEPS_LOOKING_H

#include "steps-settings.h"

/* Functions that take only the handle and return a number. */
/* clang-format off */
#define NUMBERS(X) \
  X (nbd_get_debug) X (nbd_get_request_block_size) X (nbd_get_full_info) \
  X (nbd_get_tls) X (nbd_get_tls_negotiated) X (nbd_get_tls_verify_peer) \
  X (nbd_get_request_structured_replies) \
  X (nbd_get_structured_replies_negotiated) X (nbd_get_pread_initialize) \
  X (nbd_get_opt_mode) X (nbd_get_nr_meta_contexts) X (nbd_is_read_only) \
  X (nbd_can_flush) X (nbd_can_fua) X (nbd_is_rotational) X (nbd_can_trim) \
  X (nbd_can_zero) X (nbd_can_fast_zero) X (nbd_can_df) \
  X (nbd_can_multi_conn) X (nbd_can_cache) X (nbd_get_size) \
  X (nbd_get_handshake_flags) X (nbd_get_strict_mode) \
  X (nbd_get_private_data) X (nbd_supports_uri) X (nbd_aio_in_flight) \
  X (nbd_aio_peek_command_completed)

#define NEWER_NUMBERS(X) \
  X (nbd_get_request_extended_headers) \
  X (nbd_get_extended_headers_negotiated) X (nbd_get_request_meta_context) \
  X (nbd_can_block_status_payload) X (nbd_stats_bytes_sent) \
  X (nbd_stats_chunks_sent) X (nbd_stats_bytes_received) \
  X (nbd_stats_chunks_received) X (nbd_supports_vsock)

/* Functions that take only the handle and return a string to be freed. */
#define STRINGS(X) \
  X (nbd_get_handle_name) X (nbd_get_export_name) \
  X (nbd_get_canonical_export_name) X (nbd_get_export_description) \
  X (nbd_get_uri)

#define NEWER_STRINGS(X) \
  X (nbd_get_tls_hostname) X (nbd_get_tls_priority) \
  X (nbd_get_socket_activation_name)

#define DEFINE_NUMBER(name) \
  static void look_at_##name (void) { RETURNS (name, (h), "%s", ""); }
#define DEFINE_NEWER_NUMBER(name) \
  static void look_at_##name (void) { NEWER_RETURNS (name, (h), "%s", ""); }
#define DEFINE_STRING(name) \
  static void look_at_##name (void) { RETURNS_STRING (name, (h), "%s", ""); }
#define DEFINE_NEWER_STRING(name) \
  static void look_at_##name (void) \
  { NEWER_RETURNS_STRING (name, (h), "%s", ""); }
#define LOOK_AT(name) look_at_##name,

NUMBERS (DEFINE_NUMBER)
NEWER_NUMBERS (DEFINE_NEWER_NUMBER)
STRINGS (DEFINE_STRING)
NEWER_STRINGS (DEFINE_NEWER_STRING)

static void (*const looks[]) (void) = {
  NUMBERS (LOOK_AT) STRINGS (LOOK_AT)
};

static void (*const newer_looks[]) (void) = {
  NEWER_NUMBERS (LOOK_AT) NEWER_STRINGS (LOOK_AT)
};
/* clang-format on */

static void
look_with_argument (void)
{
  const char *context = ONE_OF (context_names);
  unsigned number = below (4);
  int type = (int) below (level < 24 ? 3 : 6);
  int answer;

  switch (below (4)) {
  case 0:
    RETURNS_STRING (nbd_get_meta_context, (h, number), "%u", number);
    break;
  case 1:
    RETURNS (nbd_can_meta_context, (h, context), "\"%s\"", context);
    break;
  case 2:
    if (one_in (8))
      type = -1;
    RETURNS (nbd_get_block_size, (h, type), "%d", type);
    break;
  default:
    /* The number of a descriptor is arbitrary. */
    call ("nbd_aio_get_fd", "%s", "");
    answer = nbd_aio_get_fd (h);
    returned (answer >= 0 ? 0 : answer);
  }
}

static void
look_at_protocol (void)
{
  const char *protocol;

  call ("nbd_get_protocol", "%s", "");
  protocol = nbd_get_protocol (h);
  if (protocol == NULL)
    print_error ();
  else
    line ("returns \"%s\"", protocol);
}

static void
look_at_something (void)
{
  switch (below (level < 24 ? 5 : 7)) {
  case 0:
  case 1:
  case 2:
    ONE_OF (looks) ();
    break;
  case 3:
    look_with_argument ();
    break;
  case 4:
    if (one_in (3))
      look_at_protocol ();
    else
      look_at_nbd_get_size ();
    break;
  default:
    ONE_OF (newer_looks) ();
  }
}

#endif /* STEPS_LOOKING_H */
