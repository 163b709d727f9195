import Connector
import Model

/// The `streams` section: what is read, from when, grouped how.
extension PipelineReader {
    /// Plans of the selected streams in the connector's order; all of them when the section is absent.
    func streams(_ root: Section, _ connector: Connector?) -> [Pipeline.StreamPlan] {
        guard let entry = root.entry("streams") else {
            return (connector?.streams ?? []).map { plan($0, nil, root) }
        }
        // With all of its lines commented out it selects nothing, and must not come to mean everything.
        if entry.value.isEmpty {
            report.error(
                .missingKey,
                "\"streams\" names no stream",
                at: entry.keyPlace,
                hint: "leave the line out to read all of them"
            )
            return []
        }
        guard
            let section = Section(entry.value, called: "\"streams\"", "in \"streams\"", at: entry.keyPlace, in: report)
        else { return [] }
        if section.entries.isEmpty {
            report.error(
                .missingKey,
                "\"streams\" names no stream",
                at: entry.keyPlace,
                hint: "leave it out to read all of them"
            )
        }
        guard let connector else {
            for entry in section.entries { checkUnknown(entry) }
            return []
        }
        let names = connector.streams.map(\.name)
        for entry in section.entries where !names.contains(entry.key) {
            report.error(
                .unknownName,
                "the connector \"\(connector.name)\" has no stream \(report.quoted(entry.key))",
                at: entry.keyPlace,
                hint: Spelling.question(for: entry.key, in: names) ?? "`cogni discover \(connector.name)` lists them",
                allowed: names.count <= 12 ? names : []
            )
        }
        return connector.streams.compactMap { spec in
            guard let entry = section.entry(spec.name) else { return nil }
            let whereabouts = "in stream \"\(spec.name)\""
            let options = Section(
                entry.value,
                called: "the stream \"\(spec.name)\"",
                whereabouts,
                at: entry.keyPlace,
                in: report
            )
            return plan(spec, options, root)
        }
    }

    private static let everyOption = [
        "bucket_width", "group_by", "lookback", "max_shrink", "min_rows", "on_failure", "since", "until",
    ]

    /// What can be said of a stream whose connector is not known: which options there are, and of what kind they are.
    private func checkUnknown(_ entry: YAMLNode.Entry) {
        let name = "stream \"\(entry.key)\""
        guard let section = Section(entry.value, called: "the \(name)", "in \(name)", at: entry.keyPlace, in: report)
        else { return }
        section.checkKeys(PipelineReader.everyOption)
        _ = section.text("bucket_width")
        _ = section.texts("group_by")
        _ = section.span("lookback")
        _ = share(section, "max_shrink")
        _ = section.whole("min_rows", 1...1_000_000_000)
        _ = section.word("on_failure", Pipeline.OnFailure.self)
        let (since, until) = (section.instant("since"), section.instant("until"))
        if let since, let until, since >= until { reportEmptySpan(since, until, section) }
    }

    private func reportEmptySpan(_ since: Instant, _ until: Instant, _ section: Section) {
        report.error(
            .window,
            "\"since\" (\(since.text)) is not before \"until\" (\(until.text)) \(section.whereabouts)",
            at: section.entry("since")?.value.place ?? section.place
        )
    }

    /// Option names that a stream of this mode takes.
    static func options(_ spec: StreamSpec) -> [String] {
        switch spec.mode {
        case .report where spec.grouping == nil:
            ["bucket_width", "lookback", "max_shrink", "min_rows", "on_failure", "since", "until"]
        case .report: everyOption
        case .log: ["lookback", "on_failure", "since", "until"]
        case .snapshot: ["max_shrink", "min_rows", "on_failure"]
        case .singleton: ["on_failure"]
        }
    }

    private func plan(_ spec: StreamSpec, _ section: Section?, _ root: Section) -> Pipeline.StreamPlan {
        if let section { checkOptions(spec, section) }
        let isTimed = spec.mode == .report || spec.mode == .log
        let timed = isTimed ? section : nil
        let width = bucketWidth(spec, timed)
        let since = timed.flatMap { aligned($0, "since", width) }
        let until = timed.flatMap { aligned($0, "until", width) }
        if let since, let until, since >= until, let timed { reportEmptySpan(since, until, timed) }
        let groupBy = groupBy(spec, section, since)
        let isDimension = Set(spec.grouping?.dimensions ?? [])
        var made = Pipeline.StreamPlan(
            spec: spec,
            bucketWidth: width,
            groupBy: groupBy,
            since: since,
            until: until,
            lookback: timed?.span("lookback") ?? TimeSpan(seconds: spec.window?.defaultLookback ?? 0),
            includeOpenBucket: spec.mode == .report && includesOpenBucket(root),
            onFailure: section?.word("on_failure", Pipeline.OnFailure.self) ?? .keep,
            primaryKey: spec.primaryKey.filter { !isDimension.contains($0) || groupBy.contains($0) }
        )
        let guarded = spec.mode == .report || spec.mode == .snapshot ? section : nil
        made.minRows = guarded?.whole("min_rows", 1...1_000_000_000)
        made.maxShrink = guarded.flatMap { share($0, "max_shrink") }
        return made
    }

