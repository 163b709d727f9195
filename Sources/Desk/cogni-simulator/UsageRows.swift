/// Counters of usage rows, and how such a row is written.
struct UsageRows {
    /// Rows older than this lack the counters and dimensions that were added later.
    static let lateFieldsFrom = 1_767_225_600
    static let lateFields: Set<String> = ["input_cache_write_30m_tokens", "input_cache_write_12h_tokens", "api_source"]

    let report: Report
    let switches: Switches
    /// `"name":` for each counter, with the comma before it.
    private let measureTexts: [[UInt8]]
    private let dimensionTexts: [(dimension: Report.Dimension, isGrouped: Bool, text: [UInt8])]
    private let head: [UInt8]

    init(_ query: ReportQuery, switches: Switches) {
        report = query.report
        self.switches = switches
        head = Array("{\"object\":\"\(query.report.object)\"".utf8)
        measureTexts = query.report.measures.map { Array(",\"\($0)\":".utf8) }
        dimensionTexts = query.report.dimensions.map { dimension in
            (dimension, query.grouping.contains(dimension), Array(",\"\(dimension.rawValue)\":".utf8))
        }
    }

    /// The counters of one combination in one whole bucket, before grouping; the first is never 0.
    ///
    /// Input tokens are uncached plus cached plus cache writes; text, audio and image parts are of the uncached.
    static func counts(_ report: Report, _ noise: Noise) -> [Int] {
        let requests = 1 + noise.below(50)
        guard report.measures.count > 3 else {
            let per = [1, 7, 1 + noise.with("size").below(900)]
            return report.measures.enumerated().map { position, name in
                switch name {
                case "usage_bytes": 1_000_000 + Int(noise.bits >> 36)
                case "num_model_requests", "num_sessions": requests
                case "num_requests": requests + position * 2
                default: requests * per[name == "images" ? 0 : name == "seconds" ? 1 : 2]
                }
            }
        }
        let text = requests * (100 + noise.with(1).below(4000))
        let audio = noise.with(2).oneIn(6) ? requests * 40 : 0
        let image = noise.with(3).oneIn(5) ? requests * 85 : 0
        let cached = requests * noise.with(4).below(3000)
        let writes = noise.with(5).oneIn(3) ? requests * 64 : 0
        let output = requests * (20 + noise.with(6).below(900))
        let uncached = text + audio + image
        let long = writes / 4
        return [
            requests, uncached + cached + writes, output + audio, uncached, cached, writes, writes - long, long, text,
            audio, image, cached - cached / 8, audio == 0 ? 0 : cached / 8, audio == 0 ? cached / 8 : 0, output, audio,
            0,
        ]
    }

    /// - `position`: which row of its bucket; decides about oddities only.
    func write(
        _ row: BucketRows.Row,
        _ position: Int,
        of rows: BucketRows,
        bucket: Int,
        oddCounters: Bool,
        into bytes: inout [UInt8]
    ) {
        let isOld = bucket < Self.lateFieldsFrom
        bytes.append(contentsOf: head)
        for (dimension, isGrouped, text) in dimensionTexts {
            if isOld, Self.lateFields.contains(dimension.rawValue) { continue }
            if isGrouped {
                bytes.append(contentsOf: text)
                if dimension == .user, switches.emptyDimension, position == 4 {
                    bytes.append(contentsOf: "\"\"".utf8)
                } else {
                    bytes.append(contentsOf: rows.value(dimension, of: row))
                }
            } else if !switches.omitUngrouped {
                bytes.append(contentsOf: text)
                bytes.append(contentsOf: "null".utf8)
            }
        }
        for (measure, text) in measureTexts.enumerated() {
            if isOld, Self.lateFields.contains(report.measures[measure]) { continue }
            bytes.append(contentsOf: text)
            if oddCounters, measure == (position % 4 == 3 ? measureTexts.count - 1 : 0), position < 4 {
                bytes.append(contentsOf: Self.oddCounters[position].utf8)
            } else {
                bytes.appendDigits(rows.sums[position * rows.width + measure])
            }
        }
        if switches.newFields {
            bytes.append(contentsOf: ",\"input_video_tokens\":3,\"region\":\"CANARY-region\"".utf8)
        }
        bytes.append(UInt8(ascii: "}"))
    }

    /// 2^53 + 1, the largest 64-bit integer, a float that is whole, and nothing.
    static let oddCounters = ["9007199254740993", "9223372036854775807", "12.0", "null"]
}
