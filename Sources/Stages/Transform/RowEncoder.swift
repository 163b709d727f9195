package import Connector
package import Model
package import PageMemory
package import RecordScan
internal import Sealing
internal import StageClock

/// Turns the pages of one stream into lines, sorted into partitions: scan, resolve, encode.
///
/// One owner at a time. A page is taken whole or not at all: when it turns out broken, what it had added is
/// forgotten again.
package final class RowEncoder {
    /// What decides how lines look; the same for every page of a run.
    package struct Settings: Sendable {
        package var text: CellText
        package var unit: LineEncoder.PartitionUnit
        package var rules: FieldRules
        /// Columns that children need of every row.
        package var parentColumns: [String]

        package init(text: CellText, unit: LineEncoder.PartitionUnit, rules: FieldRules, parentColumns: [String] = []) {
            self.text = text
            self.unit = unit
            self.rules = rules
            self.parentColumns = parentColumns
        }
    }

    /// Runs by partition: days or months since 1970, or 0 for streams without partitions.
    package private(set) var partitions: [Int: RowRun] = [:]
    package private(set) var fetched = 0
    /// Of these, rows left out because a column that the schema requires had no value.
    package private(set) var incomplete = 0
    package private(set) var drift = Drift()

    private let layout: StreamLayout
    private let settings: Settings
    private let scanner: PageScanner
    private let encoder: LineEncoder
    private let resolvers: [ValueResolver]
    private let hasUnit: Bool
    /// By column: the texts that the schema lists; `nil`: any.
    private let listed: [Set<[UInt8]>?]
    private var parameters: [String: String] = [:]

    package init(spec: StreamSpec, primaryKey: [String], settings: Settings) throws(Fault) {
        layout = StreamLayout(spec: spec, primaryKey: primaryKey)
        self.settings = settings
        hasUnit = layout.timeColumn != nil && settings.unit != .none
        do throws(SealingError) {
            var resolvers: [ValueResolver] = []
            for column in layout.columns {
                let policy = try settings.rules.policy(stream: spec.name, column: column)
                let inner =
                    column.kind == .json
                    ? try InnerRules(stream: spec.name, column: column, rules: settings.rules) : nil
                resolvers.append(
                    ValueResolver(
                        stream: spec.name,
                        column: column,
                        policy: policy,
                        rules: settings.rules,
                        inner: inner
                    )
                )
            }
            self.resolvers = resolvers
        } catch {
            throw Fault(
                .cannotSeal,
                "the field keys of stream \(spec.name) could not be derived: \(error)",
                mend: "check the key ring with `cogni keys list`"
            )
        }
        listed = layout.columns.map { $0.values.isEmpty ? nil : Set($0.values.map { Array($0.utf8) }) }
        scanner = PageScanner(shape: layout.shape)
        encoder = RowEncoder.program(layout, settings, resolvers)
    }

    package var columns: [Column] { layout.columns }

    /// Memory that the waiting rows take.
    package var byteCount: Int { partitions.values.reduce(0) { $0 + $1.byteCount } }

    /// Takes the runs away, to be written; new rows go into new ones.
    package func takePartitions() -> [Int: RowRun] {
        defer { partitions = [:] }
        return partitions
    }

    /// Takes one partition's run away.
    package func takePartition(_ partition: Int) -> RowRun? { partitions.removeValue(forKey: partition) }

    /// Adds a page's rows.
    ///
    /// - Parameter parameters: the path parameters of the request: `["project_id": "proj_1"]`.
    package func take(
        _ page: PageBytes,
        parameters: [String: String],
        requestID: String?
    ) throws(PageFailure) -> PageFacts {
        let marks = partitions.mapValues(\.count)
        let driftBefore = drift
        let incompleteBefore = incomplete
        do throws(PageFailure) {
            try setParameters(parameters)
            let facts = try read(page, requestID: requestID)
            fetched += facts.rowCount
            return facts
        } catch {
            for (partition, run) in partitions {
                if let mark = marks[partition] { run.truncate(mark) } else { partitions[partition] = nil }
            }
            drift = driftBefore
            incomplete = incompleteBefore
            throw error
        }
    }

    private func setParameters(_ parameters: [String: String]) throws(PageFailure) {
        guard parameters != self.parameters || parameters.isEmpty else { return }
        self.parameters = parameters
        for (index, source) in layout.sources.enumerated() {
            guard case .parameter(let name) = source, let text = parameters[name] else { continue }
            let value = try resolved(index, .plainString, Array(text.utf8), row: nil).value
            encoder.setConstant(column: index, text: settings.text.write(value), key: settings.text.key(value))
        }
    }

    private func read(_ page: PageBytes, requestID: String?) throws(PageFailure) -> PageFacts {
        var facts = PageFacts()
        scanner.open(page)
        let clock = StageClock.current
        clock?.add(.scan, nanoseconds: 0, bytes: page.count)
        while true {
            switch StageClock.measure(.scan, { scanner.next() }) {
            case .malformed(let reason, let offset): throw .malformed("\(reason), at byte \(offset)")
            case .rows:
                let count = scanner.rowCount
                if count > 0 {
                    try encodeBatch(requestID: requestID, clock)
                    facts.rowCount += count
                    noteParents(into: &facts)
                    noteLastItem(into: &facts)
                    noteItems(into: &facts)
                }
                if scanner.endsBucket { try noteBucket(into: &facts) }
            case .end:
                facts.elementCount = scanner.elementCount
                if let slot = layout.errorSlot, !scanner.cell(level: 0, slot: slot).isMissing, facts.elementCount == 0 {
                    throw .malformed("the reply holds an error object")
                }
                if let slot = layout.moreSlot {
                    switch scanner.cell(level: 0, slot: slot).kind {
                    case .yes: facts.hasMore = true
                    case .no: facts.hasMore = false
                    case .absent, .null: facts.hasMore = nil
                    default: throw .malformed("`\(layout.spec.pagination.moreField)` is not a boolean")
                    }
                }
                if let slot = layout.cursorSlot { facts.cursor = text(scanner.cell(level: 0, slot: slot)) }
                return facts
            }
        }
    }

    private func text(_ cell: Cell) -> String? {
        cell.isMissing ? nil : String(decoding: scanner.text(cell), as: UTF8.self)
    }

    private func encodeBatch(requestID: String?, _ clock: StageClock?) throws(PageFailure) {
        var row = 0
        var partition = lastPartition
        while true {
            let run = self.run(partition)
            let begun = clock == nil ? 0 : StageClock.now
            let before = clock == nil ? 0 : run.byteCount
            let stop = encoder.encode(scanner, from: row, partition: partition, into: run)
            if let clock { clock.add(.encode, nanoseconds: StageClock.now - begun, bytes: run.byteCount - before) }
            switch stop {
            case .done:
                lastPartition = partition
                return
            case .partition(let at, let next):
                row = at
                if run.count == 0 { partitions[partition] = nil }
                partition = next
            case .unresolved(let at, let column, let cell):
                row = at
                if leavesOut(cell, column: column) {
                    // The column's vocabulary never learns of it, so that every such row is told, and none is begun.
                    drift.noteMissing(layout.columns[column].name, action: "row left out", requestID: requestID)
                    incomplete += 1
                    row += 1
                    continue
                }
                try StageClock.measure(.encrypt, bytes: cell.length) { () throws(PageFailure) in
                    try resolve(row: at, column: column, cell: cell, requestID: requestID)
                }
            }
        }
    }

    private var lastPartition = 0

    private func run(_ partition: Int) -> RowRun {
        if let run = partitions[partition] { return run }
        let run = RowRun()
        partitions[partition] = run
        return run
    }

    private func resolved(
        _ column: Int,
        _ kind: Cell.Kind,
        _ text: [UInt8],
        row: Int?,
        type: String? = nil
    ) throws(PageFailure) -> (value: CellText.Value, time: Int64) {
        do throws(WrongValue) {
            return try resolvers[column].resolve(kind, text, type: type)
        } catch {
            let place = row.map { ["row \($0 + 1) of the page"] } ?? []
            throw .refused(
                Fault(
                    .badReply,
                    error.reason,
                    at: place,
                    mend: "compare the connector's schema with the API; nothing of this stream was published"
                )
            )
        }
    }

    private func resolve(row: Int, column: Int, cell: Cell, requestID: String?) throws(PageFailure) {
        switch layout.sources[column] {
        case .byType:
            let type = layout.typeSlot.map { scanner.text(scanner.cell(row: row, slot: $0)) } ?? []
            let name = String(decoding: type, as: UTF8.self)
            let payload = scanner.unknownFields(row: row).last { $0.parents.isEmpty && $0.key == name }
            let value = try payload.map { payload throws(PageFailure) in
                try resolved(column, payload.value.kind, scanner.text(payload.value), row: row, type: name).value
            }
            encoder.putRow(column: column, row: row, text: settings.text.write(value ?? .null))
        case .extra:
            encoder.putRow(column: column, row: row, text: try extra(row: row, requestID: requestID))
        case .cell, .parameter, .nothing:
            if column == layout.timeColumn, cell.isMissing {
                throw .refused(
                    Fault(
                        .badReply,
                        "column \(layout.columns[column].name) decides the partition and is missing",
                        at: ["row \(row + 1) of the page"],
                        mend: "compare the connector's schema with the API; nothing of this stream was published"
                    )
                )
            }
            var (value, time) = try resolved(column, cell.kind, scanner.text(cell), row: row)
            if try !accepts(cell, column: column, row: row, requestID: requestID) { value = .null }
            encoder.put(
                column: column,
                cell: cell,
                of: scanner,
                text: settings.text.write(value),
                key: settings.text.key(value),
                time: time
            )
        }
    }

    /// Whether a row is left out for what it lacks: `missing_fields: drop`.
    private func leavesOut(_ cell: Cell, column index: Int) -> Bool {
        let column = layout.columns[index]
        guard settings.rules.missingFields == .drop, cell.isMissing, !column.nullable else { return false }
        guard case .cell = layout.sources[index] else { return false }
        return column.origin == .row || column.origin == .bucket
    }

    /// Notes what the schema does not expect of a column: no value where there must be one, a text that it does not list.
    /// - Returns: false when the value is to be dropped.
    private func accepts(_ cell: Cell, column index: Int, row: Int, requestID: String?) throws(PageFailure) -> Bool {
        let column = layout.columns[index]
        let isKey = layout.key.contains(index)
        if cell.isMissing {
            guard !column.nullable, column.origin == .row || column.origin == .bucket else { return true }
            if settings.rules.missingFields == .fail {
                throw breach(
                    "column \(column.name) is required and is missing, and `missing_fields` is `fail`",
                    row,
                    mend: "make the column nullable in the connector, or set `missing_fields: keep` or `drop`"
                )
            }
            drift.noteMissing(column.name, action: "kept as null", requestID: requestID)
            return true
        }
        guard let known = listed[index], cell.kind == .plainString || cell.kind == .escapedString else { return true }
        let text = scanner.text(cell)
        if known.contains(text) { return true }
        if settings.rules.newValues == .fail {
            throw breach(
                "column \(column.name) has a value that the schema does not list, and `new_values` is `fail`",
                row,
                mend: "add the value to the connector, or set `new_values: keep`"
            )
        }
        let isDropped = settings.rules.newValues == .drop && !isKey
        drift.noteValue(
            column.name,
            shown: isShown(text, index) ? String(decoding: text, as: UTF8.self) : nil,
            action: isDropped ? "dropped" : "kept",
            requestID: requestID
        )
        return !isDropped
    }

    /// Whether people may read a value: a short word of a column that nobody protects.
    private func isShown(_ text: [UInt8], _ index: Int) -> Bool {
        guard case .keep = resolvers[index].policy, layout.columns[index].sensitivity == .none else { return false }
        let isWord = text.allSatisfy {
            (97...122).contains($0) || (65...90).contains($0) || (48...57).contains($0) || [45, 46, 95].contains($0)
        }
        return isWord && (1...40).contains(text.count) && settings.rules.maskSecrets(text) == nil
    }

    private func breach(_ what: String, _ row: Int, mend: String) -> PageFailure {
        .refused(Fault(.badReply, what, at: ["row \(row + 1) of the page"], mend: mend))
    }

    /// The row's members beyond the schema, as far as the policy keeps them, nested as they came.
    private func extra(row: Int, requestID: String?) throws(PageFailure) -> [UInt8]? {
        var kept = JSONValue.object([])
        let type = layout.typeSlot.map {
            String(decoding: scanner.text(scanner.cell(row: row, slot: $0)), as: UTF8.self)
        }
        for field in scanner.unknownFields(row: row) {
            if field.parents.isEmpty, field.key == type { continue }
            let path = field.key.isEmpty ? field.parents : field.parents + [field.key]
            let name = path.joined(separator: ".")
            let isNumber = field.value.kind == .integer || field.value.kind == .number
            let keeps: Bool
            switch settings.rules.unknownFields {
            case .fail:
                throw .refused(
                    Fault(
                        .badReply,
                        "field \(name) is not in the schema, and `unknown_fields` is `fail`",
                        at: ["row \(row + 1) of the page"],
                        mend: "add the field to the connector, or set `unknown_fields: numbers`"
                    )
                )
            case .drop: keeps = false
            case .keep: keeps = field.value.kind != .null
            case .numbers: keeps = isNumber
            }
            if field.value.kind != .null {
                drift.noteUnknown(
                    name,
                    kind: ValueResolver.name(field.value.kind),
                    action: keeps ? "kept" : "dropped",
                    requestID: requestID
                )
            }
            guard keeps else { continue }
            let raw = scanner.bytes(field.value)
            let isText = field.value.kind == .plainString || field.value.kind == .escapedString
            let value =
                isText
                ? JSONValue.string(String(decoding: scanner.text(field.value), as: UTF8.self))
                : (try? JSONValue(parsing: raw)) ?? .null
            RowEncoder.insert(value, at: path[...], into: &kept)
        }
        guard kept.members?.isEmpty == false else { return nil }
        let cleaned = resolvers.last?.inner?.applied(to: kept) ?? kept
        return settings.text.write(.json(cleaned.archivable))
    }

    private static func insert(_ value: JSONValue, at path: ArraySlice<String>, into object: inout JSONValue) {
        guard let first = path.first else { return }
        var members = object.members ?? []
        let index = members.firstIndex { $0.key == first }
        if path.count == 1 {
            if let index { members[index].value = value } else { members.append(JSONValue.Member(first, value)) }
        } else {
            var inner = index.map { members[$0].value } ?? .object([])
            insert(value, at: path.dropFirst(), into: &inner)
            if let index { members[index].value = inner } else { members.append(JSONValue.Member(first, inner)) }
        }
        object = .object(members)
    }

    private func noteParents(into facts: inout PageFacts) {
        guard !settings.parentColumns.isEmpty else { return }
        for row in 0..<scanner.rowCount {
            var values: [String: String] = [:]
            for name in settings.parentColumns {
                guard let index = layout.columns.firstIndex(where: { $0.name == name }) else { continue }
                switch layout.sources[index] {
                case .cell(let level, let slot, _) where level == layout.shape.rowLevel:
                    values[name] = text(scanner.cell(row: row, slot: slot))
                case .parameter(let parameter): values[name] = parameters[parameter]
                default: break
                }
            }
            facts.parents.append(values)
        }
    }

    private func noteLastItem(into facts: inout PageFacts) {
        guard let slot = layout.itemSlot, scanner.rowCount > 0 else { return }
        facts.lastItemID = text(scanner.cell(row: scanner.rowCount - 1, slot: slot))
    }

    private func noteItems(into facts: inout PageFacts) {
        guard !layout.keySlots.isEmpty else { return }
        func key(_ row: Int) -> String {
            layout.keySlots.map { text(scanner.cell(row: row, slot: $0)) ?? "" }.joined(separator: "\u{1F}")
        }
        let first = facts.items ?? key(0)
        facts.items = "\(first.prefix { $0 != "\n" })\n\(key(scanner.rowCount - 1))\n\(facts.rowCount)"
    }

    private func noteBucket(into facts: inout PageFacts) throws(PageFailure) {
        guard let startSlot = layout.bucketStartSlot, let endSlot = layout.bucketEndSlot else { return }
        let level = layout.shape.rowLevel - 1
        let start = scanner.integer(scanner.cell(level: level, slot: startSlot))
        let end = scanner.integer(scanner.cell(level: level, slot: endSlot))
        guard let start, let end, end > start else { throw .malformed("a bucket without start and end") }
        facts.buckets.append((Instant(seconds: start), Instant(seconds: end)))
    }
}

