package import Model

extension Manifest {
    /// The time that a report or log was read of, half-open: `from` is covered, `to` is not. A log's `to` is its watermark.
    package struct Coverage: Sendable, Equatable {
        package struct Span: Sendable, Equatable {
            package var from: Instant
            package var to: Instant

            package init(from: Instant, to: Instant) {
                self.from = from
                self.to = to
            }
        }

        package var from: Instant
        package var to: Instant
        /// What was never read in between, sorted and apart from each other: the API had forgotten it when the next run came.
        package var gaps: [Span]

        package init(from: Instant, to: Instant, gaps: [Span] = []) {
            self.from = from
            self.to = to
            self.gaps = gaps
        }

        /// Read from `start` to `end` as well.
        package func adding(_ start: Instant, _ end: Instant) -> Coverage {
            guard start < end else { return self }
            var holes = gaps
            if end < from { holes.insert(Span(from: end, to: from), at: 0) }
            if start > to { holes.append(Span(from: to, to: start)) }
            let left = holes.flatMap { hole in
                let before = Span(from: hole.from, to: min(hole.to, start))
                let behind = Span(from: max(hole.from, end), to: hole.to)
                return [before, behind].filter { $0.from < $0.to }
            }
            return Coverage(from: min(from, start), to: max(to, end), gaps: left)
        }

        /// Asked for from `moment` on, which the API had forgotten: a gap of its own, so that the next run does not ask for it again.
        package func opened(from moment: Instant) -> Coverage {
            guard moment < from else { return self }
            return Coverage(from: moment, to: to, gaps: [Span(from: moment, to: from)] + gaps)
        }

        /// The first moment that was read.
        package var begins: Instant { gaps.first.map { $0.from == from ? $0.to : from } ?? from }

        /// Whether this moment was read.
        package func holds(_ moment: Instant) -> Bool {
            moment >= from && moment < to && !gaps.contains { $0.from <= moment && moment < $0.to }
        }

        package func hasGap(_ start: Instant, _ end: Instant) -> Bool {
            gaps.contains { $0.from < end && start < $0.to }
        }
    }
}

extension Manifest.Stream {
    /// What was read. Where a log's manifest does not say it, at least what lies between its first row and its last.
    package var covered: Manifest.Coverage? {
        if let coverage { return coverage }
        guard mode == "log", let watermark else { return nil }
        let first = partitions.lazy.flatMap(\.files).compactMap(\.min).min() ?? watermark
        return Manifest.Coverage(from: min(first, watermark), to: watermark)
    }
}
