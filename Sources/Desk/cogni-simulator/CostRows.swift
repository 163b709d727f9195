/// Amounts of cost rows, and how such a row is written. Sums are kept in 10^-10 dollars and 10^-4 units.
struct CostRows {
    struct LineItem {
        var name: String
        var unit: String
    }

    static func lineItems(_ organization: Organization) -> [LineItem] {
        var items = organization.models.flatMap { model in
            ["input", "output", "cached input"].map { LineItem(name: "\(model), \($0)", unit: "1000_tokens") }
        }
        items += [
            LineItem(name: "web search tool calls", unit: "tokens"),
            LineItem(name: "code interpreter sessions", unit: "duration_hours"),
            LineItem(name: "vector storage: gibibyte hours", unit: "gibibyte_hours"),
            LineItem(name: "whisper-1", unit: "duration_seconds"),
        ]
        if organization.settings.switches.strangeNames {
            items += [
                LineItem(name: "gpt-5, \"quoted\"\ninput", unit: "images"),
                LineItem(name: "=cmd|' /C calc'!A0", unit: "characters"),
                LineItem(name: "", unit: "wombats"),
            ]
        }
        return items
    }

    /// Amount and quantity of one combination in one day. Some amounts are 0, some are very small.
    static func counts(_ noise: Noise) -> [Int] {
        let quantity = 1 + noise.with("quantity").below(5_000_000)
        switch noise.with("kind").below(20) {
        case 0: return [0, quantity]
        case 1: return [100_000 * (1 + noise.below(9)), quantity]  // 0.00001 to 0.00009 dollars
        case 2...5: return [1 + noise.below(90_000_000_000), quantity]  // ten digits behind the point
        default: return [1_000_000 * (1 + noise.below(500_000)), quantity]
        }
    }

    let switches: Switches
    let organization: Organization
    let grouping: [Report.Dimension]
    private let units: [String: String]

    init(_ query: ReportQuery, _ organization: Organization) {
        switches = organization.settings.switches
        self.organization = organization
        grouping = query.grouping
        units = Dictionary(Self.lineItems(organization).map { ($0.name, $0.unit) }) { first, _ in first }
    }

    func write(
        _ row: BucketRows.Row,
        _ position: Int,
        of rows: BucketRows,
        bucket: Int,
        oddAmounts: Bool,
        into bytes: inout [UInt8]
    ) {
        let amount = rows.sums[position * rows.width]
        bytes.append(contentsOf: "{\"object\":\"organization.costs.result\"".utf8)
        let noise = Noise(row.code).with(bucket)
        if oddAmounts {
            bytes.append(contentsOf: Self.oddAmounts[position % Self.oddAmounts.count].utf8)
        } else {
            bytes.append(contentsOf: ",\"amount\":{\"value\":".utf8)
            bytes.append(contentsOf: text(amount, noise).utf8)
            if switches.mixedCurrencies {
                let currencies = [",\"currency\":\"usd\"", ",\"currency\":\"USD\"", ",\"currency\":\"eur\"", ""]
                bytes.append(contentsOf: currencies[position % 4].utf8)
            } else {
                bytes.append(contentsOf: ",\"currency\":\"usd\"".utf8)
            }
            bytes.append(UInt8(ascii: "}"))
        }
        for dimension in Report.named("costs")?.dimensions ?? [] {
            if dimension == .apiSource, bucket < UsageRows.lateFieldsFrom { continue }
            let isGrouped = grouping.contains(dimension)
            if !isGrouped, switches.omitUngrouped { continue }
            bytes.append(contentsOf: ",\"\(dimension.rawValue)\":".utf8)
            bytes.append(contentsOf: isGrouped ? rows.value(dimension, of: row) : Array("null".utf8))
        }
        writeQuantity(row, rows.sums[position * rows.width + 1], of: rows, into: &bytes)
        if switches.undocumentedFields { writeUndocumented(row, of: rows, into: &bytes) }
        bytes.append(UInt8(ascii: "}"))
    }

