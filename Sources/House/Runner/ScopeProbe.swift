internal import Connector
internal import Extract
package import Model
package import PipelineFile
internal import RecordScan
internal import Transform

/// Asks each stream for as little as it can be asked for, to see whether the key is allowed to. Writes nothing.
package struct ScopeProbe: Sendable {
    package struct Outcome: Sendable, Equatable {
        package var stream: String
        /// The scope that the stream needs.
        package var scope: String
        package var fault: Fault?
        /// Why it was not asked.
        package var skipped: String?
    }

    package let pipeline: Pipeline
    package let options: RunOptions
    package let doors: RunDoors

    package init(pipeline: Pipeline, options: RunOptions, doors: RunDoors) {
        self.pipeline = pipeline
        self.options = options
        self.doors = doors
    }

    /// Rows of a parent that its children may be asked below: archived ones, at the head of the list, can't be.
    private static let parentLimit = 20

    private struct Answer: Sendable {
        var outcome: Outcome
        var parents: [[String: String]] = []
    }

    /// One for each stream of the pipeline, in its order. Parents are asked first, the rest side by side.
    package func outcomes() async -> [Outcome] {
        var answers: [String: Answer] = [:]
        var waiting = pipeline.connector.streams.filter { isNeeded($0.name) }
        while !waiting.isEmpty {
            let ready = waiting.filter { spec in spec.parents.last.map { answers[$0.stream] != nil } ?? true }
            if ready.isEmpty { break }
            waiting.removeAll { spec in ready.contains { $0.name == spec.name } }
            await withTaskGroup(of: Answer.self) { group in
                for spec in ready {
                    let above = spec.parents.last.flatMap { answers[$0.stream] }
                    group.addTask { await ask(spec, below: above) }
                }
                for await answer in group { answers[answer.outcome.stream] = answer }
            }
        }
        return pipeline.streams.compactMap { answers[$0.spec.name]?.outcome }
    }

    /// A stream of the pipeline, or one that such a stream hangs below.
    private func isNeeded(_ name: String) -> Bool {
        pipeline.streams.contains { $0.spec.name == name }
            || pipeline.connector.streams.contains { $0.parents.last?.stream == name && isNeeded($0.name) }
    }

    private func ask(_ spec: StreamSpec, below above: Answer?) async -> Answer {
        var answer = Answer(outcome: Outcome(stream: spec.name, scope: spec.scope))
        guard let plan = pipeline.plan(for: spec.name) else { return answer }
        var slice = Slice(walk: 0, parameters: [:], window: window(plan))
        if let last = spec.parents.last {
            let rows = (above?.parents ?? []).filter { row in
                !last.skip.contains { skip in row[skip.column].map { skip.values.contains($0) } ?? false }
            }
            guard let row = rows.first, let below = Slice(of: spec, walk: 0, under: row, window: slice.window) else {
                answer.outcome.skipped = "there is nothing in \(last.stream) to ask it below"
                return answer
            }
            slice = below
        }
        let columns = parentColumns(of: spec.name)
        var requests = RequestBuilder(plan: plan, pageLimit: columns.isEmpty ? 1 : ScopeProbe.parentLimit)
        requests.groupBy = []
        let shown = ShownParameters(spec: spec, rules: FieldRules(pipeline: pipeline, doors: doors))
        let request: Request
        do throws(Fault) { request = try requests.request(slice, CursorWalk(spec.pagination)) } catch {
            answer.outcome.fault = error
            return answer
        }
        do throws(FetchFailure) {
            let box = try columns.isEmpty ? nil : PreviewBox(encoder(spec, plan, columns))
            _ = try await doors.fetcher.fetch(
                request,
                scope: spec.scope,
                validate: { reply in box?.take(reply, slice.parameters) ?? .ok }
            )
            answer.parents = box?.facts.parents ?? []
        } catch {
            let isAbsent = error.status == 404 || (error.status == 400 && !spec.parents.isEmpty)
            if !(spec.absent == .empty && isAbsent) {
                answer.outcome.fault = shown.cleaned(error.fault, slice.parameters)
            }
        }
        return answer
    }

    private func encoder(_ spec: StreamSpec, _ plan: Pipeline.StreamPlan, _ columns: [String]) throws(FetchFailure)
        -> RowEncoder
    {
        let settings = RowEncoder.Settings(
            text: CellText(format: .ndjson, guardsFormulas: false),
            unit: .none,
            rules: FieldRules(pipeline: pipeline, doors: doors),
            parentColumns: columns
        )
        do throws(Fault) {
            return try RowEncoder(spec: spec, primaryKey: plan.primaryKey, settings: settings)
        } catch {
            throw FetchFailure(fault: error, status: nil, envelope: nil, attempts: Attempts(), stopsRun: false)
        }
    }

    private func parentColumns(of name: String) -> [String] {
        var columns: [String] = []
        for child in pipeline.connector.streams where isNeeded(child.name) {
            guard let last = child.parents.last, last.stream == name else { continue }
            columns += [last.column] + last.skip.map(\.column) + child.parents.dropLast().map(\.parameter)
        }
        var seen: Set<String> = []
        return columns.filter { seen.insert($0).inserted }
    }

    /// The last closed bucket, or the last hour of a log.
    private func window(_ plan: Pipeline.StreamPlan) -> TimeWindow? {
        guard let spec = plan.spec.window else { return nil }
        let width = TimeSpan(text: plan.bucketWidth ?? spec.defaultWidth ?? "1h")?.seconds ?? 3600
        let end = options.now.aligned(down: width)
        return TimeWindow(start: end - width, end: end)
    }
}
