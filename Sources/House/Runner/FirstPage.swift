internal import Connector
internal import Disk
internal import Extract
internal import Load
internal import Model
internal import PipelineFile

/// Fetches a run's first page while its state is being made.
///
/// A new output has no state, and nothing that could keep the run from asking or make it ask for something else: the window is the
/// pipeline file's. Making the state is mostly waiting for the medium, and the network can be waited for meanwhile. One request is sent,
/// under the run's lock; its walk takes the reply if it asks for just that, and it is dropped otherwise. Nothing of it is looked at
/// before the run is on record.
actor FirstPage {
    private let stream: String
    private var early: EarlyReply?

    /// `nil` where the run has to look into a state first.
    init?(_ pipeline: Pipeline, _ options: RunOptions, _ doors: RunDoors, of root: OutputRoot, current: Generation?) {
        // A bundle may be refused; recorded replies are at hand.
        guard options.asksEarly, current == nil, !options.isReplay, pipeline.load.bundle == .none, !Task.isCancelled,
            FirstPage.isNew(root)
        else { return nil }
        guard let (name, request) = FirstPage.request(pipeline, options) else { return nil }
        stream = name
        early = doors.fetcher.sendEarly(request)
    }

    /// Whether there is no state. What can't be looked at is there.
    private static func isNew(_ root: OutputRoot) -> Bool {
        do throws(DiskError) { return try Disk.status(root.statePath) == nil } catch { return false }
    }

    /// What the first of the run's streams that stands below no other will ask for.
    static func request(_ pipeline: Pipeline, _ options: RunOptions) -> (stream: String, request: Request)? {
        let plans = pipeline.streams.lazy.filter { options.selects($0.spec.name) && $0.spec.parents.isEmpty }
        guard let plan = plans.first else { return nil }
        let window = options.window(of: plan, after: nil)
        if plan.spec.window != nil, window == nil { return nil }
        let slice = Slice(walk: 0, parameters: [:], window: window)
        let walk = CursorWalk(plan.spec.pagination, hasWindow: window != nil)
        let request = try? RequestBuilder(plan: plan, pageLimit: pipeline.source.pageLimit).request(slice, walk)
        return request.map { (plan.spec.name, $0) }
    }

    /// The reply that is under way for a stream's first walk; whoever takes it drops it if it is not wanted.
    func take(for stream: String) -> EarlyReply? {
        guard stream == self.stream else { return nil }
        defer { early = nil }
        return early
    }

    /// When nobody has taken it.
    func drop() async {
        guard let unwanted = early else { return }
        early = nil
        await unwanted.drop()
    }
}
