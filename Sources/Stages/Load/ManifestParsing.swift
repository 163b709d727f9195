internal import ArchiveWriting
package import Model

/// Reads a manifest and refuses one that could not have been written by us: other format, missing or misshapen facts,
/// paths that leave the generation, the same path twice, sums that don't add up.
extension Manifest {
    /// - Parameter path: where the bytes come from, for the message.
    package init(parsing bytes: [UInt8], path: String) throws(Fault) {
        let value: JSONValue
        do throws(JSONError) { value = try JSONValue(parsing: bytes) } catch {
            throw ManifestReader.fault("is not JSON: \(error)", path)
        }
        self = try ManifestReader(path: path).manifest(value)
    }
}

private struct ManifestReader {
    let path: String

    static func fault(_ what: String, _ path: String) -> Fault {
        Fault(
            .cannotWrite,
            "the manifest `\(path)` \(what)",
            mend:
                "go back to a generation that is whole with `cogni rollback OUTPUT --to GEN`; `cogni verify` lists the damage"
        )
    }

    private func wrong(_ place: String, _ what: String) -> Fault { Self.fault("has \(what) at \(place)", path) }

    func manifest(_ value: JSONValue) throws(Fault) -> Manifest {
        let format = try text(value, "format", "the top")
        guard format == Manifest.format else {
            throw Self.fault("has format `\(format)`, not `\(Manifest.format)`", path)
        }
        var manifest = Manifest(pipeline: try text(value, "pipeline", "the top"))
        manifest.keyIDs = try texts(value, "key_ids", "the top") ?? []
        if let crypto = value["crypto"] { manifest.crypto = try self.crypto(crypto) }
        if let found = value["organization"] {
            manifest.organization = .init(header: found["header"]?.text, id: found["id"]?.text)
        }
        if let found = value["diagnostics"] { manifest.diagnostics = try diagnostics(found) }
        for (index, stream) in try list(value, "streams", "the top").enumerated() {
            manifest.streams.append(try self.stream(stream, "streams[\(index)]"))
        }
        manifest.extra = rest(
            value,
            ["format", "pipeline", "key_ids", "crypto", "organization", "diagnostics", "streams"]
        )
        try checkUnique(manifest.files.map(\.path), "paths")
        try checkUnique(manifest.streams.map(\.name), "streams")
        return manifest
    }

    private func diagnostics(_ value: JSONValue) throws(Fault) -> Manifest.Diagnostics {
        var made = Manifest.Diagnostics(relations: [])
        for (index, relation) in try list(value, "relations", "diagnostics").enumerated() {
            let place = "diagnostics.relations[\(index)]"
            made.relations.append(
                .init(
                    name: try text(relation, "name", place),
                    rule: try text(relation, "rule", place),
                    skipped: relation["skipped"]?.text,
                    findings: try number(relation, "findings", place),
                    rows: try number(relation, "rows", place)
                )
            )
        }
        if let file = value["file"] { made.sha256 = try digest(file, "sha256", "diagnostics.file") }
        return made
    }

    private func crypto(_ value: JSONValue) throws(Fault) -> Manifest.Crypto {
        var fields: [Manifest.Crypto.Field] = []
        for (index, field) in try list(value, "fields", "crypto").enumerated() {
            let place = "crypto.fields[\(index)]"
            fields.append(
                .init(
                    path: try text(field, "path", place),
                    algorithm: try text(field, "alg", place),
                    domain: try text(field, "domain", place)
                )
            )
        }
        var crypto = Manifest.Crypto(tenant: try text(value, "tenant", "crypto"), fields: fields)
        for (index, key) in (value["keys"]?.elements ?? []).enumerated() {
            let place = "crypto.keys[\(index)]"
            crypto.keys.append(
                .init(
                    kid: try text(key, "kid", place),
                    epoch: try number(key, "epoch", place),
                    commit: try text(key, "commit", place)
                )
            )
        }
        return crypto
    }

    private func stream(_ value: JSONValue, _ place: String) throws(Fault) -> Manifest.Stream {
        var stream = Manifest.Stream(
            name: try text(value, "name", place),
            mode: try text(value, "mode", place),
            primaryKey: try texts(value, "primary_key", place) ?? [],
            groupBy: try texts(value, "group_by", place)
        )
        stream.bucketWidth = value["bucket_width"]?.text
        stream.isStale = value["stale"]?.boolean ?? false
        stream.schemaSHA256 = try value["schema_sha256"].map { (_) throws(Fault) in
            try digest(value, "schema_sha256", place)
        }
        if let coverage = value["coverage"] {
            let whole = try span(coverage, place + ".coverage")
            stream.coverage = .init(from: whole.from, to: whole.to)
            if coverage["gaps"] != nil {
                for (index, gap) in try list(coverage, "gaps", place + ".coverage").enumerated() {
                    stream.coverage?.gaps.append(try span(gap, "\(place).coverage.gaps[\(index)]"))
                }
            }
        }
        stream.watermark = try instant(value, "watermark", place)
        stream.cursors = value["cursors"]
        for (index, partition) in try list(value, "partitions", place).enumerated() {
            stream.partitions.append(try self.partition(partition, "\(place).partitions[\(index)]"))
        }
        stream.extra = rest(
            value,
            [
                "name", "mode", "primary_key", "bucket_width", "group_by", "schema", "schema_sha256", "rows", "stale",
                "coverage", "watermark", "cursors", "partitions",
            ]
        )
        guard try number(value, "rows", place) == stream.rows else {
            throw wrong(place, "a row count that is not the sum of its files'")
        }
        guard try text(value, "schema", place) == stream.schema else { throw wrong(place, "an unknown schema path") }
        try checkUnique(stream.partitions.map(\.value), "partitions of `\(stream.name)`")
        return stream
    }

