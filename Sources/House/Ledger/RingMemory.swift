import GRDB
package import Model

/// Which generation of a key ring was the newest that a run has seen, so that an older copy is noticed.
extension StateStore {
    /// - Parameter lineage: the ring's first key, which names it through all changes.
    package func ringGeneration(_ lineage: String) throws(Fault) -> Int? {
        try read { db in
            try Int.fetchOne(
                db,
                sql: "SELECT generation FROM rings WHERE pipeline = ? AND lineage = ?",
                arguments: [pipeline, lineage]
            )
        }
    }

    /// Never goes down.
    package func noteRing(_ lineage: String, generation: Int) throws(Fault) {
        try write { db in
            try db.execute(
                sql: """
                    INSERT INTO rings (pipeline, lineage, generation) VALUES (?, ?, ?)
                    ON CONFLICT (pipeline, lineage) DO UPDATE SET generation = max(generation, excluded.generation)
                    """,
                arguments: [pipeline, lineage, generation]
            )
        }
    }
}
