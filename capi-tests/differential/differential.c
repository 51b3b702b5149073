/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Runs a random sequence of calls against a random server and prints each one:
 * the same lines are expected with another library.
 *
 *   differential REPLIES FAULTS LEVEL SEED [LAST [WITHOUT...]]
 *   differential version
 *
 * REPLIES is simple, structured or extended: the best kind that the server
 * supports.  FAULTS is 1 if the server reports errors and violates the protocol,
 * otherwise 0; with the prefix p (p0, p1) the program plays the server itself,
 * and each call is compared; with o (o0, o1) it also plays the negotiation.
 * LEVEL is the minor version of the library: below 24 only functions of libnbd
 * 1.14 are called.  LAST is the number of the last step, and WITHOUT names steps
 * to skip.  With DIFFERENTIAL_TEXTS in the environment, the texts of errors go to
 * standard error.
 */
#include "steps-played-options.h"

enum phase { CREATED, CONNECT, NEGOTIATE, GO, COMMANDS, END, ENDED };

static void
any_step (void)
{
  switch (below (12)) {
  case 0:
    connect_somehow ();
    break;
  case 1:
    negotiate_something ();
    break;
  case 2:
    sync_command ();
    break;
  case 3:
    issue_command ();
    break;
  case 4:
    signal_server ();
    break;
  case 5:
    end_connection ();
    break;
  case 6:
    wait_for_something ();
    break;
  case 7:
  case 8:
    set_something ();
    break;
  default:
    look_at_something ();
  }
}

/* Runs a step of the current phase, or one in a dozen times one out of place.
 */
static void
one_step (enum phase phase)
{
  if (phase != CONNECT && phase != GO && phase != END && one_in (12)) {
    any_step ();
    return;
  }
  switch (phase) {
  case CREATED:
    if (one_in (3))
      look_at_something ();
    else
      set_something ();
    break;
  case CONNECT:
    connect_somehow ();
    break;
  case NEGOTIATE:
    if (one_in (3))
      look_at_something ();
    else if (one_in (4))
      set_something ();
    else
      negotiate_something ();
    break;
  case GO:
    leave_negotiation ();
    break;
  case COMMANDS:
    switch (below (12)) {
    case 0:
      set_flags ();
      break;
    case 1:
    case 2:
      look_at_something ();
      break;
    case 3:
    case 4:
      wait_for_something ();
      break;
    case 5:
    case 6:
    case 7:
    case 8:
      issue_command ();
      break;
    default:
      sync_command ();
    }
    break;
  case END:
    end_connection ();
    break;
  case ENDED:
    if (one_in (3))
      retire ();
    else
      any_step ();
  }
}

/* Returns true if the next step is to be run. */
static bool
begin_step (uint64_t seed, int argc, char **argv)
{
  int i;

  step++;
  if (argc > 5 && step > strtoul (argv[5], NULL, 10))
    return false;
  for (i = 6; i < argc; i++)
    if (step == strtoul (argv[i], NULL, 10))
      return false;
  random_begin (seed, step);
  return true;
}

static void
do_step (uint64_t seed, enum phase phase, int argc, char **argv)
{
  if (!begin_step (seed, argc, argv))
    return;
  one_step (phase);
  /* A write may be partly unsent, which depends on the server. */
  if (unsettled_bytes < 65536)
    print_state ();
  fflush (stdout);
}

static void
settings_in_common (void)
{
  /* Settings that 1.14 lacks, or whose default differs. */
  if (level < 24) {
    if (NEWER (nbd_set_request_extended_headers) != NULL)
      CHECK (NEWER (nbd_set_request_extended_headers) (h, false) == 0);
    if (!one_in (8))
      CHECK (nbd_set_strict_mode (h, below (8) ? 0x1f : below (0x20)) == 0);
  } else if (one_in (4))
    CHECK (nbd_set_strict_mode (h, below (0x80)) == 0);
  if (!one_in (4))
    CHECK (nbd_add_meta_context (h, "base:allocation") == 0);
}

static void
play (enum replies replies, bool faults, bool options, uint64_t seed, int argc,
      char **argv)
{
  unsigned steps = 20 + (unsigned) below (options ? 200 : 120);

  puts (options ? "server played with options" : "server played");
  h = nbd_create ();
  CHECK (h != NULL);
  if (options)
    play_negotiation (replies, faults);
  else
    play_connect (replies, faults);
  while (steps-- > 0)
    if (begin_step (seed, argc, argv)) {
      if (negotiation.open)
        play_option_step ();
      else
        play_step ();
      /* Everything here is deterministic: a step need not be waited for. */
      unsettled = false;
      print_played_state ();
      fflush (stdout);
    }
}

static void
finish (uint64_t seed)
{
  step++;
  random_begin (seed, UINT64_MAX);
  if (!one_in (4))
    retire_all ();
  call ("nbd_close", "%s", "");
  nbd_close (h);
  play_receive ();
  play_close ();
  check_and_free_buffers ();
  stop_socketpair_server ();
  printf ("end\n");
}

int
main (int argc, char **argv)
{
  uint64_t seed;
  enum replies replies = SIMPLE;
  unsigned phases[ENDED + 1];
  unsigned phase, i;
  bool negotiate;

  if (argc == 2 && strcmp (argv[1], "version") == 0) {
    h = nbd_create ();
    CHECK (h != NULL);
    puts (nbd_get_version (h));
    nbd_close (h);
    return 0;
  }
  CHECK (argc >= 5);
  alarm (30);
  signal (SIGPIPE, SIG_IGN);
  while (strcmp (argv[1], replies_names[replies]) != 0)
    CHECK (++replies < COUNT_OF (replies_names));
  level = (unsigned) strtoul (argv[3], NULL, 10);
  seed = strtoull (argv[4], NULL, 10);

  random_begin (seed, 0);
  if (argv[2][0] == 'p' || argv[2][0] == 'o') {
    play (replies, argv[2][1] != '0', argv[2][0] == 'o', seed, argc, argv);
    finish (seed);
    return 0;
  }
  choose_server (replies, strcmp (argv[2], "0") != 0);
  negotiate = one_in (3);
  phases[CREATED] = below (6);
  phases[CONNECT] = !one_in (30);
  phases[NEGOTIATE] = negotiate ? below (8) : 0;
  phases[GO] = negotiate;
  phases[COMMANDS] = below (4) ? below (20) : below (60);
  phases[END] = !one_in (4);
  phases[ENDED] = below (5);

  h = nbd_create ();
  CHECK (h != NULL);
  settings_in_common ();
  if (negotiate)
    CHECK (nbd_set_opt_mode (h, true) == 0);
  for (phase = CREATED; phase <= ENDED; phase++)
    for (i = 0; i < phases[phase]; i++)
      do_step (seed, (enum phase) phase, argc, argv);
  finish (seed);
  return 0;
}
