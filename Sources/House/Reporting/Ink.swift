/// The few colours there are. With `isOn` false every text passes as it is (`NO_COLOR`, pipes, files).
struct Ink {
    let isOn: Bool

    enum Colour: String { case red = "31", green = "32", yellow = "33", dim = "2", bold = "1" }

    func callAsFunction(_ colour: Colour?, _ text: String) -> String {
        guard isOn, let colour, !text.isEmpty else { return text }
        return "\u{1B}[\(colour.rawValue)m\(text)\u{1B}[0m"
    }
}
