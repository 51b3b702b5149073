// SPDX-License-Identifier: LGPL-2.1-or-later

//! The functions of GnuTLS that are used, resolved when it is loaded.
//!
//! Constants and layouts are those of the ABI of `libgnutls.so.30`, which all
//! releases of GnuTLS 3 share.

use std::ffi::{c_char, c_int, c_uint, c_void, CStr};
use std::sync::OnceLock;

use libc::{size_t, ssize_t};

/// The name under which the library is loaded.
const SONAME: &CStr = c"libgnutls.so.30";

pub(super) const CLIENT: c_uint = 1 << 1;
pub(super) const NONBLOCK: c_uint = 1 << 3;
pub(super) const NO_SIGNAL: c_uint = 1 << 6;

pub(super) const CRD_CERTIFICATE: c_int = 1;
pub(super) const CRD_PSK: c_int = 4;

pub(super) const CRT_X509: c_int = 1;
pub(super) const X509_FMT_PEM: c_int = 1;
pub(super) const NAME_DNS: c_int = 1;
pub(super) const PSK_KEY_HEX: c_int = 1;
pub(super) const SHUT_WR: c_int = 1;

pub(super) const DT_DNS_HOSTNAME: c_int = 1;
pub(super) const DT_KEY_PURPOSE_OID: c_int = 2;
/// `GNUTLS_KP_TLS_WWW_SERVER`
pub(super) const SERVER_PURPOSE: &CStr = c"1.3.6.1.5.5.7.3.1";

pub(super) const E_FATAL_ALERT_RECEIVED: c_int = -12;
pub(super) const E_AGAIN: c_int = -28;
pub(super) const E_INTERRUPTED: c_int = -52;
pub(super) const E_PUSH_ERROR: c_int = -53;
pub(super) const E_PULL_ERROR: c_int = -54;
pub(super) const E_CERTIFICATE_VERIFICATION_ERROR: c_int = -348;

/// `struct gnutls_session_int`, seen through pointers only.
#[repr(C)]
pub(super) struct RawSession {
    opaque: [u8; 0],
}

/// `gnutls_datum_t`
#[repr(C)]
pub(super) struct Datum {
    pub data: *mut u8,
    pub size: c_uint,
}

/// `gnutls_typed_vdata_st`
#[repr(C)]
#[derive(Debug)]
pub(super) struct TypedData {
    pub kind: c_int,
    pub data: *const c_char,
    pub size: c_uint,
}

/// `gnutls_pull_func`
pub(super) type Pull = unsafe extern "C" fn(*mut c_void, *mut c_void, size_t) -> ssize_t;
/// `gnutls_push_func`
pub(super) type Push = unsafe extern "C" fn(*mut c_void, *const c_void, size_t) -> ssize_t;

/// Declares the functions as fields named without the prefix `gnutls_`, and resolves them in the
/// loaded library.
macro_rules! functions {
    ($(fn $name:ident($($argument:ty),*) $(-> $result:ty)?;)*) => {
        /// GnuTLS, loaded.
        #[derive(Debug)]
        pub(super) struct Gnutls {
            $(pub $name: unsafe extern "C" fn($($argument),*) $(-> $result)?,)*
        }

        impl Gnutls {
            /// Resolves the functions.
            ///
            /// # Safety
            /// `library` is a handle of dlopen(3) for a `libgnutls.so.30`.
            unsafe fn resolve(library: *mut c_void) -> Result<Gnutls, String> {
                Ok(Gnutls {
                    $($name: {
                        let name = concat!("gnutls_", stringify!($name), "\0");
                        let address = symbol(library, name)?;
                        // SAFETY: the library of that name has, under this
                        // name, the function with this prototype, since its
                        // ABI version stands for it.
                        unsafe {
                            std::mem::transmute::<
                                *mut c_void,
                                unsafe extern "C" fn($($argument),*) $(-> $result)?,
                            >(address)
                        }
                    },)*
                })
            }
        }
    };
}

