internal import Model
internal import RecordScan
internal import Sealing

/// Why a value can't stand in its column. Says kinds, never the value.
struct WrongValue: Error {
    var reason: String
    init(_ reason: String) { self.reason = reason }
}

/// Turns one raw value of the API into what the archive holds: by the column's type, then its policy.
struct ValueResolver {
    let stream: String
    let column: Column
    let policy: FieldPolicy
    let rules: FieldRules
    /// For values inside a `json` column, by domain.
    let inner: InnerRules?

    /// - Returns: the value, and Unix seconds for timestamps (0 otherwise).
    /// - Parameter type: the row's `type`, for rules that hold for some types only.
    func resolve(
        _ kind: Cell.Kind,
        _ text: [UInt8],
        type: String? = nil
    ) throws(WrongValue) -> (value: CellText.Value, time: Int64) {
        let typed = try typed(kind, text, type)
        return (try protected(typed.value), typed.time)
    }

    /// The value by its type alone.
    private func typed(
        _ kind: Cell.Kind,
        _ text: [UInt8],
        _ type: String?
    ) throws(WrongValue) -> (value: CellText.Value, time: Int64) {
        if kind == .null || kind == .absent { return (.null, 0) }
        switch column.kind {
        case .integer:
            guard isNumberOrString(kind), let integer = PlainDecimal.integral(text) else {
                throw wrong(kind, "an integer")
            }
            return (.bare(integer), 0)
        case .decimal:
            guard isNumberOrString(kind), let decimal = PlainDecimal.normalized(text) else {
                throw wrong(kind, "a decimal")
            }
            return (.text(decimal), 0)
        case .boolean:
            guard kind == .yes || kind == .no else { throw wrong(kind, "a boolean") }
            return (.bare(text), 0)
        case .timestamp:
            let (rfc3339, seconds) = try timestamp(kind, text)
            return (.text(rfc3339), seconds)
        case .string:
            guard kind != .object, kind != .array else { throw wrong(kind, "a string") }
            return (.text(text), 0)
        case .json:
            return (try json(kind, text, type), 0)
        }
    }

    private func isNumberOrString(_ kind: Cell.Kind) -> Bool {
        kind == .integer || kind == .number || kind == .plainString || kind == .escapedString
    }

    private func wrong(_ kind: Cell.Kind, _ wanted: String) -> WrongValue {
        WrongValue("column \(column.name) wants \(wanted) and got \(ValueResolver.name(kind))")
    }

    static func name(_ kind: Cell.Kind) -> String {
        switch kind {
        case .absent, .null: "null"
        case .yes, .no: "a boolean"
        case .integer, .number: "a number"
        case .plainString, .escapedString: "a string"
        case .object: "an object"
        case .array: "an array"
        }
    }

    private func timestamp(_ kind: Cell.Kind, _ text: [UInt8]) throws(WrongValue) -> ([UInt8], Int64) {
        if kind == .plainString || kind == .escapedString, text.contains(UInt8(ascii: "-")),
            let (instant, fraction) = Instant.withFraction(String(decoding: text, as: UTF8.self))
        {
            return (ValueResolver.rfc3339(instant, Array(fraction.utf8)), instant.seconds)
        }
        guard isNumberOrString(kind), let plain = PlainDecimal.normalized(text) else {
            throw wrong(kind, "a time, in Unix seconds or as RFC 3339 text,")
        }
        let parts = plain.split(separator: UInt8(ascii: "."), maxSplits: 1)
        guard let seconds = Int64(String(decoding: parts[0], as: UTF8.self)), plain[0] != UInt8(ascii: "-"),
            seconds <= 253_402_300_799
        else { throw WrongValue("column \(column.name) holds a time outside the years 1970 to 9999: milliseconds?") }
        let fraction = parts.count == 2 ? parts[1].reversed().drop { $0 == UInt8(ascii: "0") }.reversed() : []
        return (ValueResolver.rfc3339(Instant(seconds: seconds), Array(fraction)), seconds)
    }

    /// Whole seconds, and what the API says beyond them: no number of it is ever rounded.
    private static func rfc3339(_ instant: Instant, _ fraction: [UInt8]) -> [UInt8] {
        let text = Array(instant.text.utf8)
        return fraction.isEmpty ? text : text.dropLast() + [UInt8(ascii: ".")] + fraction + [UInt8(ascii: "Z")]
    }

    private func json(_ kind: Cell.Kind, _ text: [UInt8], _ type: String?) throws(WrongValue) -> CellText.Value {
        switch kind {
        case .plainString, .escapedString: return .json(canonical(.string(String(decoding: text, as: UTF8.self)), type))
        case .object, .array, .yes, .no, .integer, .number:
            guard let value = try? JSONValue(parsing: text) else { throw wrong(kind, "JSON") }
            return .json(canonical(value, type))
        case .absent, .null: return .null
        }
    }

    private func canonical(_ value: JSONValue, _ type: String?) -> [UInt8] {
        (inner?.applied(to: value, type: type) ?? value).archivable
    }

    /// The value after the column's policy and the search for secrets.
    func protected(_ value: CellText.Value) throws(WrongValue) -> CellText.Value {
        if value == .null { return .null }
        switch policy {
        case .drop: return .null
        case .mask: return .text(FieldPolicy.masked(ValueResolver.bytes(value)))
        case .seal(let sealer): return .text(try seal(value, sealer))
        case .keep:
            guard case .text(let text) = value, let masked = rules.maskSecrets(text) else { return value }
            return .text(masked)
        }
    }

    private func seal(_ value: CellText.Value, _ sealer: TokenSealer) throws(WrongValue) -> [UInt8] {
        let kind: FieldToken.Kind =
            switch value {
            case .text, .null: .string
            case .bare: column.kind == .boolean ? .boolean : .number
            case .json: .json
            }
        // What is sealed is masked before: a key pasted into a name is nothing that anyone should open again.
        var plain = ValueResolver.bytes(value)
        if kind == .string, let masked = rules.maskSecrets(plain) { plain = masked }
        var token: [UInt8] = []
        do throws(SealingError) {
            try sealer.seal(kind, plain.span, into: &token)
        } catch {
            throw WrongValue("column \(column.name) could not be sealed: \(error)")
        }
        return token
    }

    private static func bytes(_ value: CellText.Value) -> [UInt8] {
        switch value {
        case .null: []
        case .text(let bytes), .bare(let bytes), .json(let bytes): bytes
        }
    }
}
