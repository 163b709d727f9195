internal import ArchiveWriting
internal import Disk
package import Model

extension OutputRoot {
    /// Builds a generation beside the others and makes it the current one.
    ///
    /// Build → sync files → sync folders → look again → rename into place → swap `current`. The swap is the commit:
    /// before it no reader sees anything, after it everything is on the medium. When it throws, the staged files are to be
    /// made anew (after a failed sync their bytes can't be trusted), and the generation before is still current, but for one
    /// case: the folder could not be synced after the swap. Then readers see the new generation, whole, and a power cut may
    /// bring the old one back; the next run takes whichever is there for current.
    ///
    /// Needs the lock, and ``recover()`` before. Staged files are linked, not moved: the caller removes them
    /// afterwards.
    ///
    /// A task that is cancelled before the commit stops there with `.interrupted`.
    /// - Parameter known: the current generation as the caller has read it; read again where it is another one by now.
    /// - Parameter fence: asked first and again right before the commit; throws when somebody else has taken over.
    /// - Parameter last: what must be on record before readers see the generation; called when nothing but the commit is left.
    package func publish(
        _ publication: Publication,
        over known: Generation? = nil,
        fence: () throws(Fault) -> Void = {},
        last: () throws(Fault) -> Void = {}
    ) throws(Fault) -> PublishOutcome {
        var publication = publication
        try fence()
        try checkNames(publication.manifest)
        let previous = try current(unless: known)
        if let previous {
            for index in publication.manifest.streams.indices {
                let name = publication.manifest.streams[index].name
                guard publication.schemas[name] == nil else { continue }
                publication.manifest.streams[index].schemaSHA256 = previous.manifest.stream(name)?.schemaSHA256
            }
            publication.reuse(previous.manifest)
            if publication.manifest.bytes == previous.manifestBytes { return .unchanged }
        }
        let number = max(try generations().last ?? 0, previous?.number ?? 0) + 1
        let builder = GenerationBuilder(root: self, number: number, publication: publication, previous: previous)
        do throws(Fault) {
            try builder.build()
            try fence()
            try Publication.refuseWhenStopped()
            try last()
        } catch {
            // The other run's recovery may have taken the half-built generation away: then that is what happened.
            try fence()
            // On a full disk every byte counts; what can't be removed now, the next recovery removes.
            builder.discard()
            throw error
        }
        try builder.commit()
        return .published(number)
    }

    /// Names become folders; those of our own files are taken.
    private func checkNames(_ manifest: Manifest) throws(Fault) {
        guard ArchiveName.isPlain(manifest.pipeline), !manifest.pipeline.contains("/") else {
            throw Fault(
                .badPlan,
                "the pipeline is called `\(manifest.pipeline)`",
                mend: "use small letters, digits and `-`"
            )
        }
        for stream in manifest.streams {
            let isPlain = stream.name.utf8.allSatisfy {
                $0 == UInt8(ascii: "_") || (48...57).contains($0) || (97...122).contains($0)
            }
            guard isPlain, stream.name.utf8.first.map({ (97...122).contains($0) }) == true,
                !["schemas", "diagnostics"].contains(stream.name)
            else {
                throw Fault(
                    .badPlan,
                    "a stream is called `\(stream.name)`",
                    at: ["stream \(stream.name)"],
                    mend:
                        "give it a name of small letters, digits and `_` in the connector file; `schemas` and `diagnostics` are taken"
                )
            }
        }
    }
}

/// One generation on its way from `.building-…` to `current`.
struct GenerationBuilder {
    let root: OutputRoot
    let number: Int
    let publication: Publication
    let previous: Generation?

    private var manifest: Manifest { publication.manifest }
    private var building: String {
        root.generationsPath + "/" + OutputRoot.buildingPrefix + OutputRoot.name(of: number)
    }

    init(root: OutputRoot, number: Int, publication: Publication, previous: Generation?) {
        self.root = root
        self.number = number
        self.publication = publication
        self.previous = previous
    }

