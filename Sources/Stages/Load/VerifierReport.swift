package import Model

/// What verifying tells.
extension Verifier {
    package struct Finding: Sendable, Equatable {
        package enum Problem: String, Sendable {
            case missing, extra, bytes, sha256, content, rows, totals, unreadable, link, manifest, sums, chain, current
        }
        package var generation: Int
        /// Relative to the generation's folder; empty when the generation as a whole is meant.
        package var path: String
        package var problem: Problem
        package var detail: String
    }

    /// What was looked at, and what was found. An empty list of findings is the good answer.
    package struct Report: Sendable, Equatable {
        package var generations: [Int] = []
        package var files = 0
        package var bytes = 0
        package var rows = 0
        package var findings: [Finding] = []

        package var isGood: Bool { findings.isEmpty }
    }
}

extension Verifier.Report {
    /// For `--json`.
    package var json: JSONValue {
        [
            "ok": .bool(isGood), "generations": .array(generations.map { .integer($0) }), "files": .integer(files),
            "bytes": .integer(bytes), "rows": .integer(rows),
            "findings": .array(
                findings.map {
                    [
                        "generation": .integer($0.generation), "path": .string($0.path),
                        "problem": .string($0.problem.rawValue), "detail": .string($0.detail),
                    ]
                }
            ),
        ]
    }

    /// One line a finding, and a last one that sums up.
    package var text: String {
        let lines = findings.map { finding in
            let place = finding.generation == 0 ? "output" : "generation \(finding.generation)"
            return
                "\(finding.problem.rawValue): \(place): \(finding.path.isEmpty ? "" : "\(finding.path) ")\(finding.detail)"
        }
        let sum = "\(files) files, \(rows) rows, \(ByteSize(bytes: bytes).text): "
        return
            (lines + [
                sum
                    + (isGood
                        ? "all as the manifest says" : "\(findings.count) finding\(findings.count == 1 ? "" : "s")")
            ]).joined(
                separator: "\n"
            )
    }
}
