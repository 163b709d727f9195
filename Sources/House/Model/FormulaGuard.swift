/// The apostrophe before a CSV cell that a spreadsheet would run as a formula.
package enum FormulaGuard {
    /// The text as a spreadsheet takes it for one. A text that looks guarded by itself gets one more apostrophe, so
    /// that ``unguarded(_:)`` gives each text back.
    package static func guarded(_ text: [UInt8]) -> [UInt8] {
        let bare = Array(text.drop { $0 == UInt8(ascii: "'") })
        return startsFormula(bare) ? [UInt8(ascii: "'")] + text : text
    }

    /// The text that ``guarded(_:)`` was given.
    package static func unguarded(_ text: [UInt8]) -> [UInt8] {
        guard text.first == UInt8(ascii: "'"), startsFormula(Array(text.drop { $0 == UInt8(ascii: "'") })) else {
            return text
        }
        return Array(text.dropFirst())
    }

    private static func startsFormula(_ text: [UInt8]) -> Bool {
        guard let first = text.first(where: { $0 != 32 && $0 != 34 }), !isNegativeNumber(text) else { return false }
        return first == UInt8(ascii: "=") || first == UInt8(ascii: "+") || first == UInt8(ascii: "-")
            || first == UInt8(ascii: "@") || first == 9 || first == 13
    }

    /// `-3.25` is an amount, which has to stay one.
    private static func isNegativeNumber(_ text: [UInt8]) -> Bool {
        let digits = text.dropFirst()
        return text.first == UInt8(ascii: "-") && digits.first.map { $0 >= 48 && $0 <= 57 } == true
            && digits.allSatisfy { $0 >= 48 && $0 <= 57 || $0 == UInt8(ascii: ".") }
            && digits.count { $0 == UInt8(ascii: ".") } <= 1
    }
}
