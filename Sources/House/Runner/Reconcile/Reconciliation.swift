internal import Connector
package import Load
package import Model
package import PipelineFile
internal import Sealing
internal import Transform

/// Compares what an organization's reports say with what a team counted itself, and usage with costs.
///
/// Sums are exact. A group is one day, whose usage it is, and the model. Ids that the archive holds as tokens are compared
/// as tokens: the events' ids are sealed with the same key.
package struct Reconciliation: Sendable {
    package enum Status: String, Sendable {
        case matched
        /// Both have it, and the numbers are further apart than the tolerance.
        case drifted
        /// The other side has nothing.
        case onlyUsage = "only_usage"
        case onlyEvents = "only_events"
        case onlyCosts = "only_costs"
    }

    package struct Request: Sendable {
        package var events: String?
        package var mapping: EventMapping
        package var from: Instant?
        package var until: Instant?
        /// In percent of the organization's number.
        package var tolerance: ExactDecimal

        package init(events: String?, mapping: EventMapping, tolerance: ExactDecimal) {
            self.events = events
            self.mapping = mapping
            self.tolerance = tolerance
        }
    }

    /// One group of usage and events.
    package struct UsageRow: Sendable {
        package var day: String
        package var who: String?
        package var model: String?
        package var status: Status
        package var usageTokens: ExactDecimal?
        package var eventTokens: ExactDecimal?
        package var usageRequests: ExactDecimal?
        package var eventRequests: ExactDecimal?
    }

    /// One day of one project.
    package struct CostRow: Sendable {
        package var day: String
        package var project: String?
        package var status: Status
        package var usageTokens: ExactDecimal?
        /// `nil`: the costs do not say how much they are for.
        package var costTokens: ExactDecimal?
        package var amount: Amounts?
    }

    package struct Report: Sendable {
        package var generation: Int
        package var from: Instant
        package var until: Instant
        package var who: EventMapping.Who
        package var tolerance: ExactDecimal
        package var events = 0
        /// Events outside the compared days.
        package var outside = ExactDecimal.zero
        package var usage: [UsageRow] = []
        package var costs: [CostRow] = []
        /// Costs of the compared days in other units than tokens: not compared.
        package var otherCosts = Amounts()
        /// Of all costs of the compared days.
        package var currencies: [String?] {
            var all = otherCosts
            for row in costs { _ = row.amount.map { all.add($0) } }
            return all.parts.map(\.currency)
        }

        package var isSame: Bool {
            usage.allSatisfy { $0.status == .matched } && costs.allSatisfy { $0.status == .matched }
        }
    }

    private let pipeline: Pipeline
    private let doors: RunDoors
    private let generation: Generation

    package init(pipeline: Pipeline, doors: RunDoors, generation: Generation) {
        self.pipeline = pipeline
        self.doors = doors
        self.generation = generation
    }

    package func report(_ request: Request) throws(Fault) -> Report {
        guard let spec = pipeline.connector.reconcile else {
            throw Fault(
                .badPlan,
                "the connector \(pipeline.connector.name) does not say what usage and costs are",
                mend: "add `reconcile` to the connector file"
            )
        }
        let archived = ArchivedUsage(pipeline: pipeline, generation: generation, spec: spec)
        guard !archived.usage.isEmpty else {
            let names = spec.usage.map(\.stream).joined(separator: ", ")
            throw Fault(
                .badPlan,
                "generation \(generation.number) has no stream of usage",
                mend: "add one of these to the pipeline and run it: \(names)"
            )
        }
        let events = try request.events.map { path throws(Fault) in try read(path, request.mapping, spec) }
        let span = try window(request, archived, events)
        var report = Report(
            generation: generation.number,
            from: span.start,
            until: span.end,
            who: request.mapping.who,
            tolerance: request.tolerance
        )
        let days = span.start.date..<span.end.date
        if let events {
            report.events = events.count
            for (key, sum) in events.sums where !days.contains(key.day) {
                report.outside = report.outside.adding(sum.requests) ?? report.outside
            }
            let usage = try archived.byWho(request.mapping.who, withModel: request.mapping.model != nil)
            report.usage = compare(usage, events.sums, days, request.tolerance)
        }
        if let costs = spec.costs, generation.manifest.stream(costs.stream) != nil {
            let sums = try archived.costs(costs)
            for (key, sum) in sums where days.contains(key.day) {
                guard report.otherCosts.add(sum.otherAmount) else { throw archived.tooLarge }
            }
            report.costs = compare(try archived.byProject(), sums, days, request.tolerance)
        }
        return report
    }

    private func read(_ path: String, _ mapping: EventMapping, _ spec: ReconcileSpec) throws(Fault)
        -> EventReader.Events
    {
        let seal = try sealer(mapping.who, spec)
        return try EventReader(path: path, mapping: mapping, sealed: seal).read()
    }

    /// Makes of a clear id what the archive's column holds.
    private func sealer(
        _ who: EventMapping.Who,
        _ spec: ReconcileSpec
    ) throws(Fault) -> (String) throws(Fault) -> String {
        let rules = FieldRules(pipeline: pipeline, doors: doors)
        for one in spec.usage {
            let name =
                switch who {
                case .user: one.user
                case .key: one.key
                case .project: one.project
                }
            guard let name, let column = pipeline.connector.stream(one.stream)?.column(name) else { continue }
            let policy: FieldPolicy
            do throws(SealingError) { policy = try rules.policy(stream: one.stream, column: column) } catch {
                throw Fault(.cannotSeal, "the field keys could not be derived: \(error)", mend: "check the key ring")
            }
            switch policy {
            case .keep: return { $0 }
            case .mask, .drop:
                throw Fault(
                    .badPlan,
                    "the column \(one.stream).\(name) is masked or dropped, so that no event can be found in it",
                    mend: "compare by another of user, key and project"
                )
            case .seal(let sealer):
                if rules.mode == .randomized {
                    throw Fault(
                        .badPlan,
                        "the column \(one.stream).\(name) is encrypted at random, so that no event can be found in it",
                        mend: "encrypt it with mode: deterministic"
                    )
                }
                return { clear throws(Fault) in
                    var token: [UInt8] = []
                    do throws(SealingError) { try sealer.seal(.string, Array(clear.utf8).span, into: &token) } catch {
                        throw Fault(.cannotSeal, "an id could not be sealed: \(error)", mend: "check the key ring")
                    }
                    return String(decoding: token, as: UTF8.self)
                }
            }
        }
        return { $0 }
    }

    /// Whole days that both sides cover, as far as nobody asked for others.
    private func window(
        _ request: Request,
        _ archived: ArchivedUsage,
        _ events: EventReader.Events?
    ) throws(Fault) -> (start: Instant, end: Instant) {
        guard let coverage = archived.coverage else {
            throw Fault(.badPlan, "the streams of usage cover no common time", mend: "run the pipeline first")
        }
        let day: Int64 = 86_400
        // Behind the last time of which nothing was ever read.
        let first = coverage.gaps.map(\.to).reduce(coverage.from, max)
        var start = first.aligned(down: day)
        if start < first { start = start + day }
        var end = coverage.to.aligned(down: day)
        if let first = events?.first { start = max(start, first.aligned(down: day)) }
        if let last = events?.last { end = min(end, last.aligned(down: day) + day) }
        if let from = request.from { start = from.aligned(down: day) }
        if let until = request.until { end = until.aligned(down: day) }
        if let from = request.from, let until = request.until, from >= until {
            throw Fault(.badPlan, "--from \(from.date) is not before --until \(until.date)", mend: "turn them round")
        }
        guard start < coverage.to, coverage.from < end || start >= end else {
            throw Fault(
                .badPlan,
                "usage was read from \(coverage.from.date) to \(coverage.to.date), and not from \(start.date) to \(end.date)",
                mend: "name days that were read with `--from` and `--until`"
            )
        }
        guard start < end else {
            throw Fault(
                .badPlan,
                "usage (\(coverage.from.date) to \(coverage.to.date)) and events have no day in common",
                mend: "name the days with `--from` and `--until`, or give the events of these days"
            )
        }
        if let gap = coverage.gaps.first(where: { $0.from < end && start < $0.to }) {
            throw Fault(
                .badPlan,
                "of \(gap.from.text) to \(gap.to.text) no usage was ever read: the API had forgotten it",
                mend: "name days that do not touch this span with `--from` and `--until`"
            )
        }
        return (start, end)
    }

    // MARK: Comparing

    private func isNear(_ one: ExactDecimal, _ other: ExactDecimal, _ tolerance: ExactDecimal) -> Bool {
        guard let apart = one.subtracting(other)?.magnitude.multiplied(by: ExactDecimal(100)),
            let allowed = one.magnitude.multiplied(by: tolerance)
        else { return false }
        return apart <= allowed
    }

    private func compare(
        _ usage: [UsageKey: EventReader.Sum],
        _ events: [UsageKey: EventReader.Sum],
        _ days: Range<String>,
        _ tolerance: ExactDecimal
    ) -> [UsageRow] {
        let keys = Set(usage.keys).union(events.keys).filter { days.contains($0.day) }
        return keys.compactMap { key -> UsageRow? in
            let (ours, theirs) = (usage[key], events[key])
            let isNothing = [ours, theirs].allSatisfy { ($0?.tokens.isZero ?? true) && ($0?.requests.isZero ?? true) }
            if isNothing { return nil }
            var status = Status.matched
            if let ours, let theirs {
                let isClose =
                    isNear(ours.tokens, theirs.tokens, tolerance) && isNear(ours.requests, theirs.requests, tolerance)
                if !isClose { status = .drifted }
            } else {
                status = ours == nil ? .onlyEvents : .onlyUsage
            }
            return UsageRow(
                day: key.day,
                who: key.who,
                model: key.model,
                status: status,
                usageTokens: ours?.tokens,
                eventTokens: theirs?.tokens,
                usageRequests: ours?.requests,
                eventRequests: theirs?.requests
            )
        }
        .sorted { ($0.day, $0.who ?? "", $0.model ?? "") < ($1.day, $1.who ?? "", $1.model ?? "") }
    }

    private func compare(
        _ usage: [ArchivedUsage.Project: EventReader.Sum],
        _ costs: [ArchivedUsage.Project: ArchivedUsage.Costs],
        _ days: Range<String>,
        _ tolerance: ExactDecimal
    ) -> [CostRow] {
        let keys = Set(usage.keys).union(costs.keys).filter { days.contains($0.day) }
        return keys.compactMap { key -> CostRow? in
            let (used, cost) = (usage[key].flatMap { $0.tokens.isZero && $0.requests.isZero ? nil : $0 }, costs[key])
            let paid = cost.flatMap { $0.rows == 0 ? nil : $0 }
            if used == nil, paid == nil { return nil }
            var status = Status.matched
            if let used, let paid {
                if let tokens = paid.tokens, !isNear(used.tokens, tokens, tolerance) { status = .drifted }
            } else {
                status = used == nil ? .onlyCosts : .onlyUsage
            }
            return CostRow(
                day: key.day,
                project: key.project,
                status: status,
                usageTokens: used?.tokens,
                costTokens: paid?.tokens,
                amount: paid?.amount
            )
        }
        .sorted { ($0.day, $0.project ?? "") < ($1.day, $1.project ?? "") }
    }
}
