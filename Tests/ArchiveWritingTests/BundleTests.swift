import ArchiveWriting
import Disk
import Foundation
import TestKit
import Testing

@Suite struct BundleTests {
    private func bundle(_ folder: String, _ name: String, _ format: BundleWriter.Format) throws -> String {
        let path = folder + "/" + name + "." + format.rawValue
        let bundle = try BundleWriter(path, format: format)
        try bundle.add("a/b=c/one.ndjson.gz", file: folder + "/one.gz")
        try bundle.add("a/two.json", bytes: Array("{\"two\":2}".utf8))
        try bundle.add("empty", bytes: [])
        try bundle.finish()
        return path
    }

    @Test(arguments: BundleWriter.Format.allCases)
    func bytesDependOnNamesAndContentsOnly(format: BundleWriter.Format) throws {
        try withFolder { folder throws in
            try Disk.replace(folder + "/one.gz", with: rows(700_000, seed: 1), mode: 0o600)
            let first = try Disk.contents(bundle(folder, "first", format))
            try Disk.remove(folder + "/one.gz")
            try Disk.replace(folder + "/one.gz", with: rows(700_000, seed: 1), mode: 0o644)
            #expect(try Disk.contents(bundle(folder, "second", format)) == first)
            // The local time in a zip's header: 1980-01-01 00:00, whatever the time zone.
            if format == .zip { #expect(Array(first[10..<14]) == [0, 0, 0x21, 0]) }
        }
    }

    @Test(arguments: BundleWriter.Format.allCases)
    func bsdtarGivesTheSameBytesBack(format: BundleWriter.Format) throws {
        try withFolder { folder throws in
            try Disk.replace(folder + "/one.gz", with: rows(700_000, seed: 1))
            let path = try bundle(folder, "x", format)
            guard let listed = try run("bsdtar", ["-tf", path]) else {
                return print("skipped: bsdtar is not installed")
            }
            #expect(String(decoding: listed.output, as: UTF8.self) == "a/b=c/one.ndjson.gz\na/two.json\nempty\n")
            let out = folder + "/out"
            try Disk.makeFolders(out)
            #expect(try run("bsdtar", ["-xf", path, "-C", out])?.status == 0)
            #expect(try Disk.contents(out + "/a/b=c/one.ndjson.gz") == rows(700_000, seed: 1))
            #expect(try Disk.contents(out + "/a/two.json") == Array("{\"two\":2}".utf8))
        }
    }

    @Test(arguments: BundleWriter.Format.allCases)
    func aBundleThatIsNotFinishedIsNotAnArchive(format: BundleWriter.Format) throws {
        try withFolder { folder throws in
            let path = folder + "/x." + format.rawValue
            do {
                let bundle = try BundleWriter(path, format: format)
                try bundle.add("a", bytes: rows(900_000, seed: 8))
            }
            guard let tested = try run("bsdtar", ["-tf", path]) else {
                return print("skipped: bsdtar is not installed")
            }
            #expect(tested.status != 0 || tested.output.isEmpty)
        }
    }
}
