import Foundation
import Model
import Sanitizing

/// The process's environment, read once.
enum Environment {
    static let all = ProcessInfo.processInfo.environment

    /// As seen from the root; links stay.
    static func absolute(_ path: String) -> String {
        // A matter of words: without the hint Foundation asks the disk what stands there.
        URL(filePath: path, directoryHint: .notDirectory).standardizedFileURL.path
    }

    /// Secrets that are known before any pipeline file is read.
    static var secrets: [Secret] {
        all.filter { secretNames.contains($0.key) && !$0.value.isEmpty }.map { Secret($0.value, name: $0.key) }
    }

    private static let secretNames: Set<String> = ["COGNI_MASTER_KEY"]

    /// Everyone on the machine can read a process's arguments, so one that looks like a secret is refused, and not repeated.
    static func refuseSecrets(in arguments: [String]) throws(Fault) {
        let sanitizer = Sanitizer(knownValues: secrets)
        for (place, argument) in arguments.enumerated().dropFirst() {
            let bytes = Array(argument.utf8)
            guard sanitizer.mask(bytes) != bytes else { continue }
            throw Fault(
                .badPlan,
                "argument \(place) looks like a secret, and arguments can be read by everyone on the machine",
                mend:
                    "put it into an environment variable or a file that the pipeline names, and replace it: it was visible"
            )
        }
    }
}
