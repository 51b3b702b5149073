/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Calls every function of the C library of Debian 12 (libnbd 1.14), like a
 * program of that time, and prints the results.
 *
 *   every-common-function MEMSERVER SOCKET PORT
 *
 * MEMSERVER is the path of the in-memory server, which the program starts
 * itself for functions that start a server.  Another one listens on SOCKET and
 * on PORT of the IPv4 loopback interface.
 */

#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <libnbd.h>

/* Prints the call and the number that it returned. */
#define NUMBER(call) printf ("%s = %" PRId64 "\n", #call, (int64_t) (call))

/* Prints the call and the text that it returned, and frees it. */
#define TEXT(call) \
  do { \
    char *text_ = (call); \
    printf ("%s = %s\n", #call, text_ ? text_ : "NULL"); \
    free (text_); \
  } while (0)

/* Prints an asynchronous call once it is complete, since its callbacks may run
 * in the call itself or later.
 */
#define OPTION(call) \
  do { \
    int returned_ = (call); \
    wait_for_option (h); \
    printf ("%s = %d\n", #call, returned_); \
  } while (0)

#define COMMAND(call) \
  do { \
    int64_t cookie_ = (call); \
    int completed_ = wait_for_command (h, cookie_); \
    printf ("%s = %" PRId64 ": %d\n", #call, cookie_, completed_); \
  } while (0)

/* Prints whether the call returned a value; the value itself varies. */
#define SOMETHING(call) printf ("%s: %s\n", #call, (call) ? "yes" : "no")

#define CLOSURE(type, function) \
  ((type) { .callback = function, .user_data = #function, .free = released })

#define COMPLETION CLOSURE (nbd_completion_callback, on_completion)
#define CHUNK CLOSURE (nbd_chunk_callback, on_chunk)
#define EXTENT CLOSURE (nbd_extent_callback, on_extent)
#define LIST CLOSURE (nbd_list_callback, on_list)
#define CONTEXT CLOSURE (nbd_context_callback, on_context)

static char *memserver, *path, *port;
static char buffer[8192];

/* ---- Callbacks ---------------------------------------------------------- */

static void
released (void *user_data)
{
  printf ("  free of %s\n", (char *) user_data);
}

static int
on_completion (void *user_data, int *error)
{
  printf ("  %s: error %d\n", (char *) user_data, *error);
  return 0;
}

static int
on_chunk (void *user_data, const void *data, size_t count, uint64_t offset,
          unsigned status, int *error)
{
  printf ("  %s: %zu bytes at %zd of the buffer, offset %" PRIu64
          ", status %u, error %d\n",
          (char *) user_data, count, (const char *) data - buffer, offset,
          status, *error);
  return 0;
}

static int
on_extent (void *user_data, const char *context, uint64_t offset,
           uint32_t *entries, size_t count, int *error)
{
  printf ("  %s: %s at %" PRIu64 ", error %d:", (char *) user_data, context,
          offset, *error);
  for (size_t i = 0; i < count; ++i)
    printf (" %" PRIu32, entries[i]);
  printf ("\n");
  return 0;
}

static int
on_list (void *user_data, const char *name, const char *description)
{
  printf ("  %s: \"%s\" \"%s\"\n", (char *) user_data, name, description);
  return 0;
}

static int
on_context (void *user_data, const char *name)
{
  printf ("  %s: %s\n", (char *) user_data, name);
  return 0;
}

static size_t messages;

static int
on_debug (void *user_data, const char *context, const char *message)
{
  (void) user_data;
  messages += context != NULL && message != NULL;
  return 0;
}

/* ---- Handles ------------------------------------------------------------ */

static struct nbd_handle *
create (void)
{
  struct nbd_handle *h = nbd_create ();

  if (h == NULL) {
    fprintf (stderr, "%s\n", nbd_get_error ());
    exit (EXIT_FAILURE);
  }
  nbd_set_handle_name (h, "h");
  return h;
}

/* Returns a handle in option mode. */
static struct nbd_handle *
negotiating (void)
{
  struct nbd_handle *h = create ();

  nbd_set_opt_mode (h, true);
  nbd_connect_unix (h, path);
  return h;
}

/* Waits until the connection is made, or the command is complete. */
static void
wait_for_connection (struct nbd_handle *h)
{
  while (nbd_aio_is_connecting (h) == 1)
    if (nbd_poll (h, -1) == -1)
      return;
}

static int
wait_for_command (struct nbd_handle *h, int64_t cookie)
{
  int completed;

  while ((completed = nbd_aio_command_completed (h, cookie)) == 0)
    if (nbd_poll (h, -1) == -1)
      break;
  return completed;
}

static void
wait_for_option (struct nbd_handle *h)
{
  while (nbd_aio_is_negotiating (h) == 0 && nbd_aio_is_ready (h) == 0)
    if (nbd_poll (h, -1) == -1)
      return;
}

/* ---- Each part of the interface ----------------------------------------- */

static void
settings (void)
{
  struct nbd_handle *h = create ();

  NUMBER (nbd_set_debug (h, true));
  NUMBER (nbd_get_debug (h));
  NUMBER (nbd_set_debug_callback (h, CLOSURE (nbd_debug_callback, on_debug)));
  NUMBER (nbd_get_opt_mode (h));
  NUMBER (nbd_clear_debug_callback (h));
  SOMETHING (messages > 0);
  NUMBER (nbd_set_debug (h, false));
  NUMBER (nbd_set_handle_name (h, "name"));
  TEXT (nbd_get_handle_name (h));
  NUMBER (nbd_set_private_data (h, UINTPTR_MAX));
  NUMBER (nbd_get_private_data (h));
  NUMBER (nbd_set_export_name (h, "export"));
  TEXT (nbd_get_export_name (h));
  NUMBER (nbd_set_request_block_size (h, false));
  NUMBER (nbd_get_request_block_size (h));
  NUMBER (nbd_set_full_info (h, true));
  NUMBER (nbd_get_full_info (h));
  NUMBER (nbd_set_tls (h, LIBNBD_TLS_ALLOW));
  NUMBER (nbd_get_tls (h));
  NUMBER (nbd_get_tls_negotiated (h));
  NUMBER (nbd_set_tls_certificates (h, "/nonexistent"));
  NUMBER (nbd_set_tls_verify_peer (h, false));
  NUMBER (nbd_get_tls_verify_peer (h));
  NUMBER (nbd_set_tls_username (h, "alice"));
  TEXT (nbd_get_tls_username (h));
  NUMBER (nbd_set_tls_psk_file (h, "/nonexistent"));
  NUMBER (nbd_set_request_structured_replies (h, false));
  NUMBER (nbd_get_request_structured_replies (h));
  NUMBER (nbd_set_handshake_flags (h, LIBNBD_HANDSHAKE_FLAG_NO_ZEROES));
  NUMBER (nbd_get_handshake_flags (h));
  NUMBER (nbd_set_pread_initialize (h, false));
  NUMBER (nbd_get_pread_initialize (h));
  NUMBER (nbd_set_strict_mode (h, LIBNBD_STRICT_BOUNDS));
  NUMBER (nbd_get_strict_mode (h));
  NUMBER (nbd_set_strict_mode (h, UINT32_C (1) << 31));
  NUMBER (nbd_get_errno ());
  SOMETHING (nbd_get_error ());
  NUMBER (nbd_set_opt_mode (h, true));
  NUMBER (nbd_get_opt_mode (h));
  NUMBER (nbd_add_meta_context (h, "base:allocation"));
  NUMBER (nbd_get_nr_meta_contexts (h));
  TEXT (nbd_get_meta_context (h, 0));
  TEXT (nbd_get_meta_context (h, 1));
  NUMBER (nbd_clear_meta_contexts (h));
  NUMBER (nbd_get_nr_meta_contexts (h));
  NUMBER (nbd_set_uri_allow_transports (h, LIBNBD_ALLOW_TRANSPORT_UNIX));
  NUMBER (nbd_set_uri_allow_tls (h, LIBNBD_TLS_DISABLE));
  NUMBER (nbd_set_uri_allow_local_file (h, true));
  SOMETHING (nbd_connection_state (h));
  SOMETHING (nbd_get_package_name (h));
  SOMETHING (nbd_get_version (h));
  NUMBER (nbd_supports_tls (h));
  NUMBER (nbd_supports_uri (h));
  TEXT (nbd_get_uri (h));
  nbd_close (h);
}

static void
states (struct nbd_handle *h)
{
  NUMBER (nbd_aio_is_created (h));
  NUMBER (nbd_aio_is_connecting (h));
  NUMBER (nbd_aio_is_negotiating (h));
  NUMBER (nbd_aio_is_ready (h));
  NUMBER (nbd_aio_is_processing (h));
  NUMBER (nbd_aio_is_dead (h));
  NUMBER (nbd_aio_is_closed (h));
}

static void
ended (struct nbd_handle *h)
{
  states (h);
  nbd_close (h);
}

static void
connecting (void)
{
  char uri[256];
  char *in_command[] = { memserver, "--stdin", "--size", "4k", NULL };
  char *with_activation[] = { memserver, "--size", "4k", NULL };
  struct nbd_handle *h = create ();

  snprintf (uri, sizeof uri, "nbd+unix:///?socket=%s", path);
  NUMBER (nbd_connect_uri (h, uri));
  SOMETHING (strcmp (nbd_get_uri (h), uri) == 0);
  NUMBER (nbd_shutdown (h, 0));
  ended (h);
  h = create ();
  NUMBER (nbd_connect_unix (h, path));
  ended (h);
  h = create ();
  NUMBER (nbd_connect_unix (h, "/nonexistent"));
  ended (h);
  h = create ();
  NUMBER (nbd_connect_vsock (h, 1, 1));
  nbd_close (h);
  h = create ();
  NUMBER (nbd_connect_tcp (h, "127.0.0.1", port));
  ended (h);
  h = create ();
  NUMBER (nbd_connect_socket (h, -1));
  ended (h);
  h = create ();
  NUMBER (nbd_connect_command (h, in_command));
  NUMBER (nbd_kill_subprocess (h, SIGTERM));
  nbd_close (h);
  h = create ();
  NUMBER (nbd_connect_systemd_socket_activation (h, with_activation));
  ended (h);
}

static void
connecting_asynchronously (void)
{
  char uri[256];
  char *in_command[] = { memserver, "--stdin", "--size", "4k", NULL };
  char *with_activation[] = { memserver, "--size", "4k", NULL };
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int pair[2];
  struct nbd_handle *h = create ();

  strncpy (address.sun_path, path, sizeof address.sun_path - 1);
  NUMBER (nbd_aio_connect (h, (const struct sockaddr *) &address,
                           sizeof address));
  wait_for_connection (h);
  ended (h);
  h = create ();
  snprintf (uri, sizeof uri, "nbd://127.0.0.1:%s/", port);
  SOMETHING (nbd_aio_connect_uri (h, uri) == 0);
  wait_for_connection (h);
  ended (h);
  h = create ();
  NUMBER (nbd_aio_connect_unix (h, path));
  wait_for_connection (h);
  ended (h);
  h = create ();
  SOMETHING (nbd_aio_connect_vsock (h, 1, 1) <= 0);
  nbd_close (h);
  h = create ();
  NUMBER (nbd_aio_connect_tcp (h, "127.0.0.1", port));
  wait_for_connection (h);
  ended (h);
  h = create ();
  NUMBER (nbd_aio_connect_command (h, in_command));
  wait_for_connection (h);
  ended (h);
  h = create ();
  NUMBER (nbd_aio_connect_systemd_socket_activation (h, with_activation));
  wait_for_connection (h);
  ended (h);

  /* With a silent peer there is something to watch. */
  h = create ();
  if (socketpair (AF_UNIX, SOCK_STREAM, 0, pair) == -1)
    exit (EXIT_FAILURE);
  NUMBER (nbd_aio_connect_socket (h, pair[0]));
  NUMBER (nbd_poll (h, 0));
  NUMBER (nbd_aio_get_fd (h) == pair[0]);
  NUMBER (nbd_aio_get_direction (h));
  NUMBER (nbd_aio_notify_read (h));
  NUMBER (nbd_aio_notify_write (h));
  close (pair[1]);
  ended (h);
}

static void
options (void)
{
  struct nbd_handle *h = negotiating ();

  states (h);
  NUMBER (nbd_opt_list (h, LIST));
  NUMBER (nbd_add_meta_context (h, "base:"));
  NUMBER (nbd_opt_list_meta_context (h, CONTEXT));
  NUMBER (nbd_opt_info (h));
  NUMBER (nbd_get_size (h));
  NUMBER (nbd_set_export_name (h, "nobody"));
  NUMBER (nbd_opt_info (h));
  NUMBER (nbd_get_errno ());
  NUMBER (nbd_opt_abort (h));
  ended (h);

  h = negotiating ();
  NUMBER (nbd_opt_go (h));
  nbd_close (h);

  h = negotiating ();
  OPTION (nbd_aio_opt_list (h, LIST, COMPLETION));
  NUMBER (nbd_clear_meta_contexts (h));
  OPTION (nbd_aio_opt_list_meta_context (h, CONTEXT, COMPLETION));
  OPTION (nbd_aio_opt_info (h, COMPLETION));
  OPTION (nbd_aio_opt_go (h, COMPLETION));
  ended (h);

  h = negotiating ();
  SOMETHING (nbd_aio_opt_abort (h) == 0);
  while (nbd_aio_is_closed (h) == 0 && nbd_aio_is_dead (h) == 0)
    if (nbd_poll (h, -1) == -1)
      break;
  ended (h);
}

static void
facts (struct nbd_handle *h)
{
  NUMBER (nbd_get_structured_replies_negotiated (h));
  NUMBER (nbd_get_tls_negotiated (h));
  TEXT (nbd_get_canonical_export_name (h));
  TEXT (nbd_get_export_description (h));
  NUMBER (nbd_is_read_only (h));
  NUMBER (nbd_can_flush (h));
  NUMBER (nbd_can_fua (h));
  NUMBER (nbd_is_rotational (h));
  NUMBER (nbd_can_trim (h));
  NUMBER (nbd_can_zero (h));
  NUMBER (nbd_can_fast_zero (h));
  NUMBER (nbd_can_df (h));
  NUMBER (nbd_can_multi_conn (h));
  NUMBER (nbd_can_cache (h));
  NUMBER (nbd_can_meta_context (h, "base:allocation"));
  SOMETHING (nbd_get_protocol (h));
  NUMBER (nbd_get_size (h));
  NUMBER (nbd_get_block_size (h, LIBNBD_SIZE_MINIMUM));
  NUMBER (nbd_get_block_size (h, LIBNBD_SIZE_PREFERRED));
  NUMBER (nbd_get_block_size (h, LIBNBD_SIZE_MAXIMUM));
}

static void
commands (void)
{
  struct nbd_handle *h = create ();
  int64_t cookie;

  nbd_add_meta_context (h, "base:allocation");
  nbd_set_full_info (h, true);
  nbd_connect_unix (h, path);
  facts (h);

  memset (buffer, 'x', sizeof buffer);
  NUMBER (nbd_pwrite (h, buffer, 4096, 4096, LIBNBD_CMD_FLAG_FUA));
  NUMBER (nbd_pread (h, buffer, 8192, 0, 0));
  NUMBER (buffer[0] + buffer[8191]);
  NUMBER (nbd_pread_structured (h, buffer, 8192, 0, CHUNK, 0));
  NUMBER (nbd_flush (h, 0));
  NUMBER (nbd_block_status (h, 65536, 0, EXTENT, 0));
  NUMBER (nbd_trim (h, 4096, 4096, 0));
  NUMBER (nbd_cache (h, 4096, 0, 0));
  NUMBER (nbd_zero (h, 4096, 0, LIBNBD_CMD_FLAG_NO_HOLE));
  NUMBER (nbd_block_status (h, 65536, 0, EXTENT, LIBNBD_CMD_FLAG_REQ_ONE));
  NUMBER (nbd_zero (h, 1, nbd_get_size (h), 0));
  NUMBER (nbd_get_errno ());

  COMMAND (nbd_aio_pwrite (h, buffer, 512, 0, COMPLETION, 0));
  COMMAND (nbd_aio_pread (h, buffer, 512, 0, COMPLETION, 0));
  COMMAND (nbd_aio_pread_structured (h, buffer, 8192, 0, CHUNK, COMPLETION,
                                     LIBNBD_CMD_FLAG_DF));
  COMMAND (nbd_aio_trim (h, 512, 0, COMPLETION, 0));
  COMMAND (nbd_aio_cache (h, 512, 0, COMPLETION, 0));
  COMMAND (nbd_aio_zero (h, 512, 0, NBD_NULL_COMPLETION,
                         LIBNBD_CMD_FLAG_FAST_ZERO));
  COMMAND (nbd_aio_block_status (h, 65536, 0, EXTENT, COMPLETION, 0));
  cookie = nbd_aio_flush (h, COMPLETION, 0);
  while (nbd_aio_peek_command_completed (h) != cookie)
    if (nbd_poll (h, -1) == -1)
      break;
  NUMBER (nbd_aio_in_flight (h));
  NUMBER (nbd_aio_command_completed (h, cookie));
  NUMBER (nbd_aio_disconnect (h, 0));
  while (nbd_aio_is_closed (h) == 0 && nbd_aio_is_dead (h) == 0)
    if (nbd_poll (h, -1) == -1)
      break;
  ended (h);
}

int
main (int argc, char *argv[])
{
  if (argc != 4)
    return EXIT_FAILURE;
  memserver = argv[1];
  path = argv[2];
  port = argv[3];
  alarm (60);
  settings ();
  connecting ();
  connecting_asynchronously ();
  options ();
  commands ();
  return EXIT_SUCCESS;
}
