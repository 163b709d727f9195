package import Model
internal import Sealing

/// Opens the sealed columns of an NDJSON or CSV file, row by row; everything else stays byte for byte.
///
/// A token is opened when it is the whole value of a column whose domain is known. What stays sealed is counted:
/// pseudonyms, columns without a domain, tokens inside of other text.
package struct Decryptor {
    package enum Format: Sendable { case ndjson, csv }

    /// Tokens opened so far.
    package private(set) var opened = 0
    /// Tokens seen and left as they are.
    package private(set) var left = 0
    /// Rows so far, without CSV's header.
    package private(set) var rows = 0

    private let format: Format
    private let domains: [String: String]
    private var opener: TokenOpener
    private var header: [String]?
    /// The start of a row whose end has not come yet.
    private var pending: [UInt8] = []

    /// - Parameters:
    ///   - tenant: The organization, or the pipeline's name: `crypto.tenant` of the manifest.
    ///   - domains: Column → domain, from the manifest's `crypto.fields`.
    package init(_ ring: KeyRing, tenant: String, domains: [String: String], format: Format) {
        opener = TokenOpener(ring, tenant: tenant)
        self.domains = domains
        self.format = format
    }

    /// Takes the next piece of the file and appends to `out` the rows that are complete.
    package mutating func feed(_ bytes: [UInt8], into out: inout [UInt8]) throws(Fault) {
        pending.append(contentsOf: bytes)
        var start = 0
        var quoted = false
        for index in pending.indices {
            let byte = pending[index]
            if format == .csv, byte == 0x22 { quoted.toggle() }
            guard byte == 0x0A, !quoted else { continue }
            try row(Array(pending[start..<index]), into: &out)
            out.append(0x0A)
            start = index + 1
        }
        pending.removeFirst(start)
    }

    /// The last row, where the file does not end with a line feed.
    package mutating func finish(into out: inout [UInt8]) throws(Fault) {
        if !pending.isEmpty { try row(pending, into: &out) }
        pending = []
    }

    private mutating func row(_ bytes: [UInt8], into out: inout [UInt8]) throws(Fault) {
        if format == .csv, header == nil {
            header = CSVCells.split(bytes).map { String(decoding: CSVCells.text(bytes[$0]), as: UTF8.self) }
            out.append(contentsOf: bytes)
            return
        }
        rows += 1
        do throws(Fault) {
            switch format {
            case .ndjson: try object(bytes, into: &out)
            case .csv: try cells(bytes, into: &out)
            }
        } catch {
            throw error.within("row \(rows)")
        }
    }

    private mutating func object(_ bytes: [UInt8], into out: inout [UInt8]) throws(Fault) {
        var copied = 0
        for (name, value) in JSONColumns.strings(bytes) {
            guard let token = TokenText.whole(bytes[value]) else {
                left += TokenText.count(bytes[value])
                continue
            }
            guard let plain = try open(token, column: name) else { continue }
            out.append(contentsOf: bytes[copied..<value.lowerBound - 1])
            switch plain.kind {
            case .string:
                out.append(UInt8(ascii: "\""))
                JSONValue.escape(plain.value, into: &out)
                out.append(UInt8(ascii: "\""))
            case .number, .boolean, .json: out.append(contentsOf: plain.value)
            }
            copied = value.upperBound + 1
        }
        out.append(contentsOf: bytes[copied...])
    }

    private mutating func cells(_ bytes: [UInt8], into out: inout [UInt8]) throws(Fault) {
        let names = header ?? []
        for (index, cell) in CSVCells.split(bytes).enumerated() {
            if index > 0 { out.append(UInt8(ascii: ",")) }
            let text = CSVCells.text(bytes[cell])
            guard let token = TokenText.whole(text[...]) else {
                left += TokenText.count(text[...])
                out.append(contentsOf: bytes[cell])
                continue
            }
            guard index < names.count, let plain = try open(token, column: names[index]) else {
                if index >= names.count { left += 1 }
                out.append(contentsOf: bytes[cell])
                continue
            }
            CSVCells.write(plain.value, into: &out)
        }
    }

    private mutating func open(
        _ token: [UInt8],
        column: String
    ) throws(Fault) -> (kind: FieldToken.Kind, value: [UInt8])? {
        guard let domain = domains[column], token[4] != FieldToken.Algorithm.pseudonym.rawValue else {
            left += 1
            return nil
        }
        do throws(Fault) {
            let plain = try opener.open(token, domain: domain)
            opened += 1
            return plain
        } catch {
            throw error.within("key \(String(decoding: token[6..<16], as: UTF8.self))").within("column \(column)")
        }
    }
}

/// Recognizes tokens without opening them.
package enum TokenText {
    private static let head = Array("ef1.".utf8)

    /// The text, if it is one token from end to end.
    static func whole(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        guard text.starts(with: head) else { return nil }
        return end(text, text.startIndex) == text.endIndex ? Array(text) : nil
    }

    /// Where the token that begins at `start` ends, or `nil` when none does.
    static func end(_ text: ArraySlice<UInt8>, _ start: Int) -> Int? {
        guard text.endIndex - start > FieldToken.headCount, text[start...].starts(with: head),
            [0x73, 0x67, 0x68].contains(text[start + 4]), text[start + 5] == 0x2E, text[start + 16] == 0x2E,
            text[start + 6..<start + 16].allSatisfy({ $0 >= 0x61 && $0 <= 0x7A || $0 >= 0x32 && $0 <= 0x37 })
        else { return nil }
        var at = start + FieldToken.headCount
        while at < text.endIndex, isPayload(text[at]) { at += 1 }
        return at - start - FieldToken.headCount >= 22 ? at : nil
    }

    private static func isPayload(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x5F: true
        default: false
        }
    }

    /// How many tokens stand anywhere in the text.
    package static func count(_ text: ArraySlice<UInt8>) -> Int {
        var count = 0
        var at = text.startIndex
        while at + FieldToken.headCount < text.endIndex {
            if text[at] == head[0], let end = end(text, at) {
                count += 1
                at = end
            } else {
                at += 1
            }
        }
        return count
    }
}
