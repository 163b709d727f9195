internal import ArchiveWriting
internal import Disk
internal import Model

/// What a generation holds beside its data files: names that nobody gave, sums, the bundle, small files.
extension Verifier {
    /// Everything in the folder must be named by somebody, and be a plain file or folder.
    mutating func verifyNames(_ generation: Generation) {
        var expected = Set(generation.manifest.files.map(\.path))
        expected.formUnion(generation.manifest.streams.map(\.schema))
        expected.formUnion(["manifest.json", "SHA256SUMS", "changes.json", "_SUCCESS"])
        if !generation.manifest.files.isEmpty { expected.insert("datapackage.json") }
        if generation.manifest.diagnostics?.sha256 != nil { expected.insert(Manifest.Diagnostics.path) }
        if let record = success(generation.number), let bundle = record.bundle { expected.insert(bundle.path) }
        var folders: Set<String> = []
        for path in expected {
            var folder = Disk.parent(path)
            while folder != "." {
                folders.insert(folder)
                folder = Disk.parent(folder)
            }
        }
        let data = Set(generation.manifest.files.map(\.path))
        do throws(DiskError) {
            var found: Set<String> = []
            for entry in try Disk.walk(generation.path) {
                switch entry.status.kind {
                case .folder:
                    if !folders.contains(entry.path) {
                        find(generation.number, entry.path, .extra, "is not in the manifest")
                    }
                case .file:
                    found.insert(entry.path)
                    if !expected.contains(entry.path) {
                        find(generation.number, entry.path, .extra, "is not in the manifest")
                    }
                case .link, .other:
                    found.insert(entry.path)
                    // Data files that are links have been told of when they could not be read.
                    if !data.contains(entry.path) { find(generation.number, entry.path, .link, "is not a plain file") }
                }
            }
            for path in expected.subtracting(found).subtracting(data).sorted(by: bytewise) {
                find(generation.number, path, .missing, "is missing")
            }
        } catch {
            find(generation.number, "", .unreadable, "\(error)")
        }
    }

    /// `SHA256SUMS` must name what is there, with the digests of the manifest and of the small files themselves.
    mutating func verifySums(_ generation: Generation) {
        let number = generation.number
        guard let bytes = small(generation, "SHA256SUMS") else { return }
        if let record = success(number) {
            if SHA256.hex(of: bytes) != record.sumsSHA256 {
                find(number, "SHA256SUMS", .sums, "is not what _SUCCESS says")
            }
            if let bundle = record.bundle { verify(bundle, in: generation) }
        }
        var sums: [String: String] = [:]
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            guard line.utf8.count > 66, line.dropFirst(64).hasPrefix("  ") else {
                find(number, "SHA256SUMS", .sums, "has a line that is no digest and path")
                continue
            }
            sums[String(line.dropFirst(66))] = String(line.prefix(64))
        }
        for file in generation.manifest.files where sums.removeValue(forKey: file.path) != file.facts.sha256 {
            find(number, "SHA256SUMS", .sums, "has another digest for `\(file.path)` than the manifest, or none")
        }
        var names = generation.manifest.streams.map(\.schema) + ["changes.json", "manifest.json"]
        if !generation.manifest.files.isEmpty { names.append("datapackage.json") }
        let findings = generation.manifest.diagnostics?.sha256
        if findings != nil { names.append(Manifest.Diagnostics.path) }
        for name in names {
            guard let listed = sums.removeValue(forKey: name) else {
                find(number, "SHA256SUMS", .sums, "does not list `\(name)`")
                continue
            }
            guard let bytes = small(generation, name) else { continue }
            let digest = SHA256.hex(of: bytes)
            if digest != listed { find(number, name, .sha256, "is not what SHA256SUMS says") }
            if name == Manifest.Diagnostics.path, digest != findings {
                find(number, name, .sha256, "is not what the manifest says")
            }
        }
        for stream in generation.manifest.streams {
            guard let wanted = stream.schemaSHA256, let bytes = small(generation, stream.schema) else { continue }
            if SHA256.hex(of: bytes) != wanted { find(number, stream.schema, .sha256, "is not what the manifest says") }
        }
        for name in sums.keys.sorted(by: bytewise) {
            find(number, "SHA256SUMS", .sums, "lists `\(name)`, which is not ours")
        }
    }

    mutating func verify(_ bundle: SuccessRecord.Bundle, in generation: Generation) {
        do throws(ArchiveError) {
            let facts = try ArchiveReader.facts(
                of: generation.path + "/" + bundle.path,
                codec: Codec.none,
                maximum: bundle.bytes
            )
            if facts.bytes != bundle.bytes || facts.sha256 != bundle.sha256 {
                find(generation.number, bundle.path, .sha256, "is not what _SUCCESS says")
            }
        } catch {
            find(generation.number, bundle.path, .unreadable, "\(error)")
        }
    }

    /// A control file's bytes; `nil` when it is missing, which the look at the names tells, and when it can't be read,
    /// which is told here: what nobody could look at is not good.
    mutating func small(_ generation: Generation, _ name: String) -> [UInt8]? {
        do throws(DiskError) {
            return try DiskFile.read(name, beneath: generation.path).readAll(limit: Generation.manifestLimit)
        } catch {
            if !error.isMissing { findUnreadable(generation.number, name, "\(error)") }
            return nil
        }
    }

    /// Some files are looked at more than once; one that can't be read is told of once.
    mutating func findUnreadable(
        _ number: Int,
        _ path: String,
        _ detail: String,
        _ problem: Finding.Problem = .unreadable
    ) {
        let isTold = report.findings.contains {
            $0.generation == number && $0.path == path && [.manifest, problem].contains($0.problem)
        }
        if !isTold { find(number, path, problem, detail) }
    }
}
