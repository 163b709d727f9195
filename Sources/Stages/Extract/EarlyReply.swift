internal import CurlTransport

/// A request that is on its way before it is certain that it will be wanted.
///
/// Whoever starts one either gives it to ``PageFetcher/fetch(_:early:scope:at:validate:)`` for the same request,
/// or drops it.
package struct EarlyReply: Sendable {
    /// What it asks for, for comparing.
    package let request: Request
    private let task: Task<Result<Reply, TransportError>, Never>

    init(_ request: Request, over transport: any Transport) {
        self.request = request
        // Not one of the shared threads: they may all be at work on what came before.
        task = Task(executorPreference: RequestExecutor.shared) {
            do throws(TransportError) { return .success(try await transport.send(request)) } catch {
                return .failure(error)
            }
        }
    }

    /// The reply, or why none came. Ends early when the waiting task is cancelled.
    func value() async throws(TransportError) -> Reply {
        let task = self.task
        return try await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            task.cancel()
        }.get()
    }

    /// Takes the request off the wire, and waits until it is.
    package func drop() async {
        task.cancel()
        _ = await task.value
    }
}
