/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * libnbd.h - the C interface of libnbd, a client library for Network Block
 * Device (NBD) servers. libnbd(3) is the manual page to begin with.
 *
 * Written by `cargo build` from src/capi; do not edit.
 */

#ifndef LIBNBD_H
#define LIBNBD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined (__GNUC__)
#define LIBNBD_GCC_VERSION \
  (__GNUC__ * 10000 + __GNUC_MINOR__ * 100 + __GNUC_PATCHLEVEL__)
#endif

/* Parameters that may not be NULL. A program that wants to pass NULL, to see
 * the error, can define this as nothing before it includes the header.
 */
#ifndef LIBNBD_ATTRIBUTE_NONNULL
#if defined (__GNUC__) && LIBNBD_GCC_VERSION >= 120000
#define LIBNBD_ATTRIBUTE_NONNULL(...) \
  __attribute__ ((__nonnull__ (__VA_ARGS__)))
#else
#define LIBNBD_ATTRIBUTE_NONNULL(...)
#endif
#endif

/* The result is new, and `fn` releases it. */
#if defined (__GNUC__) && LIBNBD_GCC_VERSION >= 120000
#define LIBNBD_ATTRIBUTE_ALLOC_DEALLOC(fn) \
  __attribute__ ((__malloc__, __malloc__ (fn, 1)))
#else
#define LIBNBD_ATTRIBUTE_ALLOC_DEALLOC(fn)
#endif

/* One connection to one NBD server. */
struct nbd_handle;

#define LIBNBD_TLS_DISABLE                       0
#define LIBNBD_TLS_ALLOW                         1
#define LIBNBD_TLS_REQUIRE                       2

#define LIBNBD_SIZE_MINIMUM                      0
#define LIBNBD_SIZE_PREFERRED                    1
#define LIBNBD_SIZE_MAXIMUM                      2
#define LIBNBD_SIZE_PAYLOAD                      3

#define LIBNBD_CMD_FLAG_FUA                      0x01U
#define LIBNBD_CMD_FLAG_NO_HOLE                  0x02U
#define LIBNBD_CMD_FLAG_DF                       0x04U
#define LIBNBD_CMD_FLAG_REQ_ONE                  0x08U
#define LIBNBD_CMD_FLAG_FAST_ZERO                0x10U
#define LIBNBD_CMD_FLAG_PAYLOAD_LEN              0x20U
#define LIBNBD_CMD_FLAG_MASK                     0x3fU

#define LIBNBD_HANDSHAKE_FLAG_FIXED_NEWSTYLE     0x01U
#define LIBNBD_HANDSHAKE_FLAG_NO_ZEROES          0x02U
#define LIBNBD_HANDSHAKE_FLAG_MASK               0x03U

#define LIBNBD_STRICT_COMMANDS                   0x01U
#define LIBNBD_STRICT_FLAGS                      0x02U
#define LIBNBD_STRICT_BOUNDS                     0x04U
#define LIBNBD_STRICT_ZERO_SIZE                  0x08U
#define LIBNBD_STRICT_ALIGN                      0x10U
#define LIBNBD_STRICT_PAYLOAD                    0x20U
#define LIBNBD_STRICT_AUTO_FLAG                  0x40U
#define LIBNBD_STRICT_MASK                       0x7fU

#define LIBNBD_ALLOW_TRANSPORT_TCP               0x01U
#define LIBNBD_ALLOW_TRANSPORT_UNIX              0x02U
#define LIBNBD_ALLOW_TRANSPORT_VSOCK             0x04U
#define LIBNBD_ALLOW_TRANSPORT_SSH               0x08U
#define LIBNBD_ALLOW_TRANSPORT_MASK              0x0fU

#define LIBNBD_SHUTDOWN_ABANDON_PENDING          0x10000U
#define LIBNBD_SHUTDOWN_MASK                     0x10000U

#define LIBNBD_AIO_DIRECTION_READ                1
#define LIBNBD_AIO_DIRECTION_WRITE               2
#define LIBNBD_AIO_DIRECTION_BOTH                3

#define LIBNBD_READ_DATA                         1
#define LIBNBD_READ_HOLE                         2
#define LIBNBD_READ_ERROR                        3

#define LIBNBD_NAMESPACE_BASE                    "base:"

#define LIBNBD_CONTEXT_BASE_ALLOCATION           "base:allocation"

#define LIBNBD_STATE_HOLE                        1
#define LIBNBD_STATE_ZERO                        2

#define LIBNBD_NAMESPACE_QEMU                    "qemu:"

