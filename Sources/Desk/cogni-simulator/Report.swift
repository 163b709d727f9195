/// One report: where it is, what it counts, and by what it can be grouped.
struct Report: Sendable {
    enum Dimension: String, Sendable, CaseIterable {
        case project = "project_id"
        case user = "user_id"
        case key = "api_key_id"
        case model
        case batch
        case tier = "service_tier"
        case apiSource = "api_source"
        case vectorStore = "vector_store_id"
        case size
        case source
        case contextLevel = "context_level"
        case lineItem = "line_item"

        /// The query parameter that keeps only some values.
        var filter: String {
            switch self {
            case .batch: "batch"
            case .tier, .apiSource: ""
            default: rawValue + "s"
            }
        }
    }

    var name: String
    var path: String
    /// `object` of a row; two differ from the path.
    var object: String
    var dimensions: [Dimension]
    /// Names of the counters, in the order in which they are written. Empty for costs.
    var measures: [String]

    var isCosts: Bool { measures.isEmpty }

    /// Bucket widths with their default and largest limits.
    var widths: [String: (seconds: Int, limit: Int, most: Int)] {
        isCosts
            ? ["1d": (Moment.day, 7, 180)]
            : ["1m": (Moment.minute, 60, 1440), "1h": (Moment.hour, 24, 168), "1d": (Moment.day, 7, 31)]
    }

    var endpoint: Endpoint {
        Endpoint(
            name: name,
            path: path,
            style: .bucketPage,
            defaultLimit: 7,
            parameters: Set(dimensions.map(\.filter)).subtracting(isCosts ? ["", "user_ids"] : [""])
        )
    }

    static func named(_ name: String) -> Report? {
        all.first { $0.name == name }
    }

    static let all: [Report] = [
        Report(
            name: "costs",
            path: "/organization/costs",
            object: "organization.costs.result",
            dimensions: [.project, .user, .lineItem, .key, .apiSource],
            measures: []
        ),
        usage("completions", [.project, .user, .key, .model, .batch, .tier, .apiSource], tokens),
        usage("decisions", [.project, .user, .key, .model, .batch, .tier, .apiSource], tokens),
        usage("embeddings", [.project, .user, .key, .model], ["num_model_requests", "input_tokens"]),
        usage("moderations", [.project, .user, .key, .model], ["num_model_requests", "input_tokens"]),
        usage("images", [.project, .user, .key, .model, .size, .source], ["num_model_requests", "images"]),
        usage("audio_speeches", [.project, .user, .key, .model], ["num_model_requests", "characters"]),
        usage("audio_transcriptions", [.project, .user, .key, .model], ["num_model_requests", "seconds"]),
        usage("vector_stores", [.project], ["usage_bytes"]),
        usage("code_interpreter_sessions", [.project], ["num_sessions"]),
        usage("file_search_calls", [.project, .user, .key, .vectorStore], ["num_requests"], "file_searches"),
        usage(
            "web_search_calls",
            [.project, .user, .key, .model, .contextLevel, .apiSource],
            ["num_model_requests", "num_requests"],
            "web_searches"
        ),
    ]

    private static func usage(
        _ name: String,
        _ dimensions: [Dimension],
        _ measures: [String],
        _ object: String? = nil
    ) -> Report {
        Report(
            name: "usage_" + name,
            path: "/organization/usage/" + name,
            object: "organization.usage.\(object ?? name).result",
            dimensions: dimensions,
            measures: measures
        )
    }

    private static let tokens = [
        "num_model_requests", "input_tokens", "output_tokens", "input_uncached_tokens", "input_cached_tokens",
        "input_cache_write_tokens", "input_cache_write_30m_tokens", "input_cache_write_12h_tokens", "input_text_tokens",
        "input_audio_tokens", "input_image_tokens", "input_cached_text_tokens", "input_cached_audio_tokens",
        "input_cached_image_tokens", "output_text_tokens", "output_audio_tokens", "output_image_tokens",
    ]
}
