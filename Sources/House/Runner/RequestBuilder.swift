package import Connector
package import Extract
package import Model
package import PipelineFile

/// One walk of a stream: which of its walks, under which parents, over which span of time.
package struct Slice: Sendable {
    package var walk: Int
    /// Path parameters: `["project_id": "proj_1"]`.
    package var parameters: [String: String]
    package var window: TimeWindow?

    package init(walk: Int, parameters: [String: String], window: TimeWindow?) {
        self.walk = walk
        self.parameters = parameters
        self.window = window
    }

    /// A child's walk under one row of its last parent, which carries the outer parents' ids as well; `nil` when one is missing.
    init?(of spec: StreamSpec, walk: Int, under row: [String: String], window: TimeWindow?) {
        guard let last = spec.parents.last else { return nil }
        var parameters: [String: String] = [:]
        for parent in spec.parents.dropLast() { parameters[parent.parameter] = row[parent.parameter] }
        parameters[last.parameter] = row[last.column]
        guard parameters.count == spec.parents.count else { return nil }
        self.init(walk: walk, parameters: parameters, window: window)
    }

    /// For messages. `shown`: what stands for the parameters' values there; see ``ShownParameters``.
    func place(_ shown: [String: String]) -> [String] {
        var place = parameters.keys.sorted().map { "\($0) \(shown[$0] ?? "")" }
        if let window { place.append("window \(window.text)") }
        return place
    }
}

/// Builds the requests of one stream.
package struct RequestBuilder: Sendable {
    package var spec: StreamSpec
    package var bucketWidth: String?
    package var groupBy: [String]
    package var pageLimit: Int?

    package init(plan: Pipeline.StreamPlan, pageLimit: Int?) {
        spec = plan.spec
        bucketWidth = plan.bucketWidth
        groupBy = plan.groupBy
        self.pageLimit = pageLimit
    }

    /// The request for the page that `walk` stands at. Throws when a parent's id can't be part of a path.
    package func request(_ slice: Slice, _ walk: CursorWalk) throws(Fault) -> Request {
        var query: [(name: String, value: String)] = []
        if let window = slice.window, let spec = spec.window {
            query.append((spec.startParameter, String(window.start.seconds)))
            query.append((spec.endParameter, String(window.end.seconds)))
            if let parameter = spec.widthParameter, let bucketWidth { query.append((parameter, bucketWidth)) }
        }
        if let grouping = spec.grouping { query += groupBy.map { (grouping.parameter, $0) } }
        query += spec.parameters.map { ($0.name, $0.value) }
        if spec.walks.indices.contains(slice.walk) { query += spec.walks[slice.walk].map { ($0.name, $0.value) } }
        if let parameter = spec.pagination.limitParameter, let cap = spec.pagination.cap(width: bucketWidth) {
            query.append((parameter, String(min(pageLimit ?? cap, cap))))
        }
        let path = try PercentEncoding.path(spec.path, filling: slice.parameters)
        var request = Request(stream: spec.name, template: spec.path, path: path, query: query)
        walk.apply(to: &request)
        return request
    }
}
