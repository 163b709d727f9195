internal import CStateDisk
package import Disk

/// The door through which SQLite reaches the disk: retries what a signal interrupted, syncs folders and asks whether
/// that went well, and remembers the call that failed, with its path and number.
package enum StateDisk {
    /// Every database that is opened from now on goes through the door. More than once does nothing.
    package static func install() {
        // Fails only when SQLite was built without files.
        guard cogni_state_disk_install() == 0 else { fatalError("SQLite has no way to the disk") }
    }

    /// The last call that failed on this thread since this was last asked. SQLite bears with some failures, so ask before
    /// the work as well, and drop the answer. A database works on the thread of its caller.
    package static func takeFailure() -> DiskError? {
        var call: UnsafePointer<CChar>? = nil
        var path = [CChar](repeating: 0, count: 4096)
        let number = unsafe cogni_state_disk_failure(&call, &path, Int32(path.count))
        guard number != 0, let call = unsafe call else { return nil }
        let name = String(decoding: path.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return unsafe DiskError(String(cString: call), name, number: number)
    }
}