    private func span(_ value: JSONValue, _ place: String) throws(Fault) -> Manifest.Coverage.Span {
        guard let from = try instant(value, "from", place), let to = try instant(value, "to", place) else {
            throw wrong(place, "a span of time without from and to")
        }
        return .init(from: from, to: to)
    }

    private func partition(_ value: JSONValue, _ place: String) throws(Fault) -> Manifest.Partition {
        guard let name = value["partition"]?.members, name.count <= 1, name.allSatisfy({ $0.key == "dt" }) else {
            throw wrong(place, "a partition that is neither {} nor {\"dt\": …}")
        }
        var partition = Manifest.Partition(value: name.first?.value.text ?? "", files: [])
        guard name.isEmpty == partition.value.isEmpty else { throw wrong(place, "an empty partition value") }
        for (index, file) in try list(value, "files", place).enumerated() {
            partition.files.append(try self.file(file, "\(place).files[\(index)]"))
        }
        return partition
    }

    private func file(_ value: JSONValue, _ place: String) throws(Fault) -> Manifest.File {
        let path = try text(value, "path", place)
        guard ArchiveName.isPlain(path) else { throw wrong(place, "a path that leaves the generation") }
        let facts = FileFacts(
            bytes: try number(value, "bytes", place),
            sha256: try digest(value, "sha256", place),
            contentBytes: try number(value, "content_bytes", place),
            contentSHA256: try digest(value, "content_sha256", place)
        )
        var file = Manifest.File(
            path: path,
            rows: try number(value, "rows", place),
            facts: facts,
            min: try instant(value, "min", place),
            max: try instant(value, "max", place)
        )
        if value["nulls"] != nil || value["sums"] != nil {
            guard let totals = ColumnTotals(value) else { throw wrong(place, "misshapen nulls or sums") }
            file.totals = totals
        }
        file.keyID = value["key_id"]?.text
        return file
    }

    private func checkUnique(_ names: [String], _ what: String) throws(Fault) {
        if Set(names).count != names.count { throw Self.fault("names the same twice among its \(what)", path) }
    }

    private func rest(_ value: JSONValue, _ known: Set<String>) -> [JSONValue.Member] {
        (value.members ?? []).filter { !known.contains($0.key) }
    }

    private func text(_ value: JSONValue, _ key: String, _ place: String) throws(Fault) -> String {
        guard let text = value[key]?.text else { throw wrong(place, "no text `\(key)`") }
        return text
    }

    private func texts(_ value: JSONValue, _ key: String, _ place: String) throws(Fault) -> [String]? {
        guard let found = value[key] else { return nil }
        let texts = found.elements?.compactMap(\.text)
        guard let texts, texts.count == found.elements?.count else { throw wrong(place, "no list of texts `\(key)`") }
        return texts
    }

    private func number(_ value: JSONValue, _ key: String, _ place: String) throws(Fault) -> Int {
        guard let number = value[key]?.integer, number >= 0 else { throw wrong(place, "no count `\(key)`") }
        return number
    }

    private func digest(_ value: JSONValue, _ key: String, _ place: String) throws(Fault) -> String {
        let digest = try text(value, key, place)
        let isHex = digest.utf8.allSatisfy { ($0 >= 48 && $0 <= 57) || ($0 >= 97 && $0 <= 102) }
        guard digest.utf8.count == 64, isHex else {
            throw wrong(place, "no SHA-256 `\(key)`")
        }
        return digest
    }

    private func instant(_ value: JSONValue, _ key: String, _ place: String) throws(Fault) -> Instant? {
        guard let found = value[key], !found.isNull else { return nil }
        guard let instant = found.text.flatMap({ Instant(text: $0) }) else { throw wrong(place, "no time `\(key)`") }
        return instant
    }

    private func list(_ value: JSONValue, _ key: String, _ place: String) throws(Fault) -> [JSONValue] {
        guard let list = value[key]?.elements else { throw wrong(place, "no list `\(key)`") }
        return list
    }
}
