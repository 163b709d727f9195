// swift-tools-version: 6.3
import PackageDescription

// Applied to every Swift target below. A target may add to these; none may leave one out.
let houseRules: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),  // whoever touches C memory has to write `unsafe`
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("InferIsolatedConformances"),
]

/// A target in one of the wings of `Sources/`.
func room(_ wing: String, _ name: String, _ needs: [Target.Dependency] = [], resources: [Resource]? = nil) -> Target {
    .target(
        name: name,
        dependencies: needs,
        path: "Sources/\(wing)/\(name)",
        resources: resources,
        swiftSettings: houseRules
    )
}

func systemLibrary(_ name: String, pkgConfig: String, apt: String) -> Target {
    .systemLibrary(name: name, path: "Sources/Native/\(name)", pkgConfig: pkgConfig, providers: [.apt([apt])])
}

func program(_ name: String, _ needs: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: needs, path: "Sources/Desk/\(name)", swiftSettings: houseRules)
}

func tests(_ name: String, _ needs: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(name: name, dependencies: needs, exclude: exclude, swiftSettings: houseRules)
}

let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let yaml: Target.Dependency = .product(name: "Yams", package: "Yams")
let sqlite: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
// SQLite's own interface: tests make its system calls fail.
let sqliteCalls: Target.Dependency = .product(name: "GRDBSQLite", package: "GRDB.swift")
let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
    .product(name: "NIOHTTP1", package: "swift-nio"),
]

