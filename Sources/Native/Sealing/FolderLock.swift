internal import Disk
internal import Glibc

/// The right to change the private files of one folder, held by one process at a time. The kernel's, on the folder itself:
/// it leaves no file behind and goes with its holder.
package final class FolderLock {
    private let folder: Int32

    /// Waits at most so long; `.system` when the others take longer.
    package init(of path: String, milliseconds: Int = 30_000) throws(PrivateFileError) {
        folder = unsafe open(Disk.parent(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw .last("open") }
        var left = milliseconds
        while flock(folder, LOCK_EX | LOCK_NB) != 0 {
            guard errno == EWOULDBLOCK || errno == EINTR else { throw .last("flock") }
            guard left > 0 else {
                throw .system(call: "flock", reason: "another process is changing keys in this folder")
            }
            usleep(10_000)
            left -= 10
        }
    }

    deinit { _ = close(folder) }
}
