package import Ledger
internal import Load
package import Model
package import PipelineFile
internal import Telemetry

/// What a receiver is told of a run: only kinds that the pipeline file asks for, and nothing when it names no receiver.
package struct RunEvents: Sendable {
    let pipeline: Pipeline
    let clean: @Sendable (JSONValue) -> JSONValue

    package init(_ pipeline: Pipeline, clean: @escaping @Sendable (JSONValue) -> JSONValue) {
        self.pipeline = pipeline
        self.clean = clean
    }

    package func listener(file: String) -> Listener? {
        guard pipeline.alerts.webhook != nil else { return nil }
        return Listener(events: pipeline.alerts.events.map(\.rawValue).sorted(), file: file)
    }

    private func make(
        _ kind: WebhookEvent.Kind,
        _ cause: [String],
        _ at: Instant,
        _ data: [JSONValue.Member]
    ) -> [OutboxEvent] {
        guard pipeline.alerts.webhook != nil, pipeline.alerts.events.contains(kind) else { return [] }
        return [WebhookEvent.make(kind, pipeline: pipeline.name, cause: cause, at: at, data, clean: clean)]
    }

    /// Names of streams, so many at most: a body stays small whatever failed.
    private static let nameLimit = 50

    package func failed(_ runID: String, _ faults: [Fault], generation: Int?, streams: [String], at: Instant)
        -> [OutboxEvent]
    {
        make(
            .runFailed,
            [runID],
            at,
            [
                .init("run_id", .string(runID)), .init("class", .optional(faults.first?.code.rawValue)),
                .init("exit_code", .integer(faults.first?.code.exitCode ?? 0)),
                .init("generation", generation.map { .integer($0) } ?? .null),
                .init("failed_streams", .strings(Array(streams.prefix(RunEvents.nameLimit)))),
                .init("failed_stream_count", .integer(streams.count)),
            ]
        )
    }

    func published(_ generation: Generation, runID: String, at: Instant) -> [OutboxEvent] {
        let manifest = generation.manifest
        let stale = manifest.streams.filter(\.isStale).map(\.name)
        return make(
            .published,
            ["\(generation.number)", generation.manifestSHA256],
            at,
            [
                .init("run_id", .string(runID)), .init("generation", .integer(generation.number)),
                .init("manifest_sha256", .string(generation.manifestSHA256)),
                .init("rows", .integer(manifest.rows)), .init("files", .integer(manifest.files.count)),
                .init("streams", .integer(manifest.streams.count)),
                .init("stale_streams", .strings(Array(stale.prefix(RunEvents.nameLimit)))),
            ]
        )
    }

    /// A generation that was found to be current though the state did not know.
    func found(_ generation: Generation, after known: Int?, runID: String, at: Instant) -> [OutboxEvent] {
        if let known, generation.number < known {
            return RunEvents.rolledBack(
                pipeline: pipeline.name,
                from: known,
                to: generation.number,
                manifestSHA256: generation.manifestSHA256,
                at: at,
                listener: listener(file: ""),
                clean: clean
            )
        }
        return published(generation, runID: runID, at: at)
    }

    package func turned(_ flag: PipelineSwitch, runID: String?) -> [OutboxEvent] {
        make(
            flag.enabled ? .pipelineEnabled : .pipelineDisabled,
            [runID ?? "", flag.at.text, flag.by, flag.reason],
            flag.at,
            [
                .init("automatic", .bool(flag.by == PipelineSwitch.itself)),
                // What a person wrote, and who it was, stays at home.
                .init("reason", flag.by == PipelineSwitch.itself ? .string(flag.reason) : .null),
                .init("run_id", .optional(runID)),
            ]
        )
    }

    /// - Parameter listener: whom the last run knew of; `nil`: nobody is told.
    package static func rolledBack(
        pipeline: String,
        from: Int,
        to: Int,
        manifestSHA256: String,
        at: Instant,
        listener: Listener?,
        clean: (JSONValue) -> JSONValue
    ) -> [OutboxEvent] {
        guard let listener, listener.events.contains(WebhookEvent.Kind.rolledBack.rawValue) else { return [] }
        return [
            WebhookEvent.make(
                .rolledBack,
                pipeline: pipeline,
                cause: ["\(from)", "\(to)", at.text],
                at: at,
                [
                    .init("from", .integer(from)), .init("generation", .integer(to)),
                    .init("manifest_sha256", .string(manifestSHA256)),
                ],
                clean: clean
            )
        ]
    }
}
