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
