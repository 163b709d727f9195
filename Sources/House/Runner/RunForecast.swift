internal import Connector
package import Extract
package import Load
package import Model
package import PipelineFile
internal import Transform

/// What a run would do, worked out without the network: from the pipeline, the clock and the current generation.
package struct RunForecast: Sendable {
    package struct Stream: Sendable {
        package var name: String
        package var mode: String
        package var window: TimeWindow?
        /// Walks: one for each parent and each way of asking; `nil` when the parents are not known yet.
        package var walks: Int?
        /// Requests without retries; `nil` when nobody can know.
        package var requests: Int?
        /// Where the number comes from, or why there is none.
        package var basis: String
        /// Partitions that the window touches, and how many of them the current generation has.
        package var partitions: [String] = []
        package var existing: Int = 0
        /// Only fetched because a stream of the pipeline needs its rows.
        package var isHelper = false
    }

    package private(set) var streams: [Stream] = []
    /// Of the streams whose number is known; the others come on top.
    package private(set) var requests = 0
    package var isComplete: Bool { streams.allSatisfy { $0.requests != nil } }
    /// The time that pace, parallel requests, and parents before their children allow.
    package private(set) var seconds = 0
    /// What one request is taken to last: as in earlier runs, on average over the requests of this one.
    package private(set) var millisecondsPerRequest = RunForecast.usualMilliseconds
    /// Whether earlier runs have said so.
    package private(set) var isMeasured = false

    /// What one request takes, for want of anything better.
    package static let usualMilliseconds = 500

    /// - Parameters:
    ///   - forgotten: streams whose cursor was reset.
    ///   - past: what earlier runs took.
    package init(
        _ pipeline: Pipeline,
        options: RunOptions,
        current: Generation?,
        forgotten: Set<String> = [],
        past: PastRuns = PastRuns()
    ) throws(Fault) {
        let selected = Set(pipeline.streams.map(\.spec.name).filter(options.selects))
        var needed = selected
        for spec in pipeline.connector.streams.reversed() where needed.contains(spec.name) {
            if let last = spec.parents.last { needed.insert(last.stream) }
        }
        for spec in pipeline.connector.streams where needed.contains(spec.name) {
            guard let plan = pipeline.plan(for: spec.name) else { continue }
            let known = current?.manifest.stream(spec.name)
            var stream = Stream(name: spec.name, mode: spec.mode.rawValue, basis: "")
            stream.isHelper = !selected.contains(spec.name)
            stream.window = options.window(of: plan, after: known, isForgotten: forgotten.contains(spec.name))
            stream.walks = try RunForecast.walks(plan, pipeline, current)
            let paging = RunForecast.pages(
                plan,
                pipeline,
                stream.window,
                known,
                walks: stream.walks,
                pagesBefore: past.streams[spec.name]?.pages
            )
            stream.basis = paging.basis
            if let walks = stream.walks, let pages = paging.pages { stream.requests = max(walks, pages) }
            if spec.window != nil, stream.window == nil {
                (stream.requests, stream.basis) = (0, "nothing new to read")
            }
            if !stream.isHelper {
                stream.partitions = RunForecast.partitions(plan, pipeline, stream.window)
                stream.existing = stream.partitions.count { known?.partition($0) != nil }
            }
            streams.append(stream)
        }
        requests = streams.reduce(0) { $0 + ($1.requests ?? 0) }
        let each = past.milliseconds
        isMeasured = each != nil
        var schedule = RunSchedule(pipeline)
        var sum = 0
        for stream in streams {
            let milliseconds = past.streams[stream.name]?.milliseconds ?? each ?? RunForecast.usualMilliseconds
            sum += milliseconds * (stream.requests ?? 0)
            schedule.add(
                stream.name,
                after: pipeline.connector.stream(stream.name)?.parents.last?.stream,
                requests: stream.requests ?? 0,
                walks: stream.walks ?? 1,
                milliseconds: milliseconds
            )
        }
        if requests > 0 { millisecondsPerRequest = (sum + requests / 2) / requests }
        seconds = requests > 0 ? max(1, Int(schedule.seconds.rounded())) : 0
    }

    /// Walks of a stream: its ways of asking times its parents.
    private static func walks(
        _ plan: Pipeline.StreamPlan,
        _ pipeline: Pipeline,
        _ current: Generation?
    ) throws(Fault) -> Int? {
        let ways = plan.spec.walks.count
        guard let parent = plan.spec.parents.last else { return ways }
        guard let current, let spec = pipeline.connector.stream(parent.stream),
            let stored = current.manifest.stream(parent.stream)
        else { return nil }
        let columns = spec.archiveColumns
        let reader = ArchiveLine(
            format: stored.format == .csv ? .csv : .ndjson,
            guardsFormulas: pipeline.load.guardFormulas,
            columns: columns,
            primaryKey: stored.primaryKey,
            timeColumn: nil
        )
        func place(_ name: String) -> Int? { columns.firstIndex { $0.name == name } }
        let deleted = place("deleted_at")
        var count = 0
        let files = stored.partitions.flatMap(\.files)
        let rows = OldRows(reader: reader, paths: files.map { current.path + "/" + $0.path })
        try rows.forEach { line throws(Fault) in
            guard let cells = reader.cells(line) else { throw rows.foreign }
            if let deleted, !reader.isNull(cells[deleted]) { return }
            let isSkipped = parent.skip.contains { skip in
                guard let index = place(skip.column) else { return false }
                return reader.jsonValue(cells[index], columns[index].kind).text.map { skip.values.contains($0) }
                    ?? false
            }
            if !isSkipped { count += 1 }
        }
        return count * ways
    }

    /// Pages over all walks, and how that is known.
    private static func pages(
        _ plan: Pipeline.StreamPlan,
        _ pipeline: Pipeline,
        _ window: TimeWindow?,
        _ known: Manifest.Stream?,
        walks: Int?,
        pagesBefore: Int?
    ) -> (pages: Int?, basis: String) {
        let spec = plan.spec
        let cap = spec.pagination.cap(width: plan.bucketWidth)
        let limit = spec.pagination.limitParameter == nil ? nil : cap.map { min(pipeline.source.pageLimit ?? $0, $0) }
        guard let walks else { return (nil, "parents unknown before the first run") }
        switch spec.mode {
        case .singleton: return (walks, walks == 1 ? "one object" : "\(walks) parents, one object each")
        case .report:
            guard let window, let limit, limit > 0 else { return (nil, "pages unknown") }
            let width =
                (plan.bucketWidth ?? spec.window?.defaultWidth).flatMap { TimeSpan(text: $0)?.seconds } ?? 86_400
            let buckets = Int((window.seconds + width - 1) / max(1, width))
            return ((buckets + limit - 1) / limit * walks, "\(buckets) buckets, \(limit) a page")
        case .snapshot, .log:
            let parents = spec.parents.isEmpty ? "" : "\(walks) parents, "
            if let pagesBefore { return (max(walks, pagesBefore), "\(parents)\(pagesBefore) pages last time") }
            if spec.mode == .snapshot, let known, let limit, limit > 0 {
                let rows = known.rows
                return (max(walks, (rows + limit - 1) / limit), "\(parents)\(rows) rows last time, \(limit) a page")
            }
            if spec.parents.isEmpty { return (nil, "pages unknown") }
            return (walks, "\(parents)at least one page each")
        }
    }

    private static func partitions(_ plan: Pipeline.StreamPlan, _ pipeline: Pipeline, _ window: TimeWindow?) -> [String]
    {
        guard plan.spec.timeColumn != nil else { return [""] }
        guard let window else { return [] }
        let naming = PartitionNaming(pipeline.load.partitionBy)
        var names: [String] = []
        var at = window.start
        while at < window.end {
            let name = naming.name(of: at)
            names.append(name)
            guard let span = naming.span(name) else { break }
            at = span.end
        }
        return names
    }
}
