import Connector
import Model
import Testing

/// Relations and `reconcile` of connector files, and what is wrong with them.
@Suite struct RelationTests {
    private static let head = """
        connector: shop
        base_url: https://api.shop.example/v1
        auth: { variable: SHOP_KEY }
        streams:
          - name: shops
            mode: snapshot
            path: /shops
            primary_key: [id]
            columns: [{ name: id, type: string, domain: shop }, { name: kind, type: string, values: [big, small] }]
          - name: sales
            mode: report
            path: /sales
            window: { start: from, end: to, width: w, widths: [1d] }
            time: start_time
            primary_key: [start_time, shop_id]
            columns:
              - { name: start_time, from: bucket, type: timestamp }
              - { name: shop_id, type: string, nullable: true, domain: shop }
              - { name: copies, type: integer }
              - { name: money, type: decimal }

        """

    private func read(_ rest: String) -> ConnectorReader.Reading {
        ConnectorReader.read(file: "shop.yaml", bytes: Array((Self.head + rest).utf8))
    }

    @Test func relationsAndReconcileAreRead() throws {
        let connector = try read(
            """
            headers: { organization: x-org }
            relations:
              - { name: unknown_shops, about: Sales of nobody, rows: [sales.shop_id], listed: [shops.id], living: true }
              - { name: closed, find: ended, rows: [shops.id] }
            reconcile:
              usage: [{ stream: sales, project: shop_id, requests: copies, tokens: [copies] }]
              costs: { stream: sales, project: shop_id, amount: money, tokens_per_unit: { thousand: 1000 } }
            """
        ).get()
        #expect(connector.organizationHeader == "x-org")
        #expect(connector.relations.map(\.name) == ["unknown_shops", "closed"])
        #expect(connector.relations[0].rows.map(\.text) == ["sales.shop_id"])
        #expect(connector.relations[0].mustLive && connector.relations[1].find == .ended)
        #expect(connector.reconcile?.usage.first?.requests == "copies")
        #expect(connector.reconcile?.costs?.tokensPerUnit == ["thousand": 1000])
        #expect(connector.stream("shops")?.column("kind")?.values == ["big", "small"])
    }

    @Test(arguments: [
        ("relations: [{ name: a, rows: [sale.shop_id], listed: [shops.id] }]", "no stream"),
        ("relations: [{ name: a, rows: [sales.shopid], listed: [shops.id] }]", "no column"),
        ("relations: [{ name: a, rows: [sales], listed: [shops.id] }]", "names stream.column"),
        ("relations: [{ name: a, rows: [sales.shop_id] }]", "\"listed\" is missing"),
        ("relations: [{ name: a, rows: [sales.copies], listed: [shops.id] }]", "different domains"),
        ("relations: [{ name: a, rowz: [sales.shop_id], listed: [shops.id] }]", "unknown key"),
        ("relations: [{ name: a, find: lost, rows: [shops.id] }]", "\"find\" cannot be"),
        ("reconcile: { usage: [{ stream: shops }] }", "has no times"),
        ("reconcile: { usage: [{ stream: sales, tokens: [token] }] }", "no column"),
        ("reconcile: { costs: { stream: sales, project: shop_id } }", "\"amount\" is missing"),
    ])
    func eachMistakeIsTold(rest: String, words: String) {
        let reading = read(rest)
        #expect(reading.connector == nil)
        #expect(reading.diagnostics.text.contains(words), "\(reading.diagnostics.text)")
    }
}
