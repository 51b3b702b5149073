/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A program that declares the functions itself, as language bindings do, may
 * pass a `bool` other than 0 or 1: any other value is true, in every function.
 */
#include "../harness/harness.h"

typedef int setter (struct nbd_handle *h, unsigned char value);
typedef int getter (struct nbd_handle *h);

#define SETTER(function) ((setter *) (void (*) (void)) function)
/* clang-format off */
#define WITH_GETTER(name) \
  { #name, SETTER (nbd_set_##name), nbd_get_##name }
/* clang-format on */

static const struct {
  const char *name;
  setter *set;
  getter *get;
} functions[] = {
  WITH_GETTER (debug),
  WITH_GETTER (request_block_size),
  WITH_GETTER (full_info),
  WITH_GETTER (tls_verify_peer),
  WITH_GETTER (request_extended_headers),
  WITH_GETTER (request_structured_replies),
  WITH_GETTER (request_meta_context),
  WITH_GETTER (pread_initialize),
  WITH_GETTER (opt_mode),
};

static const unsigned char values[] = { 1, 2, 0x40, 0x80, 0xfe, 0xff };

#define URI "nbds+unix:///?socket=/nonexistent/socket&"

static const struct {
  setter *set;
  const char *uri;
} allowing[] = {
  { SETTER (nbd_set_uri_allow_local_file), URI "tls-psk-file=/x" },
  { SETTER (nbd_set_uri_allow_tls_priority), URI "tls-priority=NORMAL" },
};

/* Argument in the debug message of the last setter. */
static char argument[100];

static int
on_message (void *user_data, const char *context, const char *msg)
{
  (void) user_data;
  if (strncmp (msg, "enter:", 6) == 0 && strstr (context, "_set_"))
    snprintf (argument, sizeof argument, "%s", strrchr (msg, '=') + 1);
  return 0;
}

static void
is_true (struct nbd_handle *h, size_t i, unsigned char value)
{
  int got;

  CHECK (functions[i].set (h, 0) == 0);
  CHECK (functions[i].get (h) == 0);
  CHECK (functions[i].set (h, value) == 0);
  CHECK (functions[i].get == nbd_get_debug || strcmp (argument, "true") == 0);
  got = functions[i].get (h);
  if (got != 1) {
    fprintf (stderr, "nbd_set_%s: %d is %d\n", functions[i].name, value, got);
    exit (EXIT_FAILURE);
  }
}

/* Forbidden features are refused before the server is contacted. */
static void
allows (size_t i, unsigned char value)
{
  struct nbd_handle *h = nbd_create ();

  CHECK (allowing[i].set (h, 0) == 0);
  CHECK_ERROR (nbd_connect_uri (h, allowing[i].uri), EPERM);
  CHECK (allowing[i].set (h, value) == 0);
  CHECK_ERROR (nbd_connect_uri (h, allowing[i].uri), ENOENT);
  nbd_close (h);
}

int
main (void)
{
  nbd_debug_callback callback = { .callback = on_message };

  for (size_t j = 0; j < sizeof values; ++j) {
    struct nbd_handle *h = nbd_create ();

    CHECK (nbd_set_debug_callback (h, callback) == 0);
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; ++i)
      is_true (h, i, values[j]);
    nbd_close (h);
    for (size_t i = 0; i < sizeof allowing / sizeof allowing[0]; ++i)
      allows (i, values[j]);
  }
  return 0;
}