functions! {
    fn global_init() -> c_int;
    fn strerror(c_int) -> *const c_char;
    fn error_is_fatal(c_int) -> c_int;

    fn init(*mut *mut RawSession, c_uint) -> c_int;
    fn deinit(*mut RawSession);
    fn priority_set_direct(*mut RawSession, *const c_char, *mut *const c_char) -> c_int;
    fn credentials_set(*mut RawSession, c_int, *mut c_void) -> c_int;
    fn server_name_set(*mut RawSession, c_int, *const c_void, size_t) -> c_int;
    fn session_set_verify_cert2(*mut RawSession, *mut TypedData, c_uint, c_uint);
    fn session_get_verify_cert_status(*mut RawSession) -> c_uint;
    fn certificate_verification_status_print(c_uint, c_int, *mut Datum, c_uint) -> c_int;
    fn auth_server_get_type(*mut RawSession) -> c_int;
    fn alert_get(*mut RawSession) -> c_int;
    fn alert_get_name(c_int) -> *const c_char;

    fn transport_set_ptr(*mut RawSession, *mut c_void);
    fn transport_set_pull_function(*mut RawSession, Pull);
    fn transport_set_push_function(*mut RawSession, Push);
    fn transport_set_errno(*mut RawSession, c_int);

    fn handshake(*mut RawSession) -> c_int;
    fn record_get_max_size(*mut RawSession) -> size_t;
    fn record_check_pending(*mut RawSession) -> size_t;
    fn record_recv(*mut RawSession, *mut c_void, size_t) -> ssize_t;
    fn record_send(*mut RawSession, *const c_void, size_t) -> ssize_t;
    fn bye(*mut RawSession, c_int) -> c_int;

    fn certificate_allocate_credentials(*mut *mut c_void) -> c_int;
    fn certificate_free_credentials(*mut c_void);
    fn certificate_set_x509_system_trust(*mut c_void) -> c_int;
    fn certificate_set_x509_trust_file(*mut c_void, *const c_char, c_int) -> c_int;
    fn certificate_set_x509_crl_file(*mut c_void, *const c_char, c_int) -> c_int;
    fn certificate_set_x509_key_file(*mut c_void, *const c_char, *const c_char, c_int) -> c_int;

    fn psk_allocate_client_credentials(*mut *mut c_void) -> c_int;
    fn psk_free_client_credentials(*mut c_void);
    fn psk_set_client_credentials(*mut c_void, *const c_char, *const Datum, c_int) -> c_int;
}

impl Gnutls {
    /// Returns the text of a GnuTLS error number.
    pub fn describe(&self, status: c_int) -> &'static str {
        // SAFETY: gnutls_strerror takes any number and returns a constant
        // string.
        let text = unsafe { CStr::from_ptr((self.strerror)(status)) };
        text.to_str().unwrap_or("unknown error")
    }
}

/// Returns the library. The first call loads it; it is kept until the process ends.
///
/// Failures are not remembered: loading can fail for lack of memory or descriptors, and succeed
/// later.
pub(super) fn load() -> Result<&'static Gnutls, String> {
    static LIBRARY: OnceLock<Gnutls> = OnceLock::new();
    match LIBRARY.get() {
        Some(library) => Ok(library),
        // Several threads may load it at the same time, and get the same library.
        None => open().map(|library| LIBRARY.get_or_init(|| library)),
    }
}

/// Checks that connections can be encrypted (nbd_supports_tls(3)). The error is the reason.
pub fn check_available() -> Result<(), String> {
    load().map(drop)
}

fn open() -> Result<Gnutls, String> {
    // SAFETY: the name is a C string. Loading runs the constructors of GnuTLS,
    // which is made to be loaded into any program at any time.
    let library = unsafe { libc::dlopen(SONAME.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
    if library.is_null() {
        return Err(loader_error());
    }
    // SAFETY: the handle is of this library, which is never closed.
    let gnutls = unsafe { Gnutls::resolve(library)? };
    // SAFETY: gnutls_global_init may be called any number of times.
    let status = unsafe { (gnutls.global_init)() };
    if status < 0 {
        let why = gnutls.describe(status);
        return Err(format!("gnutls_global_init: {why}"));
    }
    Ok(gnutls)
}

/// Returns the address of a function. `name` ends with a NUL.
fn symbol(library: *mut c_void, name: &str) -> Result<*mut c_void, String> {
    // SAFETY: the handle is one of dlopen, and the name is a C string.
    let address = unsafe { libc::dlsym(library, name.as_ptr().cast()) };
    if address.is_null() {
        return Err(loader_error());
    }
    Ok(address)
}

fn loader_error() -> String {
    // SAFETY: dlerror returns NULL or a string that stays valid until this
    // thread's next call of the loader, and is copied before.
    unsafe {
        let text = libc::dlerror();
        if text.is_null() {
            return "unknown error of the dynamic loader".to_owned();
        }
        CStr::from_ptr(text).to_string_lossy().into_owned()
    }
}
