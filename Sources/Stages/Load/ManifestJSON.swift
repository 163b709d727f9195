internal import ArchiveWriting
package import Model

/// The manifest as JSON. Optional facts that are not known are left out rather than written as null.
extension Manifest {
    /// The bytes of `manifest.json`.
    package var bytes: [UInt8] { JSONValue.canonical(facts, "streams", sorted.lazy.map(\.json)) }

    package var json: JSONValue { .object(facts + [.init("streams", .array(sorted.map(\.json)))]) }

    private var sorted: [Stream] { streams.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) } }

    /// All but the streams.
    private var facts: [JSONValue.Member] {
        extra + [
            .init("format", .string(Manifest.format)),
            .init("pipeline", .string(pipeline)),
            .init("key_ids", .strings(keyIDs)),
        ] + member("crypto", crypto?.json) + member("organization", organization?.json)
            + member("diagnostics", diagnostics?.json)
    }
}

/// No member at all for a fact that is not known.
func member(_ key: String, _ value: JSONValue?) -> [JSONValue.Member] { value.map { [.init(key, $0)] } ?? [] }

extension Manifest.Organization {
    fileprivate var json: JSONValue {
        .object(member("header", header.map { .string($0) }) + member("id", id.map { .string($0) }))
    }
}

extension Manifest.Diagnostics {
    fileprivate var json: JSONValue {
        let relations = relations.map { relation in
            JSONValue.object(
                [
                    .init("name", .string(relation.name)), .init("rule", .string(relation.rule)),
                    .init("findings", .integer(relation.findings)), .init("rows", .integer(relation.rows)),
                ] + member("skipped", relation.skipped.map { .string($0) })
            )
        }
        let file: JSONValue? = sha256.map { ["path": .string(Manifest.Diagnostics.path), "sha256": .string($0)] }
        return .object([.init("relations", .array(relations))] + member("file", file))
    }
}

extension Manifest.Crypto {
    fileprivate var json: JSONValue {
        .object(
            [
                .init("tenant", .string(tenant))
            ]
                + (keys.isEmpty
                    ? []
                    : [
                        .init(
                            "keys",
                            .array(
                                keys.map {
                                    ["kid": .string($0.kid), "epoch": .integer($0.epoch), "commit": .string($0.commit)]
                                }
                            )
                        )
                    ]) + [
                    .init(
                        "fields",
                        .array(
                            fields.map {
                                ["path": .string($0.path), "alg": .string($0.algorithm), "domain": .string($0.domain)]
                            }
                        )
                    )
                ]
        )
    }
}

extension Manifest.Stream {
    fileprivate var json: JSONValue {
        let sorted = partitions.sorted { $0.value.utf8.lexicographicallyPrecedes($1.value.utf8) }
        var members: [JSONValue.Member] = extra
        members += [
            .init("name", .string(name)), .init("mode", .string(mode)), .init("primary_key", .strings(primaryKey)),
            .init("schema", .string(schema)), .init("rows", .integer(rows)), .init("stale", .bool(isStale)),
            .init("partitions", .array(sorted.map(\.json))),
        ]
        members += member("bucket_width", bucketWidth.map { .string($0) })
        members += member("group_by", groupBy.map { .strings($0) })
        members += member("schema_sha256", schemaSHA256.map { .string($0) })
        members += member("coverage", coverage.map(\.json))
        members += member("watermark", watermark.map { .string($0.text) })
        members += member("cursors", cursors)
        return .object(members)
    }
}

extension Manifest.Coverage {
    fileprivate var json: JSONValue {
        let holes = gaps.map {
            JSONValue.object([.init("from", .string($0.from.text)), .init("to", .string($0.to.text))])
        }
        return .object(
            [.init("from", .string(from.text)), .init("to", .string(to.text))]
                + member("gaps", gaps.isEmpty ? nil : .array(holes))
        )
    }
}

extension Manifest.Partition {
    /// `{"dt": "2025-11-03"}` or `{}`.
    var name: JSONValue { value.isEmpty ? [:] : ["dt": .string(value)] }

    fileprivate var json: JSONValue { ["partition": name, "files": .array(files.map(\.json))] }
}

extension Manifest.File {
    var json: JSONValue {
        .object(
            [
                .init("path", .string(path)), .init("rows", .integer(rows)), .init("bytes", .integer(facts.bytes)),
                .init("sha256", .string(facts.sha256)), .init("content_bytes", .integer(facts.contentBytes)),
                .init("content_sha256", .string(facts.contentSHA256)),
            ] + member("key_id", keyID.map { .string($0) }) + member("min", min.map { .string($0.text) })
                + member("max", max.map { .string($0.text) })
                + (totals?.members ?? [])
        )
    }
}
