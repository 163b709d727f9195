/// One stream on the progress board.
struct RunningStream: Sendable {
    let name: String
    let started: Int
    /// When the plain style last had a line about it.
    var told: Int
    var pages = 0
    var rows = 0
    var fraction: Double?

    /// `12 pages, 3,600 rows, 1,200 rows/s, 40%, 4.5s left`
    func progress(at now: Int) -> String {
        var parts = [Phrase.count(pages, "page"), Phrase.count(rows, "row")]
        let elapsed = now - started
        // A rate over less than a second is noise.
        if elapsed >= 1000, rows > 0 { parts.append("\(Phrase.count(rows * 1000 / elapsed)) rows/s") }
        if let fraction, fraction > 0 {
            parts.append("\(Int(min(fraction, 1) * 100))%")
            if elapsed >= 1000, fraction < 1 {
                let left = Double(elapsed) * (1 - fraction) / fraction
                parts.append("\(Phrase.time(milliseconds: Int(min(left, 1e12)))) left")
            }
        }
        return parts.joined(separator: ", ")
    }

    /// `12 pages, 3,600 rows in 3.0s`
    func outcome(at now: Int) -> String {
        "\(Phrase.count(pages, "page")), \(Phrase.count(rows, "row")) in \(Phrase.time(milliseconds: now - started))"
    }
}