    private func writeQuantity(_ row: BucketRows.Row, _ quantity: Int, of rows: BucketRows, into bytes: inout [UInt8]) {
        guard grouping.contains(.lineItem) else {
            bytes.append(contentsOf: ",\"quantity\":null,\"quantity_unit\":null".utf8)
            return
        }
        let name = (try? ValueReader.read(rows.value(.lineItem, of: row)))?.text ?? ""
        bytes.append(contentsOf: ",\"quantity\":\(Self.decimal(quantity, digits: 4)),\"quantity_unit\":".utf8)
        bytes.appendQuoted(units[name] ?? "tokens")
    }

    private func writeUndocumented(_ row: BucketRows.Row, of rows: BucketRows, into bytes: inout [UInt8]) {
        bytes.append(contentsOf: ",\"organization_id\":\"\(organization.id)\"".utf8)
        bytes.append(contentsOf: ",\"organization_name\":\"\(organization.name)\"".utf8)
        if grouping.contains(.project) {
            let slot = rows.space.slots[row.combination % rows.space.slots.count]
            bytes.append(contentsOf: ",\"project_name\":".utf8)
            bytes.appendJSON(organization.projectName(organization.projects[slot.project]))
        }
        if grouping.contains(.user) {
            let slot = rows.space.slots[row.combination % rows.space.slots.count]
            let id = rows.space.users.plain[slot.user]
            bytes.append(contentsOf: ",\"user_email\":".utf8)
            bytes.appendJSON(.optional(organization.users.first { $0.id == id }?.email))
        }
    }

    /// A number or a numeric string, sometimes with trailing zeros, small ones with an exponent.
    private func text(_ amount: Int, _ noise: Noise) -> String {
        let plain = Self.decimal(amount, digits: 10)
        let isSmall = amount > 0 && amount < 1_000_000
        let asNumber = isSmall ? Self.exponential(amount) : plain
        switch switches.costValues {
        case .number: return asNumber
        case .string: return "\"\(plain)\""
        case .mixed:
            switch noise.with("form").below(4) {
            case 0: return "\"\(plain)\""
            case 1: return "\"\(plain.contains(".") ? plain : plain + ".0")000000\""
            default: return asNumber
            }
        }
    }

    /// `123456`, 4 digits: `12.3456`; no zeros behind, no point without digits.
    static func decimal(_ number: Int, digits: Int) -> String {
        let text = String(number.magnitude)
        let padded = String(repeating: "0", count: max(0, digits + 1 - text.count)) + text
        var fraction = padded.suffix(digits)
        while fraction.last == "0" { fraction.removeLast() }
        return (number < 0 ? "-" : "") + padded.dropLast(digits) + (fraction.isEmpty ? "" : "." + fraction)
    }

    /// As Python writes a small float: `100000` (10^-5 dollars) is `1e-05`.
    static func exponential(_ amount: Int) -> String {
        var digits = String(amount)
        let exponent = 10 - (digits.count - 1)
        while digits.count > 1, digits.last == "0" { digits.removeLast() }
        let mantissa = digits.count == 1 ? digits : "\(digits.prefix(1)).\(digits.dropFirst())"
        return "\(mantissa)e-\(exponent < 10 ? "0" : "")\(exponent)"
    }

    static let oddAmounts = [
        ",\"amount\":{\"value\":\"0E-6176\",\"currency\":\"usd\"}",
        ",\"amount\":{\"value\":null,\"currency\":\"usd\"}",
        "",
        ",\"amount\":{\"value\":-1.25,\"currency\":\"usd\"}",
        ",\"amount\":{\"value\":\"0\",\"currency\":\"usd\"}",
        ",\"amount\":{\"value\":0,\"currency\":\"usd\"}",
        ",\"amount\":{\"value\":0.12345678901234567890123,\"currency\":\"usd\"}",
        ",\"amount\":{\"value\":\"0.34090000000000000\",\"currency\":\"usd\"}",
        ",\"amount\":{\"value\":1e-05,\"currency\":\"usd\"}",
        ",\"amount\":{\"value\":\"1E+2\",\"currency\":\"usd\"}",
        ",\"amount\":{\"value\":-0.0,\"currency\":\"usd\"}",
        ",\"amount\":{\"value\":1E5,\"currency\":\"usd\"}",
        ",\"amount\":{\"value\":12.50e+1,\"currency\":\"usd\"}",
        ",\"amount\":{\"value\":\"-1.5E-3\",\"currency\":\"usd\"}",
        ",\"amount\":{\"value\":9007199254740993e-2,\"currency\":\"usd\"}",
    ]
}
