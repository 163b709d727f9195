internal import Connector
internal import Extract
package import Model
package import PipelineFile
internal import RecordScan
internal import Transform

/// The first rows of one stream as the archive would hold them. Writes nothing anywhere.
///
/// Fetches only as many pages as are needed for the rows; of a child, those under its first parents.
package struct StreamPreview: Sendable {
    package let pipeline: Pipeline
    package let options: RunOptions
    package let doors: RunDoors

    package init(pipeline: Pipeline, options: RunOptions, doors: RunDoors) {
        self.pipeline = pipeline
        self.options = options
        self.doors = doors
    }

    /// What came.
    package struct Rows: Sendable {
        /// CSV's header line; empty for NDJSON.
        package var header: [UInt8] = []
        /// With their line feeds, in the archive's order as far as they were fetched.
        package var lines: [[UInt8]] = []
        package var requests = 0
        /// More rows follow.
        package var hasMore = false
    }

    /// Parents that are tried at most, and pages of one walk.
    private static let parentLimit = 20
    private static let pageLimit = 40

    package func rows(of name: String, count: Int) async throws(Fault) -> Rows {
        var chain: [StreamSpec] = []
        var next = pipeline.connector.stream(name)
        while let spec = next {
            chain.insert(spec, at: 0)
            next = spec.parents.last.flatMap { pipeline.connector.stream($0.stream) }
        }
        var parents: [[String: String]] = []
        var result = Rows()
        for (index, spec) in chain.enumerated() {
            let child = index + 1 < chain.count ? chain[index + 1] : nil
            let columns = child.map { child in
                (child.parents.last.map { [$0.column] + $0.skip.map(\.column) } ?? [])
                    + child.parents.dropLast().map(\.parameter)
            }
            let taken = try await take(
                spec,
                parents: parents,
                count: child == nil ? count : nil,
                columns: columns ?? []
            )
            result.requests += taken.rows.requests
            if let child, let last = child.parents.last {
                parents = taken.parents.filter { row in
                    !last.skip.contains { skip in row[skip.column].map { skip.values.contains($0) } ?? false }
                }
            } else {
                result.header = taken.rows.header
                result.lines = taken.rows.lines
                result.hasMore = taken.rows.hasMore
            }
        }
        return result
    }

    /// - Parameter count: rows wanted; `nil`: the first page, for children.
    private func take(
        _ spec: StreamSpec,
        parents: [[String: String]],
        count: Int?,
        columns: [String]
    ) async throws(Fault) -> (rows: Rows, parents: [[String: String]]) {
        guard let plan = pipeline.plan(for: spec.name) else { return (Rows(), []) }
        let text = CellText(
            format: pipeline.load.format == .csv ? .csv : .ndjson,
            guardsFormulas: pipeline.load.guardFormulas
        )
        let settings = RowEncoder.Settings(
            text: text,
            unit: .none,
            rules: FieldRules(pipeline: pipeline, doors: doors),
            parentColumns: columns
        )
        let encoder = try RowEncoder(spec: spec, primaryKey: plan.primaryKey, settings: settings)
        let window = options.window(of: plan, after: nil)
        if spec.window != nil, window == nil { return (Rows(), []) }
        var requests = RequestBuilder(plan: plan, pageLimit: pipeline.source.pageLimit)
        if let count, spec.mode != .report { requests.pageLimit = min(count, pipeline.source.pageLimit ?? count) }
        var found: [[String: String]] = []
        var rows = Rows()
        slices: for slice in slices(spec, window, parents).prefix(StreamPreview.parentLimit) {
            var walk = CursorWalk(spec.pagination, hasWindow: slice.window != nil)
            for _ in 0..<StreamPreview.pageLimit where !walk.isFinished {
                rows.requests += 1
                guard let facts = try await page(slice, walk, requests: requests, encoder: encoder, plan: plan) else {
                    continue slices
                }
                found += facts.facts.parents
                do throws(Fault) {
                    _ = try walk.advance(
                        EnvelopeFacts(
                            hasMore: facts.facts.hasMore,
                            cursor: facts.facts.cursor,
                            namesNext: facts.facts.namesNext,
                            lastItemID: facts.facts.lastItemID,
                            elementCount: facts.facts.elementCount,
                            linkNext: facts.linkNext
                        )
                    )
                } catch { throw error.within("stream \(spec.name)") }
                rows.hasMore = !walk.isFinished
                if count == nil || encoder.fetched >= count ?? 0 { break slices }
            }
        }
        let merge = RunMerge(keep: pipeline.transform.keep == .first ? .first : .latest)
        for run in encoder.takePartitions().sorted(by: { $0.key < $1.key }) { merge.add(run.value) }
        while let row = nextRow(merge) {
            guard rows.lines.count < count ?? 0 else {
                rows.hasMore = true
                break
            }
            rows.lines.append(row)
        }
        if pipeline.load.format == .csv {
            rows.header = Array(encoder.columns.map(\.name).joined(separator: ",").utf8) + [10]
        }
        return (rows, found)
    }

    /// Rows in memory can't fail to be read.
    private func nextRow(_ merge: RunMerge) -> [UInt8]? { (try? merge.next())?.line }

    private func slices(_ spec: StreamSpec, _ window: TimeWindow?, _ parents: [[String: String]]) -> [Slice] {
        spec.parents.isEmpty
            ? spec.walks.indices.map { Slice(walk: $0, parameters: [:], window: window) }
            : parents.compactMap { Slice(of: spec, walk: 0, under: $0, window: window) }
    }

    /// One page, or `nil` when the parent has none.
    private func page(
        _ slice: Slice,
        _ walk: CursorWalk,
        requests: RequestBuilder,
        encoder: RowEncoder,
        plan: Pipeline.StreamPlan
    ) async throws(Fault) -> (facts: PageFacts, linkNext: String?)? {
        let spec = plan.spec
        let box = PreviewBox(encoder)
        let shown = ShownParameters(spec: spec, rules: FieldRules(pipeline: pipeline, doors: doors))
        let request = try requests.request(slice, walk)
        do throws(FetchFailure) {
            let (reply, _) = try await doors.fetcher.fetch(
                request,
                scope: spec.scope,
                at: slice.place(shown.shown(slice.parameters)) + ["page \(walk.pages + 1)"],
                validate: { reply in box.take(reply, slice.parameters) }
            )
            if let refusal = box.refusal { throw refusedFailure(refusal) }
            return (box.facts, reply.headers["link"].flatMap { LinkHeader.next(in: $0) })
        } catch {
            let isAbsent = error.status == 404 || (error.status == 400 && !spec.parents.isEmpty)
            if spec.absent == .empty, isAbsent { return nil }
            throw shown.cleaned(error.fault, slice.parameters)
        }
    }

    private func refusedFailure(_ fault: Fault) -> FetchFailure {
        FetchFailure(fault: fault, status: 200, envelope: nil, attempts: Attempts(), stopsRun: false)
    }
}

/// Gives the page to the encoder from within the fetch, and carries out what it found.
final class PreviewBox: @unchecked Sendable {  // used by the one task that awaits the fetch
    private let encoder: RowEncoder
    var facts = PageFacts()
    var refusal: Fault?

    init(_ encoder: RowEncoder) { self.encoder = encoder }

    func take(_ reply: Reply, _ parameters: [String: String]) -> PageVerdict {
        do throws(PageFailure) {
            facts = try encoder.take(reply.body, parameters: parameters, requestID: nil)
            return .ok
        } catch {
            switch error {
            case .malformed(let reason): return .malformed(reason)
            case .unlike(let reason, let mend): return .unlike(reason, mend: mend)
            case .refused(let fault):
                refusal = fault
                return .ok
            }
        }
    }
}
