internal import COpenSSL
internal import Glibc

/// Keeps this process's memory to itself: no core files, no crash report with memory in it, no debugger of the same user,
/// no reading of `/proc/<pid>/environ`. Called once at the start by commands that hold keys.
///
/// Returns whether the system agreed; there is nothing to be done when it did not.
@discardableResult
package func forbidCoreDumps() -> Bool {
    // Swift's crash report shows registers and the memory that they point to, and may hang where memory can't be read.
    for number in [SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGQUIT, SIGSEGV, SIGTRAP] { signal(number, SIG_DFL) }
    var none = rlimit(rlim_cur: 0, rlim_max: 0)
    let limited = unsafe setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none) == 0
    return cogni_forbid_dumps() == 0 && limited
}

/// Takes out of the environment what would have OpenSSL load code or settings of others, or write TLS session keys to a file. Call it
/// before OpenSSL does anything, and before there are other threads.
package func ignoreLibraryVariables() {
    for name in ["OPENSSL_CONF", "OPENSSL_MODULES", "OPENSSL_ENGINES", "SSLKEYLOGFILE"] { unsafe unsetenv(name) }
}
