/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* An array of buffers that is not valid is refused. For all other errors that
 * are detected before the request is sent, the calls with several buffers have
 * the errno and the message of those with one.
 * Source: nbd_ext_preadv(3), nbd_ext_pwritev(3).
 */
#include "../harness/vectors.h"

#define SSIZE_LIMIT ((size_t) SSIZE_MAX)

static struct nbd_handle *h;

/* Checks that the calls fail like nbd_pread or nbd_pwrite just has. */
static void
fails_alike (bool write, const struct iovec *iov, int count, uint64_t offset,
             uint32_t flags)
{
  char expected[256];
  int error = nbd_get_errno ();

  CHECK (strchr (nbd_get_error (), ':') != NULL);
  snprintf (expected, sizeof expected, "nbd_ext_%s%s",
            write ? "pwritev" : "preadv", strchr (nbd_get_error (), ':'));
  CHECK_ERROR ((write ? nbd_ext_pwritev : nbd_ext_preadv) (h, iov, count,
                                                           offset, flags),
               error);
  CHECK_EXACT_MESSAGE (expected);

  snprintf (expected, sizeof expected, "nbd_ext_aio_%s%s",
            write ? "pwritev" : "preadv", strchr (nbd_get_error (), ':'));
  CHECK_ERROR ((write ? nbd_ext_aio_pwritev
                      : nbd_ext_aio_preadv) (h, iov, count, offset,
                                             NBD_NULL_COMPLETION, flags),
               error);
  CHECK_EXACT_MESSAGE (expected);
}

/* Checks that all four calls fail with this message. */
static void
all_fail (const struct iovec *iov, int count, int error, const char *message)
{
  struct record record = { .result = 0 };

  CHECK_ERROR (nbd_ext_preadv (h, iov, count, 0, 0), error);
  CHECK_MESSAGE (message);
  CHECK_ERROR (nbd_ext_pwritev (h, iov, count, 0, 0), error);
  CHECK_MESSAGE (message);
  CHECK_ERROR (nbd_ext_aio_preadv (h, iov, count, 0, COMPLETION (&record), 0),
               error);
  CHECK_MESSAGE (message);
  CHECK_ERROR (nbd_ext_aio_pwritev (h, iov, count, 0, COMPLETION (&record), 0),
               error);
  CHECK_MESSAGE (message);
  CHECK_RECORD (record, "cc");
}

static void
check_arrays (void)
{
  char byte = 's';
  struct iovec iov[] = { { &byte, 1 }, { NULL, 0 }, { &byte, 0 } };
  struct iovec *many = calloc (MAX_PIECES + 1, sizeof *many);

  /* NULL is a buffer of no bytes. */
  CHECK (nbd_ext_pwritev (h, iov, 3, 0, 0) == 0);
  CHECK (nbd_ext_preadv (h, iov, 3, 0, 0) == 0);
  all_fail (iov, -1, EINVAL, "iovcnt should be from 0 to 1024, not -1");
  all_fail (iov, INT_MIN, EINVAL,
            "iovcnt should be from 0 to 1024, not -2147483648");
  CHECK (many != NULL);
  many[MAX_PIECES - 1] = iov[0];
  CHECK (nbd_ext_pwritev (h, many, MAX_PIECES, 0, 0) == 0);
  all_fail (many, MAX_PIECES + 1, EINVAL,
            "iovcnt should be from 0 to 1024, not 1025");
  free (many);

  iov[1].iov_len = 1;
  all_fail (iov, 3, EFAULT, "iov[1].iov_base cannot be NULL");
  CHECK (nbd_ext_preadv (h, iov, 1, 0, 0) == 0);
  CHECK (byte == 's');
  all_fail (iov, 0, EINVAL, "count cannot be 0");
  all_fail (iov + 2, 1, EINVAL, "count cannot be 0");
}

