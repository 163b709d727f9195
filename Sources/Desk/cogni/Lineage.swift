import ArchiveWriting
import Connector
import Console
import Disk
import Ledger
import Load
import Model
import PipelineFile
import Reporting
import Runner
import Sanitizing
import Telemetry

/// OpenLineage events of one run, to the file or the server that the pipeline names.
struct Lineage {
    let workspace: Workspace
    let options: RunOptions

    private var place: Pipeline.Lineage? { workspace.pipeline.lineage }

    func began() async -> String? { await tell(event(.start)) }

    func ended(_ summary: RunSummary?, _ fault: Fault?) async -> String? {
        guard place != nil else { return nil }
        let faults = summary?.faults ?? [fault].compactMap(\.self)
        let isStopped = faults.contains { $0.code == .interrupted || $0.code == .terminated }
        var event = event(isStopped ? .abort : faults.isEmpty ? .complete : .fail)
        if let first = faults.first, !isStopped { event.failure = "\(first.code.rawValue): \(first.what)" }
        event.generation = summary?.generation
        let current = try? workspace.root.current()
        for index in event.streams.indices {
            let name = event.streams[index].name
            event.streams[index].fetched = summary?.streams.first { $0.name == name }?.tally.fetched
            guard event.kind == .complete || event.kind == .fail, let stream = current?.manifest.stream(name) else {
                continue
            }
            let files = stream.partitions.flatMap(\.files)
            event.streams[index].rows = stream.rows
            event.streams[index].bytes = files.reduce(0) { $0 + $1.facts.bytes }
            event.streams[index].files = files.count
        }
        return await tell(event)
    }

    private func event(_ kind: LineageEvent.Kind) -> LineageEvent {
        let pipeline = workspace.pipeline
        let plans = pipeline.streams.filter { options.selects($0.spec.name) }
        let streams = plans.map { plan in
            LineageEvent.Stream(
                name: plan.spec.name,
                path: plan.spec.path,
                fields: plan.spec.archiveColumns.map { ($0.name, $0.kind.rawValue, $0.description) }
            )
        }
        return LineageEvent(
            kind,
            at: Instant(seconds: Console.wallSeconds),
            runID: options.runID,
            pipeline: pipeline.name,
            namespace: place?.namespace ?? "cogni",
            source: pipeline.source.baseURL,
            output: Environment.absolute(workspace.output),
            streams: streams,
            version: Version.text
        )
    }

    /// Returns what went wrong. Lineage never fails a run.
    private func tell(_ event: LineageEvent) async -> String? {
        guard let place else { return nil }
        let json = Terminal.sanitizer.clean(event.json)
        var problems: [String] = []
        if let file = place.file {
            do throws(DiskError) { try Disk.append(file, Array(json.compact.utf8) + [10]) } catch {
                problems.append("\(error)")
            }
        }
        if let url = place.url {
            do throws(Fault) {
                let answer = await (try WebPost()).send(
                    json.compact,
                    to: url + "/api/v1/lineage",
                    headers: [("Content-Type", "application/json")],
                    networks: OwnServices.networks,
                    within: .seconds(5)
                )
                if !answer.isGood { problems.append("the lineage server: \(answer.text)") }
            } catch { problems.append(error.what) }
        }
        return problems.isEmpty ? nil : problems.joined(separator: "; ")
    }
}
