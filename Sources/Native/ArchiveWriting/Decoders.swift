internal import CDeflate
internal import CZstd
internal import Disk

/// Gives a file's content block by block. A block is valid until the next call.
protocol Decoder: AnyObject {
    /// `nil` after the last block, and only when the file ended where its format says.
    func next() throws(ArchiveError) -> UnsafeRawBufferPointer?
}

/// The stored bytes of a file, counted and hashed as they are read.
final class FileSource {
    let file: DiskFile
    private let hasher: SHA256?
    private(set) var byteCount = 0

    init(file: DiskFile, hasher: SHA256?) {
        self.file = file
        self.hasher = hasher
    }

    /// Reads until `room` is full or the file ends; what it returns is less than `room.count` only at the end.
    func fill(_ room: UnsafeMutableRawBufferPointer) throws(ArchiveError) -> Int {
        var count = 0
        while count < room.count {
            let part = unsafe UnsafeMutableRawBufferPointer(rebasing: room[count...])
            let got = try onDisk { () throws(DiskError) in try unsafe file.read(into: part) }
            if got == 0 { break }
            unsafe hasher?.update(UnsafeRawBufferPointer(rebasing: part[..<got]))
            count += got
        }
        byteCount += count
        return count
    }
}

final class PlainDecoder: Decoder {
    private let source: FileSource
    private let buffer = Scratch(256 * 1024)

    init(_ source: FileSource) { self.source = source }

    func next() throws(ArchiveError) -> UnsafeRawBufferPointer? {
        let count = try unsafe source.fill(buffer.all)
        return count == 0 ? nil : unsafe buffer.bytes(0..<count)
    }
}

/// gzip, one member a block. Members of our own hold 1 MiB; a foreign file of one large member is read as well, up to
/// ``largest`` bytes of it, compressed or not, in memory.
@safe final class GzipDecoder: Decoder {
    static let largest = 1 << 29

    private let source: FileSource
    private let limit: Int
    private let decompressor: OpaquePointer
    private let input = Scratch(1 << 21)
    private let output = Scratch(GzipEncoder.memberSize)
    private var filled = 0
    private var used = 0
    private var isAtEnd = false
    private var hasMembers = false

    /// - Parameter limit: content that the reader will take at all; more is not even unpacked.
    init(_ source: FileSource, limit: Int) {
        guard let decompressor = unsafe libdeflate_alloc_decompressor() else { fatalError("libdeflate: out of memory") }
        unsafe self.decompressor = decompressor
        self.source = source
        self.limit = limit
    }

    deinit { unsafe libdeflate_free_decompressor(decompressor) }

    func next() throws(ArchiveError) -> UnsafeRawBufferPointer? {
        try refill()
        if used == filled, isAtEnd {
            guard hasMembers else { throw damaged("an empty file is not gzip") }
            return nil
        }
        while true {
            var read = 0
            var written = 0
            let member = unsafe input.bytes(used..<filled)
            let room = unsafe output.all
            let status = unsafe libdeflate_gzip_decompress_ex(
                decompressor,
                member.baseAddress,
                member.count,
                room.baseAddress,
                room.count,
                &read,
                &written
            )
            switch status {
            case LIBDEFLATE_SUCCESS:
                hasMembers = true
                used += read
                return unsafe output.bytes(0..<written)
            case LIBDEFLATE_INSUFFICIENT_SPACE:
                guard output.count <= limit else { throw .tooLong(path: source.file.path, limit: limit) }
                guard output.count < GzipDecoder.largest else { throw damaged("a gzip member is too large to be read") }
                output.grow(to: output.count * 2, keeping: 0)
            default:
                // Cut by our window, or broken: only more input can tell.
                guard !isAtEnd, input.count < GzipDecoder.largest else {
                    throw damaged(
                        hasMembers ? "cut, damaged, or followed by foreign bytes" : "not gzip, cut or damaged"
                    )
                }
                input.keep(used..<filled)
                filled -= used
                used = 0
                input.grow(to: input.count * 2, keeping: filled)
                try refill()
            }
        }
    }

    private func refill() throws(ArchiveError) {
        guard !isAtEnd else { return }
        input.keep(used..<filled)
        filled -= used
        used = 0
        filled += try unsafe source.fill(input.room(from: filled))
        isAtEnd = filled < input.count
    }

    private func damaged(_ reason: String) -> ArchiveError { .damaged(path: source.file.path, reason: reason) }
}

/// zstd, any number of frames.
@safe final class ZstdDecoder: Decoder {
    private let source: FileSource
    private let context: OpaquePointer
    private let input = Scratch(256 * 1024)
    private let output = Scratch(512 * 1024)
    private var filled = 0
    private var used = 0
    private var isAtEnd = false
    /// What zstd said last: 0 when a frame is complete and given out.
    private var pending = 1
    private var hasMore = false

    init(_ source: FileSource) {
        guard let context = unsafe ZSTD_createDCtx() else { fatalError("libzstd: out of memory") }
        unsafe self.context = context
        self.source = source
    }

    deinit { unsafe ZSTD_freeDCtx(context) }

    func next() throws(ArchiveError) -> UnsafeRawBufferPointer? {
        while true {
            if used == filled, !isAtEnd {
                filled = try unsafe source.fill(input.all)
                used = 0
                isAtEnd = filled < input.count
            }
            if used == filled, isAtEnd, !hasMore {
                guard pending == 0 else { throw damaged("cut before the end of its zstd frame") }
                return nil
            }
            var from = unsafe ZSTD_inBuffer(src: input.all.baseAddress, size: filled, pos: used)
            var to = unsafe ZSTD_outBuffer(dst: output.all.baseAddress, size: output.count, pos: 0)
            pending = unsafe ZSTD_decompressStream(context, &to, &from)
            guard ZSTD_isError(pending) == 0 else {
                throw unsafe damaged("zstd: " + String(cString: ZSTD_getErrorName(pending)))
            }
            unsafe used = from.pos
            let given = unsafe to.pos
            hasMore = pending != 0 && given == output.count
            if given > 0 { return unsafe output.bytes(0..<given) }
        }
    }

    private func damaged(_ reason: String) -> ArchiveError { .damaged(path: source.file.path, reason: reason) }
}
