import CCurl
import Glibc
import Synchronization

/// libcurl's multi handle and the thread that drives it.
///
/// The multi handle belongs to the thread. Others only put commands in the inbox and wake it, the
/// one call that libcurl allows from elsewhere.
@safe final class CurlLoop: @unchecked Sendable {  // `active` is the thread's own, the rest is locked or constant
    private enum Command {
        case start(CurlTransfer)
        case cancel(CurlTransfer)
    }

    private struct Inbox {
        var commands: [Command] = []
        var isStopped = false
        /// The multi handle is gone.
        var isClosed = false
    }

    private let multi: UnsafeMutableRawPointer
    private let certificateAuthorities: String?
    private let inbox = Mutex(Inbox())
    private var active: [ObjectIdentifier: CurlTransfer] = [:]

    init(certificateAuthorities: String?) throws(CurlError) {
        if let refusal = CurlLibrary.refusal { throw refusal }
        guard let multi = unsafe cogni_curl_multi_init() else { throw CurlError(.library, number: 27, "out of memory") }
        unsafe self.multi = multi
        self.certificateAuthorities = certificateAuthorities
        unsafe cogni_curl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, 64)
    }

    deinit { close() }  // does nothing unless the thread never ran

    // MARK: From any thread

    func start(_ transfer: CurlTransfer) { post(.start(transfer)) }

    func cancel(_ transfer: CurlTransfer) {
        transfer.isCancelled.store(true, ordering: .releasing)
        post(.cancel(transfer))
    }

    func stop() {
        change { $0.isStopped = true }
    }

    private func post(_ command: Command) {
        change { $0.commands.append(command) }
    }

    private func change(_ body: (inout Inbox) -> Void) {
        inbox.withLock { inbox in
            body(&inbox)
            if !inbox.isClosed { unsafe _ = cogni_curl_multi_wakeup(multi) }
        }
    }

    /// Closes the connections that are left.
    private func close() {
        inbox.withLock { inbox in
            if !inbox.isClosed { unsafe _ = cogni_curl_multi_cleanup(multi) }
            inbox.isClosed = true
        }
    }

    // MARK: On the loop's thread

    /// Starts the thread, which keeps the loop alive until it has stopped.
    func launch() throws(CurlError) -> pthread_t {
        var thread = pthread_t()
        let context = unsafe Unmanaged.passRetained(self).toOpaque()
        let status = unsafe pthread_create(
            &thread,
            nil,
            { context in
                guard let context = unsafe context else { return nil }
                let loop = unsafe Unmanaged<CurlLoop>.fromOpaque(context).takeRetainedValue()
                loop.run()
                return nil
            },
            context
        )
        guard status == 0 else {
            unsafe Unmanaged<CurlLoop>.fromOpaque(context).release()
            throw CurlError(.library, "no thread for libcurl: error \(status)")
        }
        return thread
    }

    private func run() {
        CurlLoop.blockSignals()
        while true {
            let (commands, isStopped) = inbox.withLock { inbox in
                defer { inbox.commands.removeAll() }
                return (inbox.commands, inbox.isStopped)
            }
            for command in commands {
                switch command {
                case .start(let transfer): begin(transfer)
                case .cancel(let transfer): abandon(transfer)
                }
            }
            if isStopped { break }
            var running: CInt = 0
            let status = unsafe cogni_curl_multi_perform(multi, &running)
            if status != CURLM_OK { failAll(status) }
            collect()
            // Waking up once a second without reason would be waste; libcurl shortens this to its own timers.
            let status2 = unsafe cogni_curl_multi_poll(multi, active.isEmpty ? 60_000 : 1000)
            if status2 != CURLM_OK { failAll(status2) }
        }
        for transfer in active.values { abandon(transfer) }
        close()
    }

    /// OpenSSL writes to sockets without asking for no SIGPIPE, and libcurl leaves that to us. Signals meant for the
    /// program are better delivered to a thread that is not in the middle of a transfer.
    private static func blockSignals() {
        var all = sigset_t()
        unsafe sigfillset(&all)
        unsafe pthread_sigmask(SIG_BLOCK, &all, nil)
    }

    private func begin(_ transfer: CurlTransfer) {
        guard !transfer.isCancelled.load(ordering: .acquiring) else {
            transfer.resume(.failure(CurlError(.cancelled, "cancelled")))
            return
        }
        do throws(CurlError) {
            try transfer.prepare(certificateAuthorities: certificateAuthorities)
        } catch {
            transfer.release()
            transfer.resume(.failure(error))
            return
        }
        guard let easy = unsafe transfer.handle else { return }
        let status = unsafe cogni_curl_multi_add(multi, easy)
        guard status == CURLM_OK else {
            transfer.release()
            transfer.resume(.failure(CurlLoop.error(status)))
            return
        }
        active[ObjectIdentifier(transfer)] = transfer
    }

    /// Ends a transfer that nobody waits for any more.
    private func abandon(_ transfer: CurlTransfer) {
        guard active[ObjectIdentifier(transfer)] != nil else { return }
        detach(transfer)
        transfer.resume(.failure(CurlError(.cancelled, "cancelled")))
    }

    private func collect() {
        var left: CInt = 0
        while let message = unsafe cogni_curl_multi_message(multi, &left) {
            guard unsafe message.pointee.msg == CURLMSG_DONE, let easy = unsafe message.pointee.easy_handle,
                let transfer = unsafe CurlTransfer.owner(of: easy)
            else { continue }
            let result = unsafe transfer.outcome(cogni_curl_message_result(message))
            detach(transfer)
            transfer.resume(result)
        }
    }

    private func detach(_ transfer: CurlTransfer) {
        if let easy = unsafe transfer.handle { unsafe _ = cogni_curl_multi_remove(multi, easy) }
        transfer.release()
        active[ObjectIdentifier(transfer)] = nil
    }

    private func failAll(_ status: CURLMcode) {
        for transfer in active.values {
            detach(transfer)
            transfer.resume(.failure(CurlLoop.error(status)))
        }
    }

    private static func error(_ status: CURLMcode) -> CurlError {
        unsafe CurlError(.library, String(cString: cogni_curl_multi_words(status)))
    }
}
