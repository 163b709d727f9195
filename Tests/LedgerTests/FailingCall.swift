import GRDBSQLite
import Glibc
import StateDisk
import Synchronization
import Testing

/// A system call of SQLite's that fails: on one path, once. SQLite lets its calls be replaced; what is not planned here goes
/// on to the system.
struct FailingCall: Equatable {
    private let call: String
    private let path: String
    fileprivate let number: Int32

    /// Runs `body` while the next `call` on `path` is answered with `number`. A call that was not made at all has shown nothing.
    static func with<R>(_ call: String, on path: String, _ number: Int32, _ body: () throws -> R) rethrows -> R {
        _ = replaced
        let plan = FailingCall(call: call, path: path, number: number)
        plans.withLock { $0.append(plan) }
        defer {
            let wasMade = plans.withLock { plans in
                guard let index = plans.firstIndex(of: plan) else { return true }
                plans.remove(at: index)
                return false
            }
            #expect(wasMade, "\(call) on \(path) was to fail and was not made")
        }
        return try body()
    }

    fileprivate func isOf(_ call: String, _ path: () -> String) -> Bool { self.call == call && self.path == path() }
}

private let plans = Mutex<[FailingCall]>([])

/// Whether this call is to fail; then `errno` says why.
private func strikes(_ call: String, _ path: () -> String) -> Bool {
    let found = plans.withLock { plans in
        plans.firstIndex { $0.isOf(call, path) }.map { plans.remove(at: $0).number }
    }
    if let found { errno = found }
    return found != nil
}

private func pathOf(_ descriptor: CInt) -> String {
    var room = [CChar](repeating: 0, count: 4096)
    let count = unsafe readlink("/proc/self/fd/\(descriptor)", &room, room.count)
    return String(decoding: room.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

private let replaced: Void = {
    StateDisk.install()
    let open: @convention(c) (UnsafePointer<CChar>, CInt, CInt) -> CInt = { path, flags, mode in
        if flags & O_ACCMODE == O_RDWR, strikes("open", { unsafe String(cString: path) }) { return -1 }
        return unsafe Glibc.open(path, flags, mode_t(mode))
    }
    let lstat: @convention(c) (UnsafePointer<CChar>, UnsafeMutablePointer<stat>) -> CInt = { path, status in
        if strikes("lstat", { unsafe String(cString: path) }) { return -1 }
        return unsafe Glibc.lstat(path, status)
    }
    let pread: @convention(c) (CInt, UnsafeMutableRawPointer, Int, Int) -> Int = { descriptor, room, count, offset in
        if strikes("read", { pathOf(descriptor) }) { return -1 }
        return unsafe Glibc.pread(descriptor, room, count, offset)
    }
    unsafe replace(["open"], unsafeBitCast(open, to: sqlite3_syscall_ptr.self))
    unsafe replace(["lstat"], unsafeBitCast(lstat, to: sqlite3_syscall_ptr.self))
    unsafe replace(["pread", "pread64"], unsafeBitCast(pread, to: sqlite3_syscall_ptr.self))
}()

private func replace(_ names: [String], _ call: sqlite3_syscall_ptr) {
    guard let system = unsafe sqlite3_vfs_find("unix") else { preconditionFailure("SQLite has no calls to replace") }
    for name in names { _ = unsafe system.pointee.xSetSystemCall(system, name, call) }
}
