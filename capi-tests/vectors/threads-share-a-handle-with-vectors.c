/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Threads with small stacks that share a handle read into pieces and write from
 * pieces at the same time; each sees its own data.
 * Source: nbd_ext_preadv(3), nbd_ext_pwritev(3), docs/threads.md.
 */
#include "../harness/stack.h"
#include "../harness/vectors.h"

#define THREADS 8
#define ROUNDS 100

static struct nbd_handle *h;

struct worker {
  pthread_t thread;
  struct vector v;
  char *data;
  uint64_t offset;
};

static struct worker workers[THREADS];

static void *
work (void *arg)
{
  struct worker *worker = arg;
  struct vector *v = &worker->v;

  for (int round = 0; round < ROUNDS; ++round) {
    for (size_t i = 0; i < v->length; ++i)
      worker->data[i] = round + worker->offset + i * 3;
    put_in_vector (v, worker->data);
    CHECK (nbd_ext_pwritev (h, v->iov, v->count, worker->offset, 0) == 0);
    fill_vector (v, 0);
    CHECK (nbd_ext_preadv (h, v->iov, v->count, worker->offset, 0) == 0);
    check_vector (v, worker->data);
  }
  return NULL;
}

int
main (void)
{
  pthread_attr_t attributes;

  h = connected ("--size", "64M");
  CHECK (pthread_attr_init (&attributes) == 0);
  CHECK (pthread_attr_setstacksize (&attributes, SMALL_STACK < PTHREAD_STACK_MIN
                                                     ? PTHREAD_STACK_MIN
                                                     : SMALL_STACK)
         == 0);
  for (int i = 0; i < THREADS; ++i) {
    struct worker *worker = &workers[i];

    make_even_vector (&worker->v, 100 + i * 900, 30 + i * 20);
    CHECK ((worker->data = malloc (worker->v.length)) != NULL);
    worker->offset = i * 4 * MIB + 1;
    CHECK (pthread_create (&worker->thread, &attributes, work, worker) == 0);
  }
  for (int i = 0; i < THREADS; ++i) {
    CHECK (pthread_join (workers[i].thread, NULL) == 0);
    free_vector (&workers[i].v);
    free (workers[i].data);
  }
  CHECK (pthread_attr_destroy (&attributes) == 0);
  CHECK (nbd_shutdown (h, 0) == 0);
  nbd_close (h);
  return 0;
}