    /// `20%`, `12.5%`: hundredths of a percent.
    private func share(_ section: Section, _ key: String) -> Int? {
        guard let text = section.text(key) else { return nil }
        let parts = text.value.dropLast().split(separator: ".", omittingEmptySubsequences: false)
        if text.value.hasSuffix("%"), (1...2).contains(parts.count), let whole = Section.whole(String(parts[0])),
            whole <= 100
        {
            let fraction = parts.count == 2 ? String(parts[1]) : "0"
            let isPlain = (1...2).contains(fraction.utf8.count) && fraction.utf8.allSatisfy { $0 >= 48 && $0 <= 57 }
            let share = whole * 100 + (isPlain ? (Int(fraction) ?? 0) * (fraction.utf8.count == 1 ? 10 : 1) : 0)
            if isPlain, share <= Pipeline.StreamPlan.whole { return share }
        }
        report.error(
            .wrongType,
            "\"\(key)\" must be a share such as 20% or 0.5%, not \(report.quoted(text.written))",
            at: text.place
        )
        return nil
    }

    /// Reported once where it stands, read for every stream.
    private func includesOpenBucket(_ root: Section) -> Bool {
        guard let entry = root.entry("source"), case .map(let entries) = entry.value.content,
            let value = entries.first(where: { $0.key == "include_open_bucket" })?.value,
            case .text(let written, _) = value.content
        else { return false }
        return (try? variables.expand(written)) == "true"
    }

    /// Unknown options; and those that exist, but not for a stream that is always read whole.
    private func checkOptions(_ spec: StreamSpec, _ section: Section) {
        let allowed = PipelineReader.options(spec)
        let elsewhere = PipelineReader.everyOption.filter { !allowed.contains($0) }
        let known = section.entries.filter { elsewhere.contains($0.key) }
        Section(
            report: report,
            whereabouts: section.whereabouts,
            place: section.place,
            entries: section.entries.filter { entry in !known.contains { $0.key == entry.key } }
        )
        .checkKeys(allowed)
        for entry in known {
            let isGuard = entry.key == "min_rows" || entry.key == "max_shrink"
            let why =
                spec.mode == .log
                ? isGuard ? "its events only ever grow in number" : "it is a list of events, without buckets"
                : isGuard ? "it is one object" : "it is always read whole"
            report.error(
                .wrongValue,
                "\"\(entry.key)\" cannot be said of stream \"\(spec.name)\": \(why)",
                at: entry.keyPlace,
                hint: "leave it out",
                allowed: allowed
            )
        }
    }

    private func bucketWidth(_ spec: StreamSpec, _ section: Section?) -> String? {
        guard let window = spec.window, spec.mode == .report else { return nil }
        guard let text = section?.text("bucket_width") else { return window.defaultWidth ?? window.widths.last }
        if !window.widths.contains(text.value) {
            report.error(
                .wrongValue,
                "stream \"\(spec.name)\" has no buckets of \(report.quoted(text.written))",
                at: text.place,
                hint: Spelling.question(for: text.value, in: window.widths),
                allowed: window.widths
            )
        }
        return text.value
    }

    /// A moment at the start of a bucket: the API cuts the first bucket of a window that begins inside one.
    private func aligned(_ section: Section, _ key: String, _ width: String?) -> Instant? {
        guard let instant = section.instant(key) else { return nil }
        guard let width, let seconds = TimeSpan(text: width)?.seconds, seconds > 0 else { return instant }
        let start = instant.aligned(down: seconds)
        if start != instant {
            report.note(
                .window,
                "\"\(key)\" is inside a bucket of \(width); \(start.text) is taken",
                at: section.entry(key)?.value.place
            )
        }
        return start
    }

    // MARK: Grouping

    private func groupBy(_ spec: StreamSpec, _ section: Section?, _ since: Instant?) -> [String] {
        guard let grouping = spec.grouping, spec.mode == .report else { return [] }
        guard let section, let entry = section.entry("group_by"), let texts = section.texts("group_by") else {
            return grouping.usual
        }
        var asked: [String] = []
        for text in texts {
            if !grouping.dimensions.contains(text.value) {
                report.error(
                    .grouping,
                    "stream \"\(spec.name)\" has no dimension \(report.quoted(text.written))",
                    at: text.place,
                    hint: Spelling.question(for: text.value, in: grouping.dimensions),
                    allowed: grouping.dimensions
                )
            } else if asked.contains(text.value) {
                report.error(.duplicateKey, "the dimension \"\(text.value)\" stands twice", at: text.place)
            } else {
                asked.append(text.value)
            }
        }
        for refusal in grouping.refusals where refusal.dimensions.allSatisfy(asked.contains) {
            check(refusal, spec, since, at: texts.first { $0.value == refusal.without }?.place ?? entry.keyPlace)
        }
        return grouping.dimensions.filter(asked.contains)
    }

    /// A grouping that the API is known to refuse is a mistake; one that it may refuse is a note.
    private func check(_ refusal: Grouping.Refusal, _ spec: StreamSpec, _ since: Instant?, at place: Place) {
        let together = refusal.dimensions.joined(separator: " with ")
        let before = refusal.startBefore.map { Instant(seconds: $0) }
        if let before {
            // Without `since` the first run begins a fixed time before now; the runner then splits the window.
            guard let since, since < before else { return }
        }
        let period = before.map { " before \($0.date)" } ?? ""
        let start = before.map { "let \"since\" be \($0.date), or " } ?? ""
        if refusal.isCertain {
            report.error(
                .grouping,
                "\"\(spec.name)\" cannot be grouped by \(together)\(period): \(refusal.reason)",
                at: place,
                hint: "\(start)leave out \(refusal.without)"
            )
        } else {
            report.note(
                .grouping,
                "\"\(spec.name)\" may not be grouped by \(together)\(period): \(refusal.reason)",
                at: place,
                hint: "if it is refused, leave out \(refusal.without)"
            )
        }
    }
}
