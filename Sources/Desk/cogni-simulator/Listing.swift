/// All items of one list, in their natural order (oldest first unless said otherwise), rendered only when a page needs them.
struct Listing {
    /// What each item's cursor is made of; unique within the list.
    var ids: [String]
    /// The item at a place in `ids`.
    var render: (Int) -> Value

    static var empty: Listing { Listing(ids: []) { _ in .null } }

    init(ids: [String], render: @escaping (Int) -> Value) {
        self.ids = ids
        self.render = render
    }

    /// Renders `elements`, leaving out those whose id no longer exists.
    init<Element>(
        _ elements: some Sequence<Element>,
        in organization: Organization,
        id: (Element) -> String,
        render: @escaping (Element) -> Value
    ) {
        let present = elements.filter { organization.stillExists(id($0)) }
        self.init(ids: present.map(id)) { render(present[$0]) }
    }

    var reversed: Listing {
        let count = ids.count
        return Listing(ids: ids.reversed()) { [render] in render(count - 1 - $0) }
    }

    func firstIndex(ofCursor id: String) -> Int? {
        ids.firstIndex(of: id)
    }
}
