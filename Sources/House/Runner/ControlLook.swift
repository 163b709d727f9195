internal import Connector
internal import Load
internal import Model
internal import PipelineFile
internal import Sanitizing
internal import Transform

/// The last look at a generation's files that are no archives: manifest, schemas, and what relations found.
struct ControlLook {
    let pipeline: Pipeline
    let gate: LeakGate?
    let rules: FieldRules

    /// Why the generation must not be published; `nil`: it may.
    func fault(_ publication: Publication) -> Fault? {
        for (name, bytes) in publication.controlFiles {
            if let hit = gate?.firstHit(bytes, count: bytes.count) {
                return held("\(name) holds what looks like a secret (\(hit.kind))")
            }
            guard name == Manifest.Diagnostics.path else { continue }
            for line in bytes.split(separator: 10) {
                guard let place = bare(finding: Array(line)) else { continue }
                return held("\(name) holds clear text of \(place), which was to be encrypted, masked or dropped")
            }
        }
        return nil
    }

    /// The column of a finding whose value shows what it should not.
    private func bare(finding line: [UInt8]) -> String? {
        guard let finding = try? JSONValue(parsing: line), let stream = finding["stream"]?.text,
            let name = finding["column"]?.text, let value = finding["value"],
            let column = pipeline.connector.stream(stream)?.column(name),
            let protection = OutgoingLook.protection(stream: stream, column, rules), !protection.isMet(by: value)
        else { return nil }
        return "\(stream).\(name)"
    }

    private func held(_ what: String) -> Fault {
        Fault(
            .badReply,
            "nothing was published: \(what)",
            at: [OutgoingLook.place],
            mend: "drop the field in the pipeline file, and run with `--full-refresh`: old rows may hold it too"
        )
    }
}
