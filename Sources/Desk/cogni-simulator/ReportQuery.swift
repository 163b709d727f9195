/// What a report request asks for, checked.
struct ReportQuery {
    var report: Report
    var start: Int
    /// Exclusive; at most the end of the bucket that holds the simulated now.
    var end: Int
    /// Seconds.
    var width: Int
    var limit: Int
    /// In the report's own order.
    var grouping: [Report.Dimension]
    var filters: [Report.Dimension: Set<String>]

    /// Costs by key exist from this instant on.
    static let keyFloor = 1_764_979_200

    init(_ report: Report, _ query: Query, now: Int, switches: Switches) throws(Refusal) {
        self.report = report
        let widthName = query["bucket_width"] ?? "1d"
        guard let sizes = report.widths[widthName] else {
            let names = report.widths.keys.sorted().map { "'\($0)'" }.joined(separator: ", ")
            throw .badParameter("bucket_width", "Invalid value: '\(widthName)'. Supported values are: \(names).")
        }
        width = sizes.seconds
        guard let text = query["start_time"] else {
            throw .badParameter("start_time", "Missing required parameter: 'start_time'.")
        }
        guard let start = Int(text), Moment.sane.contains(start) else {
            throw .badParameter("start_time", "Must be a number of seconds: '\(text)'.")
        }
        self.start = start
        end = Moment.floor(now, to: sizes.seconds) + sizes.seconds
        if let text = query["end_time"] {
            guard let end = Int(text), end > start, Moment.sane.contains(end) else {
                throw .badParameter("end_time", "Must be a number of seconds after start_time: '\(text)'.")
            }
            self.end = min(self.end, end)
        }
        limit = sizes.limit
        if let text = query["limit"] { limit = try Self.limit(text, sizes.most, widthName, report, switches) }
        let names = query.all("group_by")
        if let wrong = names.first(where: { name in !report.dimensions.contains { $0.rawValue == name } }) {
            let known = report.dimensions.map { "'\($0.rawValue)'" }.joined(separator: ", ")
            throw .badParameter("group_by", "Invalid value: '\(wrong)'. Supported values are: \(known).")
        }
        grouping = report.dimensions.filter { names.contains($0.rawValue) }
        filters = [:]
        for dimension in report.dimensions where !query.all(dimension.filter).isEmpty {
            filters[dimension] = Set(query.all(dimension.filter))
        }
        try refuseWhatIsTooOld(now: now, switches)
        if report.isCosts { try refuseCostGrouping(switches) }
    }

    private static func limit(
        _ text: String,
        _ most: Int,
        _ width: String,
        _ report: Report,
        _ switches: Switches
    ) throws(Refusal) -> Int {
        guard let limit = Int(text), limit >= 1 else {
            throw .badParameter("limit", "Invalid limit provided: \(text). Limit must be at least 1.")
        }
        if report.isCosts, switches.clampCostLimit { return min(limit, 31) }
        guard limit <= most else {
            let condition = report.isCosts ? "" : " when bucket_width is \(width)"
            throw .badParameter(
                "limit",
                "Invalid limit provided: \(limit). Limit must be less than or equal to \(most)\(condition)."
            )
        }
        return limit
    }

    private func refuseWhatIsTooOld(now: Int, _ switches: Switches) throws(Refusal) {
        guard let lookback = switches.lookback else { return }
        let floor = lookback.earliest ?? (Moment.floor(now, to: Moment.day) - lookback.days * Moment.day)
        guard start < floor else { return }
        let date = lookback.namesDate ? " Earliest supported start date: \(Moment.isoDate(floor)) (UTC)." : ""
        throw Refusal(
            status: 400,
            message: "Usage and cost data are available for the past year.\(date)",
            parameter: "start_time",
            code: "reporting_lookback_exceeded"
        )
    }

    private func refuseCostGrouping(_ switches: Switches) throws(Refusal) {
        if grouping.contains(.key), start < Self.keyFloor {
            throw .badParameter(
                "start_time",
                "group_by=api_key_id is not available for this time range. "
                    + "Try a start_time on or after \(Self.keyFloor)."
            )
        }
        if switches.refuseUserWithProject, grouping.contains(.user),
            grouping.contains(.project) || filters[.project] != nil
        {
            throw .badParameter("group_by", "user_id cannot be combined with project_id for this organization.")
        }
    }
}
