internal import Glibc

/// Signals, told to one handler on a thread of its own.
package enum Signals {
    /// Where the handler leaves a signal's number for the thread that tells it; -1 before ``watch(_:)``.
    nonisolated(unsafe) private static var mailbox: Int32 = -1

    /// Must be called before the first thread is started, so that all threads inherit the mask.
    ///
    /// SIGPIPE and SIGHUP are ignored: a closed terminal or pipe must not cut a run. SIGQUIT ends the process at once, SIGCHLD does what it always does. SIGINT and SIGTERM go to `handler`,
    /// each time with how many there have been.
    ///
    /// Blocking them everywhere and waiting in one thread is not enough: once main is asynchronous, libdispatch parks the
    /// first thread with all signals open, and the signal's default action would end the process there.
    package static func watch(_ handler: @escaping @Sendable (_ number: Int32, _ count: Int) -> Void) {
        signal(SIGPIPE, SIG_IGN)
        signal(SIGHUP, SIG_IGN)
        // Whoever started us may have it ignored, and then the kernel keeps no child's end for us to ask about.
        signal(SIGCHLD, SIG_DFL)
        // Swift's runtime takes SIGQUIT for a crash and spends a minute on a backtrace, in which the process stands still.
        signal(SIGQUIT, SIG_DFL)
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe(&ends) == 0 else { return }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        unsafe mailbox = ends[1]
        var action = sigaction()
        unsafe action.__sigaction_handler.sa_handler = { number in
            // Only what a signal handler may do: one write, and errno as it was.
            let before = errno
            var byte = UInt8(truncatingIfNeeded: number)
            _ = unsafe write(Signals.mailbox, &byte, 1)
            errno = before
        }
        action.sa_flags = SA_RESTART
        unsafe sigaction(SIGINT, &action, nil)
        unsafe sigaction(SIGTERM, &action, nil)
        var set = sigset_t()
        unsafe sigemptyset(&set)
        unsafe sigaddset(&set, SIGINT)
        unsafe sigaddset(&set, SIGTERM)
        unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
        let box = unsafe Unmanaged.passRetained(Box(inbox: ends[0], handler)).toOpaque()
        var thread = pthread_t()
        unsafe pthread_create(
            &thread,
            nil,
            { context in
                guard let context = unsafe context else { return nil }
                let box = unsafe Unmanaged<Box>.fromOpaque(context).takeRetainedValue()
                var set = sigset_t()
                unsafe sigemptyset(&set)
                unsafe sigaddset(&set, SIGINT)
                unsafe sigaddset(&set, SIGTERM)
                unsafe pthread_sigmask(SIG_UNBLOCK, &set, nil)
                var count = 0
                while true {
                    var byte: UInt8 = 0
                    guard unsafe read(box.inbox, &byte, 1) == 1 else { continue }
                    count += 1
                    box.handler(Int32(byte), count)
                }
            },
            box
        )
        pthread_detach(thread)
    }

    private final class Box {
        let inbox: Int32
        let handler: @Sendable (Int32, Int) -> Void

        init(inbox: Int32, _ handler: @escaping @Sendable (Int32, Int) -> Void) {
            self.inbox = inbox
            self.handler = handler
        }
    }
}
