// Single items: what the lists have, one at a time.
extension Directory {
    func item(_ name: String, path: [String: String], query: Query) throws(Refusal) -> Value {
        let id = path["item_id"] ?? ""
        // An archived project is hidden from the list and refuses its children, but can be read.
        let listing = try listing(name, path: path, query: Query.none, complete: true)
        guard let place = listing.firstIndex(ofCursor: id) else { throw .notFound(name, id) }
        let item = listing.render(place)
        switch name {
        case "certificates" where query.all("include").contains("content"):
            return item.replacing(
                "certificate_details",
                with: .object(
                    (item["certificate_details"]?.members ?? [])
                        + [
                            .init(
                                name: "content",
                                value: "-----BEGIN CERTIFICATE-----\nQ0FOQVJZ\n-----END CERTIFICATE-----\n"
                            )
                        ]
                )
            )
        case "group_users":
            return .object(
                (item.members ?? []) + [
                    .init(name: "is_service_account", value: false), .init(name: "picture", value: .null),
                    .init(name: "user_type", value: "user"),
                ]
            )
        default: return item
        }
    }
}

extension Value {
    /// The same object with one member's value exchanged.
    func replacing(_ name: String, with value: Value) -> Value {
        .object((members ?? []).map { $0.name == name ? Member(name: name, value: value) : $0 })
    }
}

extension Value {
    func renaming(_ name: String, to newName: String) -> Value {
        .object((members ?? []).map { $0.name == name ? Member(name: newName, value: $0.value) : $0 })
    }
}

extension Query {
    /// No parameters at all.
    static let none = Query(fields: [])
}
