import Disk
import Foundation
import Model

/// Files that the user names: pipeline and connector files, mounted secrets.
///
/// Links are followed, other than in our own output: Kubernetes mounts every configuration and secret as one, and a shell's `<(…)` is one.
enum InputFile {
    static func contents(_ path: String, limit: Int) throws(Fault) -> [UInt8] {
        let data: Data
        do {
            let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            defer { try? handle.close() }
            var all = Data()
            while all.count <= limit, let part = try handle.read(upToCount: limit + 1 - all.count), !part.isEmpty {
                all += part
            }
            data = all
        } catch {
            let isFolder = (try? Disk.target(path))??.kind == .folder
            let reason =
                isFolder
                ? "it is a folder"
                : (error as NSError).localizedFailureReason ?? (error as NSError).localizedDescription
            throw Fault(
                .badPlan,
                "\(path) can't be read: \(reason)",
                mend: "check the path; `cogni init` writes a starter pipeline"
            )
        }
        guard data.count <= limit else {
            throw Fault(.badPlan, "\(path) is larger than \(limit >> 20) MiB", mend: "name a pipeline file")
        }
        return Array(data)
    }
}
