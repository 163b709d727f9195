internal import Connector
internal import Load
internal import Model

/// Whose data the output holds: what replies say in their header, and ids in columns of the domain `organization`.
///
/// A key of another organization gives valid answers; rows of two organizations in one archive could never be told apart
/// again. The first answer decides, and the manifest remembers it.
actor OrganizationPin {
    private(set) var seen: Manifest.Organization
    var header: String? { seen.header }
    private let output: String

    /// - Parameters:
    ///   - known: what the current generation's manifest remembers.
    ///   - kept: what replies said whose rows an earlier attempt left in staging: they must not meet another organization's.
    init(known: Manifest.Organization?, kept: String? = nil, output: String) {
        seen = known ?? Manifest.Organization()
        seen.header = seen.header ?? kept
        self.output = output
    }

    /// What a reply's header says; `nil`: it has none.
    func check(header value: String?) -> Fault? {
        guard let value, !value.isEmpty else { return nil }
        guard let known = seen.header else {
            seen.header = value
            return nil
        }
        return known == value ? nil : other("the reply's header")
    }

    /// Ids in the rows.
    func check(ids: [String]) -> Fault? {
        for id in ids {
            guard let known = seen.id else {
                seen.id = id
                continue
            }
            if known != id { return other("an id in the rows") }
        }
        return nil
    }

    private func other(_ what: String) -> Fault {
        Fault(
            .badReply,
            "\(what) names another organization than `\(output)` holds data of",
            mend: "use a key of that organization, or another pipeline name or `--output` for the new one"
        )
    }

    /// Columns that name the organization in clear.
    static func columns(of spec: StreamSpec) -> [String] {
        spec.columns.filter { $0.domain == "organization" && $0.kind == .string }.map(\.name)
    }
}
