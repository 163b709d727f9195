/// Cells in aligned columns: the first and the last left, numbers right. Widths are counted in characters,
/// names being ASCII.
struct Grid {
    private var rows: [(cells: [String], colour: Ink.Colour?)]
    private var hasTotal = false

    init(titles: [String]) { rows = [(titles, .bold)] }

    mutating func add(_ cells: [String], colour: Ink.Colour?) { rows.append((cells, colour)) }

    /// Goes below a rule.
    mutating func addTotal(_ cells: [String]) {
        rows.append((cells, .bold))
        hasTotal = true
    }

    /// `giveUp`: columns that may go where the screen is narrow, the first to go first.
    func lines(width: Int, ink: Ink, giveUp: [Int]) -> [String] {
        let widths = (0..<rows[0].cells.count).map { column in rows.map { $0.cells[column].count }.max() ?? 0 }
        var columns = widths.indices.filter { widths[$0] > 0 }
        var spare = giveUp[...]
        func taken() -> Int { columns.map { widths[$0] + 2 }.reduce(-2, +) }
        while taken() > width, let column = spare.popFirst() { columns.removeAll { $0 == column } }
        var lines = rows.map { row in
            let cells = columns.map { column in
                let cell = row.cells[column]
                let gap = String(repeating: " ", count: widths[column] - cell.count)
                return column == 0 || column == widths.count - 1 ? cell + gap : gap + cell
            }
            return ink(row.colour, Grid.trimmed(cells.joined(separator: "  ")))
        }
        if hasTotal { lines.insert(ink(.dim, String(repeating: "-", count: max(0, taken()))), at: lines.count - 1) }
        return lines
    }

    private static func trimmed(_ line: String) -> String {
        var line = line
        while line.last == " " { line.removeLast() }
        return line
    }
}
