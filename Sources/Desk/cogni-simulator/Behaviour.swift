import ArgumentParser

/// One of the 72 behaviours that the real service, its gateways and networks are known or suspected to have, and the names by
/// which a scenario asks for it: faults, switches, or what is always on.
struct Behaviour: Sendable {
    var number: Int
    var names: [String]

    private static func row(_ number: Int, _ names: String...) -> Behaviour { Behaviour(number: number, names: names) }

    /// `docs/simulator.md` says for each what `cogni` does; `Tests/Wire` compares that table with this one and tries every line.
    static let all: [Behaviour] = [
        // Transport and status.
        row(1, "retry_after"), row(2, "rate_window"), row(3, "retry_after_ms"), row(4, "retry_after"),
        row(5, "should_retry"), row(6, "quota"), row(7, "status"), row(8, "status"), row(9, "unauthorized"),
        row(10, "missing_scope"), row(11, "not_found"), row(12, "archived_refuses", "mutate"),
        row(13, "reset", "reset_mid_body", "short_body", "cut_chunked", "cut_close"),
        row(14, "truncate_json", "empty_body", "html_200", "error_200", "partial_content"),
        row(15, "drip"), row(16, "stall"),
        row(17, "gzip", "deflate", "chunked", "gzip_corrupt", "gzip_cut"),
        row(18, "duplicate_keys", "bom", "trailing_garbage", "deep_json"),
        row(19, "organization", "gzip_bomb", "endless_body"),
        row(20, "no_request_id", "same_request_id", "big_header", "many_headers", "early_hints"),
        row(21, "redirect"), row(22, "date_skew"),
        // Paging.
        row(23, "cursor_styles"), row(24, "last_page_cursor"), row(25, "has_more_no_cursor"), row(26, "empty_page"),
        row(27, "cursor_cycle", "constant_cursor"), row(28, "rotating_last_id"), row(29, "no_has_more"),
        row(30, "replay_page"), row(31, "duplicate_row", "overlap", "gap"), row(32, "reversed", "newest_first"),
        row(33, "bound_tokens"), row(34, "token_expired", "bare_cursors"), row(35, "long_cursors"),
        row(36, "refused_limits", "clamp_cost_limit"), row(37, "default_limits"),
        row(38, "mutate", "restart_on_lost_cursor"), row(39, "newest_events_first", "mutate"),
        // Reports.
        row(40, "clipped_start"), row(41, "empty_buckets"), row(42, "open_bucket"), row(43, "mutate"),
        row(44, "omit_ungrouped"), row(45, "empty_dimension"), row(46, "ghost_ids"),
        row(47, "odd_amounts", "cost_values"), row(48, "mixed_currencies"), row(49, "key_floor"),
        row(50, "refuse_user_with_project"), row(51, "lookback"), row(52, "undocumented_fields"),
        row(53, "new_fields", "unknown_object"), row(54, "result_names"), row(55, "big_counters"),
        row(56, "strange_names"), row(57, "disjoint_days"), row(58, "zero_amounts"),
        // Lists and content.
        row(59, "hidden_archived", "mutate"), row(60, "hidden_keys"), row(61, "mutate"), row(62, "repeated_ids"),
        row(63, "old_fields"), row(64, "strange_names"), row(65, "odd_audit_events"),
        row(66, "undocumented_fields", "secrets_in_text"), row(67, "tenant_scope"), row(68, "union_fields"),
        row(69, "unset_as_null"), row(70, "odd_times"), row(71, "organization"), row(72, "organization", "rate_window"),
    ]

    /// What the simulator does without being asked. A scenario may name it as a switch, to say that it counts on it.
    static let always: Set<String> = Set(all.flatMap(\.names))
        .subtracting(FaultKind.allCases.map(\.rawValue)).subtracting(Switches.names)
}

/// `cogni-simulator behaviours`: the table for scripts.
struct Behaviours: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List the 72 behaviours: number, and the faults and switches that show it."
    )

    func run() {
        for behaviour in Behaviour.all {
            let names = behaviour.names.map { name in
                FaultKind(rawValue: name) != nil
                    ? "fault \(name)" : Behaviour.always.contains(name) ? "always \(name)" : "switch \(name)"
            }
            print("\(behaviour.number)\t\(names.joined(separator: ", "))")
        }
    }
}
