package import Model

/// The connectors that are part of the program.
package enum BuiltinConnectors {
    package static let names = ["openai_admin"]

    /// The file's bytes, or `nil` when there is no such connector.
    package static func bytes(_ name: String) -> [UInt8]? {
        switch name {
        case "openai_admin": PackageResources.openai_admin_yaml
        default: nil
        }
    }

    /// The tree of that file's nodes, which every run would otherwise wait for; `make connectors` writes it.
    static func precomposed(_ name: String) -> [UInt8]? {
        switch name {
        case "openai_admin": PackageResources.openai_admin_nodes
        default: nil
        }
    }

    /// What came of reading it, or `nil` when there is no such connector.
    package static func reading(_ name: String) -> ConnectorReader.Reading? {
        bytes(name).map { bytes in
            ConnectorReader.read(file: "\(name) (built in)", bytes: bytes, precomposed: precomposed(name))
        }
    }

    /// Read and checked. Throws `.badPlan` for a name that does not exist.
    package static func connector(_ name: String) throws(Fault) -> Connector {
        guard let reading = reading(name) else {
            throw Fault(
                .badPlan,
                "there is no connector \"\(name)\"",
                mend: "use one of: \(names.joined(separator: ", ")), or the path of a connector file"
            )
        }
        return try reading.get()
    }
}