let package = Package(
    name: "CogniTrack",
    products: [
        .executable(name: "cogni", targets: ["cogni"]),
        .executable(name: "cogni-simulator", targets: ["cogni-simulator"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
    ],
    targets: [
        // Native: C libraries, and for each the one Swift room that may import it.
        // These two are opened when they are needed, not linked.
        .target(
            name: "CCurl",
            path: "Sources/Native/CCurl",
            cSettings: [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])]
        ),
        .target(
            name: "CArchive",
            path: "Sources/Native/CArchive",
            cSettings: [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])]
        ),
        systemLibrary("COpenSSL", pkgConfig: "libcrypto", apt: "libssl-dev"),
        systemLibrary("CZstd", pkgConfig: "libzstd", apt: "libzstd-dev"),
        systemLibrary("CDeflate", pkgConfig: "libdeflate", apt: "libdeflate-dev"),
        .target(
            name: "CRecordScan",
            path: "Sources/Native/CRecordScan",
            cSettings: [.unsafeFlags(["-O3", "-Wall", "-Wextra", "-Werror"])]
        ),
        .target(
            name: "CDigest",
            path: "Sources/Native/CDigest",
            cSettings: [.unsafeFlags(["-O3", "-Wall", "-Wextra", "-Werror"])]
        ),
        .target(
            name: "CZstdRepeats",
            dependencies: ["CZstd"],
            path: "Sources/Native/CZstdRepeats",
            cSettings: [.unsafeFlags(["-O3", "-Wall", "-Wextra", "-Werror"])]
        ),
        .target(
            name: "CStateDisk",
            path: "Sources/Native/CStateDisk",
            cSettings: [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])],
            linkerSettings: [.linkedLibrary("sqlite3")]
        ),
        room("Native", "StageClock"),
        room("Native", "PageMemory"),
        room("Native", "Console"),
        room("Native", "Disk", ["StageClock"]),
        room("Native", "CurlTransport", ["CCurl", "CDeflate", "PageMemory"]),
        room(
            "Native",
            "ArchiveWriting",
            ["CArchive", "COpenSSL", "CZstd", "CZstdRepeats", "CDeflate", "CDigest", "Disk", "StageClock"]
        ),
        room("Native", "Sealing", ["COpenSSL", "Disk"]),
        room("Native", "StateDisk", ["CStateDisk", "Disk"]),
        room("Native", "RecordScan", ["CRecordScan", "PageMemory", "StageClock"]),

        // House: what passes through the rooms, what is remembered, and who walks it through.
        room("House", "Model"),
        room("House", "Connector", ["Model", yaml], resources: [.embedInCode("Connectors")]),
        room("House", "PipelineFile", ["Model", "Connector"], resources: [.embedInCode("Starter")]),
        room("House", "Ledger", ["Model", "Disk", "StateDisk", sqlite]),
        room("House", "Sanitizing", ["Model", "RecordScan"]),
        room("House", "KeyRing", ["Model", "Sealing", "Sanitizing"]),
        room("House", "Reporting", ["Model"]),
        room(
            "House",
            "Telemetry",
            ["Model", "Sanitizing", "Ledger", "PipelineFile", "Sealing", "CurlTransport", "PageMemory"]
        ),
        room(
            "House",
            "Runner",
            [
                "Model", "Connector", "PipelineFile", "Ledger", "Reporting", "Telemetry", "Extract", "Transform",
                "Load", "Disk", "ArchiveWriting", "RecordScan", "Sealing", "KeyRing", "Sanitizing", "PageMemory",
            ]
        ),

        // Stages: the rooms, in the order of the data. None imports another.
        room("Stages", "Extract", ["Model", "Connector", "CurlTransport", "PageMemory", "StageClock"]),
        room("Stages", "Transform", ["Model", "Connector", "RecordScan", "Sealing", "PageMemory", "StageClock"]),
        room("Stages", "Load", ["Model", "ArchiveWriting", "Disk", "RecordScan"]),

        // Desk: the programs.
        program(
            "cogni",
            [
                "Model", "Connector", "PipelineFile", "Ledger", "Runner", "Extract", "Transform", "Load", "Disk",
                "PageMemory", "Reporting", "Sealing", "CurlTransport", "ArchiveWriting", "RecordScan", "Console",
                "Sanitizing", "KeyRing", "Telemetry", "StageClock", arguments,
            ]
        ),
        program("cogni-simulator", [arguments] + nio),
        // libFuzzer's targets; in an ordinary build it tries the kept inputs (Tests/Fuzz/run.sh).
        .executableTarget(
            name: "cogni-fuzz",
            dependencies: ["Connector", "Model", "PipelineFile", "Sealing"],
            path: "Tests/Fuzz/cogni-fuzz",
            swiftSettings: houseRules
        ),

        .target(name: "TestKit", path: "Tests/TestKit", swiftSettings: houseRules),
        tests("ModelTests", ["Model"]),
        tests("DiskTests", ["TestKit", "Disk"]),
        tests("RecordScanTests", ["TestKit", "RecordScan", "PageMemory", "Model"]),
        tests("ArchiveWritingTests", ["TestKit", "ArchiveWriting", "Disk"]),
        tests("CurlTransportTests", ["CurlTransport", "PageMemory"], exclude: ["Support"]),
        tests("SealingTests", ["Sealing", "Model"]),
        tests("SanitizingTests", ["TestKit", "Sanitizing", "Model"]),
        tests("KeyRingTests", ["KeyRing", "Sealing", "Disk", "Model"]),
        tests("ConnectorTests", ["Connector", "Model"]),
        tests("PipelineFileTests", ["PipelineFile", "Connector", "Model"]),
        tests("LedgerTests", ["Ledger", "StateDisk", "Disk", "Model", sqlite, sqliteCalls]),
        tests("ReportingTests", ["Reporting", "Model"]),
        tests("TelemetryTests", ["Telemetry", "Ledger", "PipelineFile", "Sanitizing", "CurlTransport", "Model"]),
        tests(
            "ExtractTests",
            ["TestKit", "Extract", "CurlTransport", "PageMemory", "Connector", "Model", "StageClock"]
        ),
        tests("TransformTests", ["Transform", "RecordScan", "PageMemory", "Connector", "Model"]),
        tests("LoadTests", ["TestKit", "Load", "ArchiveWriting", "Disk", "Model"]),
        tests("FixtureTests", ["Extract", "PipelineFile", "Connector", "PageMemory", "Model"]),
        tests(
            "RunnerTests",
            [
                "Runner", "Ledger", "Load", "Reporting", "Extract", "Transform", "Sealing", "KeyRing", "Sanitizing",
                "Disk", "PipelineFile", "Connector", "PageMemory", "Model", "StageClock", "RecordScan", "TestKit",
            ]
        ),
        tests("SimulatorTests", ["cogni-simulator"]),
    ]
)
