package import Connector
package import Model

/// Reads a pipeline file into a ``Pipeline``: checked against its connector, every default filled in.
///
/// All mistakes come out in one pass. Some values may stay open, so that `validate`, `plan` and `--replay` need no
/// secret: `source.credential`, `transform.encrypt.key_ring`, `alerts.webhook` and `alerts.webhook_secret` are `nil`
/// while their variable is unset.
package struct PipelineReader {
    package struct Reading: Sendable {
        /// `nil` when there is a mistake.
        package var pipeline: Pipeline?
        /// Warnings and notes too.
        package var diagnostics: Diagnostics

        package init(pipeline: Pipeline?, diagnostics: Diagnostics) {
            self.pipeline = pipeline
            self.diagnostics = diagnostics
        }

        package func get() throws(Fault) -> Pipeline {
            if let pipeline { return pipeline }
            throw diagnostics.fault ?? Fault(.badPlan, "the pipeline could not be read", mend: "run `cogni validate`")
        }
    }

    /// - Parameters:
    ///   - file: the name for messages, as the user wrote it.
    ///   - environment: what `${NAME}` looks in.
    ///   - readFile: the bytes of a file, `nil` when it can't be read; for `${file:…}` and connector files.
    ///     Paths are passed on as written.
    package static func read(
        file: String,
        bytes: [UInt8],
        environment: [String: String],
        readFile: @escaping (String) -> [UInt8]?
    ) -> Reading {
        let report = FileReport(file: file)
        let variables = Variables(environment: environment, readFile: readFile)
        variables.fill(report)
        var reader = PipelineReader(report: report, variables: variables)
        let pipeline = YAMLFile.read(bytes, into: report).flatMap { root in
            Section(root, called: "a pipeline file", "at the top level", at: root.place, in: report)
                .flatMap { reader.pipeline($0) }
        }
        var diagnostics = report.diagnostics
        diagnostics += reader.connectorDiagnostics
        return Reading(pipeline: diagnostics.hasErrors ? nil : pipeline, diagnostics: diagnostics)
    }

    let report: FileReport
    let variables: Variables
    /// What a connector file of the user's own has to say for itself.
    var connectorDiagnostics = Diagnostics()

    private static let keys = [
        "pipeline", "enabled", "source", "streams", "transform", "load", "alerts", "metrics", "lineage",
        "diagnostics",
    ]

    private mutating func pipeline(_ root: Section) -> Pipeline? {
        if root.has("connector"), !root.has("pipeline") {
            report.error(
                .wrongType,
                "this is a connector file, not a pipeline file",
                at: root.keyPlace("connector"),
                hint: "name it in the \"source\" of a pipeline file; `cogni discover` shows its streams"
            )
            return nil
        }
        root.checkKeys(PipelineReader.keys)
        let name = name(root)
        root.require("source", hint: "write source: { connector: openai_admin }")
        let source = root.section("source")
        let connector = source.flatMap { self.connector($0) }
        let settings = source.map { self.source($0, connector) }
        let streams = self.streams(root, connector)
        let transform = self.transform(root, connector, streams)
        let load = self.load(root)
        let alerts = self.alerts(root)
        let metrics = self.metrics(root)
        let lineage = self.lineage(root)
        let diagnostics = self.diagnostics(root, connector)
        checkPageLimit(source, settings, streams)
        guard let connector, let settings else { return nil }
        return Pipeline(
            name: name,
            enabled: root.flag("enabled") ?? true,
            file: report.file,
            source: settings,
            streams: streams,
            transform: transform,
            load: load,
            alerts: alerts,
            metrics: metrics,
            lineage: lineage,
            diagnostics: diagnostics,
            connector: connector
        )
    }

    /// The name becomes a folder and a key of the state.
    private func name(_ root: Section) -> String {
        root.require("pipeline", hint: "name it: pipeline: openai-admin")
        guard let text = root.text("pipeline") else { return "" }
        let letters = text.value.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 45 }
        if !letters || text.value.utf8.count > 63 || text.value.hasPrefix("-") || text.value.hasSuffix("-") {
            report.error(
                .wrongValue,
                "a pipeline's name has 1 to 63 of a-z, 0-9 and -, not \(report.quoted(text.written))",
                at: text.place,
                hint: PipelineReader.fitting(text.value).map { "for example \($0)" }
            )
        }
        return text.value
    }

    /// `My Pipeline_2` → `my-pipeline-2`. None for what may hold a key: in small letters nothing would know it any more.
    private static func fitting(_ name: String) -> String? {
        let words = name.lowercased().split { !($0.isASCII && ($0.isLetter || $0.isNumber)) }
        guard !SecretShapes.isSecret(name), words.allSatisfy({ $0.count < 15 }) else { return nil }
        let fitting = words.joined(separator: "-").prefix(63)
        return fitting.isEmpty ? nil : String(fitting)
    }

    /// A shell knows what `~` is; here it would be a folder of that name.
    func refuseHome(_ key: String, _ path: String, at place: Place?) {
        guard path == "~" || path.hasPrefix("~/") else { return }
        report.error(
            .wrongValue,
            "\"\(key)\" begins with ~, which only a shell knows",
            at: place,
            hint: "write ${HOME}/… in its place"
        )
    }

    private func load(_ root: Section) -> Pipeline.Load {
        let section = root.section("load")
        section?.checkKeys([
            "directory", "format", "compression", "partition_by", "max_file_size", "bundle", "keep_generations",
            "guard_formulas",
        ])
        let directory = section?.text("directory")
        let load = Pipeline.Load(
            directory: directory?.value ?? "output",
            format: section?.word("format", Pipeline.Load.Format.self) ?? .ndjson,
            compression: section?.word("compression", Pipeline.Load.Compression.self) ?? .gzip,
            partitionBy: section?.word("partition_by", Pipeline.Load.PartitionBy.self) ?? .day,
            maxFileSize: section?.size("max_file_size") ?? ByteSize(bytes: 256_000_000),
            bundle: section?.word("bundle", Pipeline.Load.Bundle.self) ?? .none,
            keepGenerations: section?.whole("keep_generations", 1...100_000) ?? 14,
            guardFormulas: section?.flag("guard_formulas") ?? false
        )
        if load.maxFileSize.bytes < 1000, let text = section?.text("max_file_size") {
            report.error(
                .wrongValue,
                "\"max_file_size\" must be at least 1kB, not \(report.quoted(text.written))",
                at: text.place
            )
        }
        if let directory, directory.value.isEmpty {
            report.error(
                .wrongValue,
                "\"directory\" is empty: the output would stand at the root of the file system",
                at: directory.place,
                hint: "give the variable a value, or write ${NAME:-output}"
            )
        }
        if let directory { refuseHome("directory", directory.value, at: directory.place) }
        if load.guardFormulas, load.format != .csv, let section {
            report.warn(
                .noEffect,
                "\"guard_formulas\" has no effect: only csv files are opened as spreadsheets",
                at: section.keyPlace("guard_formulas")
            )
        }
        return load
    }

    /// One number for all relations together, or one for each.
    private func diagnostics(_ root: Section, _ connector: Connector?) -> Pipeline.DiagnosticLimits {
        var limits = Pipeline.DiagnosticLimits()
        guard let section = root.section("diagnostics") else { return limits }
        section.checkKeys(["max_findings"])
        guard let entry = section.entry("max_findings") else { return limits }
        guard case .map = entry.value.content, let each = section.section("max_findings") else {
            limits.total = section.whole("max_findings", 0...1_000_000_000)
            return limits
        }
        let names = connector?.relations.map(\.name) ?? []
        for entry in each.entries {
            if let connector, !names.contains(entry.key) {
                report.error(
                    .unknownName,
                    "the connector \"\(connector.name)\" has no relation \(report.quoted(entry.key))",
                    at: entry.keyPlace,
                    hint: Spelling.question(for: entry.key, in: names),
                    allowed: names
                )
            }
            limits.byRelation[entry.key] = each.whole(entry.key, 0...1_000_000_000)
        }
        return limits
    }
}
