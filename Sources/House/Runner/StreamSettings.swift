internal import Connector
internal import Model
internal import PipelineFile
internal import Sealing
internal import Transform

/// Fingerprints of what decides a stream's bytes, so that files made under different rules never mix.
enum StreamSettings {
    /// Of one stream: what its manifest entry remembers as `settings`.
    static func fingerprint(_ plan: Pipeline.StreamPlan, _ pipeline: Pipeline, _ doors: RunDoors) -> String {
        let spec = plan.spec
        let rules = FieldRules(pipeline: pipeline, doors: doors)
        let columns: [JSONValue] = spec.archiveColumns.map { column in
            [
                "name": .string(column.name), "path": .strings(column.path), "kind": .string(column.kind.rawValue),
                "sealed": .bool(rules.isSealed(stream: spec.name, column: column)),
                "rule": .optional((rules.rules["\(spec.name).\(column.name)"] ?? rules.rules[column.name])?.rawValue),
                "inner": .array(column.inner.map { .strings($0.path + [$0.domain ?? ""]) }),
            ]
        }
        let transform = pipeline.transform
        let isSealing = transform.encryption != nil
        // Tokens of an earlier key are given the new one where rows meet; a pseudonym has no way back, so its rows can't.
        let hasTokens = spec.columns.contains { column in
            rules.isSealed(stream: spec.name, column: column)
                || column.inner.contains { rules.isSealed(stream: spec.name, inner: $0) }
        }
        let value: JSONValue = [
            "columns": .array(columns), "width": .optional(plan.bucketWidth), "group_by": .strings(plan.groupBy),
            "format": .string(pipeline.load.format.rawValue),
            "compression": .string(pipeline.load.compression.rawValue),
            "partition_by": .string(pipeline.load.partitionBy.rawValue), "secrets": .bool(transform.maskSecrets),
            "unknown": .string(
                transform.unknownFields.rawValue + (transform.newValues == .drop ? ", values" : "")
                    + (transform.missingFields == .drop ? ", rows" : "")
            ),
            "guard": .bool(pipeline.load.guardFormulas),
            "mode": .optional(isSealing ? transform.encryption?.mode.rawValue : nil),
            "tenant": .optional(isSealing ? doors.tenant : nil),
            "key": .optional(hasTokens && transform.encryption?.mode == .pseudonym ? doors.key?.kid : nil),
        ]
        return String(Digest.hex(value.canonicalText).prefix(16))
    }

    /// Of a whole run: two runs with the same one would do the same, so that the second may finish the first.
    static func planFingerprint(
        _ pipeline: Pipeline,
        _ options: RunOptions,
        _ doors: RunDoors,
        _ plans: [Pipeline.StreamPlan],
        source: String,
        _ manifestSHA256: String?
    ) -> String {
        let value: JSONValue = [
            "pipeline": .string(pipeline.name), "base_url": .string(pipeline.source.baseURL), "source": .string(source),
            "manifest": .optional(manifestSHA256), "since": .optional(options.since?.text),
            "until": .optional(options.until?.text), "full_refresh": .bool(options.fullRefresh),
            "key": .optional(doors.key?.kid), "page_limit": pipeline.source.pageLimit.map { .integer($0) } ?? .null,
            "max_file_size": .integer(pipeline.load.maxFileSize.bytes),
            "streams": .array(
                plans.map { plan in
                    [
                        "name": .string(plan.spec.name), "settings": .string(fingerprint(plan, pipeline, doors)),
                        "since": .optional(plan.since?.text), "until": .optional(plan.until?.text),
                        "lookback": .integer(plan.lookback.seconds), "open": .bool(plan.includeOpenBucket),
                    ]
                }
            ),
        ]
        return Digest.hex(value.canonicalText)
    }
}
