/// Finds what somebody most likely meant.
package enum Spelling {
    /// The closest of the candidates, if it is close enough to be worth a question: one slip in three letters.
    package static func nearest(to word: String, in candidates: some Sequence<String>) -> String? {
        let letters = Array(word.lowercased().unicodeScalars)
        guard !letters.isEmpty, letters.count <= 80 else { return nil }
        var best: (distance: Int, word: String)?
        for candidate in candidates {
            let other = Array(candidate.lowercased().unicodeScalars)
            let limit = max(1, min(letters.count, other.count) / 3)
            guard abs(other.count - letters.count) <= limit else { continue }
            let distance = distance(letters, other)
            guard distance <= limit else { continue }
            if best.map({ distance < $0.distance || distance == $0.distance && candidate < $0.word }) ?? true {
                best = (distance, candidate)
            }
        }
        return best?.word ?? beginning(with: letters, in: candidates)
    }

    /// The only candidate that begins with the word: somebody stopped early.
    private static func beginning(with letters: [Unicode.Scalar], in candidates: some Sequence<String>) -> String? {
        let found = candidates.filter {
            letters.count >= 3 && Array($0.lowercased().unicodeScalars).starts(with: letters)
        }
        return found.count == 1 ? found.first : nil
    }

    /// `did you mean "group_by"?`, or nothing.
    package static func question(for word: String, in candidates: some Sequence<String>) -> String? {
        nearest(to: word, in: candidates).map { question(about: $0) }
    }

    static func question(about candidate: String) -> String { "did you mean \"\(candidate)\"?" }

    /// Insertions, deletions, replacements and swaps of neighbours that lead from one word to the other.
    static func distance(_ a: [Unicode.Scalar], _ b: [Unicode.Scalar]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...b.count)
        for i in a.indices {
            var row = [i + 1]
            for j in b.indices {
                var cost = min(last[j] + (a[i] == b[j] ? 0 : 1), last[j + 1] + 1, row[j] + 1)
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, beforeLast[j - 1] + 1) }
                row.append(cost)
            }
            (beforeLast, last) = (last, row)
        }
        return last[b.count]
    }
}
