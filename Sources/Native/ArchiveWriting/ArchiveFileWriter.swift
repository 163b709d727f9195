internal import Disk

/// Writes archive files one after the other: content goes in, a compressed file comes out, and both are hashed and
/// counted on the way.
///
/// `open` → `write` … → `finish`, again and again; buffers and the compressor's memory are kept between files, so make
/// one for each thread that writes. With `inBackground` a thread of the writer's own compresses while the caller
/// makes and hashes the next rows; a failure may then be told by a later call. Until ``finish(sync:)`` the file has the name
/// `<path>.part`; a writer that goes away earlier leaves at most that. The file's bytes depend on content, codec,
/// level and the compression library's version.
package final class ArchiveFileWriter {
    package let codec: Codec
    /// Content so far of the open file.
    package private(set) var contentBytes = 0

    private let encoder: any Encoder
    private let contentHasher = ContentHasher()
    private let fileHasher: SHA256?
    private let lane: BackgroundLane?
    private var work: FileWork?
    private var path = ""

    /// - Parameters:
    ///   - level: of the codec's own scale; without it 5 for gzip (smaller than zlib's 6) and 3 for zstd.
    ///   - inBackground: works on a thread of its own, for 3 MiB more.
    package init(codec: Codec, level: Int? = nil, inBackground: Bool = false) {
        self.codec = codec
        encoder =
            switch codec {
            case .none: PlainEncoder()
            case .gzip: GzipEncoder(level: CInt(level ?? 5))
            case .zstd: ZstdEncoder(level: CInt(level ?? 3))
            }
        fileHasher = codec == .none ? nil : SHA256()
        lane = inBackground ? BackgroundLane() : nil
    }

    package var isOpen: Bool { work != nil }

    /// Starts a file. A `.part` that a crash left under the same name is replaced.
    package func open(_ path: String) throws(ArchiveError) {
        precondition(work == nil, "the file before was neither finished nor abandoned")
        let file = try onDisk { () throws(DiskError) in
            if try Disk.status(path + ".part") != nil { try Disk.remove(path + ".part") }
            return try DiskFile.create(path + ".part")
        }
        self.path = path
        work = FileWork(sink: FileSink(file: file, hasher: fileHasher), encoder: encoder, contentHasher: contentHasher)
    }

    package func write(_ content: Span<UInt8>) throws(ArchiveError) {
        let failure: ArchiveError? = unsafe content.withUnsafeBytes { content in
            do throws(ArchiveError) {
                try unsafe write(content)
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw failure }
    }

    /// The first `count` bytes of a buffer that the caller uses again.
    package func write(_ content: [UInt8], count: Int) throws(ArchiveError) {
        let failure: ArchiveError? = unsafe content.withUnsafeBytes { content in
            do throws(ArchiveError) {
                try unsafe write(UnsafeRawBufferPointer(rebasing: content.prefix(count)))
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw failure }
    }

    /// For the rooms of `Native`, and for blocks that are in memory already.
    package func write(_ content: UnsafeRawBufferPointer) throws(ArchiveError) {
        guard let work else { preconditionFailure("write without open") }
        if let lane {
            unsafe work.hash(content)
            try unsafe lane.write(content, for: work)
        } else {
            try unsafe work.take(content)
        }
        contentBytes += content.count
    }

    /// Ends the file, closes it and gives it its name.
    ///
    /// - Parameter sync: also waits until the bytes are on the medium; the name is durable only once the folder is
    ///   synced. After a failure the writer is ready for another file, and the `.part` is to be thrown away.
    package func finish(sync: Bool) throws(ArchiveError) -> FileFacts {
        guard let work else { preconditionFailure("finish without open") }
        defer { forget() }
        try lane?.drain(work)
        try work.end()
        let contentDigest = contentHasher.finish()
        let facts = FileFacts(
            bytes: work.sink.byteCount,
            sha256: fileHasher?.finish() ?? contentDigest,
            contentBytes: contentBytes,
            contentSHA256: contentDigest
        )
        let path = self.path
        try onDisk { () throws(DiskError) in
            if sync { try work.sink.file.sync() }
            try work.sink.file.close()
            try Disk.rename(path + ".part", to: path)
        }
        return facts
    }

    /// Drops the open file, and its `.part` as far as that goes. Nothing open is no failure.
    package func abandon() {
        guard work != nil else { return }
        forget()
        try? Disk.remove(path + ".part")
    }

    private func forget() {
        if let work { try? lane?.drain(work) }
        work = nil
        contentBytes = 0
        encoder.reset()
        _ = contentHasher.finish()
        _ = fileHasher?.finish()
    }
}
