/// Pages of buckets. A page is a pure function of organization, clock and query.
struct ReportPage {
    let organization: Organization
    let now: Int

    private var switches: Switches { organization.settings.switches }

    /// How many buckets, non-empty ones and rows a whole walk has; for `/_simulator/count`.
    func totals(_ report: Report, _ query: Query, space: DimensionSpace) throws(Refusal) -> Value {
        let wanted = try ReportQuery(report, query, now: now, switches: switches)
        var rows = BucketRows(wanted, organization, space: space)
        let starts = BucketSeries(wanted)
        var total = 0
        for start in starts {
            fill(&rows, start, wanted)
            total += rows.rows.count
        }
        return ["buckets": .integer(starts.count), "rows": .integer(total)]
    }

    func page(
        _ report: Report,
        _ query: Query,
        space: DimensionSpace,
        twist: PageTwist
    ) throws(Refusal) -> (body: [UInt8], page: Int) {
        let wanted = try ReportQuery(report, query, now: now, switches: switches)
        let starts = BucketSeries(wanted)
        let identity = query.identity ^ fingerprint(report.path.utf8)
        var position = 0
        var repeats: UInt32 = 0
        if let text = query["page"] {
            guard let token = PageToken(text), token.query == identity else {
                throw .badParameter("page", "Invalid page token. It may have expired or belong to another query.")
            }
            guard let place = starts.place(of: token.position) else {
                throw .badParameter("page", "Invalid page token. It may have expired or belong to another query.")
            }
            position = place
            repeats = token.repeats
        }
        let seam = PageSeam(position: position, limit: wanted.limit, count: starts.count, twist: twist)
        let token = { (place: Int, repeats: UInt32) -> String in
            let start = place < starts.count ? starts[place] : wanted.end
            let padding = twist.contains(.longCursors) ? 1500 : 0
            var token = PageToken(position: UInt64(start), query: identity, repeats: repeats, padding: padding)
            token.isBare = twist.contains(.bareCursors)
            return token.text
        }
        let next: String? =
            switch seam.next {
            case .none: nil
            case .same: query["page"] ?? token(seam.end, 0)
            case .place(let place): token(place, 0)
            case .again: token(position, repeats + 1)
            }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(seam.places.count * organization.settings.rowsPerBucket * 480 + 200)
        bytes.append(contentsOf: "{\"object\":\"page\",\"data\":[".utf8)
        let places = twist.contains(.newestFirst) ? seam.places.map { starts.count - 1 - $0 } : seam.places
        write(places.map { starts[$0] }, wanted, space: space, twist: twist, into: &bytes)
        bytes.append(UInt8(ascii: "]"))
        if let hasMore = seam.hasMore { bytes.append(contentsOf: ",\"has_more\":\(hasMore)".utf8) }
        bytes.append(contentsOf: ",\"next_page\":".utf8)
        bytes.appendJSON(.optional(next))
        bytes.append(UInt8(ascii: "}"))
        return (bytes, wanted.limit == 0 ? 1 : position / wanted.limit + 1)
    }

    private func write(
        _ starts: [Int],
        _ wanted: ReportQuery,
        space: DimensionSpace,
        twist: PageTwist,
        into bytes: inout [UInt8]
    ) {
        var rows = BucketRows(wanted, organization, space: space)
        let usage = UsageRows(wanted, switches: switches)
        let costs = wanted.report.isCosts ? CostRows(wanted, organization) : nil
        for (place, start) in starts.enumerated() {
            if place > 0 { bytes.append(UInt8(ascii: ",")) }
            fill(&rows, start, wanted)
            bytes.append(
                contentsOf: "{\"object\":\"bucket\",\"start_time\":\(start),\"end_time\":\(end(start, wanted))".utf8
            )
            bytes.append(contentsOf: ",\"results\":[".utf8)
            var order = Array(rows.rows.indices)
            if twist.contains(.duplicateRow), let first = order.first { order.insert(first, at: 1) }
            for (number, position) in order.enumerated() {
                if number > 0 { bytes.append(UInt8(ascii: ",")) }
                let row = rows.rows[position]
                let from = bytes.count
                if let costs {
                    let odd = twist.contains(.oddAmounts)
                    costs.write(row, position, of: rows, bucket: start, oddAmounts: odd, into: &bytes)
                } else {
                    let odd = twist.contains(.oddCounters)
                    usage.write(row, position, of: rows, bucket: start, oddCounters: odd, into: &bytes)
                }
                if twist.contains(.unknownObject) {
                    bytes.replaceSubrange((from + 10)..<(from + 11), with: "\"unheard_of.".utf8)
                }
            }
            bytes.append(contentsOf: "]}".utf8)
        }
    }

    private func end(_ start: Int, _ wanted: ReportQuery) -> Int {
        min(wanted.end, Moment.floor(start, to: wanted.width) + wanted.width)
    }

    private func fill(_ rows: inout BucketRows, _ start: Int, _ wanted: ReportQuery) {
        let covered = max(0, min(end(start, wanted), now) - start)
        rows.fill(bucket: Moment.floor(start, to: wanted.width), covered: covered)
    }
}
