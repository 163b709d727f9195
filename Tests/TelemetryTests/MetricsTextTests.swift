import Ledger
import Model
import Testing

@testable import Telemetry

@Suite struct MetricsTextTests {
    @Test func aMetricHasItsHelpOnceAndALineForEachSetOfLabels() {
        let text = MetricsText.render(
            [
                Measure("admin_requests_total", [.init("stream", "costs")], 7),
                Measure("admin_requests_total", [.init("stream", "users")], 2),
                Measure("admin_run_duration_seconds", value: "1.500"),
            ],
            pipeline: "demo"
        )
        #expect(
            text == """
                # HELP admin_requests_total Requests sent to the API, retries among them.
                # TYPE admin_requests_total counter
                admin_requests_total{pipeline="demo",stream="costs"} 7
                admin_requests_total{pipeline="demo",stream="users"} 2
                # HELP admin_run_duration_seconds How long the last run took.
                # TYPE admin_run_duration_seconds gauge
                admin_run_duration_seconds{pipeline="demo"} 1.500

                """
        )
    }

    @Test func noLabelBeginsAnotherLine() {
        let text = MetricsText.render(
            [Measure("admin_rows_dropped_total", [.init("reason", "a\"b\\c\nd")], 1)],
            pipeline: "demo"
        )
        #expect(text.split(separator: "\n").count == 3)
        #expect(text.contains(#"reason="a\"b\\c\nd""#))
    }

    @Test func theCatalogueNamesEachMetricOnceAndEndsCountersWithTotal() {
        let names = MetricsText.catalogue.map(\.name)
        #expect(Set(names).count == names.count)
        for metric in MetricsText.catalogue {
            #expect((metric.type == "counter") == metric.name.hasSuffix("_total"), "\(metric.name)")
        }
        for name in ["admin_sync_failures_total", "admin_cursor_drift_seconds", "admin_certificate_expiring_total"] {
            #expect(names.contains(name))
        }
    }
}
