package import Model

/// Money by currency: what is of different currencies is never added up.
package struct Amounts: Sendable, Equatable {
    /// `nil`: the API names no currency.
    private var sums: [String?: ExactDecimal] = [:]

    package init() {}

    /// `false` when a sum becomes too large.
    mutating func add(_ amount: ExactDecimal, _ currency: String?) -> Bool {
        guard let sum = (sums[currency] ?? .zero).adding(amount) else { return false }
        sums[currency] = sum
        return true
    }

    mutating func add(_ other: Amounts) -> Bool {
        other.sums.allSatisfy { add($0.value, $0.key) }
    }

    /// By currency, none first; nothing of a currency is no part.
    package var parts: [(currency: String?, amount: ExactDecimal)] {
        sums.filter { !$0.value.isZero }.sorted { ($0.key ?? "") < ($1.key ?? "") }.map { ($0.key, $0.value) }
    }

    /// The sum, where there is one currency at most.
    package var single: ExactDecimal? {
        let parts = parts
        return parts.count > 1 ? nil : parts.first?.amount ?? sums.values.first ?? .zero
    }

    package var isZero: Bool { parts.isEmpty }

    /// `12.5`; of several currencies `3 eur + 12.5 usd`.
    package var text: String {
        single?.text ?? parts.map { "\($0.amount.text) \($0.currency ?? "(no currency)")" }.joined(separator: " + ")
    }

    /// For reports: `name` with the sum, or null and `names` with one entry for each currency.
    func members(_ name: String, _ names: String) -> [JSONValue.Member] {
        if let single { return [.init(name, .string(single.text))] }
        let each = parts.map { part -> JSONValue in
            ["currency": .optional(part.currency), "amount": .string(part.amount.text)]
        }
        return [.init(name, .null), .init(names, .array(each))]
    }
}
