/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * libnbd-ext.h - functions that the C library libnbd does not have.
 * libnbd-ext(3) explains how a program can use them and still run with the
 * C library.
 *
 * Written by `cargo build` from src/capi/ext; do not edit.
 */

#ifndef LIBNBD_EXT_H
#define LIBNBD_EXT_H

#include <libnbd.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Sets when TCP probes an idle server. */
int nbd_ext_set_keepalive(struct nbd_handle *h, int idle, int interval,
                          int count)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_EXT_HAVE_SET_KEEPALIVE 1

/* Returns when TCP probes an idle server. */
int nbd_ext_get_keepalive(struct nbd_handle *h, int *idle, int *interval,
                          int *count)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2, 3, 4);
#define LIBNBD_EXT_HAVE_GET_KEEPALIVE 1

/* Sets how long TCP waits for an acknowledgement. */
int nbd_ext_set_user_timeout(struct nbd_handle *h, int milliseconds)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_EXT_HAVE_SET_USER_TIMEOUT 1

/* Returns how long TCP waits for an acknowledgement. */
int nbd_ext_get_user_timeout(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_EXT_HAVE_GET_USER_TIMEOUT 1

/* Sets whether the messages of a server are kept for the program. */
int nbd_ext_set_capture_stderr(struct nbd_handle *h, bool enable)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_EXT_HAVE_SET_CAPTURE_STDERR 1

/* Checks whether the messages of a server are kept for the program. */
int nbd_ext_get_capture_stderr(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_EXT_HAVE_GET_CAPTURE_STDERR 1

/* Returns the last lines that a server has written to standard error. */
char *nbd_ext_get_error_detail(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_ALLOC_DEALLOC(__builtin_free)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_EXT_HAVE_GET_ERROR_DETAIL 1

/* Limits the time of synchronous calls. */
int nbd_ext_set_timeout(struct nbd_handle *h, int milliseconds)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_EXT_HAVE_SET_TIMEOUT 1

/* Returns the time limit of synchronous calls. */
int nbd_ext_get_timeout(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_EXT_HAVE_GET_TIMEOUT 1

/* Allows calls that wait to be cancelled. */
int nbd_ext_set_cancellable(struct nbd_handle *h, bool cancellable)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_EXT_HAVE_SET_CANCELLABLE 1

/* Checks whether calls that wait can be cancelled. */
int nbd_ext_get_cancellable(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_EXT_HAVE_GET_CANCELLABLE 1

/* Cancels the calls that wait on a handle. */
int nbd_ext_cancel(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_EXT_HAVE_CANCEL 1

/* Cancels an asynchronous command. */
int nbd_ext_aio_cancel(struct nbd_handle *h, uint64_t cookie)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_EXT_HAVE_AIO_CANCEL 1

/* Reads from the export into several buffers. */
int nbd_ext_preadv(struct nbd_handle *h, const struct iovec *iov, int iovcnt,
                   uint64_t offset, uint32_t flags)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2);
#define LIBNBD_EXT_HAVE_PREADV 1

/* Writes to the export from several buffers. */
int nbd_ext_pwritev(struct nbd_handle *h, const struct iovec *iov, int iovcnt,
                    uint64_t offset, uint32_t flags)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2);
#define LIBNBD_EXT_HAVE_PWRITEV 1

/* Starts a read from the export into several buffers. */
int64_t nbd_ext_aio_preadv(struct nbd_handle *h, const struct iovec *iov,
                           int iovcnt, uint64_t offset,
                           nbd_completion_callback completion_callback,
                           uint32_t flags)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2);
#define LIBNBD_EXT_HAVE_AIO_PREADV 1

/* Starts a write to the export from several buffers. */
int64_t nbd_ext_aio_pwritev(struct nbd_handle *h, const struct iovec *iov,
                            int iovcnt, uint64_t offset,
                            nbd_completion_callback completion_callback,
                            uint32_t flags)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2);
#define LIBNBD_EXT_HAVE_AIO_PWRITEV 1

/* Sets whether requests are sent together. */
int nbd_ext_set_batching(struct nbd_handle *h, bool enable)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_EXT_HAVE_SET_BATCHING 1

/* Checks whether requests are sent together. */
int nbd_ext_get_batching(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_EXT_HAVE_GET_BATCHING 1

/* Sends queued requests. */
int nbd_ext_send(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_EXT_HAVE_SEND 1

#ifdef __cplusplus
}
#endif

#endif /* LIBNBD_EXT_H */
