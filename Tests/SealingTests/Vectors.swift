import Foundation
import Model
import Sealing

/// Hex to bytes, for vectors.
func bytes(hex: String) -> [UInt8] {
    let digits = hex.compactMap(\.hexDigitValue)
    precondition(digits.count == hex.count && digits.count % 2 == 0, "not hex: \(hex.prefix(20))")
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

func keyBytes(_ bytes: [UInt8]) throws -> KeyBytes {
    let span = bytes.span
    return try KeyBytes(copying: span)
}

/// The repository's root, from where this file stands.
let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

func json(at url: URL) throws -> JSONValue { try JSONValue(parsing: Array(try Data(contentsOf: url))) }

/// Google's Wycheproof vectors: the part in the repository, and all of them where this machine has them beside it.
enum Wycheproof: CaseIterable {
    case part, whole

    private var folder: URL {
        switch self {
        case .part: repository.appending(path: "Fixtures/vectors/wycheproof")
        case .whole: repository.deletingLastPathComponent().appending(path: "shared/corpora/wycheproof")
        }
    }

    static var present: [Wycheproof] {
        allCases.filter { $0 == .part || FileManager.default.fileExists(atPath: $0.folder.path()) }
    }

    /// How many cases of a file there must be at least, so that none goes missing unnoticed.
    func least(_ part: Int, _ whole: Int) -> Int { self == .part ? part : whole }

    struct Case: Sendable, CustomStringConvertible {
        var file: String
        var id: Int
        var fields: JSONValue
        var group: JSONValue
        var description: String { "\(file) \(id)" }
        func bytes(_ name: String) -> [UInt8] { SealingTests.bytes(hex: fields[name]?.text ?? "") }
        var isValid: Bool { fields["result"]?.text == "valid" }
    }

    /// The cases of one file whose group fits.
    func cases(_ file: String, where fits: (JSONValue) -> Bool) throws -> [Case] {
        let document = try json(at: folder.appending(path: file + ".json"))
        return (document["testGroups"]?.elements ?? []).filter(fits).flatMap { group in
            (group["tests"]?.elements ?? []).map {
                Case(file: file, id: $0["tcId"]?.integer ?? -1, fields: $0, group: group)
            }
        }
    }
}
