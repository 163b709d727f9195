internal import Dispatch
import Glibc

/// Sends requests with libcurl: many at once, over one pool of connections, on one thread of its own.
///
/// Callers `await`; none of Swift's shared threads is ever blocked by a slow server. A cancelled task
/// takes its transfer off the wire. Letting go of the engine stops its thread and closes its connections.
package final class CurlEngine: Sendable {
    private let loop: CurlLoop
    private let thread: pthread_t

    /// - certificateAuthorities: path of a PEM file to trust instead of the system's.
    package init(certificateAuthorities: String? = nil) throws(CurlError) {
        loop = try CurlLoop(certificateAuthorities: certificateAuthorities)
        thread = try loop.launch()
    }

    /// Has another thread open libcurl ahead of the first engine, which takes some milliseconds. Call it while no other thread reads
    /// the environment. What fails there fails again, with its words, where an engine is made.
    package static func openAhead() {
        CurlLibrary.forgetVariables()
        DispatchQueue.global().async { _ = CurlLibrary.refusal }
    }

    deinit {
        loop.stop()
        _ = pthread_join(thread, nil)
    }

    /// Sends one GET. Returns whatever was answered, errors and redirects included; throws when no
    /// whole reply came.
    package func perform(_ request: CurlRequest) async throws(CurlError) -> CurlReply {
        let transfer = CurlTransfer(request)
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                transfer.continuation = continuation
                loop.start(transfer)
            }
        } onCancel: {
            loop.cancel(transfer)
        }
        return try result.get()
    }
}
