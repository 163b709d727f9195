import GRDB
package import Model

/// Which pipeline file an output belongs to, and what that file reads: two files of one pipeline's name would otherwise
/// take turns in dropping each other's streams.
package struct SourceOwner: Sendable, Equatable {
    /// Connector, organization, project: what another file must share to be the same pipeline that has moved.
    package var source: String
    /// The pipeline file's absolute path.
    package var file: String

    package init(source: String, file: String) {
        self.source = source
        self.file = file
    }
}

extension StateStore {
    /// `nil`: no run has said so yet, or the state was rebuilt.
    package func owner() throws(Fault) -> SourceOwner? {
        try read { db in
            try Row.fetchOne(db, sql: "SELECT * FROM owners WHERE pipeline = ?", arguments: [pipeline]).map { row in
                SourceOwner(source: row["source"], file: row["file"])
            }
        }
    }

    package func setOwner(_ owner: SourceOwner, as claim: Claim) throws(Fault) {
        try write(as: claim) { db in
            try db.execute(
                sql: "INSERT OR REPLACE INTO owners (pipeline, source, file) VALUES (?, ?, ?)",
                arguments: [pipeline, owner.source, owner.file]
            )
        }
    }
}
