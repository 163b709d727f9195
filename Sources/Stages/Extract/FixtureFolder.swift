import FoundationEssentials
package import Model

/// The files of a fixture directory: reads pages, writes them whole.
package struct FixtureFolder: Sendable {
    package let path: String

    package init(_ path: String) { self.path = path }

    struct Page: Sendable {
        var status: Int
        var body: [UInt8]
        var link: String?
    }

    /// `DIR/replay.json`.
    package struct Index: Sendable, Equatable {
        /// The `now` that it was recorded with: what a replay goes by when told nothing else.
        package var now: Instant?
        package var connector: String?
        /// What a window outside the recording gets.
        package var outside: Outside

        package enum Outside: String, Sendable {
            /// An error that names what was recorded. The default: nobody knows what was there.
            case refuse
            /// Empty buckets, no events.
            case empty
        }

        package init(now: Instant? = nil, connector: String? = nil, outside: Outside = .refuse) {
            self.now = now
            self.connector = connector
            self.outside = outside
        }
    }

    /// What `replay.json` says; defaults when there is none. Throws `.badPlan` when it can't be read.
    package func index() throws(Fault) -> Index {
        guard let bytes = bytes("replay.json") else { return Index() }
        guard let value = try? JSONValue(parsing: bytes) else {
            throw Fault(.badPlan, "\(path)/replay.json is not JSON", mend: "repair it, or record the fixture again")
        }
        let outside = value["outside"]?.text.flatMap { Index.Outside(rawValue: $0) }
        guard outside != nil || value["outside"] == nil else {
            throw Fault(
                .badPlan,
                "\"outside\" in \(path)/replay.json is not known",
                mend: "use \"refuse\" or \"empty\""
            )
        }
        return Index(
            now: value["now"]?.text.flatMap { Instant(text: $0) },
            connector: value["connector"]?.text,
            outside: outside ?? .refuse
        )
    }

    package func write(_ index: Index) throws(Fault) {
        let value: JSONValue = .object([
            .init("format", "cogni-fixture/1"),
            .init("connector", .optional(index.connector)),
            .init("now", .optional(index.now?.text)),
            .init("outside", .string(index.outside.rawValue)),
        ])
        try write(Array("\(value.pretty)\n".utf8), to: "replay.json")
    }

    // MARK: Pages

    /// - slug: path below the directory, without status and `.json`.
    func page(_ slug: String) -> Page? {
        let link = bytes("\(slug).link").map { String(decoding: $0, as: UTF8.self).filter { $0 != "\n" } }
        if let body = bytes("\(slug).json") { return Page(status: 200, body: body, link: link) }
        let (folder, name) = FixtureFolder.split(slug)
        for file in names(in: folder) where file.hasPrefix("\(name).") && file.hasSuffix(".json") {
            if let status = Int(file.dropFirst(name.count + 1).dropLast(5)), let body = bytes("\(folder)/\(file)") {
                return Page(status: status, body: body, link: link)
            }
        }
        return nil
    }

    func write(_ page: Page, to slug: String) throws(Fault) {
        // One answer for each request: a page that was an error the last time must not leave that behind.
        let (folder, name) = FixtureFolder.split(slug)
        let kept = page.status == 200 ? "\(name).json" : "\(name).\(page.status).json"
        for old in names(in: folder) where old != kept && FixtureFolder.slug(ofFile: old)?.slug == name {
            try? FileManager.default.removeItem(atPath: "\(path)/\(folder)/\(old)")
        }
        try write(page.body, to: "\(folder)/\(kept)")
        if let link = page.link { try write(Array("\(link)\n".utf8), to: "\(folder)/\(name).link") }
    }

    /// Sorted, so that what is read never depends on the file system.
    func names(in folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "\(path)/\(folder)")) ?? []).sorted()
    }

    /// Slug and status of a page's file name; `nil` for other files.
    static func slug(ofFile name: String) -> (slug: String, status: Int)? {
        guard name.hasSuffix(".json") else { return nil }
        let stem = name.dropLast(5)
        if let dot = stem.lastIndex(of: "."), stem.distance(from: dot, to: stem.endIndex) == 4,
            let status = Int(stem[stem.index(after: dot)...]), (100...599).contains(status)
        {
            return (String(stem[..<dot]), status)
        }
        return (String(stem), 200)
    }

    func bytes(_ name: String) -> [UInt8]? {
        FileManager.default.contents(atPath: "\(path)/\(name)").map { [UInt8]($0) }
    }

    /// Beside, then renamed: a reader never sees half a page.
    private func write(_ bytes: [UInt8], to name: String) throws(Fault) {
        let target = URL(filePath: "\(path)/\(name)")
        do {
            try FileManager.default.createDirectory(
                at: target.deletingLastPathComponent(),
                withIntermediateDirectories: true
            )
            try Data(bytes).write(to: target, options: .atomic)
        } catch {
            throw Fault(
                .cannotWrite,
                "could not write the fixture file \(path)/\(name)",
                mend: "check that the directory can be written and that the disk is not full"
            )
        }
    }

    private static func split(_ slug: String) -> (folder: String, name: String) {
        let parts = slug.split(separator: "/")
        return (parts.dropLast().joined(separator: "/"), String(parts.last ?? ""))
    }
}
