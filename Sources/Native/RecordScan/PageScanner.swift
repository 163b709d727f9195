internal import CRecordScan
package import PageMemory

/// Where one value stands in a page, and what kind of JSON value it is.
package struct Cell: Sendable, Equatable {
    package enum Kind: UInt32, Sendable {
        case absent, null, yes, no, integer, number, plainString, escapedString, object, array
    }
    package var offset: Int
    package var length: Int
    package var kind: Kind

    init(_ raw: cogni_cell) {
        offset = Int(raw.offset)
        length = Int(raw.length)
        kind = Kind(rawValue: raw.kind) ?? .absent
    }

    package var isMissing: Bool { kind == .absent || kind == .null }
}

/// A member of a row that no field was declared for.
package struct UnknownField: Sendable {
    /// Objects from the row inwards that hold it; empty at the top.
    package var parents: [String]
    /// Empty when the object at `parents` was itself something else than an object.
    package var key: String
    package var value: Cell
}

/// Walks one page after the other, a batch of rows at a time, and checks every byte on the way.
@safe package final class PageScanner {
    package enum Step: Equatable {
        /// A batch is ready; it may be empty when a bucket ended.
        case rows
        /// The page is whole, and there are no more rows.
        case end
        /// Not JSON, or not this shape; with the byte offset. Nothing of the page may be kept.
        case malformed(String, offset: Int)
    }

    /// Whether a page was refused because its rows are not where they should be: it may be whole, and hold them elsewhere. One in
    /// which they stand twice is broken.
    package static func isAboutRows(_ reason: String) -> Bool {
        let member = "the member that should hold the rows"
        return reason == "\(member) is missing" || reason == "\(member) is not an array"
    }

    let raw: OpaquePointer
    package let shape: PageShape
    private var page: PageBytes?

    package init(shape: PageShape) {
        self.shape = shape
        unsafe raw = cogni_scan_new(shape.raw)
    }

    deinit { unsafe cogni_scan_free(raw) }

    /// Starts a page; it is kept alive until the next one, or until it is let go of.
    package func open(_ page: PageBytes) {
        self.page = page
        unsafe page.withBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            unsafe cogni_scan_open(raw, base.assumingMemoryBound(to: UInt8.self), bytes.count)
        }
    }

    /// Lets go of the page. Its cells can't be asked for any more, and what comes next is another page's ``open(_:)``.
    package func close() { page = nil }

    package func next(maxRows: Int = 4096) -> Step {
        switch unsafe cogni_scan_next(raw, UInt32(maxRows)) {
        case Int32(COGNI_SCAN_ROWS): return .rows
        case Int32(COGNI_SCAN_END): return .end
        default:
            let fault = unsafe cogni_scan_error(raw)
            return .malformed(unsafe String(cString: fault.reason), offset: unsafe Int(fault.offset))
        }
    }

    package var rowCount: Int { unsafe Int(cogni_scan_rows(raw)) }
    package var endsBucket: Bool { unsafe cogni_scan_bucket_done(raw) != 0 }
    /// Elements of the outermost array so far: items of a list, buckets of a report.
    package var elementCount: Int { unsafe Int(cogni_scan_elements(raw)) }

    /// Rows of this page so far that ended, byte for byte, as one of the bucket before, and were compared in place of scanned.
    package var repeatedCount: Int { unsafe Int(cogni_scan_repeated(raw)) }

    /// Rows of this page so far that began, byte for byte but for their numbers, as the one before.
    package var repeatedHeadCount: Int { unsafe Int(cogni_scan_repeated_heads(raw)) }

    package func cell(row: Int, slot: Int) -> Cell {
        precondition(row < rowCount && slot >= 0, "no such row in the batch")
        return unsafe Cell(cogni_scan_row(raw, UInt32(row))[slot])
    }

    /// A cell of a level above the row's. Those of the reply are complete at ``Step/end``.
    package func cell(level: Int, slot: Int) -> Cell { unsafe Cell(cogni_scan_level(raw, UInt32(level))[slot]) }

    /// The cell's text as it stands in the page; without the quotes for strings.
    package func bytes(_ cell: Cell) -> [UInt8] {
        guard let page, !cell.isMissing else { return [] }
        return unsafe page.withBytes { unsafe Array($0[cell.offset..<cell.offset + cell.length]) }
    }

    /// A string cell's text with escapes resolved; numbers and words as they stand.
    package func text(_ cell: Cell) -> [UInt8] {
        let raw = bytes(cell)
        return cell.kind == .escapedString ? PageScanner.unescape(raw) : raw
    }

    /// The whole number that a cell holds, in a string or not; `nil` also for more than 18 digits.
    package func integer(_ cell: Cell) -> Int64? {
        guard let page, !cell.isMissing, cell.length > 0 else { return nil }
        return unsafe page.withBytes { bytes in
            let isNegative = unsafe bytes[cell.offset] == UInt8(ascii: "-")
            var at = cell.offset + (isNegative ? 1 : 0)
            let end = cell.offset + cell.length
            guard at < end, end - at <= 18 else { return nil }
            var value: Int64 = 0
            while at < end {
                let digit = unsafe bytes[at] &- 0x30
                guard digit < 10 else { return nil }
                value = value * 10 + Int64(digit)
                at += 1
            }
            return isNegative ? -value : value
        }
    }

    /// Resolves escapes that the scanner has checked. U+0000 and lone surrogates become U+FFFD.
    package static func unescape(_ raw: [UInt8]) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: raw.count + 3) { buffer, count in
            count = unsafe buffer.baseAddress.map { unsafe cogni_unescape(raw, raw.count, $0) } ?? 0
        }
    }

    /// The members of one row that were not declared, in the order of the text.
    package func unknownFields(row: Int) -> [UnknownField] {
        let count = unsafe Int(cogni_scan_extra_count(raw))
        guard count > 0 else { return [] }
        let all = unsafe UnsafeBufferPointer(start: cogni_scan_extras(raw), count: count)
        // They stand in the order of rows.
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if unsafe Int(all[middle].row) < row { low = middle + 1 } else { high = middle }
        }
        var found: [UnknownField] = []
        while low < count, unsafe Int(all[low].row) == row {
            let extra = unsafe all[low]
            let key = unsafe page?.withBytes {
                unsafe Array($0[Int(extra.key_offset)..<Int(extra.key_offset + extra.key_length)])
            }
            let plain = PageScanner.unescape(key ?? [])
            found.append(
                UnknownField(
                    parents: shape.path(node: extra.node),
                    key: String(decoding: plain, as: UTF8.self),
                    value: Cell(extra.value)
                )
            )
            low += 1
        }
        return found
    }

    /// `avx2`, `sse2`, `neon` or `portable`: the instructions that pages are walked with.
    package static var kernel: String { unsafe String(cString: cogni_scan_kernel()) }

    /// Walks all pages from here on with another kernel, for tests. `false` where this processor has no such.
    package static func use(kernel: String) -> Bool { unsafe cogni_scan_use_kernel(kernel) != 0 }
}
