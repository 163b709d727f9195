internal import Disk

/// Writes archive files one after the other: content goes in, a compressed file comes out, and both are hashed and
/// counted on the way.
///
/// `open` → `write` … → `finish`, again and again; buffers and the compressor's memory are kept between files, so make
/// one for each thread that writes. With `inBackground` a thread of the writer's own hashes and compresses while the
/// caller makes the next rows; a failure may then be told by a later call. Until ``finish(sync:)`` the file has the name
/// `<path>.part`; a writer that goes away earlier leaves at most that. The file's bytes depend on content, codec,
/// level and the compression library's version.
package final class ArchiveFileWriter {
    package let codec: Codec
    /// Content so far of the open file.
    package private(set) var contentBytes = 0

    private let encoder: any Encoder
    private let contentHasher = ContentHasher()
    private let fileHasher: SHA256?
    private var lane: BackgroundLane?
    private var work: FileWork?
    private var path = ""

    /// - Parameters:
    ///   - level: of the codec's own scale; without it what suits sorted lines.
    package init(codec: Codec, level: Int? = nil) {
        self.codec = codec
        encoder =
            switch codec {
            case .none: PlainEncoder()
            case .gzip: GzipEncoder(level: level.map(CInt.init))
            case .zstd: ZstdEncoder(level: level.map(CInt.init))
            }
        fileHasher = codec == .none ? nil : SHA256()
    }

    package var isOpen: Bool { work != nil }

    /// Whether ``write(_:count:repeats:)`` makes use of `repeats`.
    package var takesRepeats: Bool { encoder.takesRepeats }

    /// Starts a file. A `.part` that a crash left under the same name is replaced.
    ///
    /// - Parameter inBackground: another thread hashes and compresses.
    package func open(_ path: String, inBackground: Bool = false) throws(ArchiveError) {
        precondition(work == nil, "the file before was neither finished nor abandoned")
        let file = try onDisk { () throws(DiskError) in
            if try Disk.status(path + ".part") != nil { try Disk.remove(path + ".part") }
            return try DiskFile.create(path + ".part")
        }
        self.path = path
        lane = inBackground ? lane ?? BackgroundLane() : nil
        work = FileWork(sink: FileSink(file: file, hasher: fileHasher), encoder: encoder, contentHasher: contentHasher)
    }

    /// From now on another thread hashes and compresses the open file's content, as if it had been opened so.
    package func goOnInBackground() {
        if work != nil, lane == nil { lane = BackgroundLane() }
    }

    package func write(_ content: Span<UInt8>) throws(ArchiveError) {
        let block = unsafe content.withUnsafeBytes { unsafe Array($0) }
        try write(block, count: block.count)
    }

    /// The first `count` bytes of a block. It is kept until they are hashed, together with another writer's where one comes, and
    /// compressed: a caller that fills a few in turn seldom fills a copy.
    ///
    /// - Parameter repeats: what these bytes repeat, for a codec that makes use of it; empty when nothing is known. Three numbers
    ///   for each: so many bytes as they are, then so many that are equal to those so far back in the content. In all they are
    ///   `count` bytes, and they must be true: a file of untrue ones cannot be read.
    package func write(_ block: [UInt8], count: Int, repeats: [UInt32] = []) throws(ArchiveError) {
        guard let work else { preconditionFailure("write without open") }
        if let lane {
            try lane.write(block, count: count, repeats: repeats, for: work)
        } else {
            try work.take(block, count: count, repeats: repeats)
        }
        contentBytes += count
    }

    /// Ends the file, closes it and gives it its name.
    ///
    /// - Parameter sync: also waits until the bytes are on the medium; the name is durable only once the folder is
    ///   synced. After a failure the writer is ready for another file, and the `.part` is to be thrown away.
    package func finish(sync: Bool) throws(ArchiveError) -> FileFacts {
        let (facts, file) = try finish()
        try file.settle(sync: sync)
        return facts
    }

    /// Ends the file's bytes. It gets its name, and a place on the medium, when it is settled: the writer need not wait for that.
    package func finish() throws(ArchiveError) -> (facts: FileFacts, file: UnsettledFile) {
        guard let work else { preconditionFailure("finish without open") }
        defer { forget() }
        try lane?.drain()
        try work.end()
        let contentDigest = contentHasher.finish()
        let facts = FileFacts(
            bytes: work.sink.byteCount,
            sha256: fileHasher?.finish() ?? contentDigest,
            contentBytes: contentBytes,
            contentSHA256: contentDigest
        )
        return (facts, UnsettledFile(work.sink.file, path: path))
    }

    /// Drops the open file, and its `.part` as far as that goes. Nothing open is no failure.
    package func abandon() {
        guard work != nil else { return }
        forget()
        try? Disk.remove(path + ".part")
    }

    private func forget() {
        try? lane?.drain()
        work = nil
        contentBytes = 0
        encoder.reset()
        _ = contentHasher.finish()
        _ = fileHasher?.finish()
    }
}
