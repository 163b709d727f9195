internal import Connector
internal import Extract
internal import Model
internal import PageMemory
internal import RecordScan
internal import Transform

/// Takes the pages of one stream, from however many walks run side by side, and keeps their rows until the
/// stream is closed: in memory, or in staging when there are too many.
///
/// Pages are taken one at a time and whole. An actor, because walks of children fetch side by side.
actor StreamEngine {
    private let encoder: RowEncoder
    private let spec: StreamSpec
    private let stagingFolder: String
    private let runFileName: String
    private let memoryLimit: Int
    private var runFile: SpillFile?
    private(set) var spilled: [StagedRun]

    /// - Parameters:
    ///   - runFileName: new in the folder for each attempt.
    ///   - spilled: what an earlier attempt left in staging and this one goes on from.
    init(
        spec: StreamSpec, primaryKey: [String], settings: RowEncoder.Settings, stagingFolder: String,
        runFileName: String, memoryLimit: Int, spilled: [StagedRun]
    ) throws(Fault) {
        self.spec = spec
        self.stagingFolder = stagingFolder
        self.runFileName = runFileName
        self.memoryLimit = memoryLimit
        self.spilled = spilled
        encoder = try RowEncoder(spec: spec, primaryKey: primaryKey, settings: settings)
    }

    /// Adds one page, or says why it can't be one.
    func take(_ reply: Reply, parameters: [String: String], requestID: String?) -> Result<PageFacts, PageFailure> {
        do throws(PageFailure) {
            let facts = try encoder.take(reply.body, parameters: parameters, requestID: requestID)
            if encoder.byteCount > memoryLimit {
                do throws(Fault) { try spill(sync: false) } catch { throw .refused(error) }
            }
            return .success(facts)
        } catch {
            return .failure(error)
        }
    }

    var fetched: Int { encoder.fetched }
    var drift: Drift { encoder.drift }

    /// Writes the rows in memory to staging, and when `sync` waits until they are on the medium.
    func spill(sync: Bool) throws(Fault) {
        let runs = encoder.takePartitions()
        guard runs.contains(where: { $0.value.count > 0 }) else {
            if sync { try runFile?.sync() }
            return
        }
        if runFile == nil { runFile = try SpillFile(folder: stagingFolder, name: runFileName) }
        guard let file = runFile else { return }
        for (partition, run) in runs.sorted(by: { $0.key < $1.key }) where run.count > 0 {
            spilled.append(try file.append(run, partition: partition))
        }
        if sync { try file.sync() }
    }

    /// Hands over everything, for closing.
    func takeAll() -> (runs: [Int: RowRun], spilled: [StagedRun]) { (encoder.takePartitions(), spilled) }
}
