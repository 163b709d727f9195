internal import ArchiveWriting
internal import Load
internal import Model

/// Reads a team's events, NDJSON or CSV, plain or compressed, and adds them up by day, whose, and model.
struct EventReader {
    let path: String
    let mapping: EventMapping
    /// Turns a clear id into what the archive holds, once for each distinct id.
    let sealed: (String) throws(Fault) -> String

    struct Sum {
        var tokens = ExactDecimal.zero
        var requests = ExactDecimal.zero
    }

    struct Events {
        var sums: [UsageKey: Sum] = [:]
        var count = 0
        var first: Instant?
        var last: Instant?
    }

    func read() throws(Fault) -> Events {
        let isCSV = RowFormat(path: path) == .csv
        var events = Events()
        var known: [String: String] = [:]
        var header: [String] = []
        var number = 0
        var carried: [UInt8] = []
        var quotes = 0
        var firstLine = 1
        do {
            try ArchiveReader(path).forEachLine { span in
                if carried.isEmpty { firstLine = number + 1 }
                for index in span.indices {
                    if isCSV, span[index] == UInt8(ascii: "\"") { quotes += 1 }
                    carried.append(span[index])
                }
                number += 1
                if quotes % 2 == 1 {
                    carried.append(10)
                    return
                }
                defer {
                    carried.removeAll(keepingCapacity: true)
                    quotes = 0
                }
                if carried.last == 13 { carried.removeLast() }
                guard !carried.isEmpty else { return }
                if isCSV {
                    let cells = EventReader.cells(carried)
                    if header.isEmpty {
                        header = cells.map { $0 ?? "" }
                        return
                    }
                    let names = header
                    try add(to: &events, &known, number) { path in
                        guard let at = names.firstIndex(of: path.joined(separator: ".")), at < cells.count else {
                            return nil
                        }
                        return cells[at]
                    }
                } else {
                    guard let value = try? JSONValue(parsing: carried) else { throw wrong("is not JSON", number) }
                    try add(to: &events, &known, number) { path in
                        path.reduce(Optional(value)) { $0?[$1] }.flatMap { EventReader.text($0) }
                    }
                }
            }
        } catch let fault as Fault {
            throw fault
        } catch let error as ArchiveError {
            throw Fault(error)
        } catch {
            throw Fault(.badPlan, "\(path) could not be read: \(error)", mend: "check the file")
        }
        guard carried.isEmpty else { throw wrong("has a quote that is never closed", firstLine) }
        return events
    }

    private func wrong(_ what: String, _ line: Int) -> Fault {
        Fault(
            .badPlan,
            "an event \(what)",
            at: ["\(path)", "line \(line)"],
            mend: "mend the line, or the mapping file"
        )
    }

    private func add(
        to events: inout Events,
        _ known: inout [String: String],
        _ line: Int,
        _ field: ([String]) -> String?
    ) throws(Fault) {
        guard let text = field(mapping.time), let time = EventReader.instant(text) else {
            throw wrong("has no time in `\(mapping.time.joined(separator: "."))`", line)
        }
        var who = field(mapping.whoPath)
        if let clear = who {
            if let token = known[clear] {
                who = token
            } else {
                let token = try sealed(clear)
                known[clear] = token
                who = token
            }
        }
        let model = mapping.model.flatMap(field).map { mapping.models[$0] ?? $0 }
        let key = UsageKey(day: time.date, who: who, model: model)
        var sum = events.sums[key] ?? Sum()
        func number(_ path: [String], _ usual: ExactDecimal?) throws(Fault) -> ExactDecimal {
            guard let text = field(path) else {
                if let usual { return usual }
                throw wrong("has no number in `\(path.joined(separator: "."))`", line)
            }
            guard let value = ExactDecimal(text) else {
                throw wrong("has no number in `\(path.joined(separator: "."))`", line)
            }
            return value
        }
        for path in mapping.tokens {
            // A call without output has no count of it.
            guard let tokens = sum.tokens.adding(try number(path, .zero)) else { throw wrong("is too large", line) }
            sum.tokens = tokens
        }
        let requests = try mapping.requests.map { path throws(Fault) in try number(path, nil) } ?? ExactDecimal(1)
        guard let all = sum.requests.adding(requests) else { throw wrong("is too large", line) }
        sum.requests = all
        events.sums[key] = sum
        events.count += 1
        events.first = events.first.map { min($0, time) } ?? time
        events.last = events.last.map { max($0, time) } ?? time
    }

    // MARK: Texts

    private static func text(_ value: JSONValue) -> String? {
        switch value {
        case .null: nil
        case .string(let text), .number(let text): text
        case .bool(let flag): flag ? "true" : "false"
        case .array, .object: value.canonicalText
        }
    }

    /// RFC 3339 with or without fraction and offset, a date, or Unix seconds.
    static func instant(_ text: String) -> Instant? {
        if let (instant, _) = Instant.withFraction(text) { return instant }
        if let decimal = ExactDecimal(text), decimal.magnitude < ExactDecimal(100_000_000_000) {
            return Int64(text.prefix { $0 != "." }).map { Instant(seconds: $0) }
        }
        return nil
    }

    /// RFC 4180; an empty unquoted cell is `nil`.
    static func cells(_ line: [UInt8]) -> [String?] {
        var cells: [String?] = []
        var cell: [UInt8] = []
        var isQuoted = false
        var wasQuoted = false
        var at = 0
        func end() -> String? { cell.isEmpty && !wasQuoted ? nil : String(decoding: cell, as: UTF8.self) }
        while at < line.count {
            let byte = line[at]
            if isQuoted {
                if byte == UInt8(ascii: "\"") {
                    if at + 1 < line.count, line[at + 1] == UInt8(ascii: "\"") {
                        cell.append(byte)
                        at += 1
                    } else {
                        isQuoted = false
                    }
                } else {
                    cell.append(byte)
                }
            } else if byte == UInt8(ascii: "\""), cell.isEmpty {
                isQuoted = true
                wasQuoted = true
            } else if byte == UInt8(ascii: ",") {
                cells.append(end())
                cell = []
                wasQuoted = false
            } else {
                cell.append(byte)
            }
            at += 1
        }
        cells.append(end())
        return cells
    }
}
