package import ArchiveWriting
package import Model

/// Everything a new generation is made of: collected stream by stream, then given to ``OutputRoot/publish(_:)``.
package struct Publication: Sendable {
    package var manifest: Manifest
    package let format: RowFormat
    package let codec: Codec
    package var bundle: BundleWriter.Format?
    /// Re-read every new file's hash after it is linked, not only its size.
    package var rereadsNewFiles = false

    /// New files by their path in the generation.
    private(set) var staged: [String: StagedFile] = [:]
    /// New files that replace damaged ones although their content is the same.
    var replaces: Set<String> = []
    /// Table Schemas by stream, where this run knows the columns.
    private(set) var schemas: [String: [UInt8]] = [:]
    /// The file with the findings of ``Manifest/diagnostics``, where there are any.
    private(set) var findings: [UInt8]?

    package init(pipeline: String, format: RowFormat, codec: Codec) {
        manifest = Manifest(pipeline: pipeline)
        self.format = format
        self.codec = codec
    }

    /// Adds a stream.
    ///
    /// - Parameters:
    ///   - stream: with the partitions that stay as they are in the current generation. A partition that has become
    ///     empty is simply not there.
    ///   - columns: as they stand in the files; `nil` keeps the current generation's schema (a stream that failed).
    ///   - staged: the new files, in row order. They replace the partitions that they name.
    ///   - keyID: the key of the new files' tokens; `nil` for a stream that holds none.
    package mutating func add(
        _ stream: Manifest.Stream,
        columns: [Column]?,
        staged files: [StagedFile],
        keyID: String? = nil
    ) {
        var stream = stream
        var fresh: [String: [Manifest.File]] = [:]
        for file in files {
            precondition(file.stream == stream.name, "a stream was given another stream's file")
            // No reader likes an empty file: an empty partition has none.
            guard file.rows > 0 else { continue }
            let path = ArchiveName.path(
                stream: stream.name,
                partition: file.partition,
                number: (fresh[file.partition]?.count ?? 0) + 1,
                contentSHA256: file.facts.contentSHA256,
                format: format,
                codec: codec
            )
            staged[path] = file
            var entry = Manifest.File(
                path: path,
                rows: file.rows,
                facts: file.facts,
                min: file.min,
                max: file.max,
                totals: file.totals
            )
            entry.keyID = keyID
            fresh[file.partition, default: []].append(entry)
        }
        let replaced = Set(files.map(\.partition))
        stream.partitions.removeAll { replaced.contains($0.value) || $0.files.isEmpty }
        stream.partitions += fresh.map { Manifest.Partition(value: $0.key, files: $0.value) }
        stream.partitions.sort { bytewise($0.value, $1.value) }
        if let columns {
            let columns = Publication.stored(columns, in: stream)
            let schema = TableSchema(columns: columns, primaryKey: stream.primaryKey, format: format).json.canonical
            schemas[stream.name] = schema
            stream.schemaSHA256 = SHA256.hex(of: schema)
        }
        manifest.streams.append(stream)
    }

    /// The columns as the stream's files have them: what the API says is never null may have been dropped, or not sent.
    /// Of files without null counts nothing is promised.
    private static func stored(_ columns: [Column], in stream: Manifest.Stream) -> [Column] {
        var nulls: Set<String> = []
        var isCounted = true
        for file in stream.partitions.lazy.flatMap(\.files) {
            if let totals = file.totals { nulls.formUnion(totals.nulls.keys) } else { isCounted = false }
        }
        return columns.map { column in
            var column = column
            column.nullable = column.nullable || !isCounted || nulls.contains(column.name)
            return column
        }
    }

    /// A signal cancels the run's task; up to the commit that is looked at before each file.
    static func refuseWhenStopped() throws(Fault) {
        guard Task.isCancelled else { return }
        throw Fault(
            .interrupted,
            "the run was stopped before it was published",
            mend: "run it again; it goes on from here"
        )
    }

    /// Where a file of the manifest lies that this run has made; `nil`: it stays from the generation before.
    package func stagedFile(_ path: String) -> StagedFile? { staged[path] }

    /// What the API has a say in of the files that are no archives, by their names: of the manifest all but the partitions, which
    /// are made of our own names, of numbers and of digests, and may be very many.
    package var controlFiles: [(name: String, bytes: [UInt8])] {
        var head = manifest
        for index in head.streams.indices { head.streams[index].partitions = [] }
        return [("manifest.json", head.bytes)] + (findings.map { [(Manifest.Diagnostics.path, $0)] } ?? [])
            + schemas.sorted { $0.key < $1.key }.map { ("schemas/\($0.key).json", $0.value) }
    }

    /// Adds what the relations between streams came to.
    /// - Parameter findings: the lines of the file; empty: there is none.
    package mutating func add(_ relations: [Manifest.Diagnostics.Relation], findings: [UInt8]) {
        self.findings = findings.isEmpty ? nil : findings
        manifest.diagnostics = .init(relations: relations, sha256: self.findings.map { SHA256.hex(of: $0) })
    }

    /// Files whose content the current generation has under the same name keep that generation's bytes, also where
    /// another version of a compressor would now pack them differently.
    mutating func reuse(_ previous: Manifest) {
        let known = Dictionary(uniqueKeysWithValues: previous.files.map { ($0.path, $0) })
        for stream in manifest.streams.indices {
            for partition in manifest.streams[stream].partitions.indices {
                for file in manifest.streams[stream].partitions[partition].files.indices {
                    let new = manifest.streams[stream].partitions[partition].files[file]
                    guard let old = known[new.path], old.facts.contentSHA256 == new.facts.contentSHA256,
                        old.rows == new.rows, !replaces.contains(new.path)
                    else { continue }
                    manifest.streams[stream].partitions[partition].files[file].facts = old.facts
                    staged[new.path] = nil
                }
            }
        }
    }
}

/// What publishing came to.
package enum PublishOutcome: Sendable, Equatable {
    /// The new generation is current.
    case published(Int)
    /// The manifest would be the same; nothing was written.
    case unchanged
}
