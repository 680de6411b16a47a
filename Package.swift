// swift-tools-version: 6.2
import PackageDescription

let swiftSettings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let collections: Target.Dependency = .product(name: "OrderedCollections", package: "swift-collections")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let mustache: Target.Dependency = .product(name: "Mustache", package: "swift-mustache")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")

/// A library module.
func library(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []) -> Target {
    .target(name: name, dependencies: dependencies, resources: resources, swiftSettings: swiftSettings)
}

/// A library module with its tests in Tests/<name>Tests.
func module(
    _ name: String, _ dependencies: [Target.Dependency], tests: [Target.Dependency] = [], testsExclude: [String] = [],
    resources: [Resource] = []
) -> [Target] {
    [
        library(name, dependencies, resources: resources),
        .testTarget(
            name: "\(name)Tests", dependencies: [.target(name: name)] + dependencies + tests,
            exclude: testsExclude, swiftSettings: swiftSettings),
    ]
}

// Floors, from the ground up. Arrows point down only; each C library is imported by one module.
let leaves: [Target] =
    [
        .systemLibrary(name: "CUV", pkgConfig: "libuv", providers: [.apt(["libuv1-dev"])]),
        .systemLibrary(name: "CPostgres", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CHDF5", pkgConfig: "hdf5", providers: [.apt(["libhdf5-dev"])]),
        .target(name: "CStack"),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CLlama", pkgConfig: "assay-llama"),
        .systemLibrary(name: "CLlamaCommon", pkgConfig: "assay-llama-common"),
        .target(name: "CLlamaCalls", dependencies: ["CLlama"]),
        .target(name: "CGrammar", dependencies: ["CLlamaCommon"]),
        .target(name: "CBoostMath"),
        // Optimized in debug builds, too: tests read as many logits as users do.
        .target(name: "CLogits", cSettings: [.unsafeFlags(["-O2"])]),
        .target(name: "CLanguageData", exclude: ["NOTICE", "data", "language_data.py"]),
        .target(
            name: "SQL", path: "sql",
            exclude: ["schema.sql", "functions"], sources: ["Migration.swift", "Query.swift"],
            resources: [.embedInCode("tables"), .embedInCode("upgrades"), .embedInCode("queries")],
            swiftSettings: swiftSettings),
        // A module of its own: many a query has the name of the function that it calls, and a file's name is its constant's.
        .target(
            name: "SQLFunctions", path: "sql",
            exclude: ["schema.sql", "tables", "upgrades", "queries"], sources: ["FunctionFile.swift"],
            resources: [.embedInCode("functions")],
            swiftSettings: swiftSettings),
    ]
    + module("UVEventLoop", ["CUV"])
    + module("HDF5", ["CHDF5", "Threads"])
    + module(
        "Llama", ["CLlama", "CLlamaCalls", "CLogits", "CGrammar", "Files", crypto, logging], tests: ["EngineTesting"])
    + [library("JSON", [collections]), library("Evaluation", []), library("TerminalText", [])]
    + module("Files", [crypto])
    + module("Threads", [])
    + module("Calendar", ["Files"], tests: ["FaultTesting"], testsExclude: ["Fixtures"])
    + module("PythonCompat", ["JSON", collections], tests: ["ProcessTesting"], testsExclude: ["Fixtures"])
    + [library("NaturalLanguage", ["CLanguageData", "PythonCompat"])]
    + module("JinjaSyntax", ["CStack", "PythonCompat"])
    + module("Jinja", ["JinjaSyntax", "PythonCompat"], tests: ["ProcessTesting"], testsExclude: ["Fixtures"])
    + module("Statistics", ["CBoostMath"], testsExclude: ["Fixtures"])

let services: [Target] =
    module(
        "Sandbox", ["UVEventLoop"],
        resources: [.embedInCode("Driver/driver.py"), .embedInCode("Driver/probe.py")])
    + module("Postgres", ["CPostgres", "Threads", "UVEventLoop", logging], tests: ["PostgresTesting"])
    + [library("ConfigFile", ["Evaluation", "Files", "JSON", "PythonCompat", collections, yams])]
    + [
        library(
            "Datasets", ["CZlib", "ConfigFile", "Evaluation", "Files", "JSON", "PythonCompat", collections, crypto])
    ]
    + [library("IFEval", ["Datasets", "Evaluation", "JSON", "NaturalLanguage", "PythonCompat", collections])]
    + module("ScoreMetrics", ["Evaluation", "PythonCompat"], testsExclude: ["Fixtures"])
    + module(
        "LMEval",
        [
            "ConfigFile", "Datasets", "Evaluation", "Files", "IFEval", "Jinja", "JSON", "NaturalLanguage",
            "PythonCompat", "ScoreMetrics", collections, crypto,
        ],
        tests: ["ProcessTesting"], testsExclude: ["Fixtures"])
    + module(
        "Inference", ["Evaluation", "JSON", "Llama", "PythonCompat", "Threads", logging],
        tests: ["EngineTesting", "LMEval", "ProcessTesting"], testsExclude: ["Fixtures"])
    + module("JobQueue", ["Calendar", "Files", crypto])
    + module("WorkerLogic", ["JobQueue", logging], tests: ["MemoryQueue", "WorkerSimulation"])
    + module(
        "PostgresQueue", ["Calendar", "Files", "JobQueue", "Postgres", "SQL", "SQLFunctions", crypto],
        tests: ["FaultTesting", "MemoryQueue", "PostgresTesting", "UVEventLoop", logging], testsExclude: ["Fixtures"])
    + module("ResultStore", ["Datasets", "Evaluation", "Files", "HDF5", crypto], tests: ["ProcessTesting"])

let useCases: [Target] =
    module(
        "Planning",
        [
            "Calendar", "ConfigFile", "Datasets", "Evaluation", "Files", "JSON", "JobQueue", "LMEval", "ResultStore",
            yams,
        ],
        tests: ["MemoryQueue", "PostgresQueue", "PostgresTesting"])
    + module(
        "Execution",
        [
            "Datasets", "Evaluation", "Inference", "JobQueue", "LMEval", "ResultStore", "Sandbox", "Threads",
            "UVEventLoop", "WorkerLogic", logging,
        ],
        tests: ["MemoryQueue", "Postgres", "PostgresQueue", "PostgresTesting"])
    + module(
        "Reporting",
        [
            "Evaluation", "Files", "JSON", "JobQueue", "ResultStore", "ScoreMetrics", "Statistics", "Threads",
            collections,
            crypto, mustache,
        ],
        tests: ["MemoryQueue"], testsExclude: ["Fixtures"], resources: [.embedInCode("Templates")])
    + module(
        "Rescoring",
        [
            "Datasets", "Evaluation", "Execution", "Inference", "JobQueue", "LMEval", "Planning", "Reporting",
            "ResultStore", "UVEventLoop", "WorkerLogic", logging,
        ],
        tests: ["MemoryQueue"])
    + module(
        "AssayRuntime",
        [
            "Files", "JobQueue", "Postgres", "PostgresQueue", "ResultStore", "TerminalText", "UVEventLoop", lifecycle,
            logging, yams,
        ])
    + module(
        "Benchmarks", ["AssayRuntime", "JobQueue", "PostgresQueue"], tests: ["MemoryQueue"])
    + module(
        "Maintenance",
        [
            "Evaluation", "JobQueue", "Planning", "PostgresQueue", "Reporting", "ResultStore", "UVEventLoop", logging,
        ],
        tests: ["MemoryQueue"])
    + module(
        "Doctor",
        [
            "AssayRuntime", "Calendar", "Evaluation", "Inference", "JobQueue", "Llama", "PostgresQueue",
            "ResultStore", "TerminalText", logging,
        ])
    + module(
        "Console",
        ["AssayRuntime", "Postgres", "Reporting", "ResultStore", "TerminalText", "Threads", argumentParser, logging],
        tests: ["Statistics"])

/// A thin program: parse, configure, run.
func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(
        name: name, dependencies: ["AssayRuntime", "Console", "TerminalText", argumentParser, logging] + dependencies,
        swiftSettings: swiftSettings)
}

