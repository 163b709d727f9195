internal import Connector
internal import Model
internal import RecordScan

extension RowEncoder {
    /// Writes down for the kernel how a line of this stream is built.
    static func program(
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
