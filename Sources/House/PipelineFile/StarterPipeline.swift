internal import Model

/// What `cogni init` writes: a small pipeline that works once a key is set, what belongs beside it, and replies of an invented
/// organization, so that `--replay` runs it anywhere without a key. All of it is data, in `Starter/`.
package enum StarterPipeline {
    package static let connector = "openai_admin"

    /// Names relative to the folder, and their texts.
    package static let files: [(name: String, text: String)] = [
        ("pipeline.yaml", text(PackageResources.pipeline_yaml)), ("env.example", text(PackageResources.env_example)),
        (".gitignore", text(PackageResources.gitignore_txt)),
    ]

    /// Names relative to the fixture folder, laid out as recorded fixtures are, and their texts.
    package static let fixtures: [(name: String, text: String)] = {
        guard let stored = try? JSONValue(parsing: PackageResources.fixture_json), let files = stored.members else {
            preconditionFailure("the starter fixture is no JSON object")
        }
        return files.map { ($0.key, $0.value.pretty + "\n") }
    }()

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
