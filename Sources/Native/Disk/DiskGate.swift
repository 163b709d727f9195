/// The door in front of every call that changes the disk, through which tests send failures.
///
/// A promise about crashes has to be tried at every call there is, and only the room that makes the calls can count
/// them. Nothing is installed in a normal run; the look-up costs a few nanoseconds beside a system call.
package struct DiskGate: Sendable {
    /// Gets the call's name and path before it is made; what it throws is what the call throws.
    package typealias Guard = @Sendable (_ call: String, _ path: String) throws(DiskError) -> Void

    @TaskLocal package static var current: DiskGate?

    private let check: Guard

    package init(_ check: @escaping Guard) { self.check = check }

    /// Calls of `body`, on this task, pass through this gate.
    package func watching<R>(_ body: () throws -> R) rethrows -> R {
        try DiskGate.$current.withValue(self, operation: body)
    }

    /// For the rooms of `Native` that make such calls themselves.
    package static func pass(_ call: String, _ path: String) throws(DiskError) {
        if let current { try current.check(call, path) }
    }
}