/* The memory is not used: it is shorter than the lengths say. */
static void
check_sums (void)
{
  static char bytes[1];
  struct iovec iov[] = { { bytes, SSIZE_LIMIT }, { bytes, 1 } };

  all_fail (iov, 2, EINVAL, "the lengths in iov add up to more than SSIZE_MAX");
  iov[0].iov_len = SIZE_MAX;
  all_fail (iov, 2, EINVAL, "the lengths in iov add up to more than SSIZE_MAX");
}

static void
check_commands (void)
{
  static char data[65 * MIB];
  struct iovec iov[] = { { data, 512 }, { data + 512, 512 } };

  CHECK_ERROR (nbd_pread (h, data, 1024, 0, LIBNBD_CMD_FLAG_FUA), EINVAL);
  fails_alike (false, iov, 2, 0, LIBNBD_CMD_FLAG_FUA);
  CHECK_ERROR (nbd_pread (h, data, 1024, 0, LIBNBD_CMD_FLAG_DF), EINVAL);
  fails_alike (false, iov, 2, 0, LIBNBD_CMD_FLAG_DF);
  CHECK_ERROR (nbd_pwrite (h, data, 1024, 0, LIBNBD_CMD_FLAG_DF), EINVAL);
  fails_alike (true, iov, 2, 0, LIBNBD_CMD_FLAG_DF);
  CHECK_ERROR (nbd_pwrite (h, data, 1024, 0, LIBNBD_CMD_FLAG_FUA), EINVAL);
  fails_alike (true, iov, 2, 0, LIBNBD_CMD_FLAG_FUA);
  CHECK_ERROR (nbd_pread (h, data, 1024, MIB - 512, 0), EINVAL);
  fails_alike (false, iov, 2, MIB - 512, 0);
  CHECK_ERROR (nbd_pwrite (h, data, 1024, MIB - 512, 0), ENOSPC);
  fails_alike (true, iov, 2, MIB - 512, 0);
  CHECK_ERROR (nbd_pread (h, data, 1024, UINT64_MAX, 0), EINVAL);
  fails_alike (false, iov, 2, UINT64_MAX, 0);

  /* The sum has to be aligned, not each buffer. */
  iov[1].iov_len = 511;
  CHECK_ERROR (nbd_pread (h, data, 1023, 0, 0), EINVAL);
  fails_alike (false, iov, 2, 0, 0);
  CHECK_ERROR (nbd_pwrite (h, data, 1023, 0, 0), EINVAL);
  fails_alike (true, iov, 2, 0, 0);
  iov[0].iov_len = 1;
  CHECK (nbd_ext_preadv (h, iov, 2, 0, 0) == 0);
  CHECK (nbd_ext_pwritev (h, iov, 2, 0, 0) == 0);

  CHECK (nbd_set_strict_mode (h, 0) == 0);
  iov[0] = (struct iovec) { data, 32 * MIB };
  iov[1] = (struct iovec) { data + 32 * MIB, 32 * MIB + 512 };
  CHECK_ERROR (nbd_pread (h, data, 64 * MIB + 512, 0, 0), ERANGE);
  fails_alike (false, iov, 2, 0, 0);
  CHECK_ERROR (nbd_pwrite (h, data, 64 * MIB + 512, 0, 0), ERANGE);
  fails_alike (true, iov, 2, 0, 0);
}

int
main (void)
{
  h = connected ("--size", "1M");
  check_arrays ();
  check_sums ();
  CHECK (nbd_shutdown (h, 0) == 0);
  nbd_close (h);

  h = connected ("--size", "1M", "--no-fua", "--block-size", "512,4k,1M");
  check_commands ();
  CHECK (nbd_aio_is_ready (h) == 1);
  nbd_close (h);

  h = connected ("--size", "1M", "--read-only");
  CHECK_ERROR (nbd_pwrite (h, "1", 1, 0, 0), EPERM);
  fails_alike (true, &(struct iovec) { "1", 1 }, 1, 0, 0);
  nbd_close (h);
  return 0;
}
