internal import Connector
internal import Extract
internal import Load
internal import Model
internal import PipelineFile

/// Fetches and closes all streams of a run, parents before their children, the rest side by side.
struct RunWork: Sendable {
    let pipeline: Pipeline
    let options: RunOptions
    let doors: RunDoors
    let keeper: ProgressKeeper
    let staging: String
    let current: Generation?
    let memory: RowMemory
    /// Streams whose cursor was reset: their files stay until they have been read again from the beginning.
    var forgotten: Set<String> = []

    /// What a stream's children wait for.
    private enum ParentRows: Sendable {
        case rows([[String: String]])
        case failed(Fault, stopsRun: Bool)
    }

    /// Every selected stream's result, in the connector's order.
    func results() async -> [StreamResult] {
        let selected = Set(pipeline.streams.map(\.spec.name).filter { options.streams?.contains($0) ?? true })
        let needed = withParents(selected)
        let order = pipeline.connector.streams.map(\.name).filter { needed.contains($0) }
        let desk = ParentDesk()
        var results: [String: StreamResult] = [:]
        await withTaskGroup(of: StreamResult.self) { group in
            for name in order {
                guard let plan = plan(name) else { continue }
                let isSelected = selected.contains(name)
                let columns = parentColumns(of: name, among: needed)
                group.addTask { await self.one(plan, isSelected: isSelected, parentColumns: columns, desk: desk) }
            }
            while let result = await group.next() {
                if result.stopsRun { group.cancelAll() }
                results[result.name] = result
            }
        }
        // When the key itself was refused, the other streams were only stopped: one fault says it all.
        let hasStopped = results.values.contains { $0.stopsRun }
        return order.filter { selected.contains($0) }.compactMap { name in
            guard var result = results[name] else { return nil }
            if hasStopped, !result.stopsRun, result.fault?.code == .interrupted { result.fault = stopped(name) }
            return result
        }
            + order.filter { !selected.contains($0) }.compactMap { name in
                results[name].flatMap { $0.stopsRun ? $0 : nil }
            }
    }

    private func stopped(_ name: String) -> Fault {
        Fault(.denied, "not fetched, because the API refused the key", at: ["stream \(name)"], mend: "")
    }

    private func withParents(_ names: Set<String>) -> Set<String> {
        var all = names
        for spec in pipeline.connector.streams.reversed() where all.contains(spec.name) {
            if let last = spec.parents.last { all.insert(last.stream) }
        }
        return all
    }

    private func plan(_ name: String) -> Pipeline.StreamPlan? { pipeline.plan(for: name) }

    /// The columns of a stream that other streams of this run need: their parents' ids, and what is skipped by.
    private func parentColumns(of name: String, among needed: Set<String>) -> [String] {
        var columns: [String] = []
        for spec in pipeline.connector.streams where needed.contains(spec.name) {
            guard let last = spec.parents.last, last.stream == name else { continue }
            columns += [last.column] + last.skip.map(\.column) + spec.parents.dropLast().map(\.parameter)
        }
        var seen: Set<String> = []
        return columns.filter { seen.insert($0).inserted }
    }

    private func one(
        _ plan: Pipeline.StreamPlan,
        isSelected: Bool,
        parentColumns: [String],
        desk: ParentDesk
    ) async -> StreamResult {
        let spec = plan.spec
        let begun = doors.milliseconds()
        var failed = StreamResult(name: spec.name, groupBy: plan.groupBy, primaryKey: plan.primaryKey)
        var parents: [[String: String]] = []
        if let last = spec.parents.last {
            switch await desk.rows(of: last.stream) {
            case .rows(let rows): parents = kept(rows, last)
            case .failed(let fault, let stopsRun):
                failed.fault = Fault(
                    stopsRun ? .interrupted : fault.code,
                    "its parent stream \(last.stream) could not be listed: \(fault.what)",
                    at: ["stream \(spec.name)"],
                    mend: "mend that first, then run again"
                )
                await desk.put(spec.name, .failed(fault, stopsRun: stopsRun))
                return failed
            }
        }
        let run = StreamRun(
            plan: plan,
            pipeline: pipeline,
            options: options,
            doors: doors,
            progress: keeper,
            window: window(plan),
            parentColumns: parentColumns,
            stagingFolder: staging,
            closer: closing(spec),
            memory: memory
        )
        var result: StreamResult
        switch await nothingToRead(plan) ? .success(nil) : run.fetch(parents: parents).map(Optional.some) {
        case .failure(let failure):
            await desk.put(spec.name, .failed(failure.fault, stopsRun: failure.stopsRun))
            result = failure.result
            result.fault = failure.fault
            result.stopsRun = failure.stopsRun
        case .success(.none):
            await desk.put(spec.name, .rows([]))
            result = failed
            result.coverage = old(spec.name)?.coverage
            result.watermark = old(spec.name)?.watermark
        case .success(.some(let fetched)):
            await desk.put(spec.name, .rows(fetched.parents))
            result = fetched.result
            if isSelected {
                do throws(Fault) {
                    result = try await closing(spec).close(fetched)
                } catch {
                    result.fault = error
                }
            }
        }
        if result.fault != nil { result.tally = .unpublished(result.tally.fetched) }
        result.milliseconds = doors.milliseconds() - begun
        doors.progress(.ended(spec.name, failed: result.fault != nil))
        return result
    }

    /// Rows of a parent that its children are walked under: each id once, archived ones left out.
    private func kept(_ rows: [[String: String]], _ parent: StreamSpec.Parent) -> [[String: String]] {
        // By their bytes: an é of one letter and one of two are equal as texts, and two ids to the API.
        var seen: Set<[[UInt8]]> = []
        return rows.filter { row in
            let bytes = row.sorted { $0.key < $1.key }.flatMap { [Array($0.key.utf8), Array($0.value.utf8)] }
            let isSkipped = parent.skip.contains { skip in row[skip.column].map { skip.values.contains($0) } ?? false }
            return !isSkipped && seen.insert(bytes).inserted
        }
    }

    private func old(_ name: String) -> Manifest.Stream? {
        options.fullRefresh ? nil : current?.manifest.stream(name)
    }

    private func closing(_ spec: StreamSpec) -> StreamClosing {
        StreamClosing(
            spec: spec,
            pipeline: pipeline,
            now: options.now,
            stagingFolder: staging,
            old: old(spec.name),
            oldChanges: old(ChangeLog.name(spec.name)),
            oldFolder: current?.path,
            width: 2
        )
    }

    private func nothingToRead(_ plan: Pipeline.StreamPlan) -> Bool {
        plan.spec.window != nil && window(plan) == nil
    }

    func window(_ plan: Pipeline.StreamPlan) -> TimeWindow? {
        options.window(of: plan, after: forgotten.contains(plan.spec.name) ? nil : old(plan.spec.name))
    }

    /// Where finished parents leave their rows, and children wait for them.
    private actor ParentDesk {
        private var ready: [String: ParentRows] = [:]
        private var waiting: [String: [CheckedContinuation<ParentRows, Never>]] = [:]

        func rows(of stream: String) async -> ParentRows {
            if let rows = ready[stream] { return rows }
            return await withCheckedContinuation { waiting[stream, default: []].append($0) }
        }

        func put(_ stream: String, _ rows: ParentRows) {
            ready[stream] = rows
            for waiter in waiting.removeValue(forKey: stream) ?? [] { waiter.resume(returning: rows) }
        }
    }
}
