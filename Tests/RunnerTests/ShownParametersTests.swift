import Connector
import Model
import Sealing
import Testing
import Transform

@testable import Runner

@Suite struct ShownParametersTests {
    private static let spec = StreamSpec(
        name: "roles",
        mode: .snapshot,
        path: "/users/{user_id}/roles",
        pagination: Pagination(style: .none, cursorParameter: "", cursorPath: []),
        rows: .init(members: ["data"]),
        primaryKey: ["user_id"],
        columns: [Column("user_id", path: [], origin: .parameter("user_id"), kind: .string, nullable: false)]
    )

    private func rules(_ change: (inout FieldRules) -> Void) -> FieldRules {
        var rules = FieldRules(maskSecrets: { _ in nil })
        change(&rules)
        return rules
    }

    private let fault = Fault(.badReply, "no user-raw-12345678 here", at: ["user_id user-raw-12345678"], mend: "")
    private let parameters = ["user_id": "user-raw-12345678"]

    @Test func anIdThatTheArchiveKeepsIsShown() {
        let shown = ShownParameters(spec: Self.spec, rules: rules { _ in })
        #expect(shown.shown(parameters) == parameters)
        #expect(shown.cleaned(fault, parameters) == fault)
    }

    @Test func anIdThatTheArchiveSealsStandsInNoMessage() throws {
        let key = try DataKey(KeyBytes(copying: [UInt8](repeating: 7, count: 32).span))
        let sealed = rules {
            $0.sealedFields = ["user_id"]
            $0.key = key
            $0.tenant = "t"
        }
        let cleaned = ShownParameters(spec: Self.spec, rules: sealed).cleaned(fault, parameters)
        #expect(!cleaned.description.contains("user-raw"))
        #expect(cleaned.place[0].hasPrefix("user_id ef1.s."))
    }

    @Test(arguments: [FieldRules.Rule.mask, .drop])
    func anIdThatIsMaskedOrDroppedStandsInNoMessage(rule: FieldRules.Rule) {
        let cleaned = ShownParameters(spec: Self.spec, rules: rules { $0.rules = ["user_id": rule] })
            .cleaned(fault, parameters)
        #expect(!cleaned.description.contains("user-raw-12345678"))
    }
}
