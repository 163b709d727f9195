internal import Disk
internal import Glibc

/// Reads an archive file's content from its start to its end, in blocks or lines, with bounded memory.
///
/// What is cut, damaged or followed by foreign bytes is refused, though perhaps only after its good blocks have been
/// given out: trust the content when the whole file has been read. Used once.
package final class ArchiveReader {
    package let path: String
    /// Content given out so far.
    package private(set) var contentBytes = 0
    /// Whether the content ends with LF, as every NDJSON and CSV file of ours does. True for empty content.
    package private(set) var endsWithNewline = true

    private let maximum: Int
    private let source: FileSource
    private let decoder: any Decoder
    private let fileHasher: SHA256?
    private let contentHasher: SHA256?
    private var isFinished = false

    /// - Parameters:
    ///   - codec: without it, what the name's ending says.
    ///   - maximum: bytes of content after which reading stops with ``ArchiveError/tooLong(path:limit:)``.
    ///   - hashing: whether ``facts()`` will be asked for.
    package convenience init(
        _ path: String,
        codec: Codec? = nil,
        maximum: Int = .max,
        hashing: Bool = false
    ) throws(ArchiveError) {
        let file = try onDisk { () throws(DiskError) in try DiskFile.read(path) }
        self.init(file, codec ?? Codec(path: path), maximum, hashing)
    }

    /// As the other, of a file below `root`; nothing on the way may be a symbolic link.
    package convenience init(
        _ path: String,
        beneath root: String,
        maximum: Int = .max,
        hashing: Bool = false
    ) throws(ArchiveError) {
        let file = try onDisk { () throws(DiskError) in try DiskFile.read(path, beneath: root) }
        self.init(file, Codec(path: path), maximum, hashing)
    }

    private init(_ file: DiskFile, _ codec: Codec, _ maximum: Int, _ hashing: Bool) {
        path = file.path
        self.maximum = maximum
        contentHasher = hashing ? SHA256() : nil
        fileHasher = hashing && codec != .none ? SHA256() : nil
        source = FileSource(file: file, hasher: fileHasher)
        decoder =
            switch codec {
            case .none: PlainDecoder(source)
            case .gzip: GzipDecoder(source, limit: maximum)
            case .zstd: ZstdDecoder(source)
            }
    }

    /// Calls `body` with the next block, which is valid during the call; `nil` at the end of the file.
    package func nextBlock<R>(_ body: (Span<UInt8>) -> R) throws(ArchiveError) -> R? {
        guard let block = try unsafe next() else { return nil }
        let span = unsafe Span<UInt8>(_unsafeElements: block)
        return body(span)
    }

    /// Every block in turn, to the end. Throws ``ArchiveError`` or what `body` throws.
    package func forEachBlock(_ body: (Span<UInt8>) throws -> Void) throws {
        while let block = try unsafe next() {
            let span = unsafe Span<UInt8>(_unsafeElements: block)
            try body(span)
        }
    }

    /// Every line in turn without its LF, to the end; a last line without LF as well.
    ///
    /// - Parameter limit: the longest line in bytes; a longer one is refused.
    package func forEachLine(limit: Int = 64 << 20, _ body: (Span<UInt8>) throws -> Void) throws {
        var carried: [UInt8] = []
        while let block = try unsafe next() {
            var rest = unsafe block
            while let base = rest.baseAddress, !rest.isEmpty {
                let end = unsafe memchr(base, 10, rest.count)
                let length = unsafe end.map { unsafe $0 - UnsafeMutableRawPointer(mutating: base) } ?? rest.count
                guard carried.count + length <= limit else { throw ArchiveError.tooLong(path: path, limit: limit) }
                let piece = unsafe UnsafeBufferPointer(rebasing: rest.prefix(length))
                guard unsafe end != nil else {
                    unsafe carried.append(contentsOf: piece)
                    break
                }
                if carried.isEmpty {
                    let span = unsafe Span<UInt8>(_unsafeElements: piece)
                    try body(span)
                } else {
                    unsafe carried.append(contentsOf: piece)
                    try body(carried.span)
                    carried.removeAll(keepingCapacity: true)
                }
                unsafe rest = UnsafeBufferPointer(rebasing: rest.dropFirst(length + 1))
            }
        }
        if !carried.isEmpty { try body(carried.span) }
    }

    /// What the manifest should say of the file. Only after its end has been reached, and once.
    package func facts() -> FileFacts {
        precondition(isFinished, "the file has not been read to its end")
        guard let contentHasher else { preconditionFailure("the reader was made without hashing") }
        let digest = contentHasher.finish()
        return FileFacts(
            bytes: source.byteCount,
            sha256: fileHasher?.finish() ?? digest,
            contentBytes: contentBytes,
            contentSHA256: digest
        )
    }

    /// Reads a file to its end and says what it is.
    package static func facts(
        of path: String,
        codec: Codec? = nil,
        maximum: Int = .max
    ) throws(ArchiveError) -> FileFacts {
        let reader = try ArchiveReader(path, codec: codec, maximum: maximum, hashing: true)
        while try reader.nextBlock({ _ in }) != nil {}
        return reader.facts()
    }

    private func next() throws(ArchiveError) -> UnsafeBufferPointer<UInt8>? {
        guard let block = try unsafe decoder.next() else {
            isFinished = true
            return nil
        }
        contentBytes += block.count
        guard contentBytes <= maximum else { throw .tooLong(path: path, limit: maximum) }
        unsafe contentHasher?.update(block)
        if let last = unsafe block.last { endsWithNewline = last == 10 }
        return unsafe block.bindMemory(to: UInt8.self)
    }
}
