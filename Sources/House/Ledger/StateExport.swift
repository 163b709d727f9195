import GRDB
package import Model

/// The state as JSON, for `cogni state show|export`.
extension StateStore {
    /// Positions, the open plan with its slices, the switch and the latest runs.
    ///
    /// Page tokens are left out (they are the API's, and long); how many were followed is told.
    package func export(runLimit: Int = 20) throws(Fault) -> JSONValue {
        let plan = try openPlan()
        let generation = try committedGeneration()
        return [
            "format": "cogni-state/1",
            "pipeline": .string(pipeline),
            "state_version": .integer(StateSchema.version),
            "generation": generation.map { $0.json } ?? nil,
            "streams": .array(try watermarks().map(\.json)),
            "open_plan": plan.map { $0.json } ?? nil,
            "slices": .array(try slices().map(\.json)),
            "switch": try flag().map { $0.json } ?? nil,
            "runs": .array(try runs(limit: runLimit).map(\.json)),
        ]
    }
}

private func time(_ instant: Instant?) -> JSONValue { .optional(instant?.text) }
private func count(_ number: (some BinaryInteger)?) -> JSONValue { number.map { .integer($0) } ?? .null }

extension GenerationCommit {
    fileprivate var json: JSONValue {
        [
            "generation": .integer(generation), "manifest_sha256": .string(manifestSHA256), "run_id": .string(runID),
            "committed": time(committed), "reason": .string(reason.rawValue),
        ]
    }
}

extension Watermark {
    fileprivate var json: JSONValue {
        [
            "stream": .string(stream), "watermark": time(watermark),
            "coverage": coverageFrom == nil ? nil : ["from": time(coverageFrom), "to": time(coverageTo)],
            "group_by": .strings(groupBy), "bucket_width": .optional(bucketWidth), "generation": .integer(generation),
        ]
    }
}

extension OpenPlan {
    fileprivate var json: JSONValue {
        [
            "run_id": .string(runID), "fingerprint": .string(fingerprint), "as_of": time(asOf),
            "created": time(created),
        ]
    }
}

extension SliceProgress {
    fileprivate var json: JSONValue {
        [
            "slice": .string(id), "stream": .string(stream), "walk": .integer(walk),
            "window": from == nil && to == nil ? nil : ["from": time(from), "to": time(to)],
            "pages": .integer(pages), "has_next_page": .bool(nextPage != nil), "watermark": time(watermark),
            "counters": counters,
            "staged": .strings(staged), "state": .string(state.rawValue),
        ]
    }
}

extension PipelineSwitch {
    fileprivate var json: JSONValue {
        [
            "enabled": .bool(enabled), "reason": .string(reason), "by": .string(by), "at": time(at),
            "consecutive_failures": .integer(consecutiveFailures), "recent_runs": .string(recent),
        ]
    }
}

extension RunRecord {
    fileprivate var json: JSONValue {
        [
            "run_id": .string(runID), "started": time(started), "ended": time(ended),
            "outcome": .string(outcome.rawValue), "exit_code": count(exitCode), "generation": count(generation),
            "summary": summary,
        ]
    }
}
