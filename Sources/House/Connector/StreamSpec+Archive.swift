package import Model

extension StreamSpec {
    /// The columns of the stream's files, in their order: all of the connector's, then ours. Snapshots keep
    /// removed rows and say since when; `extra` holds what the API sent and no column has.
    package var archiveColumns: [Column] {
        var all = columns
        if mode == .snapshot {
            var deleted = Column("deleted_at", path: [], origin: .ours, kind: .timestamp, nullable: true)
            deleted.description = "When the row was first found missing from the API's list; null while it is there."
            all.append(deleted)
        }
        var extra = Column("extra", path: [], origin: .ours, kind: .json, nullable: true)
        extra.description = "Fields the API sent that the connector does not know yet."
        all.append(extra)
        return all
    }
}
