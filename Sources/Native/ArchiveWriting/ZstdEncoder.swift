internal import CZstd
internal import CZstdRepeats
internal import Disk

/// One zstd frame with a checksum of the content, compressed on the calling thread.
///
/// One thread, because the number of threads changes the bytes; no content size, because it would depend on whether the
/// whole content came in one piece. The context's memory serves every file of the writer.
///
/// Without a level its parameters suit lines that are sorted and mostly repeat one another: one table of long matches (seven
/// bytes and more) over level 3's window. That is a tenth faster than level 3, needs a third of its tables' memory, and the
/// files are as small or smaller, of reports and of lists. Repeats that are known already it need not look for at all, and then it
/// need not keep the content either: see ``BlockWay``.
@safe final class ZstdEncoder: Encoder {
    private let context: OpaquePointer
    private let repeats: OpaquePointer?
    /// A block of content shrinks to a few kilobytes: they are gathered, so that not each costs a call to the system.
    private let output: Scratch
    private var filled = 0
    private var way = BlockWay()
    /// The beginning of a block whose rest has not come yet, when blocks are compressed one by one.
    private lazy var beginning = Scratch(ZstdEncoder.blockSize)

    static let blockSize = Int(ZSTD_BLOCKSIZE_MAX)

    private static let ownParameters: [(ZSTD_cParameter, CInt)] = [
        (ZSTD_c_windowLog, 21), (ZSTD_c_hashLog, 16), (ZSTD_c_minMatch, 7), (ZSTD_c_strategy, CInt(ZSTD_fast.rawValue)),
    ]

    init(level: CInt?) {
        guard let context = unsafe ZSTD_createCCtx() else { fatalError("libzstd: out of memory") }
        unsafe self.context = context
        output = Scratch(2 * ZSTD_CStreamOutSize())
        let isOwnChoice = level == nil
        let level = level.map { [(ZSTD_c_compressionLevel, $0)] } ?? ZstdEncoder.ownParameters
        for (parameter, value) in level + [(ZSTD_c_checksumFlag, 1), (ZSTD_c_contentSizeFlag, 0)] {
            let status = unsafe ZSTD_CCtx_setParameter(context, parameter, value)
            precondition(ZSTD_isError(status) == 0, "libzstd refused a parameter that every release has")
        }
        unsafe repeats = isOwnChoice ? cogni_zstd_repeats_new(UnsafeMutableRawPointer(context)) : nil
    }

    deinit {
        unsafe ZSTD_freeCCtx(context)
        unsafe cogni_zstd_repeats_free(repeats)
    }

    var takesRepeats: Bool { unsafe repeats != nil }

    func write(_ content: UnsafeRawBufferPointer, repeats items: [UInt32], to sink: FileSink) throws(ArchiveError) {
        guard let repeats = unsafe repeats else { return try unsafe stream(content, to: sink) }
        let items = items.isEmpty ? [UInt32(content.count), 0, 0] : items
        guard unsafe cogni_zstd_repeats_add(repeats, items, items.count / 3, content.count) != 0 else {
            throw untrue(sink)
        }
        var rest = unsafe content
        while unsafe !rest.isEmpty {
            // Blocks end at the same places whatever pieces the content comes in.
            let part = unsafe UnsafeRawBufferPointer(rebasing: rest.prefix(ZstdEncoder.blockSize - way.waiting))
            if !way.isDirect {
                try unsafe stream(part, to: sink)
            } else if part.count == ZstdEncoder.blockSize, !way.isLeaving {
                try unsafe compress(part, isLast: false, to: sink)
            } else {
                unsafe beginning.copy(part, at: way.waiting)
                if way.waiting + part.count == ZstdEncoder.blockSize {
                    try unsafe compress(beginning.bytes(0..<ZstdEncoder.blockSize), isLast: false, to: sink)
                }
            }
            way.waiting = (way.waiting + part.count) % ZstdEncoder.blockSize
            if way.waiting == 0 { note() }
            unsafe rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(part.count))
        }
    }

    func finish(to sink: FileSink) throws(ArchiveError) {
        if way.isDirect {
            try unsafe compress(beginning.bytes(0..<way.waiting), isLast: true, to: sink)
        } else {
            var input = unsafe ZSTD_inBuffer(src: nil, size: 0, pos: 0)
            while try unsafe step(&input, ZSTD_e_end, to: sink) != 0 {}
        }
        try flush(to: sink)
        let isUntrue = unsafe repeats.map { unsafe cogni_zstd_repeats_failed($0) != 0 } ?? false
        reset()
        if isUntrue { throw untrue(sink) }
    }

    func reset() {
        filled = 0
        way = BlockWay()
        unsafe ZSTD_CCtx_reset(context, ZSTD_reset_session_only)
        if let repeats = unsafe repeats { unsafe cogni_zstd_repeats_restart(repeats) }
    }

    private func untrue(_ sink: FileSink) -> ArchiveError {
        .library(
            call: "repeats",
            path: sink.file.path,
            reason: "what was said of the content is not true; a defect of cogni"
        )
    }

    // MARK: By a copy of the content, which zstd keeps

    private func stream(_ content: UnsafeRawBufferPointer, to sink: FileSink) throws(ArchiveError) {
        var input = unsafe ZSTD_inBuffer(src: content.baseAddress, size: content.count, pos: 0)
        while unsafe input.pos < input.size { _ = try unsafe step(&input, ZSTD_e_continue, to: sink) }
    }

    /// - Returns: bytes that zstd still holds.
    private func step(
        _ input: inout ZSTD_inBuffer,
        _ mode: ZSTD_EndDirective,
        to sink: FileSink
    ) throws(ArchiveError) -> Int {
        var room = unsafe ZSTD_outBuffer(dst: output.all.baseAddress, size: output.count, pos: filled)
        let rest = unsafe ZSTD_compressStream2(context, &room, &input, mode)
        guard ZSTD_isError(rest) == 0 else { throw failure("ZSTD_compressStream2", rest, sink) }
        filled = unsafe room.pos
        try flushIfHalf(to: sink)
        return rest
    }

    // MARK: Block by block, from where it lies

    private func compress(_ bytes: UnsafeRawBufferPointer, isLast: Bool, to sink: FileSink) throws(ArchiveError) {
        let room = unsafe output.room(from: filled)
        let written = unsafe cogni_zstd_block(
            UnsafeMutableRawPointer(context),
            room.baseAddress!,
            room.count,
            bytes.baseAddress,
            bytes.count,
            isLast ? 1 : 0
        )
        guard ZSTD_isError(written) == 0 else { throw failure("ZSTD_compressContinue", written, sink) }
        filled += written
        try flushIfHalf(to: sink)
    }

    /// A block is done.
    private func note() {
        guard let repeats = unsafe repeats else { return }
        let wasDirect = way.isDirect
        way.note(sufficed: unsafe cogni_zstd_repeats_sufficed(repeats) != 0)
        if way.isDirect != wasDirect { unsafe cogni_zstd_repeats_insist(repeats, way.isDirect ? 1 : 0) }
    }

    // MARK: Output

    private func failure(_ call: String, _ status: Int, _ sink: FileSink) -> ArchiveError {
        unsafe .library(call: call, path: sink.file.path, reason: String(cString: ZSTD_getErrorName(status)))
    }

    /// A whole block always finds room, so that zstd writes to it at once.
    private func flushIfHalf(to sink: FileSink) throws(ArchiveError) {
        if filled >= output.count / 2 { try flush(to: sink) }
    }

    private func flush(to sink: FileSink) throws(ArchiveError) {
        try unsafe sink.take(output.bytes(0..<filled))
        filled = 0
    }
}