    /// Everything but the rename and the swap.
    func build() throws(Fault) {
        try onDisk { () throws(DiskError) in
            try Disk.removeTree(building)
            try Disk.makeFolder(building)
        }
        for folder in folders { try onDisk { () throws(DiskError) in try Disk.makeFolder(building + "/" + folder) } }
        var unsynced: [String] = []
        for file in manifest.files {
            try Publication.refuseWhenStopped()
            if try place(file) { unsynced.append(building + "/" + file.path) }
        }
        let written = unsynced + (try writeControlFiles())
        try onDisk { () throws(DiskError) in
            try MediumThreads.sync(written) { path throws(DiskError) in try DiskFile.read(path).sync() }
        }
        try onDisk { () throws(DiskError) in
            try MediumThreads.sync(folders.reversed().map { building + "/" + $0 }) { folder throws(DiskError) in
                try Disk.syncFolder(folder)
            }
            try Disk.syncFolder(building)
        }
        try Publication.refuseWhenStopped()
        try lookAgain()
    }

    /// Removes what has been built, as far as that goes.
    func discard() { try? Disk.removeTree(building) }

    /// Renames into place and swaps `current`.
    func commit() throws(Fault) {
        try onDisk { () throws(DiskError) in
            try Disk.rename(building, to: root.generationPath(number))
            try Disk.syncFolder(root.generationsPath)
            try Disk.pointLink(
                root.currentPath,
                at: "generations/" + OutputRoot.name(of: number),
                temporary: root.temporaryLinkPath
            )
        }
    }

    /// All folders below the generation, outer ones first.
    private var folders: [String] {
        var all: Set<String> = manifest.streams.isEmpty ? [] : ["schemas"]
        if publication.findings != nil { all.insert("diagnostics") }
        for file in manifest.files {
            var folder = Disk.parent(file.path)
            while folder != "." {
                all.insert(folder)
                folder = Disk.parent(folder)
            }
        }
        return all.sorted(by: bytewise)
    }

    /// Links a data file in: a new one from staging, an old one from the generation before. Says whether it is still to be synced.
    private func place(_ file: Manifest.File) throws(Fault) -> Bool {
        let target = building + "/" + file.path
        if let staged = publication.staged[file.path] {
            let isCopy = try onDisk { () throws(DiskError) in try linkOrCopy(staged.path, to: target) }
            return !staged.isSynced && !isCopy
        } else if let previous {
            do throws(DiskError) {
                _ = try linkOrCopy(previous.path + "/" + file.path, to: target)
                return false
            } catch {
                throw error.isMissing ? missing(file.path, of: previous) : Fault(error)
            }
        } else {
            throw Fault(
                .cannotWrite,
                "the manifest names `\(file.path)`, which is neither staged nor in an earlier generation",
                mend: "run again with `--full-refresh`"
            )
        }
    }

    private func missing(_ path: String, of generation: Generation) -> Fault {
        Fault(
            .cannotWrite,
            "`\(path)` is missing from generation \(generation.number)",
            mend: "run `cogni verify \(root.path)`, then run again with `--full-refresh`"
        )
    }

    /// A second name where the file system can, otherwise a synced copy. Says whether it is a copy.
    private func linkOrCopy(_ source: String, to target: String) throws(DiskError) -> Bool {
        do throws(DiskError) {
            try Disk.link(source, to: target)
            return false
        } catch {
            guard error.isLinkRefused else { throw error }
            try Disk.copy(source, to: target)
            return true
        }
    }

