internal import Model

/// Finds the first date in a sentence of the API: "Earliest supported start date: 2025-10-08 (UTC)."
enum HistoryFloor {
    static func date(in message: String) -> Instant? {
        let characters = Array(message)
        guard characters.count >= 10 else { return nil }
        for start in 0...(characters.count - 10) {
            if let instant = Instant(text: String(characters[start..<start + 10])), characters[start + 4] == "-" {
                return instant
            }
        }
        return nil
    }
}
