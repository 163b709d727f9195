internal import Connector
internal import PipelineFile

/// How long requests take when they share pace and places: parents before their children, the rest side by side.
///
/// Requests are taken as a flow. Between two events (a stream ends, the burst is used up) every stream flows as fast as its walks,
/// its path's pace, the places of the pipeline and the pace over all allow.
struct RunSchedule {
    private struct Stream {
        var name: String
        var parent: String?
        var left: Double
        /// Requests a second, if it were alone.
        var speed: Double
    }

    private let places: Double
    /// Requests a second over all; infinite without a limit.
    private let pace: Double
    private let pathPace: Double
    private let burst: Double
    private var streams: [Stream] = []
    private var busy = 0.0

    init(_ pipeline: Pipeline) {
        places = Double(max(1, pipeline.source.concurrency))
        pace = pipeline.source.requestsPerMinute.map { Double($0) / 60 } ?? .infinity
        pathPace = pipeline.connector.pacing.perPath.map { Double($0) / 60 } ?? .infinity
        burst = pace.isFinite ? pace * 10 : 0
    }

    /// - walks: how many requests of the stream can be under way at once.
    mutating func add(_ name: String, after parent: String?, requests: Int, walks: Int, milliseconds: Int) {
        guard requests > 0 else { return }
        let each = Double(max(1, milliseconds)) / 1000
        busy += Double(requests) * each
        let speed = min(min(Double(max(1, walks)), places) / each, pathPace)
        streams.append(Stream(name: name, parent: parent, left: Double(requests), speed: speed))
    }

    /// From the first request to the last reply.
    var seconds: Double {
        var streams = streams
        let all = streams.reduce(0) { $0 + $1.left }
        guard all > 0 else { return 0 }
        let most = places / (busy / all)
        var tokens = burst
        var time = 0.0
        while !streams.isEmpty {
            let waitsFor = Set(streams.map(\.name))
            var flowing = streams.indices.filter { streams[$0].parent.map { !waitsFor.contains($0) } ?? true }
            if flowing.isEmpty { flowing = Array(streams.indices) }
            let wanted = flowing.reduce(0) { $0 + streams[$1].speed }
            let total = min(wanted, most, tokens > 1e-9 ? .infinity : pace)
            let share = total / wanted
            var step = flowing.map { streams[$0].left / (streams[$0].speed * share) }.min() ?? 0
            if pace.isFinite, tokens > 1e-9, total > pace { step = min(step, tokens / (total - pace)) }
            time += step
            if pace.isFinite { tokens = min(burst, max(0, tokens - (total - pace) * step)) }
            for index in flowing { streams[index].left -= streams[index].speed * share * step }
            streams.removeAll { $0.left < 1e-6 }
        }
        return time
    }
}
