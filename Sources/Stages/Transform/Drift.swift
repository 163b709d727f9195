internal import Model

/// Where the API's data and the connector's schema differ. Reported with the run; what is done about it is the pipeline
/// file's to say.
package struct Drift: Sendable, Equatable {
    package struct Field: Sendable, Equatable {
        package var count = 0
        /// `number`, `text`, `boolean`, `object`, `array`.
        package var kind: String
        /// What was done with it: `kept`, `dropped`.
        package var action: String
        package var firstRequestID: String?
    }

    /// A column whose values were other than the schema says.
    package struct Odd: Sendable, Equatable {
        package var firstRequestID: String?
        /// Distinct values, where they may be told; at most ``mostShown``.
        package var shown: Set<String> = []
        /// Distinct values.
        package var count = 0
        package var action: String
    }

    package static let mostShown = 20

    /// By path from the row inwards, with `.` between keys.
    package internal(set) var unknown: [String: Field] = [:]
    /// Columns that the schema calls required and that came as null or not at all.
    package internal(set) var missing: [String: Odd] = [:]
    /// Columns with values that are not among those the schema lists.
    package internal(set) var newValues: [String: Odd] = [:]

    package var isEmpty: Bool { unknown.isEmpty && missing.isEmpty && newValues.isEmpty }

    package init() {}

    mutating func noteUnknown(_ path: String, kind: String, action: String, requestID: String?) {
        unknown[path, default: Field(kind: kind, action: action, firstRequestID: requestID)].count += 1
    }

    mutating func noteMissing(_ column: String, action: String, requestID: String?) {
        if missing[column] == nil { missing[column] = Odd(firstRequestID: requestID, action: action) }
    }

    /// - Parameter shown: the value, when nobody minds reading it.
    mutating func noteValue(_ column: String, shown: String?, action: String, requestID: String?) {
        var odd = newValues[column] ?? Odd(firstRequestID: requestID, action: action)
        if let shown {
            guard !odd.shown.contains(shown) else { return }
            if odd.shown.count < Drift.mostShown { odd.shown.insert(shown) }
        }
        odd.count += 1
        newValues[column] = odd
    }

    package static func += (sum: inout Drift, more: Drift) {
        for (path, field) in more.unknown {
            if sum.unknown[path] == nil { sum.unknown[path] = field } else { sum.unknown[path]?.count += field.count }
        }
        sum.missing.merge(more.missing) { first, _ in first }
        for (column, odd) in more.newValues {
            guard var known = sum.newValues[column] else {
                sum.newValues[column] = odd
                continue
            }
            // Beyond what is kept to be shown, nobody knows which of them the two have in common.
            let new = odd.shown.subtracting(known.shown).sorted()
            known.count += odd.count - odd.shown.count + new.count
            known.shown.formUnion(new.prefix(mostShown - known.shown.count))
            sum.newValues[column] = known
        }
    }

    /// One sentence for each difference.
    package var notes: [String] {
        func seen(_ id: String?) -> String { id.map { ", first in request \($0)" } ?? "" }
        var notes = unknown.sorted { $0.key < $1.key }.map { path, field in
            "field \(path) is not in the schema: \(field.kind), seen \(field.count) times, \(field.action)\(seen(field.firstRequestID))"
        }
        notes += missing.sorted { $0.key < $1.key }.map { column, odd in
            "column \(column) is required and was missing: \(odd.action)\(seen(odd.firstRequestID))"
        }
        notes += newValues.sorted { $0.key < $1.key }.map { column, odd in
            let values = odd.shown.isEmpty ? "" : " (\(odd.shown.sorted().prefix(3).joined(separator: ", ")))"
            return
                "column \(column) has \(odd.count) values that the schema does not list\(values): \(odd.action)\(seen(odd.firstRequestID))"
        }
        return notes
    }
}
