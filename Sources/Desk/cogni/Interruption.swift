import Console
import Model
import Synchronization

/// SIGINT and SIGTERM: the first stops the run at a point it can go on from, the second ends the process at once.
enum Interruption {
    private static let stop = Mutex<(@Sendable () -> Void)?>(nil)
    private static let received = Mutex<Int32>(0)

    static func watch() {
        Signals.watch { number, count in
            received.withLock { if $0 == 0 { $0 = number } }
            let handler = stop.withLock { $0 }
            guard count == 1, let handler else { Console.exitAtOnce(128 + number) }
            Terminal.progress("\nstopping; press again to stop at once\n")
            handler()
        }
    }

    /// Which signal came first; 0: none.
    static var signal: Int32 { received.withLock { $0 } }

    /// The same as a fault's code; SIGINT when there was none.
    static var code: Fault.Code { signal == Fault.Code.terminated.exitCode - 128 ? .terminated : .interrupted }

    /// Runs `body` in a task that the first signal cancels.
    static func whileRunning<R: Sendable>(_ body: @escaping @Sendable () async -> R) async -> R {
        let task = Task { await body() }
        stop.withLock { $0 = { task.cancel() } }
        let value = await task.value
        stop.withLock { $0 = nil }
        return value
    }
}
