package import Model
internal import Sealing

/// Opens the sealed columns of an NDJSON or CSV file, row by row; everything else stays byte for byte.
///
/// A token is opened when it is the whole value of a column whose domain is known, or a whole string inside of a `json` column that
/// stands where one is sealed. What stays sealed is counted: pseudonyms, places without a domain, tokens inside of other text.
package struct Decryptor {
    package enum Format: Sendable { case ndjson, csv }

    /// Tokens opened so far.
    package private(set) var opened = 0
    /// Tokens seen and left as they are.
    package private(set) var left = 0
    /// Rows so far, without CSV's header.
    package private(set) var rows = 0

    private let format: Format
    private let guardsFormulas: Bool
    private let places: SealedPlaces
    private var opener: TokenOpener
    private var header: [String]?
    /// The start of a row whose end has not come yet.
    private var pending: [UInt8] = []

    /// - Parameters:
    ///   - tenant: The organization, or the pipeline's name: `crypto.tenant` of the manifest.
    ///   - places: from the manifest's `crypto.fields`.
    ///   - guardsFormulas: CSV only: opened texts get the apostrophe that a guarded archive's other cells have.
    package init(
        _ ring: KeyRing,
        tenant: String,
        places: SealedPlaces,
        format: Format,
        guardsFormulas: Bool = false
    ) {
        opener = TokenOpener(ring, tenant: tenant)
        self.places = places
        self.format = format
        self.guardsFormulas = guardsFormulas
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
        let members = JSONColumns.members(bytes)
        let measure = measure {
            members.first { $0.name == "measure" }.map { JSONColumns.text(of: Array(bytes[$0.value])) }
        }
        for member in members {
            let (name, value) = (member.name, member.value)
            if member.isNested {
                out.append(contentsOf: bytes[copied..<value.lowerBound])
                try insides(bytes, value, column: name, into: &out)
                copied = value.upperBound
                continue
            }
            guard let token = TokenText.whole(bytes[value]) else {
                left += TokenText.count(bytes[value])
                continue
            }
            let isText = measure != nil && places.columns[name] == nil
            guard let plain = try open(token, column: name, places.domain(of: name, measure: measure)) else { continue }
            out.append(contentsOf: bytes[copied..<value.lowerBound - 1])
            Decryptor.write(isText ? .string : plain.kind, plain.value, into: &out)
            copied = min(value.upperBound + 1, bytes.count)  // a file may be cut inside of the token
        }
        out.append(contentsOf: bytes[copied...])
    }

    /// Copies a JSON value with the tokens opened that stand in it where the manifest knows of some.
    private mutating func insides(
        _ bytes: [UInt8],
        _ span: Range<Int>,
        column: String,
        into out: inout [UInt8]
    ) throws(Fault) {
        guard places.hasInsides(column) else {
            left += TokenText.count(bytes[span])
            return out.append(contentsOf: bytes[span])
        }
        var copied = span.lowerBound
        for (path, value) in JSONStrings(bytes, in: span).found {
            guard let token = TokenText.whole(bytes[value]) else {
                left += TokenText.count(bytes[value])
                continue
            }
            let domains = places.domains(in: column, at: path)
            guard let plain = try open(token, column: column, anyOf: domains) else { continue }
            out.append(contentsOf: bytes[copied..<value.lowerBound - 1])
            Decryptor.write(plain.kind, plain.value, into: &out)
            copied = min(value.upperBound + 1, span.upperBound)
        }
        out.append(contentsOf: bytes[copied..<span.upperBound])
    }

    private static func write(_ kind: FieldToken.Kind, _ value: [UInt8], into out: inout [UInt8]) {
        switch kind {
        case .string:
            out.append(UInt8(ascii: "\""))
            JSONValue.escape(value, into: &out)
            out.append(UInt8(ascii: "\""))
        case .number, .boolean, .json: out.append(contentsOf: value)
        }
    }

    private func measure(_ text: () -> String?) -> String? { places.rows == .restatements ? text() : nil }

    private mutating func cells(_ bytes: [UInt8], into out: inout [UInt8]) throws(Fault) {
        let names = header ?? []
        let cells = CSVCells.split(bytes)
        let measure = measure {
            names.firstIndex(of: "measure").flatMap { at in
                at < cells.count ? String(decoding: CSVCells.text(bytes[cells[at]]), as: UTF8.self) : nil
            }
        }
        for (index, cell) in cells.enumerated() {
            if index > 0 { out.append(UInt8(ascii: ",")) }
            let text = CSVCells.text(bytes[cell])
            if index < names.count, places.hasInsides(names[index]), text.first == 0x7B || text.first == 0x5B {
                var value: [UInt8] = []
                try insides(text, 0..<text.count, column: names[index], into: &value)
                if value == text { out.append(contentsOf: bytes[cell]) } else { CSVCells.write(value, into: &out) }
                continue
            }
            guard let token = TokenText.whole(text[...]) else {
                left += TokenText.count(text[...])
                out.append(contentsOf: bytes[cell])
                continue
            }
            guard index < names.count,
                let plain = try open(token, column: names[index], places.domain(of: names[index], measure: measure))
            else {
                if index >= names.count { left += 1 }
                out.append(contentsOf: bytes[cell])
                continue
            }
            let isGuarded = guardsFormulas && plain.kind == .string
            CSVCells.write(isGuarded ? FormulaGuard.guarded(plain.value) : plain.value, into: &out)
        }
    }

    private mutating func open(
        _ token: [UInt8],
        column: String,
        _ domain: String?
    ) throws(Fault) -> (kind: FieldToken.Kind, value: [UInt8])? {
        try open(token, column: column, anyOf: domain.map { [$0] } ?? [])
    }

    /// - Parameter domains: the ones that it may have: what a payload's key means can depend on the row's type.
    private mutating func open(
        _ token: [UInt8],
        column: String,
        anyOf domains: [String]
    ) throws(Fault) -> (kind: FieldToken.Kind, value: [UInt8])? {
        guard !domains.isEmpty, token[4] != FieldToken.Algorithm.pseudonym.rawValue else {
            left += 1
            return nil
        }
        var fault: Fault?
        for domain in domains {
            do throws(Fault) {
                let plain = try opener.open(token, domain: domain)
                opened += 1
                return plain
            } catch { fault = error }
        }
        if let fault {
            throw fault.within("key \(String(decoding: token[6..<16], as: UTF8.self))").within("column \(column)")
        }
        return nil
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
