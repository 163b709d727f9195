internal import Connector
internal import Load
internal import Model
internal import PipelineFile
internal import Transform

/// What a manifest says of how its columns were encrypted: of each stream, what was in force when its files were written.
///
/// Streams that a run leaves as they are keep what the generation before says of them. The pipeline file may have come to say
/// something else meanwhile, and then their tokens could no longer be opened, or clear text would count as sealed.
struct SealedColumns {
    let pipeline: Pipeline
    let doors: RunDoors
    let current: Manifest?

    /// - Parameter written: streams whose files are of this run's making.
    func crypto(written: Set<String>) throws(Fault) -> Manifest.Crypto? {
        var fields: [Manifest.Crypto.Field] = []
        var made: [String] = []
        var kept: [String] = []
        for plan in pipeline.streams {
            let name = plan.spec.name
            let isKept = !written.contains(name) && holds(name)
            let own = isKept ? known(name) : fresh(plan)
            if isKept, !own.isEmpty { kept.append(name) }
            if written.contains(name), !own.isEmpty { made.append(name) }
            fields += own
        }
        guard !fields.isEmpty else { return nil }
        guard let old = current?.crypto, !kept.isEmpty else {
            return Manifest.Crypto(tenant: doors.tenant, fields: fields)
        }
        guard old.tenant == doors.tenant || made.isEmpty else { throw otherTenant(old.tenant, made, kept) }
        return Manifest.Crypto(tenant: old.tenant, fields: fields)
    }

    /// Whether the current generation has files of the stream, or of what cogni makes beside it.
    private func holds(_ name: String) -> Bool {
        [name, ChangeLog.name(name), RestatementLedger.name(name)].contains { name in
            current?.stream(name)?.partitions.isEmpty == false
        }
    }

    private func known(_ name: String) -> [Manifest.Crypto.Field] {
        (current?.crypto?.fields ?? []).filter { $0.path.hasPrefix(name + ".") }
    }

    private func fresh(_ plan: Pipeline.StreamPlan) -> [Manifest.Crypto.Field] {
        let rules = FieldRules(pipeline: pipeline, doors: doors)
        guard doors.key != nil, !rules.sealedFields.isEmpty else { return [] }
        let algorithm = pipeline.transform.encryption?.mode.rawValue ?? "deterministic"
        let name = plan.spec.name
        var fields: [Manifest.Crypto.Field] = []
        for column in plan.spec.columns {
            if rules.isSealed(stream: name, column: column) {
                fields.append(
                    Manifest.Crypto.Field(
                        path: "\(name).\(column.name)",
                        algorithm: algorithm,
                        domain: FieldRules.domain(stream: name, column: column)
                    )
                )
            }
            for inner in column.inner where rules.isSealed(stream: name, inner: inner) {
                let path = inner.path.joined(separator: ".")
                fields.append(
                    Manifest.Crypto.Field(
                        path: "\(name).\(column.name).\(path)",
                        algorithm: algorithm,
                        domain: inner.domain ?? "\(name).\(column.name).\(path)"
                    )
                )
            }
        }
        return fields
    }

    /// A manifest names one tenant: tokens of another one could not be opened by it.
    private func otherTenant(_ tenant: String, _ made: [String], _ kept: [String]) -> Fault {
        Fault(
            .badPlan,
            "nothing was published: \(kept.joined(separator: ", ")) would stay encrypted for `\(tenant)`, beside \(made.joined(separator: ", ")) for `\(doors.tenant)`",
            mend: "run once with `--full-refresh` and no `--streams`, or set `organization` back"
        )
    }
}
