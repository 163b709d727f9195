import ArgumentParser
import Connector
import Model
import PipelineFile

/// Finds connectors by what a user types: a built-in name, a connector file, or a pipeline file that names one.
enum Catalog {
    static func connector(_ name: String) throws -> Connector {
        if BuiltinConnectors.names.contains(name) { return try BuiltinConnectors.connector(name) }
        if !isPath(name) { _ = try BuiltinConnectors.connector(name) }
        return try read(name, try Workspace.contents(name))
    }

    /// The connector, and the pipeline where a pipeline file was named.
    static func find(_ name: String) throws -> (connector: Connector, pipeline: Pipeline?) {
        if !isPath(name) { return (try BuiltinConnectors.connector(name), nil) }
        let bytes = try Workspace.contents(name)
        if isConnector(bytes) { return (try read(name, bytes), nil) }
        let pipeline = try Workspace(name).pipeline
        return (pipeline.connector, pipeline)
    }

    private static func isPath(_ name: String) -> Bool { name.contains("/") || name.contains(".") }

    /// A connector file says `connector:` at its top level, a pipeline file below `source:`.
    private static func isConnector(_ bytes: [UInt8]) -> Bool {
        bytes.split(separator: 10).contains { $0.starts(with: "connector:".utf8) }
    }

    private static func read(_ name: String, _ bytes: [UInt8]) throws -> Connector {
        let reading = ConnectorReader.read(file: name, bytes: bytes)
        if !reading.diagnostics.isEmpty { Terminal.error(reading.diagnostics.text) }
        guard let connector = reading.connector else { throw Ending(reading.diagnostics, in: name) }
        return connector
    }
}