#define LIBNBD_CONTEXT_QEMU_DIRTY_BITMAP         "qemu:dirty-bitmap:"
#define LIBNBD_CONTEXT_QEMU_ALLOCATION_DEPTH     "qemu:allocation-depth"

#define LIBNBD_STATE_DIRTY                       1

/* Callback for extents, as pairs of 32-bit length and flags. */
typedef struct {
  int (*callback)(void *user_data, const char *metacontext, uint64_t offset,
                  uint32_t *entries, size_t nr_entries, int *error);
  void *user_data;
  void (*free)(void *user_data);
} nbd_extent_callback;
#define LIBNBD_HAVE_NBD_EXTENT_CALLBACK 1

/* An extent: a range of an export with the same meta context flags. */
typedef struct {
  /* Length in bytes; at most INT64_MAX. */
  uint64_t length;
  /* Flags; the meta context defines their meaning. */
  uint64_t flags;
} nbd_extent;

/* Callback for extents with 64-bit length and flags. */
typedef struct {
  int (*callback)(void *user_data, const char *metacontext, uint64_t offset,
                  nbd_extent *entries, size_t nr_entries, int *error);
  void *user_data;
  void (*free)(void *user_data);
} nbd_extent64_callback;
#define LIBNBD_HAVE_NBD_EXTENT64_CALLBACK 1

/* Callback for the completion of a command or an option. */
typedef struct {
  int (*callback)(void *user_data, int *error);
  void *user_data;
  void (*free)(void *user_data);
} nbd_completion_callback;
#define LIBNBD_HAVE_NBD_COMPLETION_CALLBACK 1

/* Callback for debug messages. */
typedef struct {
  int (*callback)(void *user_data, const char *context, const char *msg);
  void *user_data;
  void (*free)(void *user_data);
} nbd_debug_callback;
#define LIBNBD_HAVE_NBD_DEBUG_CALLBACK 1

/* Callback for the exports listed by a server. */
typedef struct {
  int (*callback)(void *user_data, const char *name, const char *description);
  void *user_data;
  void (*free)(void *user_data);
} nbd_list_callback;
#define LIBNBD_HAVE_NBD_LIST_CALLBACK 1

/* Callback for the meta contexts that a server lists or selects. */
typedef struct {
  int (*callback)(void *user_data, const char *name);
  void *user_data;
  void (*free)(void *user_data);
} nbd_context_callback;
#define LIBNBD_HAVE_NBD_CONTEXT_CALLBACK 1

/* Callback for the pieces of a structured read, as they arrive. */
typedef struct {
  int (*callback)(void *user_data, const void *subbuf, size_t count,
                  uint64_t offset, unsigned int status, int *error);
  void *user_data;
  void (*free)(void *user_data);
} nbd_chunk_callback;
#define LIBNBD_HAVE_NBD_CHUNK_CALLBACK 1

/* Closes a handle and frees its resources. */
void nbd_close(struct nbd_handle *h);
#define LIBNBD_HAVE_NBD_CLOSE 1

/* Creates a handle. */
struct nbd_handle *nbd_create(void)
  LIBNBD_ATTRIBUTE_ALLOC_DEALLOC(nbd_close);
#define LIBNBD_HAVE_NBD_CREATE 1

/* Returns the message of the last error in this thread. */
const char *nbd_get_error(void);
#define LIBNBD_HAVE_NBD_GET_ERROR 1

/* Returns the errno of the last error in this thread. */
int nbd_get_errno(void);
#define LIBNBD_HAVE_NBD_GET_ERRNO 1

/* Turns debug messages of the handle on or off. */
int nbd_set_debug(struct nbd_handle *h, bool debug)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_SET_DEBUG 1

