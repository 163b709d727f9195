import Foundation
import GRDB
package import Model

/// Forgetting on purpose, and starting over.
extension StateStore {
    /// Forgets committed positions, so that the next run reads from the beginning: of one stream, or of all
    /// (`nil`). An unfinished plan goes too: it was made for the old positions. History and switch stay.
    ///
    /// Returns whether there was anything to forget.
    @discardableResult
    package func reset(stream: String? = nil) throws(Fault) -> Bool {
        try write { db in
            try dropPlan(db)
            let planned = db.changesCount
            try db.execute(
                sql: "DELETE FROM watermarks WHERE pipeline = ?1 AND (?2 IS NULL OR stream = ?2)",
                arguments: [pipeline, stream]
            )
            let marked = db.changesCount
            // A run that is under way was planned from what has just been forgotten.
            try db.execute(sql: "UPDATE claims SET number = number + 1 WHERE pipeline = ?", arguments: [pipeline])
            return planned + marked > 0
        }
    }

    /// Puts a fresh state in the place of whatever stands at `path`, with the positions of `commit`
    /// (`nil`: no generation was ever published). The old file is kept beside it as `….damaged-1`.
    ///
    /// The caller holds the output's lock.
    package static func rebuild(
        _ path: String,
        pipeline: String,
        from commit: GenerationCommit?
    ) throws(Fault) -> StateStore {
        let fresh = path + ".rebuilding"
        do {
            let files = FileManager.default
            for leftover in [fresh, fresh + "-journal"] where files.fileExists(atPath: leftover) {
                try files.removeItem(atPath: leftover)
            }
            let store = try StateStore.open(fresh, pipeline: pipeline)
            if let commit { try store.rebuild(from: commit) }
            try store.close()
            // The journals first: SQLite would play an old one back into the fresh file.
            let aside = (1...).lazy.map { "\(path).damaged-\($0)" }.first { !files.fileExists(atPath: $0) } ?? path
            for suffix in ["-journal", "-wal", "-shm", ""]
            where (try? files.attributesOfItem(atPath: path + suffix)) != nil {
                try files.moveItem(atPath: path + suffix, toPath: aside + suffix)
            }
            try files.moveItem(atPath: fresh, toPath: path)
        } catch let fault as Fault {
            throw fault
        } catch {
            throw Fault(
                .cannotWrite,
                "\(path) could not be replaced",
                mend: "make its folder writable and free of locks"
            )
        }
        return try StateStore.open(path, pipeline: pipeline)
    }
}
