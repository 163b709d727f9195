import Console
import Disk
import Foundation
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
            guard count == 1, let handler else {
                if count == 1 { tell() }
                Console.exitAtOnce(128 + number)
            }
            Terminal.progress("\nstopping; press again to stop at once\n")
            handler()
        }
    }

    /// The last line of a command that has nothing to finish. On another thread and for a moment only: whoever reads stderr may have
    /// stopped reading, and a signal must end the process all the same.
    private static func tell() {
        let fault = Fault(code, "stopped by a signal", mend: "give the command again")
        Thread.detachNewThread {
            Terminal.end(with: fault, asJSON: Console.arguments.contains("--json"))
            told.withLock { $0 = true }
        }
        for _ in 0..<40 where !told.withLock(\.self) { Disk.pause(milliseconds: 5) }
    }

    private static let told = Mutex(false)

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
