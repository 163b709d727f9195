/// How a stream is asked for a span of time. Values are Unix seconds; `start` inclusive, `end` exclusive.
package struct WindowSpec: Sendable, Equatable {
    /// `start_time`, or `effective_at[gte]`.
    package var startParameter: String
    /// `end_time`, or `effective_at[lt]`.
    package var endParameter: String
    /// `bucket_width`; `nil` for logs.
    package var widthParameter: String?
    /// The widths the API knows, narrowest first: `["1m", "1h", "1d"]`; empty for logs.
    package var widths: [String]
    package var defaultWidth: String?
    /// How far back data may be restated when the pipeline does not say: `3d`, in seconds.
    package var defaultLookback: Int64
    /// How far back the very first run reads when the pipeline gives no `since`, in seconds.
    package var defaultHistory: Int64

    package init(
        startParameter: String,
        endParameter: String,
        widthParameter: String? = nil,
        widths: [String] = [],
        defaultWidth: String? = nil,
        defaultLookback: Int64,
        defaultHistory: Int64
    ) {
        self.startParameter = startParameter
        self.endParameter = endParameter
        self.widthParameter = widthParameter
        self.widths = widths
        self.defaultWidth = defaultWidth
        self.defaultLookback = defaultLookback
        self.defaultHistory = defaultHistory
    }
}

/// Which dimensions a report can be grouped by, and what the API is known to refuse.
package struct Grouping: Sendable, Equatable {
    /// `group_by[]`
    package var parameter: String
    /// Dimension names; each is also a column.
    package var dimensions: [String]
    package var refusals: [Refusal]

    /// A grouping that the live API answers with 400, and what to ask instead.
    package struct Refusal: Sendable, Equatable {
        /// All of these together are refused.
        package var dimensions: [String]
        /// Only when the window starts before this instant (Unix seconds); `nil`: always.
        package var startBefore: Int64?
        /// Whether it is certain (known to be refused) or depends on the organization (try, then fall back).
        package var isCertain: Bool
        /// The dimension to leave out instead.
        package var without: String
        package var reason: String

        package init(dimensions: [String], startBefore: Int64?, isCertain: Bool, without: String, reason: String) {
            self.dimensions = dimensions
            self.startBefore = startBefore
            self.isCertain = isCertain
            self.without = without
            self.reason = reason
        }
    }

    package init(parameter: String, dimensions: [String], refusals: [Refusal] = []) {
        self.parameter = parameter
        self.dimensions = dimensions
        self.refusals = refusals
    }
}
