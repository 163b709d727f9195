package import Model

extension StreamSpec {
    /// The columns of the stream's archives, in order: the connector's own, then ours. `deleted_at` stands in
    /// snapshots only; `extra` keeps what the API sends beyond its schema, and is always the last.
    package var archiveColumns: [Column] {
        var all = columns
        if mode == .snapshot { all.append(Column("deleted_at", path: [], origin: .ours, kind: .timestamp, nullable: true)) }
        all.append(Column("extra", path: [], origin: .ours, kind: .json, nullable: true))
        return all
    }
}
