internal import COpenSSL
internal import Glibc

/// Keeps this process's memory to itself: no core files, no debugger of the same user, no reading of
/// `/proc/<pid>/environ`. Called once at the start by commands that hold keys.
///
/// Returns whether the system agreed; there is nothing to be done when it did not.
@discardableResult
package func forbidCoreDumps() -> Bool {
    var none = rlimit(rlim_cur: 0, rlim_max: 0)
    let limited = unsafe setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none) == 0
    return cogni_forbid_dumps() == 0 && limited
}
