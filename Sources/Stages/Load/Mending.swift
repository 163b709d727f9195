internal import ArchiveWriting
internal import Disk
package import Model

extension OutputRoot {
    /// Puts files that a full refresh has made anew into the place of damaged ones that should have the same bytes, in every generation
    /// that names them: otherwise the same data would give the same manifest, nothing would be published, and the damage would stay.
    ///
    /// A damaged file that can't be made again byte for byte (another version of a compressor) is published as a new one instead.
    /// - Returns: the paths of damaged files, within a generation.
    package func mend(with publication: inout Publication, over current: Generation) throws(Fault) -> [String] {
        let known = Dictionary(uniqueKeysWithValues: current.manifest.files.map { ($0.path, $0) })
        var damaged: [String] = []
        for (path, staged) in publication.staged.sorted(by: { bytewise($0.key, $1.key) }) {
            guard let old = known[path], old.facts.contentSHA256 == staged.facts.contentSHA256,
                try !holds(current.path + "/" + path, old.facts)
            else { continue }
            damaged.append(path)
            if staged.facts != old.facts { publication.replaces.insert(path) }
        }
        let sound = damaged.filter { !publication.replaces.contains($0) }
        guard !sound.isEmpty else { return damaged }
        for number in try generations() {
            // An older manifest that can't be read is for `verify` to tell of; it keeps no other generation from being healed.
            guard let generation = number == current.number ? current : try? generation(number) else { continue }
            let named = Dictionary(uniqueKeysWithValues: generation.manifest.files.map { ($0.path, $0.facts) })
            for path in sound where named[path] == known[path]?.facts {
                guard let staged = publication.staged[path] else { continue }
                try put(staged, in: generation.path + "/" + path)
            }
        }
        return damaged
    }

    /// Whether a file has the bytes that the manifest gives it.
    private func holds(_ path: String, _ facts: FileFacts) throws(Fault) -> Bool {
        do throws(ArchiveError) {
            let found = try ArchiveReader.facts(of: path, codec: Codec.none)
            return found.bytes == facts.bytes && found.sha256 == facts.sha256
        } catch {
            if case .disk(let cause) = error, !cause.isMissing { throw Fault(error) }
            return false
        }
    }

    /// One rename: a reader opens the damaged file or the sound one.
    private func put(_ staged: StagedFile, in target: String) throws(Fault) {
        let second = staged.path + ".mend"
        try onDisk { () throws(DiskError) in
            // One that was cut off has left its second name.
            if try Disk.exists(second) { try Disk.remove(second) }
            if !staged.isSynced { try DiskFile.read(staged.path).sync() }
            do throws(DiskError) { try Disk.link(staged.path, to: second) } catch {
                guard error.isLinkRefused else { throw error }
                try Disk.copy(staged.path, to: second)
            }
            try Disk.rename(second, to: target)
            try Disk.syncFolder(Disk.parent(target))
        }
    }
}