    /// Writes all that tells of the data files, `_SUCCESS` last. Returns what is still to be synced, all of it together: nobody
    /// sees any of these files before the rename.
    private func writeControlFiles() throws(Fault) -> [String] {
        let manifestBytes = manifest.bytes
        let digest = SHA256.hex(of: manifestBytes)
        var sums = manifest.files.map { (path: $0.path, sha256: $0.facts.sha256) }
        var unsynced: [String] = []
        func write(_ name: String, _ bytes: [UInt8]) throws(Fault) {
            let path = building + "/" + name
            try onDisk { () throws(DiskError) in try Disk.create(path, bytes, isSynced: false) }
            unsynced.append(path)
            sums.append((name, SHA256.hex(of: bytes)))
        }
        for stream in manifest.streams { try write(stream.schema, try schema(stream)) }
        if let package = DataPackage.bytes(manifest) { try write("datapackage.json", package) }
        if let findings = publication.findings { try write(Manifest.Diagnostics.path, findings) }
        let changes = Changes.json(
            from: previous?.manifest,
            to: manifest,
            oldDigest: previous?.manifestSHA256,
            newDigest: digest
        )
        try write("changes.json", changes.canonical)
        try write("manifest.json", manifestBytes)

        let names = sums.map(\.path) + ["SHA256SUMS"]
        let sumsText = sums.sorted { bytewise($0.path, $1.path) }.map { "\($0.sha256)  \($0.path)\n" }.joined()
        try write("SHA256SUMS", Array(sumsText.utf8))
        let record = SuccessRecord(
            generation: number,
            manifestSHA256: digest,
            previous: previous?.number,
            previousManifestSHA256: previous?.manifestSHA256,
            sumsSHA256: SHA256.hex(of: Array(sumsText.utf8)),
            bundle: try writeBundle(names)
        )
        try write("_SUCCESS", record.json.canonical)
        return unsynced
    }

    /// The stream's Table Schema; the one of the generation before where this run has none.
    private func schema(_ stream: Manifest.Stream) throws(Fault) -> [UInt8] {
        if let bytes = publication.schemas[stream.name] { return bytes }
        guard let previous else {
            throw Fault(
                .cannotWrite,
                "stream `\(stream.name)` has no columns and no earlier schema",
                at: ["stream \(stream.name)"],
                mend: "run again with `--full-refresh`"
            )
        }
        do throws(DiskError) { return try Disk.contents(previous.path + "/" + stream.schema) } catch {
            throw error.isMissing ? missing(stream.schema, of: previous) : Fault(error)
        }
    }

    private func writeBundle(_ names: [String]) throws(Fault) -> SuccessRecord.Bundle? {
        guard let format = publication.bundle else { return nil }
        let name = "\(manifest.pipeline).\(format.rawValue)"
        let path = building + "/" + name
        return try inArchive { () throws(ArchiveError) in
            let bundle = try BundleWriter(path, format: format)
            for name in names.sorted(by: bytewise) { try bundle.add(name, file: building + "/" + name) }
            try bundle.finish()
            let facts = try ArchiveReader.facts(of: path, codec: Codec.none)
            return SuccessRecord.Bundle(path: name, bytes: facts.bytes, sha256: facts.sha256)
        }
    }

    /// The last look before the commit: every file has the size that the manifest gives it, and where asked for the
    /// bytes.
    private func lookAgain() throws(Fault) {
        for file in manifest.files {
            let path = building + "/" + file.path
            let status = try onDisk { () throws(DiskError) in try Disk.status(path) }
            guard let status, status.kind == .file, status.size == file.facts.bytes else {
                throw Fault(
                    .cannotWrite,
                    "`\(file.path)` has \(status.map { "\($0.size)" } ?? "no") bytes where \(file.facts.bytes) were written",
                    mend: "run again; if it stays, run `cogni verify \(root.path)` and check the disk"
                )
            }
            guard publication.rereadsNewFiles, publication.staged[file.path] != nil else { continue }
            let facts = try inArchive { () throws(ArchiveError) in
                try ArchiveReader.facts(of: path, maximum: file.facts.contentBytes)
            }
            guard facts == file.facts else {
                throw Fault(
                    .cannotWrite,
                    "`\(file.path)` reads back other bytes than were written",
                    mend: "check the disk"
                )
            }
        }
    }
}
