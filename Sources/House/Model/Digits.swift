extension String {
    /// Zeros on the left, up to `width` characters: `00042`.
    package func zeroPadded(_ width: Int) -> String { String(repeating: "0", count: max(0, width - count)) + self }
}

extension Int {
    package func zeroPadded(_ width: Int) -> String { String(self).zeroPadded(width) }

    /// Milliseconds as seconds with three places: `12.345`.
    package var millisecondsAsSeconds: String { "\(self / 1000).\((self % 1000).zeroPadded(3))" }
}
