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
    package internal(set) var drift = Drift()

    let layout: StreamLayout
    let settings: Settings
    let scanner: PageScanner
    private let encoder: LineEncoder
    let resolvers: [ValueResolver]
    private let hasUnit: Bool
    /// By column: the texts that the schema lists; `nil`: any.
    let listed: [Set<[UInt8]>?]
    var parameters: [String: String] = [:]

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
        // Its memory is the next page's, which may be on its way.
        defer { scanner.close() }
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
            if drift != driftBefore {
                drift = driftBefore
                // It was told when a value was first met: the page that comes in this one's place must tell it again.
                encoder.forgetValues()
            }
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
            case .malformed(let reason, let offset): throw failure(reason, at: offset)
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
                try noteNext(into: &facts)
                return facts
            }
        }
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
}
