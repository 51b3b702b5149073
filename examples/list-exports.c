/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Lists a server's exports before one of them is opened.
 *
 *   cc list-exports.c $(pkg-config --cflags --libs libnbd) -o list-exports
 *   ./list-exports nbd://localhost
 *
 * In option mode a connection pauses in the middle of the handshake.  There the
 * server answers queries (nbd_opt_list, nbd_opt_info) until the program opens an
 * export (nbd_opt_go) or disconnects (nbd_opt_abort).
 */

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libnbd.h>

static void
die (const char *what, const char *why)
{
  fprintf (stderr, "list-exports: %s: %s\n", what, why);
  exit (EXIT_FAILURE);
}

struct names {
  char **names;
  size_t count;
};

/* Called for each export.  The strings are only valid during the call. */
static int
add_name (void *opaque, const char *name, const char *description)
{
  struct names *list = opaque;
  char **longer = realloc (list->names, (list->count + 1) * sizeof *longer);

  (void) description; /* nbd_opt_info returns it below */
  if (longer == NULL || (longer[list->count] = strdup (name)) == NULL)
    die ("list", "no memory");
  list->names = longer;
  list->count++;
  return 0;
}

static void
show (struct nbd_handle *nbd, const char *name)
{
  char *description;

  if (nbd_set_export_name (nbd, name) == -1)
    die (name, nbd_get_error ());

  /* A server may list exports that it refuses to this client: continue. */
  if (nbd_opt_info (nbd) == -1) {
    printf ("\"%s\": %s\n", name, nbd_get_error ());
    return;
  }
  printf ("\"%s\": %" PRIi64 " bytes%s", name, nbd_get_size (nbd),
          nbd_is_read_only (nbd) == 1 ? ", read-only" : "");
  description = nbd_get_export_description (nbd);
  if (description != NULL)
    printf (": %s", description);
  putchar ('\n');
  free (description);
}

int
main (int argc, char **argv)
{
  struct nbd_handle *nbd = nbd_create ();
  struct names list = { NULL, 0 };
  nbd_list_callback callback = { .callback = add_name, .user_data = &list };

  if (argc != 2)
    die ("usage", "list-exports URI");
  if (nbd == NULL || nbd_set_opt_mode (nbd, true) == -1
      || nbd_set_full_info (nbd, true) == -1 || /* descriptions, too */
      nbd_connect_uri (nbd, argv[1]) == -1)
    die (argv[1], nbd_get_error ());

  /* A server of the oldest protocol has a single export and no options. */
  if (!nbd_aio_is_negotiating (nbd))
    die (argv[1], "the server does not negotiate");

  if (nbd_opt_list (nbd, callback) == -1)
    die (argv[1], nbd_get_error ());
  printf ("%zu exports\n", list.count);
  for (size_t i = 0; i < list.count; i++) {
    show (nbd, list.names[i]);
    free (list.names[i]);
  }
  free (list.names);

  if (nbd_opt_abort (nbd) == -1)
    die (argv[1], nbd_get_error ());
  nbd_close (nbd);
  return EXIT_SUCCESS;
}
