/// The rows of one bucket, merged by the grouping: a pure function of seed, report, bucket and grouping, whatever the page.
struct BucketRows {
    /// A merged row: for each grouped dimension the place of its value, and the sums.
    struct Row {
        /// A combination that this row stands for; its grouped dimensions are the row's.
        var combination: Int
        var code: UInt64
    }

    let space: DimensionSpace
    let query: ReportQuery
    let organization: Organization
    /// How many sums a row has.
    let width: Int
    private(set) var rows: [Row] = []
    /// `width` numbers for each row.
    private(set) var sums: [Int] = []
    private var places: [UInt64: Int] = [:]
    private let stride: Int
    private let wanted: [Int: Set<Int>]
    private let slotWanted: [Bool]

    init(_ query: ReportQuery, _ organization: Organization, space: DimensionSpace) {
        self.query = query
        self.organization = organization
        self.space = space
        width = query.report.isCosts ? 2 : query.report.measures.count
        var stride = 1_000_003 % max(1, space.count)
        while Self.commonDivisor(stride, space.count) > 1 { stride += 1 }
        self.stride = max(1, stride)
        var wanted: [Int: Set<Int>] = [:]
        for (position, axis) in space.axes.enumerated() {
            guard let values = query.filters[axis.dimension] else { continue }
            wanted[position] = Set(axis.plain.indices.filter { axis.plain[$0].map(values.contains) ?? false })
        }
        self.wanted = wanted
        slotWanted = space.slots.map { slot in
            let parts = [(space.projects, slot.project), (space.users, slot.user), (space.keys, slot.key)]
            return parts.allSatisfy { axis, place in
                query.filters[axis.dimension].map { values in axis.plain[place].map(values.contains) ?? false } ?? true
            }
        }
    }

    /// Fills `rows` and `sums` for the bucket that begins at `bucket` (aligned to the width), of which only `covered` seconds count.
    mutating func fill(bucket: Int, covered: Int) {
        rows.removeAll(keepingCapacity: true)
        sums.removeAll(keepingCapacity: true)
        places.removeAll(keepingCapacity: true)
        let settings = organization.settings
        let noise = organization.noise.with(query.report.name).with(bucket).with(query.width)
        let first = organization.origin - settings.days * Moment.day
        guard space.count > 0, bucket >= first, covered > 0 else { return }
        if settings.switches.disjointDays {
            let day = Moment.floor(bucket, to: Moment.day) / Moment.day
            if (day % 2 == 0) == query.report.isCosts { return }
        }
        if settings.emptyEvery > 0, noise.with("empty").oneIn(settings.emptyEvery) { return }
        let changes = organization.restatements.filter { $0.touches(stream: query.report.name, bucket: bucket) }
        var percent = 100
        var wishes = settings.rowsPerBucket
        var drops = false
        for change in changes.map(\.change) {
            switch change {
            case .larger: percent += 25
            case .smaller: percent -= 25
            case .added: wishes += max(1, wishes / 4)
            case .vanished: drops = true
            }
        }
        let offset = noise.below(space.count)
        for number in 0..<min(wishes, space.count) where !(drops && number % 3 == 1) {
            let (product, _) = number.multipliedReportingOverflow(by: stride)
            let combination = (offset + product) % space.count
            let share = (covered * max(0, percent), query.width * 100)
            add(combination, noise.with(combination), share: share, isWhole: covered >= query.width)
        }
    }

    private mutating func add(_ combination: Int, _ noise: Noise, share: (part: Int, whole: Int), isWhole: Bool) {
        let slot = space.slots[combination % space.slots.count]
        guard slotWanted[combination % space.slots.count] else { return }
        var code: UInt64 = 1
        var rest = combination / space.slots.count
        for (position, axis) in space.axes.enumerated() {
            let place = rest % axis.values.count
            rest /= axis.values.count
            if let wanted = wanted[position], !wanted.contains(place) { return }
            if query.grouping.contains(axis.dimension) { code = code &* 4099 &+ UInt64(place &+ 1) }
        }
        for dimension in query.grouping {
            switch dimension {
            case .project: code = code &* 1_000_003 &+ UInt64(slot.project &+ 1)
            case .user: code = code &* 1_000_033 &+ UInt64(slot.user &+ 1)
            case .key: code = code &* 1_000_037 &+ UInt64(slot.key &+ 1)
            default: break
            }
        }
        let counts = query.report.isCosts ? CostRows.counts(noise) : UsageRows.counts(query.report, noise)
        // A bucket that is not over yet, or clipped, has its share; what rounds to no request has not happened yet.
        guard isWhole || counts[0] * share.part >= share.whole else { return }
        let start: Int
        if let place = places[code] {
            start = place * width
        } else {
            start = sums.count
            places[code] = rows.count
            rows.append(Row(combination: combination, code: code))
            sums.append(contentsOf: repeatElement(0, count: width))
        }
        for position in 0..<width {
            // Wide: tokens times seconds times percent may pass 64 bits.
            let (high, low) = counts[position].multipliedFullWidth(by: share.part)
            sums[start + position] &+= share.whole.dividingFullWidth((high, low)).quotient
        }
    }

    /// The JSON text of a grouped dimension of a row.
    func value(_ dimension: Report.Dimension, of row: Row) -> [UInt8] {
        let slot = space.slots[row.combination % space.slots.count]
        switch dimension {
        case .project: return space.projects.values[slot.project]
        case .user: return space.users.values[slot.user]
        case .key: return space.keys.values[slot.key]
        default:
            var rest = row.combination / space.slots.count
            for axis in space.axes {
                if axis.dimension == dimension { return axis.values[rest % axis.values.count] }
                rest /= axis.values.count
            }
            return Array("null".utf8)
        }
    }

    private static func commonDivisor(_ first: Int, _ second: Int) -> Int {
        second == 0 ? first : commonDivisor(second, first % second)
    }
}
