package import Ledger
package import Model

/// The metrics in Prometheus' text format, as node_exporter's textfile collector and a Pushgateway take them.
package enum MetricsText {
    /// What a metric means. The names are an interface: alert rules stand on them.
    struct Metric {
        var name: String
        var type: String
        var help: String
    }

    /// Measures that are in no catalogue are left out.
    package static func render(_ measures: [Measure], pipeline: String) -> String {
        var text = ""
        for metric in catalogue {
            let lines = measures.filter { $0.name == metric.name }
            guard !lines.isEmpty else { continue }
            text += "# HELP \(metric.name) \(metric.help)\n# TYPE \(metric.name) \(metric.type)\n"
            for measure in lines {
                let labels = ([Measure.Label("pipeline", pipeline)] + measure.labels)
                    .map { "\($0.name)=\"\(escaped($0.value))\"" }
                text += "\(metric.name){\(labels.joined(separator: ","))} \(measure.value)\n"
            }
        }
        return text
    }

    /// The same as JSON: each metric with its type and its samples.
    package static func json(_ measures: [Measure], pipeline: String) -> JSONValue {
        .array(
            catalogue.compactMap { metric in
                let samples = measures.filter { $0.name == metric.name }.map { measure -> JSONValue in
                    let labels = ([Measure.Label("pipeline", pipeline)] + measure.labels)
                        .map { JSONValue.Member($0.name, .string($0.value)) }
                    return ["labels": .object(labels), "value": .number("\(measure.value)")]
                }
                if samples.isEmpty { return nil }
                return [
                    "name": .string(metric.name), "type": .string(metric.type), "help": .string(metric.help),
                    "samples": .array(samples),
                ]
            }
        )
    }

    /// Backslash, quote and line feed are what the format escapes.
    static func escaped(_ value: String) -> String {
        var out = ""
        for character in value.unicodeScalars {
            switch character {
            case "\\": out += "\\\\"
            case "\"": out += "\\\""
            case "\n": out += "\\n"
            default: out.unicodeScalars.append(character)
            }
        }
        return out
    }

    static let catalogue = [
        Metric(name: "admin_sync_runs_total", type: "counter", help: "Runs that ended, by outcome."),
        Metric(
            name: "admin_sync_failures_total",
            type: "counter",
            help: "Failed runs, by the class of the gravest failure."
        ),
        Metric(name: "admin_stream_failures_total", type: "counter", help: "Runs in which the stream failed."),
        Metric(name: "admin_pages_total", type: "counter", help: "Pages accepted from the API."),
        Metric(name: "admin_requests_total", type: "counter", help: "Requests sent to the API, retries among them."),
        Metric(name: "admin_retries_total", type: "counter", help: "Requests that were sent again."),
        Metric(name: "admin_rows_fetched_total", type: "counter", help: "Rows that the API gave."),
        Metric(name: "admin_rows_written_total", type: "counter", help: "Fetched rows that went into new files."),
        Metric(name: "admin_rows_duplicate_total", type: "counter", help: "Rows that repeated a key."),
        Metric(name: "admin_rows_dropped_total", type: "counter", help: "Rows left out, by reason."),
        Metric(
            name: "admin_restated_buckets_total",
            type: "counter",
            help: "Time buckets that a later reading found changed, new or gone."
        ),
        Metric(name: "admin_drift_fields_total", type: "counter", help: "Fields met outside the schema."),
        Metric(
            name: "admin_archive_rows",
            type: "gauge",
            help: "Rows of the stream in the current generation."
        ),
        Metric(
            name: "admin_archive_bytes",
            type: "gauge",
            help: "Stored bytes of the stream in the current generation."
        ),
        Metric(name: "admin_archive_files", type: "gauge", help: "Files of the stream in the current generation."),
        Metric(
            name: "admin_cursor_drift_seconds",
            type: "gauge",
            help: "How far the stream's cursor lay behind the run's now."
        ),
        Metric(
            name: "admin_cursor_timestamp_seconds",
            type: "gauge",
            help: "Up to when the stream has been read, as Unix time."
        ),
        Metric(
            name: "admin_stream_stale",
            type: "gauge",
            help: "1: the stream failed and keeps the files of an earlier run."
        ),
        Metric(
            name: "admin_certificates_expiring",
            type: "gauge",
            help: "Certificates that have expired or expire within alerts.certificate_expiry."
        ),
        Metric(
            name: "admin_certificate_expiring_total",
            type: "counter",
            help: "Certificates that have come within alerts.certificate_expiry from one run to the next."
        ),
        Metric(
            name: "admin_relationship_breaks",
            type: "gauge",
            help: "Rows whose relations lead nowhere, by kind, in the last run."
        ),
        Metric(name: "admin_run_duration_seconds", type: "gauge", help: "How long the last run took."),
        Metric(
            name: "admin_stage_duration_seconds",
            type: "gauge",
            help: "Time of the last run by stage: fetch and close are summed over streams that ran side by side."
        ),
        Metric(name: "admin_last_run_timestamp_seconds", type: "gauge", help: "When the last run ended, as Unix time."),
        Metric(
            name: "admin_last_success_timestamp_seconds",
            type: "gauge",
            help: "When a run last ended without failure, as Unix time."
        ),
        Metric(name: "admin_last_exit_code", type: "gauge", help: "Exit code of the last run."),
        Metric(name: "admin_generation", type: "gauge", help: "Number of the current generation."),
        Metric(name: "admin_pipeline_enabled", type: "gauge", help: "0: the pipeline is switched off."),
        Metric(
            name: "admin_consecutive_failures",
            type: "gauge",
            help: "Runs that failed since the last one that did not."
        ),
        Metric(name: "admin_webhook_waiting", type: "gauge", help: "Events that no receiver has taken yet."),
        Metric(name: "admin_webhook_given_up", type: "gauge", help: "Events of the last 30 days that were given up."),
    ]
}
