#if FUZZING
import Foundation

/// libFuzzer's own main loop, which comes with the compiler's runtime and has no Swift module.
@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ one: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

enum Fuzzer {
    nonisolated(unsafe) private static var target = Target.pipeline

    /// The first argument named the target; the others are libFuzzer's.
    static func run(_ target: Target) -> Never {
        unsafe Fuzzer.target = target
        var words = CommandLine.arguments
        words.remove(at: 1)
        var pointers = unsafe words.map { unsafe strdup($0) } + [nil]
        let code = unsafe pointers.withUnsafeMutableBufferPointer { buffer -> CInt in
            var count = CInt(words.count)
            guard var base = buffer.baseAddress else { return 2 }
            return unsafe runDriver(&count, &base) { data, size in
                unsafe Fuzzer.target.take(Array(UnsafeBufferPointer(start: data, count: size)))
                return 0
            }
        }
        exit(code)
    }
}

/// The driver is told what to call; the runtime wants this name to exist all the same.
@_cdecl("LLVMFuzzerTestOneInput")
public func one(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt { 0 }
#endif
