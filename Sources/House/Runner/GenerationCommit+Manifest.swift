package import Ledger
package import Load
package import Model

extension GenerationCommit {
    /// The positions that a generation's manifest states, for the state to take over.
    /// - Parameter forgotten: streams that are still to be read from the beginning.
    package init(
        of generation: Generation,
        reason: Reason,
        runID: String,
        at now: Instant,
        except forgotten: Set<String> = []
    ) {
        self.init(
            generation: generation.number,
            manifestSHA256: generation.manifestSHA256,
            runID: runID,
            committed: now,
            reason: reason,
            watermarks: generation.manifest.streams.filter { !forgotten.contains($0.name) }.map { stream in
                Watermark(
                    stream: stream.name,
                    watermark: stream.watermark,
                    coverageFrom: stream.coverage?.begins,
                    coverageTo: stream.coverage?.to,
                    groupBy: stream.groupBy ?? [],
                    bucketWidth: stream.bucketWidth,
                    generation: generation.number
                )
            }
        )
    }
}

extension StateStore {
    /// Streams that are to be read from the beginning: a generation has them, and the state that follows it has no position of theirs.
    /// Of a state that does not follow it nothing can be said.
    func forgotten(of generation: Generation) throws(Fault) -> Set<String> {
        let known = try committedGeneration()
        guard known?.manifestSHA256 == generation.manifestSHA256, known?.generation == generation.number else {
            return []
        }
        return Set(generation.manifest.streams.map(\.name)).subtracting(try watermarks().map(\.stream))
    }
}