/* Checks whether debug messages of the handle are on. */
int nbd_get_debug(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_DEBUG 1

/* Sets a callback for debug messages. */
int nbd_set_debug_callback(struct nbd_handle *h,
                           nbd_debug_callback debug_callback)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_SET_DEBUG_CALLBACK 1

/* Removes the callback for debug messages. */
int nbd_clear_debug_callback(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_CLEAR_DEBUG_CALLBACK 1

/* Returns the number of bytes sent to the server. */
uint64_t nbd_stats_bytes_sent(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_STATS_BYTES_SENT 1

/* Returns the number of protocol messages sent to the server. */
uint64_t nbd_stats_chunks_sent(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_STATS_CHUNKS_SENT 1

/* Returns the number of bytes received from the server. */
uint64_t nbd_stats_bytes_received(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_STATS_BYTES_RECEIVED 1

/* Returns the number of protocol messages received from the server. */
uint64_t nbd_stats_chunks_received(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_STATS_CHUNKS_RECEIVED 1

/* Sets the name of the handle in debug messages. */
int nbd_set_handle_name(struct nbd_handle *h, const char *handle_name)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2);
#define LIBNBD_HAVE_NBD_SET_HANDLE_NAME 1

/* Returns the name of the handle in debug messages. */
char *nbd_get_handle_name(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_ALLOC_DEALLOC(__builtin_free)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_HANDLE_NAME 1

/* Stores a value of the program in the handle. */
uintptr_t nbd_set_private_data(struct nbd_handle *h, uintptr_t private_data)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_SET_PRIVATE_DATA 1

/* Returns the value that the program stored in the handle. */
uintptr_t nbd_get_private_data(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_PRIVATE_DATA 1

/* Estimates the memory used by the handle. */
ssize_t nbd_get_handle_size(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_HANDLE_SIZE 1

/* Sets the name of the export to open. */
int nbd_set_export_name(struct nbd_handle *h, const char *export_name)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2);
#define LIBNBD_HAVE_NBD_SET_EXPORT_NAME 1

/* Returns the name of the export to open. */
char *nbd_get_export_name(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_ALLOC_DEALLOC(__builtin_free)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_EXPORT_NAME 1

/* Sets whether to request block sizes from the server. */
int nbd_set_request_block_size(struct nbd_handle *h, bool request)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_SET_REQUEST_BLOCK_SIZE 1

/* Checks whether block sizes are requested from the server. */
int nbd_get_request_block_size(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_REQUEST_BLOCK_SIZE 1

/* Sets whether to request the export's name and description. */
int nbd_set_full_info(struct nbd_handle *h, bool request)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_SET_FULL_INFO 1

/* Checks whether the export's name and description are requested. */
int nbd_get_full_info(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_FULL_INFO 1

/* Returns the server's name for the export. */
char *nbd_get_canonical_export_name(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_ALLOC_DEALLOC(__builtin_free)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_CANONICAL_EXPORT_NAME 1

/* Returns the server's description of the export. */
char *nbd_get_export_description(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_ALLOC_DEALLOC(__builtin_free)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_EXPORT_DESCRIPTION 1

/* Sets whether the connection uses TLS. */
int nbd_set_tls(struct nbd_handle *h, int tls)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_SET_TLS 1

/* Returns the TLS setting of the handle. */
int nbd_get_tls(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_TLS 1

/* Checks whether the connection uses TLS. */
int nbd_get_tls_negotiated(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_TLS_NEGOTIATED 1

/* Sets the directory of the certificates for TLS. */
int nbd_set_tls_certificates(struct nbd_handle *h, const char *dir)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2);
#define LIBNBD_HAVE_NBD_SET_TLS_CERTIFICATES 1

/* Sets whether to verify the server's certificate. */
int nbd_set_tls_verify_peer(struct nbd_handle *h, bool verify)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_SET_TLS_VERIFY_PEER 1

/* Checks whether the server's certificate is verified. */
int nbd_get_tls_verify_peer(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_TLS_VERIFY_PEER 1

/* Sets the user name for TLS with pre-shared keys. */
int nbd_set_tls_username(struct nbd_handle *h, const char *username)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2);
#define LIBNBD_HAVE_NBD_SET_TLS_USERNAME 1

/* Returns the user name for TLS with pre-shared keys. */
char *nbd_get_tls_username(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_ALLOC_DEALLOC(__builtin_free)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_TLS_USERNAME 1

/* Sets the name that the server's certificate must have. */
int nbd_set_tls_hostname(struct nbd_handle *h, const char *hostname)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2);
#define LIBNBD_HAVE_NBD_SET_TLS_HOSTNAME 1

/* Returns the name that the server's certificate must have. */
char *nbd_get_tls_hostname(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_ALLOC_DEALLOC(__builtin_free)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_TLS_HOSTNAME 1

/* Sets the file of pre-shared keys for TLS. */
int nbd_set_tls_psk_file(struct nbd_handle *h, const char *filename)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2);
#define LIBNBD_HAVE_NBD_SET_TLS_PSK_FILE 1

/* Sets the ciphers and protocol versions for TLS. */
int nbd_set_tls_priority(struct nbd_handle *h, const char *priority)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2);
#define LIBNBD_HAVE_NBD_SET_TLS_PRIORITY 1

/* Returns the ciphers and protocol versions for TLS. */
char *nbd_get_tls_priority(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_ALLOC_DEALLOC(__builtin_free)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_TLS_PRIORITY 1

/* Sets whether to request extended headers from the server. */
int nbd_set_request_extended_headers(struct nbd_handle *h, bool request)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_SET_REQUEST_EXTENDED_HEADERS 1

/* Checks whether extended headers are requested from the server. */
int nbd_get_request_extended_headers(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_REQUEST_EXTENDED_HEADERS 1

/* Checks whether the connection uses extended headers. */
int nbd_get_extended_headers_negotiated(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_EXTENDED_HEADERS_NEGOTIATED 1

/* Sets whether to request structured replies from the server. */
int nbd_set_request_structured_replies(struct nbd_handle *h, bool request)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_SET_REQUEST_STRUCTURED_REPLIES 1

/* Checks whether structured replies are requested from the server. */
int nbd_get_request_structured_replies(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_REQUEST_STRUCTURED_REPLIES 1

/* Checks whether the connection uses structured replies. */
int nbd_get_structured_replies_negotiated(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_STRUCTURED_REPLIES_NEGOTIATED 1

/* Sets whether meta contexts are requested automatically. */
int nbd_set_request_meta_context(struct nbd_handle *h, bool request)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_SET_REQUEST_META_CONTEXT 1

/* Checks whether meta contexts are requested automatically. */
int nbd_get_request_meta_context(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_REQUEST_META_CONTEXT 1

/* Sets the handshake flags that the client accepts. */
int nbd_set_handshake_flags(struct nbd_handle *h, uint32_t flags)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_SET_HANDSHAKE_FLAGS 1

/* Returns the handshake flags. */
uint32_t nbd_get_handshake_flags(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_HANDSHAKE_FLAGS 1

/* Sets whether reads zero the bytes that they do not receive. */
int nbd_set_pread_initialize(struct nbd_handle *h, bool request)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_SET_PREAD_INITIALIZE 1

/* Checks whether reads zero the bytes that they do not receive. */
int nbd_get_pread_initialize(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_PREAD_INITIALIZE 1

/* Sets which invalid requests the library refuses to send. */
int nbd_set_strict_mode(struct nbd_handle *h, uint32_t flags)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_SET_STRICT_MODE 1

/* Returns which invalid requests the library refuses to send. */
uint32_t nbd_get_strict_mode(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_STRICT_MODE 1

/* Sets whether connecting stops for negotiation. */
int nbd_set_opt_mode(struct nbd_handle *h, bool enable)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_SET_OPT_MODE 1

/* Checks whether connecting stops for negotiation. */
int nbd_get_opt_mode(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_OPT_MODE 1

/* Ends option mode and opens the export. */
int nbd_opt_go(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_OPT_GO 1

/* Ends the negotiation and closes the connection. */
int nbd_opt_abort(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_OPT_ABORT 1

/* Requests TLS in option mode. */
int nbd_opt_starttls(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_OPT_STARTTLS 1

/* Requests extended headers in option mode. */
int nbd_opt_extended_headers(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_OPT_EXTENDED_HEADERS 1

/* Requests structured replies in option mode. */
int nbd_opt_structured_reply(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_OPT_STRUCTURED_REPLY 1

/* Lists the exports of the server. */
int nbd_opt_list(struct nbd_handle *h, nbd_list_callback list_callback)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_OPT_LIST 1

/* Requests information about the export without opening it. */
int nbd_opt_info(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_OPT_INFO 1

/* Lists the meta contexts of the export. */
int nbd_opt_list_meta_context(struct nbd_handle *h,
                              nbd_context_callback context_callback)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_OPT_LIST_META_CONTEXT 1

/* Lists the meta contexts that match a list of queries. */
int nbd_opt_list_meta_context_queries(struct nbd_handle *h, char **queries,
                                      nbd_context_callback context_callback)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2);
#define LIBNBD_HAVE_NBD_OPT_LIST_META_CONTEXT_QUERIES 1

/* Negotiates the meta contexts of the handle. */
int nbd_opt_set_meta_context(struct nbd_handle *h,
                             nbd_context_callback context_callback)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_OPT_SET_META_CONTEXT 1

/* Negotiates the meta contexts in a list of queries. */
int nbd_opt_set_meta_context_queries(struct nbd_handle *h, char **queries,
                                     nbd_context_callback context_callback)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2);
#define LIBNBD_HAVE_NBD_OPT_SET_META_CONTEXT_QUERIES 1

/* Adds a meta context to the list to request. */
int nbd_add_meta_context(struct nbd_handle *h, const char *name)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2);
#define LIBNBD_HAVE_NBD_ADD_META_CONTEXT 1

/* Returns the number of meta contexts to request. */
ssize_t nbd_get_nr_meta_contexts(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_NR_META_CONTEXTS 1

/* Returns the name of a meta context to request. */
char *nbd_get_meta_context(struct nbd_handle *h, size_t i)
  LIBNBD_ATTRIBUTE_ALLOC_DEALLOC(__builtin_free)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_META_CONTEXT 1

/* Empties the list of meta contexts to request. */
int nbd_clear_meta_contexts(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_CLEAR_META_CONTEXTS 1

/* Sets the transports that URIs may use. */
int nbd_set_uri_allow_transports(struct nbd_handle *h, uint32_t mask)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_SET_URI_ALLOW_TRANSPORTS 1

/* Sets whether URIs may use TLS or must use it. */
int nbd_set_uri_allow_tls(struct nbd_handle *h, int tls)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_SET_URI_ALLOW_TLS 1

/* Sets whether URIs may set the TLS priority string. */
int nbd_set_uri_allow_tls_priority(struct nbd_handle *h, bool allow)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_SET_URI_ALLOW_TLS_PRIORITY 1

/* Sets whether URIs may name local files. */
int nbd_set_uri_allow_local_file(struct nbd_handle *h, bool allow)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_SET_URI_ALLOW_LOCAL_FILE 1

/* Connects to an NBD URI. */
int nbd_connect_uri(struct nbd_handle *h, const char *uri)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2);
#define LIBNBD_HAVE_NBD_CONNECT_URI 1

/* Connects to a server over a Unix domain socket. */
int nbd_connect_unix(struct nbd_handle *h, const char *unixsocket)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2);
#define LIBNBD_HAVE_NBD_CONNECT_UNIX 1

/* Connects to a server over vsock. */
int nbd_connect_vsock(struct nbd_handle *h, uint32_t cid, uint32_t port)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_CONNECT_VSOCK 1

/* Connects to a server over TCP. */
int nbd_connect_tcp(struct nbd_handle *h, const char *hostname,
                    const char *port)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2, 3);
#define LIBNBD_HAVE_NBD_CONNECT_TCP 1

/* Connects to a server over an open socket. */
int nbd_connect_socket(struct nbd_handle *h, int sock)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_CONNECT_SOCKET 1

/* Runs a server as a subprocess and connects to it. */
int nbd_connect_command(struct nbd_handle *h, char **argv)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2);
#define LIBNBD_HAVE_NBD_CONNECT_COMMAND 1

/* Runs a server with socket activation and connects to it. */
int nbd_connect_systemd_socket_activation(struct nbd_handle *h, char **argv)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2);
#define LIBNBD_HAVE_NBD_CONNECT_SYSTEMD_SOCKET_ACTIVATION 1

/* Sets the name of the socket for socket activation. */
int nbd_set_socket_activation_name(struct nbd_handle *h,
                                   const char *socket_name)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2);
#define LIBNBD_HAVE_NBD_SET_SOCKET_ACTIVATION_NAME 1

/* Returns the name of the socket for socket activation. */
char *nbd_get_socket_activation_name(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_ALLOC_DEALLOC(__builtin_free)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_SOCKET_ACTIVATION_NAME 1

/* Checks whether the export is read-only. */
int nbd_is_read_only(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_IS_READ_ONLY 1

/* Checks whether the server supports flush commands. */
int nbd_can_flush(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_CAN_FLUSH 1

/* Checks whether the server supports the FUA flag. */
int nbd_can_fua(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_CAN_FUA 1

/* Checks whether the export is on a rotating disk. */
int nbd_is_rotational(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_IS_ROTATIONAL 1

/* Checks whether the server supports trim commands. */
int nbd_can_trim(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_CAN_TRIM 1

/* Checks whether the server supports zero commands. */
int nbd_can_zero(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_CAN_ZERO 1

/* Checks whether the server supports the fast zero flag. */
int nbd_can_fast_zero(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_CAN_FAST_ZERO 1

/* Checks whether block status can be limited to some contexts. */
int nbd_can_block_status_payload(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_CAN_BLOCK_STATUS_PAYLOAD 1

/* Checks whether the server supports the "don't fragment" flag. */
int nbd_can_df(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_CAN_DF 1

/* Checks whether several connections can write to the export. */
int nbd_can_multi_conn(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_CAN_MULTI_CONN 1

/* Checks whether the server supports cache commands. */
int nbd_can_cache(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_CAN_CACHE 1

/* Checks whether a meta context was negotiated. */
int nbd_can_meta_context(struct nbd_handle *h, const char *metacontext)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2);
#define LIBNBD_HAVE_NBD_CAN_META_CONTEXT 1

/* Returns the protocol variant of the connection. */
const char *nbd_get_protocol(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_PROTOCOL 1

/* Returns the export size in bytes. */
int64_t nbd_get_size(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_SIZE 1

/* Returns a block size constraint of the export. */
int64_t nbd_get_block_size(struct nbd_handle *h, int size_type)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_BLOCK_SIZE 1

/* Reads from the export. */
int nbd_pread(struct nbd_handle *h, void *buf, size_t count, uint64_t offset,
              uint32_t flags)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2);
#define LIBNBD_HAVE_NBD_PREAD 1

/* Reads from the export, with a callback for each chunk. */
int nbd_pread_structured(struct nbd_handle *h, void *buf, size_t count,
                         uint64_t offset, nbd_chunk_callback chunk_callback,
                         uint32_t flags)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2);
#define LIBNBD_HAVE_NBD_PREAD_STRUCTURED 1

/* Writes to the export. */
int nbd_pwrite(struct nbd_handle *h, const void *buf, size_t count,
               uint64_t offset, uint32_t flags)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2);
#define LIBNBD_HAVE_NBD_PWRITE 1

/* Ends the connection and waits until it is closed. */
int nbd_shutdown(struct nbd_handle *h, uint32_t flags)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_SHUTDOWN 1

/* Flushes written data to stable storage. */
int nbd_flush(struct nbd_handle *h, uint32_t flags)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_FLUSH 1

/* Discards data that is no longer needed. */
int nbd_trim(struct nbd_handle *h, uint64_t count, uint64_t offset,
             uint32_t flags)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_TRIM 1

/* Asks the server to prefetch a range. */
int nbd_cache(struct nbd_handle *h, uint64_t count, uint64_t offset,
              uint32_t flags)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_CACHE 1

/* Zeroes a range of the export. */
int nbd_zero(struct nbd_handle *h, uint64_t count, uint64_t offset,
             uint32_t flags)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_ZERO 1

/* Queries block status with 32-bit extents. */
int nbd_block_status(struct nbd_handle *h, uint64_t count, uint64_t offset,
                     nbd_extent_callback extent_callback, uint32_t flags)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_BLOCK_STATUS 1

/* Queries the block status of a range. */
int nbd_block_status_64(struct nbd_handle *h, uint64_t count, uint64_t offset,
                        nbd_extent64_callback extent64_callback,
                        uint32_t flags)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_BLOCK_STATUS_64 1

/* Queries the block status of a range for some meta contexts. */
int nbd_block_status_filter(struct nbd_handle *h, uint64_t count,
                            uint64_t offset, char **contexts,
                            nbd_extent64_callback extent64_callback,
                            uint32_t flags)
  LIBNBD_ATTRIBUTE_NONNULL(1, 4);
#define LIBNBD_HAVE_NBD_BLOCK_STATUS_FILTER 1

/* Waits for an event on the connection and handles it. */
int nbd_poll(struct nbd_handle *h, int timeout)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_POLL 1

/* Waits for an event on the connection or a file descriptor. */
int nbd_poll2(struct nbd_handle *h, int fd, int timeout)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_POLL2 1

/* Starts connecting to a socket address. */
int nbd_aio_connect(struct nbd_handle *h, const struct sockaddr *addr,
                    socklen_t addrlen)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2);
#define LIBNBD_HAVE_NBD_AIO_CONNECT 1

/* Starts connecting to an NBD URI. */
int nbd_aio_connect_uri(struct nbd_handle *h, const char *uri)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2);
#define LIBNBD_HAVE_NBD_AIO_CONNECT_URI 1

/* Starts connecting to a server over a Unix domain socket. */
int nbd_aio_connect_unix(struct nbd_handle *h, const char *unixsocket)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2);
#define LIBNBD_HAVE_NBD_AIO_CONNECT_UNIX 1

/* Starts connecting to a server over vsock. */
int nbd_aio_connect_vsock(struct nbd_handle *h, uint32_t cid, uint32_t port)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_AIO_CONNECT_VSOCK 1

/* Starts connecting to a server over TCP. */
int nbd_aio_connect_tcp(struct nbd_handle *h, const char *hostname,
                        const char *port)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2, 3);
#define LIBNBD_HAVE_NBD_AIO_CONNECT_TCP 1

/* Starts the handshake over an open socket. */
int nbd_aio_connect_socket(struct nbd_handle *h, int sock)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_AIO_CONNECT_SOCKET 1

/* Runs a server as a subprocess and starts connecting to it. */
int nbd_aio_connect_command(struct nbd_handle *h, char **argv)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2);
#define LIBNBD_HAVE_NBD_AIO_CONNECT_COMMAND 1

/* Runs a server with socket activation and starts connecting. */
int nbd_aio_connect_systemd_socket_activation(struct nbd_handle *h,
                                              char **argv)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2);
#define LIBNBD_HAVE_NBD_AIO_CONNECT_SYSTEMD_SOCKET_ACTIVATION 1

/* Starts opening the export in option mode. */
int nbd_aio_opt_go(struct nbd_handle *h,
                   nbd_completion_callback completion_callback)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_AIO_OPT_GO 1

/* Starts ending the negotiation and the connection. */
int nbd_aio_opt_abort(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_AIO_OPT_ABORT 1

/* Starts a request for TLS in option mode. */
int nbd_aio_opt_starttls(struct nbd_handle *h,
                         nbd_completion_callback completion_callback)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_AIO_OPT_STARTTLS 1

/* Starts a request for extended headers in option mode. */
int nbd_aio_opt_extended_headers(struct nbd_handle *h,
                                 nbd_completion_callback completion_callback)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_AIO_OPT_EXTENDED_HEADERS 1

/* Starts a request for structured replies in option mode. */
int nbd_aio_opt_structured_reply(struct nbd_handle *h,
                                 nbd_completion_callback completion_callback)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_AIO_OPT_STRUCTURED_REPLY 1

/* Starts listing the exports of the server. */
int nbd_aio_opt_list(struct nbd_handle *h, nbd_list_callback list_callback,
                     nbd_completion_callback completion_callback)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_AIO_OPT_LIST 1

/* Starts a request for information about the export. */
int nbd_aio_opt_info(struct nbd_handle *h,
                     nbd_completion_callback completion_callback)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_AIO_OPT_INFO 1

/* Starts listing the meta contexts of the export. */
int nbd_aio_opt_list_meta_context(
    struct nbd_handle *h, nbd_context_callback context_callback,
    nbd_completion_callback completion_callback)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_AIO_OPT_LIST_META_CONTEXT 1

/* Starts listing the meta contexts that match queries. */
int nbd_aio_opt_list_meta_context_queries(
    struct nbd_handle *h, char **queries,
    nbd_context_callback context_callback,
    nbd_completion_callback completion_callback)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2);
#define LIBNBD_HAVE_NBD_AIO_OPT_LIST_META_CONTEXT_QUERIES 1

/* Starts negotiating the meta contexts of the handle. */
int nbd_aio_opt_set_meta_context(struct nbd_handle *h,
                                 nbd_context_callback context_callback,
                                 nbd_completion_callback completion_callback)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_AIO_OPT_SET_META_CONTEXT 1

/* Starts negotiating the meta contexts in a list of queries. */
int nbd_aio_opt_set_meta_context_queries(
    struct nbd_handle *h, char **queries,
    nbd_context_callback context_callback,
    nbd_completion_callback completion_callback)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2);
#define LIBNBD_HAVE_NBD_AIO_OPT_SET_META_CONTEXT_QUERIES 1

/* Starts a read from the export. */
int64_t nbd_aio_pread(struct nbd_handle *h, void *buf, size_t count,
                      uint64_t offset,
                      nbd_completion_callback completion_callback,
                      uint32_t flags)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2);
#define LIBNBD_HAVE_NBD_AIO_PREAD 1

/* Starts a read with one callback for each chunk. */
int64_t nbd_aio_pread_structured(struct nbd_handle *h, void *buf, size_t count,
                                 uint64_t offset,
                                 nbd_chunk_callback chunk_callback,
                                 nbd_completion_callback completion_callback,
                                 uint32_t flags)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2);
#define LIBNBD_HAVE_NBD_AIO_PREAD_STRUCTURED 1

/* Starts a write to the export. */
int64_t nbd_aio_pwrite(struct nbd_handle *h, const void *buf, size_t count,
                       uint64_t offset,
                       nbd_completion_callback completion_callback,
                       uint32_t flags)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2);
#define LIBNBD_HAVE_NBD_AIO_PWRITE 1

/* Sends a disconnect request to the server. */
int nbd_aio_disconnect(struct nbd_handle *h, uint32_t flags)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_AIO_DISCONNECT 1

/* Starts flushing written data to stable storage. */
int64_t nbd_aio_flush(struct nbd_handle *h,
                      nbd_completion_callback completion_callback,
                      uint32_t flags)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_AIO_FLUSH 1

/* Starts discarding data that is no longer needed. */
int64_t nbd_aio_trim(struct nbd_handle *h, uint64_t count, uint64_t offset,
                     nbd_completion_callback completion_callback,
                     uint32_t flags)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_AIO_TRIM 1

/* Starts prefetching a range on the server. */
int64_t nbd_aio_cache(struct nbd_handle *h, uint64_t count, uint64_t offset,
                      nbd_completion_callback completion_callback,
                      uint32_t flags)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_AIO_CACHE 1

/* Starts zeroing a range of the export. */
int64_t nbd_aio_zero(struct nbd_handle *h, uint64_t count, uint64_t offset,
                     nbd_completion_callback completion_callback,
                     uint32_t flags)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_AIO_ZERO 1

/* Starts a query of block status with 32-bit extents. */
int64_t nbd_aio_block_status(struct nbd_handle *h, uint64_t count,
                             uint64_t offset,
                             nbd_extent_callback extent_callback,
                             nbd_completion_callback completion_callback,
                             uint32_t flags)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_AIO_BLOCK_STATUS 1

/* Starts a query of the block status of a range. */
int64_t nbd_aio_block_status_64(struct nbd_handle *h, uint64_t count,
                                uint64_t offset,
                                nbd_extent64_callback extent64_callback,
                                nbd_completion_callback completion_callback,
                                uint32_t flags)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_AIO_BLOCK_STATUS_64 1

/* Starts a query of the block status for some meta contexts. */
int64_t nbd_aio_block_status_filter(
    struct nbd_handle *h, uint64_t count, uint64_t offset, char **contexts,
    nbd_extent64_callback extent64_callback,
    nbd_completion_callback completion_callback, uint32_t flags)
  LIBNBD_ATTRIBUTE_NONNULL(1, 4);
#define LIBNBD_HAVE_NBD_AIO_BLOCK_STATUS_FILTER 1

/* Returns the file descriptor of the connection. */
int nbd_aio_get_fd(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_AIO_GET_FD 1

/* Returns the events that the handle waits for. */
unsigned nbd_aio_get_direction(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_AIO_GET_DIRECTION 1

/* Receives from the server when the socket is readable. */
int nbd_aio_notify_read(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_AIO_NOTIFY_READ 1

/* Sends to the server when the socket is writable. */
int nbd_aio_notify_write(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_AIO_NOTIFY_WRITE 1

/* Checks whether the handle is in its initial state. */
int nbd_aio_is_created(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_AIO_IS_CREATED 1

/* Checks whether the handle is connecting or negotiating an option. */
int nbd_aio_is_connecting(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_AIO_IS_CONNECTING 1

/* Checks whether the handle can send an option. */
int nbd_aio_is_negotiating(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_AIO_IS_NEGOTIATING 1

/* Checks whether the handle is connected and has no unsent requests. */
int nbd_aio_is_ready(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_AIO_IS_READY 1

/* Checks whether the handle is connected and has unsent requests. */
int nbd_aio_is_processing(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_AIO_IS_PROCESSING 1

/* Checks whether the connection has failed. */
int nbd_aio_is_dead(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_AIO_IS_DEAD 1

/* Checks whether the connection was closed normally. */
int nbd_aio_is_closed(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_AIO_IS_CLOSED 1

/* Checks whether a command has completed, and retires it. */
int nbd_aio_command_completed(struct nbd_handle *h, uint64_t cookie)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_AIO_COMMAND_COMPLETED 1

/* Returns the cookie of a command that has completed. */
int64_t nbd_aio_peek_command_completed(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_AIO_PEEK_COMMAND_COMPLETED 1

/* Returns the number of commands in flight. */
int nbd_aio_in_flight(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_AIO_IN_FLIGHT 1

/* Returns a description of the connection state. */
const char *nbd_connection_state(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_CONNECTION_STATE 1

/* Returns the name of the library. */
const char *nbd_get_package_name(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_PACKAGE_NAME 1

/* Returns the version of the library. */
const char *nbd_get_version(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_VERSION 1

/* Returns the name of the library's build. */
const char *nbd_get_version_extra(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_VERSION_EXTRA 1

/* Sends a signal to the server process of the handle. */
int nbd_kill_subprocess(struct nbd_handle *h, int signum)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_KILL_SUBPROCESS 1

/* Returns the process ID of the server process of the handle. */
int64_t nbd_get_subprocess_pid(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_SUBPROCESS_PID 1

/* Checks whether TLS is available. */
int nbd_supports_tls(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_SUPPORTS_TLS 1

/* Checks whether the library supports vsock. */
int nbd_supports_vsock(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_SUPPORTS_VSOCK 1

/* Checks whether the library supports URIs. */
int nbd_supports_uri(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_SUPPORTS_URI 1

/* Returns a URI for the server and export of the handle. */
char *nbd_get_uri(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_ALLOC_DEALLOC(__builtin_free)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_URI 1

/* Checks whether a string looks like an NBD URI. */
int nbd_is_uri(struct nbd_handle *h, const char *uri)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2);
#define LIBNBD_HAVE_NBD_IS_URI 1

/* In place of a completion callback that is not wanted. */
#define NBD_NULL_COMPLETION ((nbd_completion_callback) { .callback = NULL })

#ifdef __cplusplus
}
#endif

#endif /* LIBNBD_H */
