internal import Glibc

/// Signals, told to one handler on a thread of its own.
package enum Signals {
    /// Must be called before the first thread is started, so that all threads inherit the mask.
    ///
    /// SIGPIPE and SIGHUP are ignored: a closed terminal or pipe must not cut a run. SIGINT and SIGTERM go to `handler`,
    /// each time with how many there have been.
    package static func watch(_ handler: @escaping @Sendable (_ number: Int32, _ count: Int) -> Void) {
        signal(SIGPIPE, SIG_IGN)
        signal(SIGHUP, SIG_IGN)
        var set = sigset_t()
        unsafe sigemptyset(&set)
        unsafe sigaddset(&set, SIGINT)
        unsafe sigaddset(&set, SIGTERM)
        unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
        let box = unsafe Unmanaged.passRetained(Box(handler)).toOpaque()
        var thread = pthread_t()
        unsafe pthread_create(&thread, nil, { context in
            guard let context = unsafe context else { return nil }
            let box = unsafe Unmanaged<Box>.fromOpaque(context).takeRetainedValue()
            var set = sigset_t()
            unsafe sigemptyset(&set)
            unsafe sigaddset(&set, SIGINT)
            unsafe sigaddset(&set, SIGTERM)
            var count = 0
            while true {
                var number: Int32 = 0
                guard unsafe sigwait(&set, &number) == 0 else { continue }
                count += 1
                box.handler(number, count)
            }
        }, box)
        pthread_detach(thread)
    }

    /// Keeps keys out of core files and away from debuggers of other users' making.
    package static func protectMemory() {
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        unsafe setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
    }

    private final class Box {
        let handler: @Sendable (Int32, Int) -> Void
        init(_ handler: @escaping @Sendable (Int32, Int) -> Void) { self.handler = handler }
    }
}
