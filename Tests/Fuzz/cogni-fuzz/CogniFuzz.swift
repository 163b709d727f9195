import Foundation

/// `cogni-fuzz TARGET FILE…` tries each file and says how many. Built with `-D FUZZING -sanitize=fuzzer` (Tests/Fuzz/run.sh)
/// it is libFuzzer on that target, with libFuzzer's options.
@main
struct CogniFuzz {
    static func main() {
        let arguments = CommandLine.arguments
        guard arguments.count > 1, let target = Target(rawValue: arguments[1]) else {
            let names = Target.allCases.map(\.rawValue).joined(separator: "|")
            FileHandle.standardError.write(Data("usage: cogni-fuzz \(names) FILE…\n".utf8))
            exit(2)
        }
        #if FUZZING
        Fuzzer.run(target)
        #else
        for path in arguments.dropFirst(2) {
            guard let bytes = FileManager.default.contents(atPath: path) else { exit(2) }
            target.take(Array(bytes))
        }
        FileHandle.standardOutput.write(Data("\(arguments.count - 2) inputs\n".utf8))
        #endif
    }
}
