internal import Disk

/// What happens to the content of one file: hash, compress, hash again, write.
///
/// Used by one thread at a time: the writer's own, or its lane's between `write` and `drain`.
@safe final class FileWork: @unchecked Sendable {  // the lane hands it over through its queue, see above
    let sink: FileSink
    private let encoder: any Encoder
    private let contentHasher: ContentHasher
    /// Tests watch the calls of the task that opened the file; the lane's thread has no task.
    private let gate = DiskGate.current

    init(sink: FileSink, encoder: any Encoder, contentHasher: ContentHasher) {
        self.sink = sink
        self.encoder = encoder
        self.contentHasher = contentHasher
    }

    /// Compresses the first `count` bytes of a block, and offers them for hashing before: together with another file's, should one
    /// come before the next block.
    func take(_ block: [UInt8], count: Int, repeats: [UInt32]) throws(ArchiveError) {
        sink.hashing(count) { contentHasher.offer(block, count: count) }
        let failure: ArchiveError? = unsafe block.withUnsafeBytes { content in
            do throws(ArchiveError) {
                try unsafe compress(UnsafeRawBufferPointer(rebasing: content.prefix(count)), repeats)
            } catch {
                return error
            }
            return nil
        }
        if let failure { throw failure }
    }

    private func compress(_ content: UnsafeRawBufferPointer, _ repeats: [UInt32]) throws(ArchiveError) {
        try sink.compressing(content.count) { () throws(ArchiveError) in
            guard let gate, DiskGate.current == nil else {
                return try unsafe encoder.write(content, repeats: repeats, to: sink)
            }
            var failure: ArchiveError?
            gate.watching {
                do throws(ArchiveError) { try unsafe encoder.write(content, repeats: repeats, to: sink) } catch {
                    failure = error
                }
            }
            if let failure { throw failure }
        }
    }

    /// Ends the file's bytes.
    func end() throws(ArchiveError) {
        sink.hashing(0) { contentHasher.settle() }
        try sink.compressing(0) { () throws(ArchiveError) in try encoder.finish(to: sink) }
    }
}
