extension Grouping {
    /// What a report is grouped by when the pipeline says nothing: everything, but for the dimensions that the
    /// connector names as the ones to leave out of a refused grouping. So the default is never refused.
    package var usual: [String] {
        let left = Set(refusals.map(\.without))
        return dimensions.filter { !left.contains($0) }
    }
}
