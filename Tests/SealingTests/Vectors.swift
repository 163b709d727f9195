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

/// Google's Wycheproof vectors, where this machine has them beside the repository.
enum Wycheproof {
    static let folder = repository.deletingLastPathComponent().appending(path: "shared/corpora/wycheproof")

    static var isPresent: Bool { FileManager.default.fileExists(atPath: folder.path()) }

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
    static func cases(_ file: String, where fits: (JSONValue) -> Bool) throws -> [Case] {
        let document = try json(at: folder.appending(path: file + ".json"))
        return (document["testGroups"]?.elements ?? []).filter(fits).flatMap { group in
            (group["tests"]?.elements ?? []).map {
                Case(file: file, id: $0["tcId"]?.integer ?? -1, fields: $0, group: group)
            }
        }
    }
}
