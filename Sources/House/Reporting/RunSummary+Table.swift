import Model

extension RunSummary {
    /// The closing table: a line for each stream, the total, what needs saying, and the outcome.
    ///
    /// Ends with a newline. On a narrow screen columns go, the least telling first; names and counts stay.
    package func table(width: Int, color: Bool) -> String {
        let ink = Ink(isOn: color)
        var grid = Grid(titles: ["stream", "fetched", "written", "duplicates", "dropped", "files", "bytes", "time", ""])
        for stream in streams { grid.add(stream.cells, colour: stream.colour) }
        if streams.count > 1 { grid.addTotal(total.cells) }
        var lines = grid.lines(width: width, ink: ink, giveUp: [6, 5, 7, 3, 4])
        lines += rowChanges(width: width, ink: ink)
        for stream in streams {
            lines += stream.remarks.map { ink(.yellow, "  \(stream.name): ") + Phrase.printable($0) }
        }
        for fault in faults {
            let text = fault.description.split(separator: "\n").map { Phrase.printable(String($0)) }
            lines += [ink(.red, text.first ?? "")] + text.dropFirst()
        }
        lines.append(ink(exitCode == 0 ? .green : .red, closing))
        return lines.joined(separator: "\n") + "\n"
    }

    /// Of a dry run: what the next generation would hold, beside the current one.
    private func rowChanges(width: Int, ink: Ink) -> [String] {
        let compared = streams.filter { $0.rowChange != nil }
        guard !compared.isEmpty else { return [] }
        let current = generation.map { "generation \($0)" } ?? "current"
        var grid = Grid(titles: ["rows", current, "next", "difference", ""])
        for stream in compared { grid.add(stream.changeCells, colour: stream.rowChange?.difference == 0 ? .dim : nil) }
        if compared.count > 1 { grid.addTotal(total.changeCells) }
        return [""] + grid.lines(width: width, ink: ink, giveUp: []) + [""]
    }

    private var closing: String {
        let behind = streams.count { $0.status == .failed || $0.status == .stale }
        let kept = generation.map { "generation \($0) stays" } ?? "no generation yet"
        var text: String
        switch outcome {
        case .published: text = "published generation \(generation ?? 0) in \(output)"
        case .unchanged: text = "unchanged: \(kept) in \(output)"
        case .dryRun: text = "dry run: nothing published, \(kept) in \(output)"
        case .failed: text = "failed: nothing published, \(kept) in \(output)"
        case .interrupted: text = "interrupted: nothing published; run again to go on from the last page kept"
        }
        if behind > 0 { text += ", \(behind) of \(Phrase.count(streams.count, "stream")) failed" }
        if exitCode != 0 { text += " (exit \(exitCode))" }
        return Phrase.printable(text)
    }
}

extension StreamReport {
    fileprivate var cells: [String] {
        [
            name, Phrase.count(tally.fetched), Phrase.count(tally.kept), Phrase.count(tally.duplicates),
            Phrase.count(tally.droppedTotal), Phrase.count(files), ByteSize(bytes: bytes).text,
            Phrase.time(milliseconds: milliseconds), status == .ok ? "" : status.rawValue,
        ]
    }

    fileprivate var changeCells: [String] {
        guard let rowChange else { return [name, "", "", "", ""] }
        let sign = rowChange.difference > 0 ? "+" : ""
        return [
            name, rowChange.current.map { Phrase.count($0) } ?? "none", Phrase.count(rowChange.next),
            sign + Phrase.count(rowChange.difference), "",
        ]
    }

    fileprivate var colour: Ink.Colour? {
        switch status {
        case .failed, .stale: .red
        case .unchanged: .dim
        case .ok: tally.fetched == 0 ? .dim : nil
        }
    }

    /// What the numbers alone do not say.
    fileprivate var remarks: [String] {
        var remarks: [String] = []
        if tally.conflicts > 0 {
            remarks.append("\(Phrase.count(tally.conflicts, "row")) repeated a key with another body")
        }
        if !tally.dropped.isEmpty {
            let reasons = tally.dropped.sorted { $0.key < $1.key }.map { "\($0.key) \(Phrase.count($0.value))" }
            remarks.append("dropped: \(reasons.joined(separator: ", "))")
        }
        if retries > 0 {
            remarks.append("\(Phrase.count(retries)) of \(Phrase.count(requests, "request")) were retries")
        }
        if !tally.balances { remarks.append("rows do not add up: fetched is not written + duplicates + dropped") }
        return remarks + notes
    }
}
