package import Model

extension RunSummary {
    /// The same numbers as the table, under stable names.
    package var json: JSONValue {
        var members = self.members
        if let clock {
            members.append(.init("clock", ["began": .string(clock.began.text), "ended": .string(clock.ended.text)]))
        }
        return .object(members)
    }

    private var members: [JSONValue.Member] {
        let value: JSONValue = [
            "format": "cogni-run/1",
            "pipeline": .string(pipeline),
            "run_id": .string(runID),
            "outcome": .string(outcome.rawValue),
            "exit_code": .integer(exitCode),
            "generation": generation.map { .integer($0) } ?? nil,
            "output": .string(output),
            "started": .string(started.text),
            "seconds": .number(milliseconds.millisecondsAsSeconds),
            "streams": .array(
                streams.map { stream in
                    var members: [JSONValue.Member] = [
                        .init("name", .string(stream.name)), .init("status", .string(stream.status.rawValue)),
                    ]
                    members += stream.numbers
                    members.append(.init("notes", .strings(stream.notes)))
                    let counters = stream.counters.sorted { $0.key < $1.key }
                    if !counters.isEmpty {
                        members.append(
                            .init("counters", .object(counters.map { .init($0.key, .integer($0.value)) }))
                        )
                    }
                    return .object(members)
                }
            ),
            "totals": .object(total.numbers),
            "faults": .array(faults.map(\.json)),
        ]
        return value.members ?? []
    }
}

extension Fault {
    package var json: JSONValue {
        [
            "code": .string(code.rawValue), "exit_code": .integer(code.exitCode), "what": .string(what),
            "where": .strings(place), "mend": .string(mend),
        ]
    }
}

extension StreamReport {
    fileprivate var numbers: [JSONValue.Member] {
        let reasons = tally.dropped.sorted { $0.key < $1.key }.map { JSONValue.Member($0.key, .integer($0.value)) }
        let rows = rowChange.map { change in
            JSONValue.Member(
                "rows",
                [
                    "current": change.current.map { .integer($0) } ?? .null, "next": .integer(change.next),
                    "difference": .integer(change.difference),
                ]
            )
        }
        return [
            .init("fetched", .integer(tally.fetched)),
            .init("written", .integer(tally.kept)),
            .init("duplicates", ["identical": .integer(tally.identical), "conflicts": .integer(tally.conflicts)]),
            .init("dropped", .object(reasons)),
            .init("pages", .integer(pages)),
            .init("requests", .integer(requests)),
            .init("retries", .integer(retries)),
            .init("files", .integer(files)),
            .init("bytes", .integer(bytes)),
            .init("seconds", .number(milliseconds.millisecondsAsSeconds)),
        ] + (rows.map { [$0] } ?? []) + (replyMilliseconds.map { [.init("reply_ms", .integer($0))] } ?? [])
    }
}
