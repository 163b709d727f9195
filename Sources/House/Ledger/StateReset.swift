import Disk
import GRDB
package import Model

/// Forgetting on purpose, and starting over.
extension StateStore {
    /// Forgets committed positions, so that the next run reads from the beginning: of some streams, or of all
    /// (`nil`). An unfinished plan goes too: it was made for the old positions. History and switch stay.
    ///
    /// Returns whether there was anything to forget.
    @discardableResult
    package func reset(streams: Set<String>? = nil) throws(Fault) -> Bool {
        try write { db in
            try dropPlan(db)
            let planned = db.changesCount
            var marked = 0
            for stream in streams.map({ $0.sorted().map(Optional.some) }) ?? [nil] {
                try db.execute(
                    sql: "DELETE FROM watermarks WHERE pipeline = ?1 AND (?2 IS NULL OR stream = ?2)",
                    arguments: [pipeline, stream]
                )
                marked += db.changesCount
            }
            // A run that is under way was planned from what has just been forgotten.
            try db.execute(sql: "UPDATE claims SET number = number + 1 WHERE pipeline = ?", arguments: [pipeline])
            return planned + marked > 0
        }
    }

    /// Puts a fresh state in the place of whatever stands at `path`, with the positions of `commit`
    /// (`nil`: no generation was ever published). The old file is kept beside it as `….damaged-1`.
    ///
    /// The caller holds the output's lock.
    /// - Parameter flag: the switch as it was before, where that is known: no manifest tells of it.
    package static func rebuild(
        _ path: String,
        pipeline: String,
        from commit: GenerationCommit?,
        flag: PipelineSwitch? = nil
    ) throws(Fault) -> StateStore {
        let fresh = path + ".rebuilding"
        let file = StateFile(path: path, pipeline: pipeline)
        try file.onDisk { () throws(DiskError) in
            for leftover in [fresh, fresh + "-journal"] where try Disk.exists(leftover) { try Disk.remove(leftover) }
        }
        let store = try StateStore.open(fresh, pipeline: pipeline)
        if let commit { try store.rebuild(from: commit) }
        if let flag { try store.setFlag(flag) }
        try store.close()
        try file.onDisk { () throws(DiskError) in
            var number = 1
            while try Disk.exists("\(path).damaged-\(number)") { number += 1 }
            // The journals first: SQLite would play an old one back into the fresh file.
            for suffix in ["-journal", "-wal", "-shm", ""] where try Disk.exists(path + suffix) {
                try Disk.rename(path + suffix, to: "\(path).damaged-\(number)\(suffix)")
            }
            try Disk.rename(fresh, to: path)
            try Disk.syncFolder(Disk.parent(path))
        }
        return try StateStore.open(path, pipeline: pipeline)
    }
}
