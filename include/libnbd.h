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

/* Is given extents as pairs of 32-bit length and flags. */
typedef struct {
  int (*callback)(void *user_data, const char *metacontext, uint64_t offset,
                  uint32_t *entries, size_t nr_entries, int *error);
  void *user_data;
  void (*free)(void *user_data);
} nbd_extent_callback;
#define LIBNBD_HAVE_NBD_EXTENT_CALLBACK 1

/* A run of bytes in an export and what a meta context says of it. */
typedef struct {
  /* Bytes; at most INT64_MAX. */
  uint64_t length;
  /* Flags, whose meaning belongs to the context. */
  uint64_t flags;
} nbd_extent;

/* Is given extents with 64-bit length and flags. */
typedef struct {
  int (*callback)(void *user_data, const char *metacontext, uint64_t offset,
                  nbd_extent *entries, size_t nr_entries, int *error);
  void *user_data;
  void (*free)(void *user_data);
} nbd_extent64_callback;
#define LIBNBD_HAVE_NBD_EXTENT64_CALLBACK 1

/* Is told once that a command or an option is complete. */
typedef struct {
  int (*callback)(void *user_data, int *error);
  void *user_data;
  void (*free)(void *user_data);
} nbd_completion_callback;
#define LIBNBD_HAVE_NBD_COMPLETION_CALLBACK 1

/* Is given the debug messages of a handle. */
typedef struct {
  int (*callback)(void *user_data, const char *context, const char *msg);
  void *user_data;
  void (*free)(void *user_data);
} nbd_debug_callback;
#define LIBNBD_HAVE_NBD_DEBUG_CALLBACK 1

/* Is told of each export that a server lists. */
typedef struct {
  int (*callback)(void *user_data, const char *name, const char *description);
  void *user_data;
  void (*free)(void *user_data);
} nbd_list_callback;
#define LIBNBD_HAVE_NBD_LIST_CALLBACK 1

/* Is told of each meta context that a server lists or agrees to. */
typedef struct {
  int (*callback)(void *user_data, const char *name);
  void *user_data;
  void (*free)(void *user_data);
} nbd_context_callback;
#define LIBNBD_HAVE_NBD_CONTEXT_CALLBACK 1

/* Is told of each piece of a structured read as it arrives. */
typedef struct {
  int (*callback)(void *user_data, const void *subbuf, size_t count,
                  uint64_t offset, unsigned int status, int *error);
  void *user_data;
  void (*free)(void *user_data);
} nbd_chunk_callback;
#define LIBNBD_HAVE_NBD_CHUNK_CALLBACK 1

/* Closes a handle and frees all that belongs to it. */
void nbd_close(struct nbd_handle *h);
#define LIBNBD_HAVE_NBD_CLOSE 1

/* Makes a handle, which is not connected yet. */
struct nbd_handle *nbd_create(void)
  LIBNBD_ATTRIBUTE_ALLOC_DEALLOC(nbd_close);
#define LIBNBD_HAVE_NBD_CREATE 1

/* Returns the text of the last error of this thread. */
const char *nbd_get_error(void);
#define LIBNBD_HAVE_NBD_GET_ERROR 1

/* Returns the errno of the last error of this thread. */
int nbd_get_errno(void);
#define LIBNBD_HAVE_NBD_GET_ERRNO 1

/* Turns the debug messages of the handle on or off. */
int nbd_set_debug(struct nbd_handle *h, bool debug)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_SET_DEBUG 1

