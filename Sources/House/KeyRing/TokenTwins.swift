internal import Sealing

/// Tells whether two cells say the same although their tokens differ: what is encrypted at random gets another token each time.
///
/// Without it, every row of a list would differ from the one before in every run. One for each task: keyed contexts are kept.
package struct TokenTwins {
    private let domains: Resealer.Domains
    private var opener: TokenOpener

    package init(_ ring: KeyRing, tenant: String, domains: Resealer.Domains) {
        self.domains = domains
        opener = TokenOpener(ring, tenant: tenant)
    }

    /// Whether the text around the tokens is equal, and so is what each of them hides. A token that does not open is equal to itself
    /// only.
    package mutating func areSame(_ old: ArraySlice<UInt8>, _ new: ArraySlice<UInt8>, column: String) -> Bool {
        if old.elementsEqual(new) { return true }
        let (before, after) = (TokenTwins.tokens(in: old), TokenTwins.tokens(in: new))
        guard !before.isEmpty, before.count == after.count else { return false }
        var (from, start) = (old.startIndex, new.startIndex)
        for (one, other) in zip(before, after) {
            guard old[from..<one.lowerBound].elementsEqual(new[start..<other.lowerBound]) else { return false }
            guard hideTheSame(old[one], new[other], column) else { return false }
            (from, start) = (one.upperBound, other.upperBound)
        }
        return old[from...].elementsEqual(new[start...])
    }

    private mutating func hideTheSame(_ old: ArraySlice<UInt8>, _ new: ArraySlice<UInt8>, _ column: String) -> Bool {
        if old.elementsEqual(new) { return true }
        for domain in domains.columns[column].map({ [$0] }) ?? domains.inside {
            guard let before = try? opener.open(Array(old), domain: domain),
                let after = try? opener.open(Array(new), domain: domain)
            else { continue }
            // A sealed object may hold sealed values.
            return before.kind == after.kind && areSame(before.value[...], after.value[...], column: "")
        }
        return false
    }

    private static func tokens(in cell: ArraySlice<UInt8>) -> [Range<Int>] {
        var found: [Range<Int>] = []
        var at = cell.startIndex
        while let start = cell[at...].firstIndex(of: UInt8(ascii: "e")) {
            at = start + 1
            guard let end = TokenText.end(cell, start) else { continue }
            found.append(start..<end)
            at = end
        }
        return found
    }
}
