internal import Dispatch

/// A thread that requests are sent from while Swift's shared threads compute.
///
/// The shared ones are as many as there are processors. While all of them scan pages and write files, a task that has no more to do
/// than to put a request on the wire would wait for one of them, and whoever needs the reply with it.
package final class RequestExecutor: TaskExecutor {
    package static let shared = RequestExecutor()

    private let queue = DispatchQueue(label: "requests")

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { unsafe job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