/* Returns whether the handle writes debug messages. */
int nbd_get_debug(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_DEBUG 1

/* Sets the function that is given the debug messages of the handle. */
int nbd_set_debug_callback(struct nbd_handle *h,
                           nbd_debug_callback debug_callback)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_SET_DEBUG_CALLBACK 1

/* Removes the function that is given the debug messages. */
int nbd_clear_debug_callback(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_CLEAR_DEBUG_CALLBACK 1

/* Returns how many bytes were sent to the server. */
uint64_t nbd_stats_bytes_sent(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_STATS_BYTES_SENT 1

/* Returns how many protocol messages were sent to the server. */
uint64_t nbd_stats_chunks_sent(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_STATS_CHUNKS_SENT 1

/* Returns how many bytes were received from the server. */
uint64_t nbd_stats_bytes_received(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_STATS_BYTES_RECEIVED 1

/* Returns how many protocol messages were received from the server. */
uint64_t nbd_stats_chunks_received(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_STATS_CHUNKS_RECEIVED 1

/* Sets the name of the handle, which debug messages show. */
int nbd_set_handle_name(struct nbd_handle *h, const char *handle_name)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2);
#define LIBNBD_HAVE_NBD_SET_HANDLE_NAME 1

/* Returns the name of the handle. */
char *nbd_get_handle_name(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_ALLOC_DEALLOC(__builtin_free)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_HANDLE_NAME 1

/* Sets a value that the handle keeps for the program. */
uintptr_t nbd_set_private_data(struct nbd_handle *h, uintptr_t private_data)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_SET_PRIVATE_DATA 1

/* Returns the value that the handle keeps for the program. */
uintptr_t nbd_get_private_data(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_PRIVATE_DATA 1

/* Returns about how much memory the handle uses. */
ssize_t nbd_get_handle_size(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_HANDLE_SIZE 1

/* Sets the name of the export to ask the server for. */
int nbd_set_export_name(struct nbd_handle *h, const char *export_name)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2);
#define LIBNBD_HAVE_NBD_SET_EXPORT_NAME 1

/* Returns the name of the export that the handle asks for. */
char *nbd_get_export_name(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_ALLOC_DEALLOC(__builtin_free)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_EXPORT_NAME 1

/* Sets whether to ask the server for its block sizes. */
int nbd_set_request_block_size(struct nbd_handle *h, bool request)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_SET_REQUEST_BLOCK_SIZE 1

/* Returns whether the server is asked for its block sizes. */
int nbd_get_request_block_size(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_REQUEST_BLOCK_SIZE 1

/* Sets whether to ask the server to name and describe the export. */
int nbd_set_full_info(struct nbd_handle *h, bool request)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_SET_FULL_INFO 1

/* Returns whether the server is asked to name and describe the export. */
int nbd_get_full_info(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_FULL_INFO 1

/* Returns the name that the server itself uses for the export. */
char *nbd_get_canonical_export_name(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_ALLOC_DEALLOC(__builtin_free)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_CANONICAL_EXPORT_NAME 1

/* Returns what the server says of the export, in words. */
char *nbd_get_export_description(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_ALLOC_DEALLOC(__builtin_free)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_EXPORT_DESCRIPTION 1

/* Sets whether the connection is to use TLS. */
int nbd_set_tls(struct nbd_handle *h, int tls)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_SET_TLS 1

/* Returns whether the connection is to use TLS. */
int nbd_get_tls(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_TLS 1

/* Returns whether the connection does use TLS. */
int nbd_get_tls_negotiated(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_TLS_NEGOTIATED 1

/* Sets the directory with the certificates and keys for TLS. */
int nbd_set_tls_certificates(struct nbd_handle *h, const char *dir)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2);
#define LIBNBD_HAVE_NBD_SET_TLS_CERTIFICATES 1

/* Sets whether the server has to prove who it is. */
int nbd_set_tls_verify_peer(struct nbd_handle *h, bool verify)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_SET_TLS_VERIFY_PEER 1

/* Returns whether the server has to prove who it is. */
int nbd_get_tls_verify_peer(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_TLS_VERIFY_PEER 1

/* Sets the name under which the client authenticates with a pre-shared key. */
int nbd_set_tls_username(struct nbd_handle *h, const char *username)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2);
#define LIBNBD_HAVE_NBD_SET_TLS_USERNAME 1

/* Returns the name under which the client authenticates. */
char *nbd_get_tls_username(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_ALLOC_DEALLOC(__builtin_free)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_TLS_USERNAME 1

/* Sets the name that the server's certificate has to be made out to. */
int nbd_set_tls_hostname(struct nbd_handle *h, const char *hostname)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2);
#define LIBNBD_HAVE_NBD_SET_TLS_HOSTNAME 1

/* Returns the name that the server's certificate has to be made out to. */
char *nbd_get_tls_hostname(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_ALLOC_DEALLOC(__builtin_free)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_TLS_HOSTNAME 1

/* Sets the file with the pre-shared keys for TLS. */
int nbd_set_tls_psk_file(struct nbd_handle *h, const char *filename)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2);
#define LIBNBD_HAVE_NBD_SET_TLS_PSK_FILE 1

/* Sets which ciphers and protocol versions TLS may use. */
int nbd_set_tls_priority(struct nbd_handle *h, const char *priority)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2);
#define LIBNBD_HAVE_NBD_SET_TLS_PRIORITY 1

/* Returns which ciphers and protocol versions TLS may use. */
char *nbd_get_tls_priority(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_ALLOC_DEALLOC(__builtin_free)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_TLS_PRIORITY 1

/* Sets whether to ask the server for extended headers. */
int nbd_set_request_extended_headers(struct nbd_handle *h, bool request)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_SET_REQUEST_EXTENDED_HEADERS 1

/* Returns whether the server is asked for extended headers. */
int nbd_get_request_extended_headers(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_REQUEST_EXTENDED_HEADERS 1

/* Returns whether the connection uses extended headers. */
int nbd_get_extended_headers_negotiated(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_EXTENDED_HEADERS_NEGOTIATED 1

/* Sets whether to ask the server for structured replies. */
int nbd_set_request_structured_replies(struct nbd_handle *h, bool request)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_SET_REQUEST_STRUCTURED_REPLIES 1

/* Returns whether the server is asked for structured replies. */
int nbd_get_request_structured_replies(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_REQUEST_STRUCTURED_REPLIES 1

/* Returns whether the connection uses structured replies. */
int nbd_get_structured_replies_negotiated(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_STRUCTURED_REPLIES_NEGOTIATED 1

/* Sets whether connecting asks the server for the meta contexts by itself. */
int nbd_set_request_meta_context(struct nbd_handle *h, bool request)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_SET_REQUEST_META_CONTEXT 1

/* Returns whether connecting asks the server for the meta contexts. */
int nbd_get_request_meta_context(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_REQUEST_META_CONTEXT 1

/* Sets which handshake flags the client accepts from the server. */
int nbd_set_handshake_flags(struct nbd_handle *h, uint32_t flags)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_SET_HANDSHAKE_FLAGS 1

/* Returns the handshake flags. */
uint32_t nbd_get_handshake_flags(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_HANDSHAKE_FLAGS 1

/* Sets whether reads fill their buffer with zeroes first. */
int nbd_set_pread_initialize(struct nbd_handle *h, bool request)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_SET_PREAD_INITIALIZE 1

/* Returns whether reads fill their buffer with zeroes first. */
int nbd_get_pread_initialize(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_PREAD_INITIALIZE 1

/* Sets which mistakes in requests the client catches itself. */
int nbd_set_strict_mode(struct nbd_handle *h, uint32_t flags)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_SET_STRICT_MODE 1

/* Returns which mistakes in requests the client catches itself. */
uint32_t nbd_get_strict_mode(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_STRICT_MODE 1

/* Sets whether connecting stops to let the program negotiate options. */
int nbd_set_opt_mode(struct nbd_handle *h, bool enable)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_SET_OPT_MODE 1

/* Returns whether connecting stops to let the program negotiate options. */
int nbd_get_opt_mode(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_OPT_MODE 1

/* Ends option mode: opens the export and waits until it is ready. */
int nbd_opt_go(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_OPT_GO 1

/* Ends option mode and the connection, and waits until it is closed. */
int nbd_opt_abort(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_OPT_ABORT 1

/* Asks the server for TLS, and waits until it is in force or refused. */
int nbd_opt_starttls(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_OPT_STARTTLS 1

/* Asks the server for extended headers, and waits for the answer. */
int nbd_opt_extended_headers(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_OPT_EXTENDED_HEADERS 1

/* Asks the server for structured replies, and waits for the answer. */
int nbd_opt_structured_reply(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_OPT_STRUCTURED_REPLY 1

/* Asks the server which exports it has, and waits for the whole list. */
int nbd_opt_list(struct nbd_handle *h, nbd_list_callback list_callback)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_OPT_LIST 1

/* Asks the server about the export without opening it, and waits. */
int nbd_opt_info(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_OPT_INFO 1

/* Asks the server which meta contexts the export has, and waits. */
int nbd_opt_list_meta_context(struct nbd_handle *h,
                              nbd_context_callback context_callback)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_OPT_LIST_META_CONTEXT 1

/* Asks the server which meta contexts answer to the queries, and waits. */
int nbd_opt_list_meta_context_queries(struct nbd_handle *h, char **queries,
                                      nbd_context_callback context_callback)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2);
#define LIBNBD_HAVE_NBD_OPT_LIST_META_CONTEXT_QUERIES 1

/* Asks the server for the meta contexts of the handle, and waits. */
int nbd_opt_set_meta_context(struct nbd_handle *h,
                             nbd_context_callback context_callback)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_OPT_SET_META_CONTEXT 1

/* Asks the server for the meta contexts that it is given, and waits. */
int nbd_opt_set_meta_context_queries(struct nbd_handle *h, char **queries,
                                     nbd_context_callback context_callback)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2);
#define LIBNBD_HAVE_NBD_OPT_SET_META_CONTEXT_QUERIES 1

/* Adds a meta context to the list of those to ask the server for. */
int nbd_add_meta_context(struct nbd_handle *h, const char *name)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2);
#define LIBNBD_HAVE_NBD_ADD_META_CONTEXT 1

/* Returns how many meta contexts are in the list to ask the server for. */
ssize_t nbd_get_nr_meta_contexts(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_NR_META_CONTEXTS 1

/* Returns one name of the list of meta contexts to ask the server for. */
char *nbd_get_meta_context(struct nbd_handle *h, size_t i)
  LIBNBD_ATTRIBUTE_ALLOC_DEALLOC(__builtin_free)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_META_CONTEXT 1

/* Empties the list of meta contexts to ask the server for. */
int nbd_clear_meta_contexts(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_CLEAR_META_CONTEXTS 1

/* Sets which transports URIs may use. */
int nbd_set_uri_allow_transports(struct nbd_handle *h, uint32_t mask)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_SET_URI_ALLOW_TRANSPORTS 1

/* Sets whether URIs may, or have to, ask for TLS. */
int nbd_set_uri_allow_tls(struct nbd_handle *h, int tls)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_SET_URI_ALLOW_TLS 1

/* Sets whether URIs may choose the ciphers of TLS. */
int nbd_set_uri_allow_tls_priority(struct nbd_handle *h, bool allow)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_SET_URI_ALLOW_TLS_PRIORITY 1

/* Sets whether URIs may name local files. */
int nbd_set_uri_allow_local_file(struct nbd_handle *h, bool allow)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_SET_URI_ALLOW_LOCAL_FILE 1

/* Connects to the server and export that a URI names, and waits. */
int nbd_connect_uri(struct nbd_handle *h, const char *uri)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2);
#define LIBNBD_HAVE_NBD_CONNECT_URI 1

/* Connects to a server on a Unix domain socket, and waits. */
int nbd_connect_unix(struct nbd_handle *h, const char *unixsocket)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2);
#define LIBNBD_HAVE_NBD_CONNECT_UNIX 1

/* Connects to a server over vsock, and waits. */
int nbd_connect_vsock(struct nbd_handle *h, uint32_t cid, uint32_t port)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_CONNECT_VSOCK 1

/* Connects to a server over TCP, and waits. */
int nbd_connect_tcp(struct nbd_handle *h, const char *hostname,
                    const char *port)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2, 3);
#define LIBNBD_HAVE_NBD_CONNECT_TCP 1

/* Talks to a server over a socket that is connected already, and waits. */
int nbd_connect_socket(struct nbd_handle *h, int sock)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_CONNECT_SOCKET 1

/* Runs a server as a subprocess, connects to it, and waits. */
int nbd_connect_command(struct nbd_handle *h, char **argv)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2);
#define LIBNBD_HAVE_NBD_CONNECT_COMMAND 1

/* Runs a server as a subprocess by socket activation, connects, and waits. */
int nbd_connect_systemd_socket_activation(struct nbd_handle *h, char **argv)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2);
#define LIBNBD_HAVE_NBD_CONNECT_SYSTEMD_SOCKET_ACTIVATION 1

/* Sets the name that socket activation gives to the server's socket. */
int nbd_set_socket_activation_name(struct nbd_handle *h,
                                   const char *socket_name)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2);
#define LIBNBD_HAVE_NBD_SET_SOCKET_ACTIVATION_NAME 1

/* Returns the name that socket activation gives to the server's socket. */
char *nbd_get_socket_activation_name(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_ALLOC_DEALLOC(__builtin_free)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_SOCKET_ACTIVATION_NAME 1

/* Returns whether the export is read-only. */
int nbd_is_read_only(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_IS_READ_ONLY 1

/* Returns whether the server has the flush command. */
int nbd_can_flush(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_CAN_FLUSH 1

/* Returns whether the server has the flag FUA. */
int nbd_can_fua(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_CAN_FUA 1

/* Returns whether the export is a disk that rotates. */
int nbd_is_rotational(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_IS_ROTATIONAL 1

/* Returns whether the server has the trim command. */
int nbd_can_trim(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_CAN_TRIM 1

/* Returns whether the server has the zero command. */
int nbd_can_zero(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_CAN_ZERO 1

/* Returns whether the server has the flag for fast zeroing. */
int nbd_can_fast_zero(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_CAN_FAST_ZERO 1

/* Returns whether block status can be limited to some contexts. */
int nbd_can_block_status_payload(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_CAN_BLOCK_STATUS_PAYLOAD 1

/* Returns whether reads can be asked for in one piece. */
int nbd_can_df(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_CAN_DF 1

/* Returns whether several connections may write to the export. */
int nbd_can_multi_conn(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_CAN_MULTI_CONN 1

/* Returns whether the server has the cache command. */
int nbd_can_cache(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_CAN_CACHE 1

/* Returns whether a meta context is in force. */
int nbd_can_meta_context(struct nbd_handle *h, const char *metacontext)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2);
#define LIBNBD_HAVE_NBD_CAN_META_CONTEXT 1

/* Returns which variant of the protocol the connection speaks. */
const char *nbd_get_protocol(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_PROTOCOL 1

/* Returns the size of the export. */
int64_t nbd_get_size(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_SIZE 1

/* Returns one of the block sizes of the export, or a limit. */
int64_t nbd_get_block_size(struct nbd_handle *h, int size_type)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_BLOCK_SIZE 1

/* Reads from the export and waits until the data is there. */
int nbd_pread(struct nbd_handle *h, void *buf, size_t count, uint64_t offset,
              uint32_t flags)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2);
#define LIBNBD_HAVE_NBD_PREAD 1

/* Reads from the export piece by piece and waits until it is done. */
int nbd_pread_structured(struct nbd_handle *h, void *buf, size_t count,
                         uint64_t offset, nbd_chunk_callback chunk_callback,
                         uint32_t flags)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2);
#define LIBNBD_HAVE_NBD_PREAD_STRUCTURED 1

/* Writes to the export and waits until the server has taken the data. */
int nbd_pwrite(struct nbd_handle *h, const void *buf, size_t count,
               uint64_t offset, uint32_t flags)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2);
#define LIBNBD_HAVE_NBD_PWRITE 1

/* Says goodbye to the server and waits until the connection is closed. */
int nbd_shutdown(struct nbd_handle *h, uint32_t flags)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_SHUTDOWN 1

/* Makes sure that what was written is safe, and waits for it. */
int nbd_flush(struct nbd_handle *h, uint32_t flags)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_FLUSH 1

/* Tells the server that a range is no longer needed, and waits. */
int nbd_trim(struct nbd_handle *h, uint64_t count, uint64_t offset,
             uint32_t flags)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_TRIM 1

/* Tells the server that a range will be read soon, and waits. */
int nbd_cache(struct nbd_handle *h, uint64_t count, uint64_t offset,
              uint32_t flags)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_CACHE 1

/* Writes zeroes without sending them, and waits until that is done. */
int nbd_zero(struct nbd_handle *h, uint64_t count, uint64_t offset,
             uint32_t flags)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_ZERO 1

/* Asks for the status of a range, with 32-bit extents, and waits. */
int nbd_block_status(struct nbd_handle *h, uint64_t count, uint64_t offset,
                     nbd_extent_callback extent_callback, uint32_t flags)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_BLOCK_STATUS 1

/* Asks what the meta contexts say of a range, and waits. */
int nbd_block_status_64(struct nbd_handle *h, uint64_t count, uint64_t offset,
                        nbd_extent64_callback extent64_callback,
                        uint32_t flags)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_BLOCK_STATUS_64 1

/* Asks what some of the meta contexts say of a range, and waits. */
int nbd_block_status_filter(struct nbd_handle *h, uint64_t count,
                            uint64_t offset, char **contexts,
                            nbd_extent64_callback extent64_callback,
                            uint32_t flags)
  LIBNBD_ATTRIBUTE_NONNULL(1, 4);
#define LIBNBD_HAVE_NBD_BLOCK_STATUS_FILTER 1

/* Waits until something happens on the connection, and handles it. */
int nbd_poll(struct nbd_handle *h, int timeout)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_POLL 1

/* Waits until something happens on the connection or on a file descriptor. */
int nbd_poll2(struct nbd_handle *h, int fd, int timeout)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_POLL2 1

/* Begins to connect to a server at a socket address. */
int nbd_aio_connect(struct nbd_handle *h, const struct sockaddr *addr,
                    socklen_t addrlen)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2);
#define LIBNBD_HAVE_NBD_AIO_CONNECT 1

/* Begins to connect to the server and export that a URI names. */
int nbd_aio_connect_uri(struct nbd_handle *h, const char *uri)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2);
#define LIBNBD_HAVE_NBD_AIO_CONNECT_URI 1

/* Begins to connect to a server on a Unix domain socket. */
int nbd_aio_connect_unix(struct nbd_handle *h, const char *unixsocket)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2);
#define LIBNBD_HAVE_NBD_AIO_CONNECT_UNIX 1

/* Begins to connect to a server over vsock. */
int nbd_aio_connect_vsock(struct nbd_handle *h, uint32_t cid, uint32_t port)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_AIO_CONNECT_VSOCK 1

/* Begins to connect to a server over TCP. */
int nbd_aio_connect_tcp(struct nbd_handle *h, const char *hostname,
                        const char *port)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2, 3);
#define LIBNBD_HAVE_NBD_AIO_CONNECT_TCP 1

/* Begins to talk to a server over a socket that is connected already. */
int nbd_aio_connect_socket(struct nbd_handle *h, int sock)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_AIO_CONNECT_SOCKET 1

/* Runs a server as a subprocess and begins to connect to it. */
int nbd_aio_connect_command(struct nbd_handle *h, char **argv)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2);
#define LIBNBD_HAVE_NBD_AIO_CONNECT_COMMAND 1

/* Runs a server by socket activation and begins to connect to it. */
int nbd_aio_connect_systemd_socket_activation(struct nbd_handle *h,
                                              char **argv)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2);
#define LIBNBD_HAVE_NBD_AIO_CONNECT_SYSTEMD_SOCKET_ACTIVATION 1

/* Begins to end option mode and to open the export. */
int nbd_aio_opt_go(struct nbd_handle *h,
                   nbd_completion_callback completion_callback)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_AIO_OPT_GO 1

/* Begins to end option mode and the connection. */
int nbd_aio_opt_abort(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_AIO_OPT_ABORT 1

/* Asks the server for TLS, without waiting for the answer. */
int nbd_aio_opt_starttls(struct nbd_handle *h,
                         nbd_completion_callback completion_callback)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_AIO_OPT_STARTTLS 1

/* Asks the server for extended headers, without waiting for the answer. */
int nbd_aio_opt_extended_headers(struct nbd_handle *h,
                                 nbd_completion_callback completion_callback)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_AIO_OPT_EXTENDED_HEADERS 1

/* Asks the server for structured replies, without waiting for the answer. */
int nbd_aio_opt_structured_reply(struct nbd_handle *h,
                                 nbd_completion_callback completion_callback)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_AIO_OPT_STRUCTURED_REPLY 1

/* Asks the server which exports it has, without waiting for the list. */
int nbd_aio_opt_list(struct nbd_handle *h, nbd_list_callback list_callback,
                     nbd_completion_callback completion_callback)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_AIO_OPT_LIST 1

/* Asks the server about the export, without opening it and without waiting. */
int nbd_aio_opt_info(struct nbd_handle *h,
                     nbd_completion_callback completion_callback)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_AIO_OPT_INFO 1

/* Asks the server which meta contexts the export has, without waiting. */
int nbd_aio_opt_list_meta_context(
    struct nbd_handle *h, nbd_context_callback context_callback,
    nbd_completion_callback completion_callback)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_AIO_OPT_LIST_META_CONTEXT 1

/* Asks the server which meta contexts answer to queries, without waiting. */
int nbd_aio_opt_list_meta_context_queries(
    struct nbd_handle *h, char **queries,
    nbd_context_callback context_callback,
    nbd_completion_callback completion_callback)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2);
#define LIBNBD_HAVE_NBD_AIO_OPT_LIST_META_CONTEXT_QUERIES 1

/* Asks the server for the meta contexts of the handle, without waiting. */
int nbd_aio_opt_set_meta_context(struct nbd_handle *h,
                                 nbd_context_callback context_callback,
                                 nbd_completion_callback completion_callback)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_AIO_OPT_SET_META_CONTEXT 1

/* Asks the server for the meta contexts that it is given, without waiting. */
int nbd_aio_opt_set_meta_context_queries(
    struct nbd_handle *h, char **queries,
    nbd_context_callback context_callback,
    nbd_completion_callback completion_callback)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2);
#define LIBNBD_HAVE_NBD_AIO_OPT_SET_META_CONTEXT_QUERIES 1

/* Reads from the export, without waiting for the data. */
int64_t nbd_aio_pread(struct nbd_handle *h, void *buf, size_t count,
                      uint64_t offset,
                      nbd_completion_callback completion_callback,
                      uint32_t flags)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2);
#define LIBNBD_HAVE_NBD_AIO_PREAD 1

/* Reads from the export piece by piece, without waiting. */
int64_t nbd_aio_pread_structured(struct nbd_handle *h, void *buf, size_t count,
                                 uint64_t offset,
                                 nbd_chunk_callback chunk_callback,
                                 nbd_completion_callback completion_callback,
                                 uint32_t flags)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2);
#define LIBNBD_HAVE_NBD_AIO_PREAD_STRUCTURED 1

/* Writes to the export, without waiting for the reply. */
int64_t nbd_aio_pwrite(struct nbd_handle *h, const void *buf, size_t count,
                       uint64_t offset,
                       nbd_completion_callback completion_callback,
                       uint32_t flags)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2);
#define LIBNBD_HAVE_NBD_AIO_PWRITE 1

/* Says goodbye to the server, without waiting for the end. */
int nbd_aio_disconnect(struct nbd_handle *h, uint32_t flags)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_AIO_DISCONNECT 1

/* Makes sure that what was written is safe, without waiting for it. */
int64_t nbd_aio_flush(struct nbd_handle *h,
                      nbd_completion_callback completion_callback,
                      uint32_t flags)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_AIO_FLUSH 1

/* Tells the server that a range is no longer needed, without waiting. */
int64_t nbd_aio_trim(struct nbd_handle *h, uint64_t count, uint64_t offset,
                     nbd_completion_callback completion_callback,
                     uint32_t flags)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_AIO_TRIM 1

/* Tells the server that a range will be read soon, without waiting. */
int64_t nbd_aio_cache(struct nbd_handle *h, uint64_t count, uint64_t offset,
                      nbd_completion_callback completion_callback,
                      uint32_t flags)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_AIO_CACHE 1

/* Writes zeroes without sending them, and without waiting. */
int64_t nbd_aio_zero(struct nbd_handle *h, uint64_t count, uint64_t offset,
                     nbd_completion_callback completion_callback,
                     uint32_t flags)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_AIO_ZERO 1

/* Asks for the status of a range, with 32-bit extents, without waiting. */
int64_t nbd_aio_block_status(struct nbd_handle *h, uint64_t count,
                             uint64_t offset,
                             nbd_extent_callback extent_callback,
                             nbd_completion_callback completion_callback,
                             uint32_t flags)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_AIO_BLOCK_STATUS 1

/* Asks what the meta contexts say of a range, without waiting. */
int64_t nbd_aio_block_status_64(struct nbd_handle *h, uint64_t count,
                                uint64_t offset,
                                nbd_extent64_callback extent64_callback,
                                nbd_completion_callback completion_callback,
                                uint32_t flags)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_AIO_BLOCK_STATUS_64 1

/* Asks what some of the meta contexts say of a range, without waiting. */
int64_t nbd_aio_block_status_filter(
    struct nbd_handle *h, uint64_t count, uint64_t offset, char **contexts,
    nbd_extent64_callback extent64_callback,
    nbd_completion_callback completion_callback, uint32_t flags)
  LIBNBD_ATTRIBUTE_NONNULL(1, 4);
#define LIBNBD_HAVE_NBD_AIO_BLOCK_STATUS_FILTER 1

/* Returns the file descriptor of the connection, to wait for. */
int nbd_aio_get_fd(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_AIO_GET_FD 1

/* Returns in which direction the connection waits to go on. */
unsigned nbd_aio_get_direction(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_AIO_GET_DIRECTION 1

/* Tells the handle that its file descriptor can be read. */
int nbd_aio_notify_read(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_AIO_NOTIFY_READ 1

/* Tells the handle that its file descriptor can be written to. */
int nbd_aio_notify_write(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_AIO_NOTIFY_WRITE 1

/* Returns whether the handle has not begun to connect. */
int nbd_aio_is_created(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_AIO_IS_CREATED 1

/* Returns whether the handle is connecting. */
int nbd_aio_is_connecting(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_AIO_IS_CONNECTING 1

/* Returns whether the handle can negotiate an option. */
int nbd_aio_is_negotiating(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_AIO_IS_NEGOTIATING 1

/* Returns whether the handle is ready for commands, and idle. */
int nbd_aio_is_ready(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_AIO_IS_READY 1

/* Returns whether the handle is sending a request or receiving a reply. */
int nbd_aio_is_processing(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_AIO_IS_PROCESSING 1

/* Returns whether the connection has failed. */
int nbd_aio_is_dead(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_AIO_IS_DEAD 1

/* Returns whether the connection has ended in good order. */
int nbd_aio_is_closed(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_AIO_IS_CLOSED 1

/* Returns whether a command has completed, and retires it if it has. */
int nbd_aio_command_completed(struct nbd_handle *h, uint64_t cookie)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_AIO_COMMAND_COMPLETED 1

/* Returns the cookie of a command that has completed and is to be retired. */
int64_t nbd_aio_peek_command_completed(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_AIO_PEEK_COMMAND_COMPLETED 1

/* Returns how many commands await their reply. */
int nbd_aio_in_flight(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_AIO_IN_FLIGHT 1

/* Returns the state of the connection in words. */
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

/* Returns whose build of the library this is. */
const char *nbd_get_version_extra(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_VERSION_EXTRA 1

/* Sends a signal to the server that the handle runs. */
int nbd_kill_subprocess(struct nbd_handle *h, int signum)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_KILL_SUBPROCESS 1

/* Returns the process ID of the server that the handle runs. */
int64_t nbd_get_subprocess_pid(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_SUBPROCESS_PID 1

/* Returns whether connections can be encrypted with TLS. */
int nbd_supports_tls(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_SUPPORTS_TLS 1

/* Returns whether the library can connect over vsock. */
int nbd_supports_vsock(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_SUPPORTS_VSOCK 1

/* Returns whether the library can connect to URIs. */
int nbd_supports_uri(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_SUPPORTS_URI 1

/* Returns a URI that leads to the same server and export. */
char *nbd_get_uri(struct nbd_handle *h)
  LIBNBD_ATTRIBUTE_ALLOC_DEALLOC(__builtin_free)
  LIBNBD_ATTRIBUTE_NONNULL(1);
#define LIBNBD_HAVE_NBD_GET_URI 1

/* Returns whether a text looks like an NBD URI. */
int nbd_is_uri(struct nbd_handle *h, const char *uri)
  LIBNBD_ATTRIBUTE_NONNULL(1, 2);
#define LIBNBD_HAVE_NBD_IS_URI 1

/* In place of a completion callback that is not wanted. */
#define NBD_NULL_COMPLETION ((nbd_completion_callback) { .callback = NULL })

#ifdef __cplusplus
}
#endif

#endif /* LIBNBD_H */
