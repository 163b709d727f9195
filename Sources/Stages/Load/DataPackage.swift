internal import ArchiveWriting
internal import Model

/// `datapackage.json`: the generation for readers of Data Package 2.0, one resource a file.
///
/// One resource a stream with a list of paths would be shorter, but then `bytes` and `hash` would have to speak of the
/// uncompressed parts joined, and no reader could check what it downloads.
enum DataPackage {
    /// `nil` when there is no file: the profile wants at least one resource.
    static func bytes(_ manifest: Manifest) -> [UInt8]? {
        guard manifest.streams.contains(where: { $0.partitions.contains { !$0.files.isEmpty } }) else { return nil }
        let streams = manifest.streams.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        let resources = streams.lazy.flatMap { stream in
            stream.partitions.sorted { $0.value.utf8.lexicographicallyPrecedes($1.value.utf8) }.lazy.flatMap {
                partition in
                partition.files.enumerated().map { resource(stream, partition, $1, number: $0 + 1) }
            }
        }
        let members: [JSONValue.Member] = [
            .init("$schema", "https://datapackage.org/profiles/2.0/datapackage.json"),
            .init("name", .string(manifest.pipeline)),
        ]
        return JSONValue.canonical(members, "resources", resources)
    }

    private static func resource(
        _ stream: Manifest.Stream,
        _ partition: Manifest.Partition,
        _ file: Manifest.File,
        number: Int
    ) -> JSONValue {
        let format = RowFormat(path: file.path)
        let day = partition.value.isEmpty ? "" : "dt-\(PartitionValue.escape(partition.value))."
        var members: [JSONValue.Member] = [
            .init("name", .string("\(stream.name).\(day)\(number.zeroPadded(5))")),
            .init("type", "table"),
            .init("path", .string(file.path)),
            .init("format", .string(format.rawValue)),
            .init("mediatype", format == .csv ? "text/csv" : "application/x-ndjson"),
            .init("encoding", "utf-8"),
            .init("bytes", .integer(file.facts.bytes)),
            .init("hash", .string("sha256:" + file.facts.sha256)),
            .init("rows", .integer(file.rows)),
            .init("schema", .string(stream.schema)),
        ]
        switch Codec(path: file.path) {
        case .none: break
        case .gzip: members.append(.init("compression", "gz"))
        case .zstd: members.append(.init("compression", "zst"))
        }
        if format == .csv { members.append(.init("dialect", ["lineTerminator": "\n"])) }
        return .object(members)
    }
}
