import Connector
import Foundation
import Model
import Testing

@testable import PipelineFile

@Suite struct JSONSchemaTests {
    @Test func thePipelineSchemaListsEveryStreamWithItsOptions() throws {
        let connector = try BuiltinConnectors.connector("openai_admin")
        let schema = JSONSchemas.pipeline(connector)
        let streams = try #require(schema["properties"]?["streams"]?["properties"]?.members)
        #expect(streams.map(\.key) == connector.streams.map(\.name))
        let costs = streams.first { $0.key == "costs" }?.value["properties"]?.members?.map(\.key)
        let options = [
            "bucket_width", "group_by", "lookback", "max_shrink", "min_rows", "on_failure", "since", "until",
        ]
        #expect(costs == options)
        #expect(schema["properties"]?["source"]?["properties"]?["organization"] != nil)
    }

    /// An independent validator agrees with our readers about the files that are shipped.
    @Test func anIndependentValidatorAcceptsWhatIsShippedAndRefusesWhatIsNot() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "cogni-schemas-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let connector = try BuiltinConnectors.connector("openai_admin")
        let schemas = [
            ("pipeline", JSONSchemas.pipeline(connector)), ("connector", JSONSchemas.connector),
            ("manifest", JSONSchemas.manifest),
        ]
        for (name, schema) in schemas {
            try Data(schema.pretty.utf8).write(to: folder.appending(path: "\(name).json"))
        }
        let starter = StarterPipeline.files.first { $0.name == "pipeline.yaml" }?.text ?? ""
        try Data(starter.utf8).write(to: folder.appending(path: "starter.yaml"))
        try Data(Self.script.utf8).write(to: folder.appending(path: "check.py"))
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python3", folder.appending(path: "check.py").path, folder.path, repository.path]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let said = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        if process.terminationStatus == 77 || process.terminationStatus == 127 {
            print("skipped: no python3 with jsonschema and yaml")
            return
        }
        #expect(said == "")
        #expect(process.terminationStatus == 0)
    }

    private static let script = """
        import json, sys
        try:
            import jsonschema, yaml
        except ImportError:
            sys.exit(77)
        folder, repository = sys.argv[1:]
        class Loader(yaml.SafeLoader):
            pass
        # Dates stay text, as for editors that read YAML 1.2.
        Loader.yaml_implicit_resolvers = {
            key: [(tag, pattern) for tag, pattern in rules if tag != "tag:yaml.org,2002:timestamp"]
            for key, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
        }
        def schema(name):
            made = json.load(open(f"{folder}/{name}.json"))
            jsonschema.Draft202012Validator.check_schema(made)
            return jsonschema.Draft202012Validator(made)
        def load(path):
            return yaml.load(open(path, encoding="utf-8"), Loader)
        pipeline, connector, manifest = schema("pipeline"), schema("connector"), schema("manifest")
        for name in ("openai-admin", "usage-and-costs", "security-inventory"):
            for error in pipeline.iter_errors(load(f"{repository}/pipelines/{name}.yaml")):
                print(name, list(error.path), error.message[:200])
        for error in pipeline.iter_errors(load(f"{folder}/starter.yaml")):
            print("starter", list(error.path), error.message[:200])
        for error in connector.iter_errors(load(f"{repository}/Sources/House/Connector/Connectors/openai_admin.yaml")):
            print("connector", list(error.path), error.message[:200])
        source = {"connector": "openai_admin"}
        for wrong in (
            {"pipeline": "P", "source": source}, {"pipeline": "p"}, {"pipeline": "p", "source": source, "strems": {}},
            {"pipeline": "p", "source": source, "streams": {"cots": {}}},
            {"pipeline": "p", "source": source, "streams": {"costs": {"bucket_width": "1h"}}},
            {"pipeline": "p", "source": source, "streams": {"users": {"since": "2025-11-01"}}},
            {"pipeline": "p", "source": {"connector": "openai_admin", "credential": "literal"}},
            {"pipeline": "p", "source": source, "load": {"format": "xml"}},
        ):
            if pipeline.is_valid(wrong):
                print("accepted", wrong)
        good = {"format": "cogni-manifest/1", "pipeline": "openai-admin", "key_ids": ["bjugbow2rs"], "streams": [
            {"name": "costs", "mode": "report", "primary_key": ["start_time"], "bucket_width": "1d", "group_by": [],
             "schema": "schemas/costs.json", "rows": 3, "stale": False, "watermark": "2025-12-01T00:00:00Z",
             "coverage": {"from": "2025-11-01T00:00:00Z", "to": "2025-12-01T00:00:00Z"},
             "partitions": [{"partition": {"dt": "2025-11-03"}, "files": [
                 {"path": "costs/a.ndjson.gz", "rows": 3, "bytes": 249, "sha256": "0" * 64, "content_bytes": 796,
                  "content_sha256": "a" * 64, "min": "2025-11-03T00:00:00Z", "max": None}]}]}]}
        for error in manifest.iter_errors(good):
            print("manifest", list(error.path), error.message[:200])
        good["streams"][0]["partitions"][0]["files"][0]["sha256"] = "short"
        if manifest.is_valid(good):
            print("accepted a short hash")
        """
}
