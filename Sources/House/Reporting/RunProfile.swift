package import Model

/// Where a run's time went: seconds and bytes of each stage, as `--profile` prints them.
package struct RunProfile: Sendable, Equatable {
    package struct Stage: Sendable, Equatable {
        /// `network`, `scan`, …: a stable name.
        package var name: String
        package var nanoseconds: Int
        package var bytes: Int

        package init(name: String, nanoseconds: Int, bytes: Int) {
            self.name = name
            self.nanoseconds = nanoseconds
            self.bytes = bytes
        }
    }

    package var stages: [Stage]
    /// Of the whole run.
    package var milliseconds: Int
    /// The instructions that pages are scanned with.
    package var kernel: String

    package init(stages: [Stage], milliseconds: Int, kernel: String) {
        self.stages = stages
        self.milliseconds = milliseconds
        self.kernel = kernel
    }

    package var json: JSONValue {
        [
            "seconds": .number(milliseconds.millisecondsAsSeconds),
            "kernel": .string(kernel),
            "stages": .array(
                stages.map { stage in
                    [
                        "stage": .string(stage.name),
                        "seconds": .number((stage.nanoseconds / 1_000_000).millisecondsAsSeconds),
                        "bytes": .integer(stage.bytes),
                    ]
                }
            ),
        ]
    }

    /// One line a stage. Stages work side by side and wait for each other, so their seconds do not add up to the run's.
    package var table: String {
        var grid = Grid(titles: ["stage", "seconds", "MB", "MB/s", ""])
        for stage in stages {
            let seconds = Double(stage.nanoseconds) / 1e9
            let megabytes = Double(stage.bytes) / 1e6
            grid.add(
                [
                    stage.name, RunProfile.decimal(seconds, digits: 3), RunProfile.decimal(megabytes, digits: 1),
                    stage.nanoseconds > 0 && stage.bytes > 0 ? RunProfile.decimal(megabytes / seconds, digits: 0) : "",
                    "",
                ],
                colour: nil
            )
        }
        let lines = grid.lines(width: 80, ink: Ink(isOn: false), giveUp: [])
        let foot = "\(milliseconds.millisecondsAsSeconds) s in all; stages work side by side; kernel \(kernel)"
        return (lines + [foot]).map { $0 + "\n" }.joined()
    }

    private static func decimal(_ value: Double, digits: Int) -> String {
        let scale = digits == 0 ? 1 : digits == 1 ? 10 : 1000
        let units = Int((value * Double(scale)).rounded())
        guard digits > 0 else { return String(units) }
        return "\(units / scale).\((units % scale).zeroPadded(digits))"
    }
}