let programs: [Target] = [
    program(
        "assay",
        [
            "Benchmarks", "Calendar", "ConfigFile", "Datasets", "Doctor", "Evaluation", "Execution", "Files",
            "Inference", "JSON",
            "JobQueue", "LMEval", "Llama", "Maintenance", "Planning", "Postgres", "PostgresQueue", "Reporting",
            "Rescoring", "ResultStore", "UVEventLoop", "WorkerLogic",
        ]),
    program(
        "assay-worker",
        [
            "Evaluation", "Execution", "Inference", "JobQueue", "Llama", "Maintenance", "Sandbox", "UVEventLoop",
            "WorkerLogic",
        ]),
    program("assay-report", ["Evaluation", "JobQueue", "LMEval", "Reporting", "ResultStore", "Statistics"]),
]

/// What tests share; no product depends on it.
let testSupport: [Target] = [
    .target(
        name: "PostgresTesting", dependencies: ["Postgres", "UVEventLoop"], path: "Tests/PostgresTesting",
        swiftSettings: swiftSettings),
    .target(name: "EngineTesting", path: "Tests/EngineTesting", swiftSettings: swiftSettings),
    .target(name: "FaultTesting", path: "Tests/FaultTesting", swiftSettings: swiftSettings),
    // The queue without a database: what the one on PostgreSQL is compared with, step by step.
    .target(
        name: "MemoryQueue", dependencies: ["Calendar", "JobQueue"], path: "Tests/MemoryQueue",
        swiftSettings: swiftSettings),
    // Random histories of workers, a queue, a store and engines, each decided by a seed.
    .target(
        name: "WorkerSimulation", dependencies: ["JobQueue", "MemoryQueue", "WorkerLogic"],
        path: "Tests/WorkerSimulation", exclude: ["Faults"], swiftSettings: swiftSettings),
    .executableTarget(
        name: "worker-histories", dependencies: ["WorkerSimulation"], path: "Tests/Histories",
        swiftSettings: swiftSettings),
    .target(
        name: "ProcessTesting", dependencies: ["UVEventLoop"], path: "Tests/ProcessTesting",
        swiftSettings: swiftSettings),
    // Works in a store as another user, with other mounts, or with calls that fail.
    .executableTarget(
        name: "StoreProbe", dependencies: ["Datasets", "Evaluation", "Reporting", "ResultStore"],
        path: "Tests/StoreProbe",
        swiftSettings: swiftSettings),
    // Simulates how often intervals hold; infra/test builds it with optimisation, which takes a fifth of the time.
    .executableTarget(
        name: "interval-coverage", dependencies: ["Statistics"], path: "Tests/Coverage", swiftSettings: swiftSettings),
    // Measures how long scores and intervals of a million samples take.
    .executableTarget(
        name: "score-speed", dependencies: ["Evaluation", "ScoreMetrics", "Statistics"], path: "Tests/Speed",
        swiftSettings: swiftSettings),
    .testTarget(name: "HouseTests", swiftSettings: swiftSettings),
    .testTarget(
        name: "EndToEndTests",
        dependencies: ["EngineTesting", "ProcessTesting", "UVEventLoop", "assay", "assay-worker", "assay-report"],
        exclude: ["Fixtures"], swiftSettings: swiftSettings),
    .testTarget(
        name: "FaultTests",
        dependencies: [
            "FaultTesting", "JobQueue", "Postgres", "PostgresQueue", "PostgresTesting", "ProcessTesting", "StoreProbe",
            "UVEventLoop",
            "assay", "assay-worker", "assay-report",
        ],
        exclude: ["Shims"],
        swiftSettings: swiftSettings),
]

let package = Package(
    name: "assay",
    products: [
        .executable(name: "assay", targets: ["assay"]),
        .executable(name: "assay-worker", targets: ["assay-worker"]),
        .executable(name: "assay-report", targets: ["assay-report"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
    ],
    targets: leaves + services + useCases + programs + testSupport,
    cxxLanguageStandard: .cxx17
)
