package import Model
internal import Sealing

/// OpenLineage run events (spec 2-0-2): what was read, what was written, with schemas and row counts.
package struct LineageEvent: Sendable {
    package enum Kind: String, Sendable { case start = "START", complete = "COMPLETE", fail = "FAIL", abort = "ABORT" }

    /// One stream: a path of the API in, a folder of the archive out.
    package struct Stream: Sendable {
        package var name: String
        /// Path template below the base URL.
        package var path: String
        package var fields: [(name: String, type: String, about: String)]
        package var fetched: Int?
        package var rows: Int?
        package var bytes: Int?
        package var files: Int?

        package init(name: String, path: String, fields: [(name: String, type: String, about: String)]) {
            self.name = name
            self.path = path
            self.fields = fields
        }
    }

    package var kind: Kind
    package var at: Instant
    package var runID: String
    package var pipeline: String
    package var namespace: String
    /// Where the API lives.
    package var source: String
    /// The pipeline's folder, absolute.
    package var output: String
    package var generation: Int?
    package var streams: [Stream]
    /// What the failure was, sanitized; only with `fail`.
    package var failure: String?
    package var version: String

    package init(
        _ kind: Kind,
        at: Instant,
        runID: String,
        pipeline: String,
        namespace: String,
        source: String,
        output: String,
        streams: [Stream],
        version: String
    ) {
        self.kind = kind
        self.at = at
        self.runID = runID
        self.pipeline = pipeline
        self.namespace = namespace
        self.source = source
        self.output = output
        self.streams = streams
        self.version = version
    }

    /// Version 8 of RFC 9562, made of the run's id: OpenLineage wants a UUID, and all events of a run have the same.
    package static func uuid(_ runID: String) -> String {
        let stream = SHA256Stream()
        stream.update(Array("cogni run \(runID)".utf8))
        var bytes = Array(stream.finish().prefix(16))
        bytes[6] = bytes[6] & 0x0F | 0x80
        bytes[8] = bytes[8] & 0x3F | 0x80
        let hex = bytes.map { byte in String(byte >> 4, radix: 16) + String(byte & 15, radix: 16) }.joined()
        let ends = [8, 12, 16, 20, 32]
        return zip([0] + ends, ends).map { from, to in String(hex.dropFirst(from).prefix(to - from)) }
            .joined(separator: "-")
    }

    private var producer: String { "urn:cogni:\(version)" }

    private func facet(_ name: String, _ version: String, _ members: [JSONValue.Member]) -> JSONValue {
        let url = "https://openlineage.io/spec/facets/\(version)/\(name).json#/$defs/\(name)"
        return .object([.init("_producer", .string(producer)), .init("_schemaURL", .string(url))] + members)
    }

    package var json: JSONValue {
        var runFacets: [JSONValue.Member] = [
            .init(
                "processing_engine",
                facet(
                    "ProcessingEngineRunFacet",
                    "1-1-1",
                    [.init("version", .string(version)), .init("name", "cogni")]
                )
            )
        ]
        if let failure {
            let error = facet(
                "ErrorMessageRunFacet",
                "1-0-1",
                [.init("message", .string(failure)), .init("programmingLanguage", "Swift")]
            )
            runFacets.append(.init("errorMessage", error))
        }
        let jobType = facet(
            "JobTypeJobFacet",
            "2-0-4",
            [.init("processingType", "BATCH"), .init("integration", "COGNI"), .init("jobType", "PIPELINE")]
        )
        return [
            "eventType": .string(kind.rawValue),
            "eventTime": .string(at.text),
            "run": ["runId": .string(LineageEvent.uuid(runID)), "facets": .object(runFacets)],
            "job": [
                "namespace": .string(namespace), "name": .string(pipeline), "facets": ["jobType": jobType],
            ],
            "inputs": .array(streams.map(input)),
            "outputs": .array(streams.map(written)),
            "producer": .string(producer),
            "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        ]
    }

    private func schema(_ stream: Stream) -> JSONValue.Member {
        let fields = stream.fields.map { field -> JSONValue in
            var members: [JSONValue.Member] = [
                .init("name", .string(field.name)), .init("type", .string(field.type)),
            ]
            if !field.about.isEmpty { members.append(.init("description", .string(field.about))) }
            return .object(members)
        }
        return .init("schema", facet("SchemaDatasetFacet", "1-2-0", [.init("fields", .array(fields))]))
    }

    private func input(_ stream: Stream) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init("namespace", .string(source)), .init("name", .string(stream.path)), .init("facets", [:]),
        ]
        if let fetched = stream.fetched {
            let statistics = facet("InputStatisticsInputDatasetFacet", "1-0-0", [.init("rowCount", .integer(fetched))])
            members.append(.init("inputFacets", ["inputStatistics": statistics]))
        }
        return .object(members)
    }

    private func written(_ stream: Stream) -> JSONValue {
        var facets = [schema(stream)]
        if let generation {
            let version = facet(
                "DatasetVersionDatasetFacet",
                "1-0-1",
                [.init("datasetVersion", .string(String(generation)))]
            )
            facets.append(.init("version", version))
        }
        var members: [JSONValue.Member] = [
            .init("namespace", "file"), .init("name", .string("\(output)/current/\(stream.name)")),
            .init("facets", .object(facets)),
        ]
        let counts: [(String, Int?)] = [("rowCount", stream.rows), ("size", stream.bytes), ("fileCount", stream.files)]
        let known = counts.compactMap { name, count in count.map { JSONValue.Member(name, .integer($0)) } }
        if !known.isEmpty {
            let statistics = facet("OutputStatisticsOutputDatasetFacet", "1-0-2", known)
            members.append(.init("outputFacets", ["outputStatistics": statistics]))
        }
        return .object(members)
    }
}