extension RowEncoder {
    /// Writes down for the kernel how a line of this stream is built.
    private static func program(
        _ layout: StreamLayout,
        _ settings: Settings,
        _ resolvers: [ValueResolver]
    ) -> LineEncoder {
        let isJSON = settings.text.format == .ndjson
        let encoder = LineEncoder(quotedTimes: isJSON, null: settings.text.null, ending: isJSON ? "}\n" : "\n")
        for (index, column) in layout.columns.enumerated() {
            var prefix: [UInt8] = []
            if isJSON {
                prefix.append(UInt8(ascii: index == 0 ? "{" : ","))
                JSONValue.quote(column.name, into: &prefix)
                prefix.append(UInt8(ascii: ":"))
            } else if index > 0 {
                prefix.append(UInt8(ascii: ","))
            }
            var isPlain = false
            var isDropped = false
            switch resolvers[index].policy {
            case .keep: isPlain = true
            case .drop: isDropped = true
            case .mask, .seal: break
            }
            switch layout.sources[index] {
            case .cell(let level, let slot, let other) where !isDropped:
                let kind: LineEncoder.Kind =
                    switch column.kind {
                    case .integer where isPlain: .integer
                    case .boolean where isPlain: .boolean
                    case .timestamp where isPlain: .timestamp
                    default: .text
                    }
                encoder.addColumn(kind, level: level, slot: slot, otherSlot: other, prefix: prefix)
                if !column.nullable { encoder.require(column: index) }
            case .byType where !isDropped, .extra where !isDropped:
                encoder.addColumn(.rowByRow, level: 0, slot: 0, prefix: prefix)
            default:
                encoder.addColumn(.text, level: -1, slot: 0, prefix: prefix)
                encoder.setConstant(column: index, text: nil, key: [])
            }
        }
        for column in layout.key { encoder.addKey(column: column) }
        if let time = layout.timeColumn, settings.unit != .none { encoder.setTime(column: time, unit: settings.unit) }
        return encoder
    }
}
