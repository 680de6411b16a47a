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
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")

/// A library module with its tests in Tests/<name>Tests.
func module(
    _ name: String, _ dependencies: [Target.Dependency], tests: [Target.Dependency] = [], exclude: [String] = [],
    testsExclude: [String] = [], resources: [Resource] = []
) -> [Target] {
    [
        .target(
            name: name, dependencies: dependencies, exclude: exclude, resources: resources, swiftSettings: swiftSettings
        ),
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
            resources: [.embedInCode("functions"), .embedInCode("migrations"), .embedInCode("queries")],
            swiftSettings: swiftSettings),
    ]
    + module("UVEventLoop", ["CUV"])
    + module("HDF5", ["CHDF5"])
    + module("Llama", ["CLlama", "CLlamaCalls", "CLogits", "CGrammar", crypto, logging], tests: ["EngineTesting"])
    + module("PythonCompat", [], tests: ["ProcessTesting"], testsExclude: ["Fixtures"])
    + module("Jinja", ["CStack", "PythonCompat"], tests: ["ProcessTesting"], testsExclude: ["Fixtures"])
    + module("Statistics", ["CBoostMath"], testsExclude: ["Fixtures"])

let services: [Target] =
    module(
        "Sandbox", ["UVEventLoop"],
        resources: [.embedInCode("Driver/driver.py"), .embedInCode("Driver/probe.py")])
    + module("Postgres", ["CPostgres", "UVEventLoop", logging], tests: ["PostgresTesting"])
    + module(
        "Evaluation", ["CLanguageData", "CZlib", "Jinja", "PythonCompat", collections, crypto, yams],
        tests: ["ProcessTesting"], testsExclude: ["Fixtures"])
    + module(
        "Inference", ["Evaluation", "Llama", logging], tests: ["EngineTesting", "ProcessTesting"],
        testsExclude: ["Fixtures"])
    + module(
        "JobQueue", ["Postgres", "SQL", crypto], tests: ["FaultTesting", "PostgresTesting", "UVEventLoop", logging],
        testsExclude: ["Fixtures"])
    + module("ResultStore", ["HDF5", "Evaluation", crypto], tests: ["ProcessTesting"])

let useCases: [Target] =
    module("Planning", ["Evaluation", "JobQueue", "ResultStore", yams], tests: ["PostgresTesting"])
    + module(
        "Execution",
        ["Evaluation", "Inference", "JobQueue", "Llama", "ResultStore", "Sandbox", "UVEventLoop", logging],
        tests: ["Postgres", "PostgresTesting"])
    + module(
        "Reporting", ["Evaluation", "ResultStore", "JobQueue", "Statistics", crypto, mustache],
        tests: ["PostgresTesting"], testsExclude: ["Fixtures"], resources: [.embedInCode("Templates")])
    + module(
        "Console",
        [
            "JobQueue", "Postgres", "Reporting", "ResultStore", "UVEventLoop", argumentParser, logging, yams,
        ],
        tests: ["Statistics"])

/// A thin program: parse, configure, run.
func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(
        name: name, dependencies: ["Console", argumentParser, logging] + dependencies, swiftSettings: swiftSettings)
}

let programs: [Target] = [
    program(
        "assay",
        [
            "Evaluation", "Execution", "Inference", "JobQueue", "Llama", "Planning", "Reporting",
            "ResultStore",
            "UVEventLoop",
        ]),
    program("assay-worker", ["Execution", "JobQueue", "Llama", "Planning", "Sandbox", "UVEventLoop"]),
    program("assay-report", ["JobQueue", "Reporting", "ResultStore", "Statistics"]),
]

/// What tests share; no product depends on it.
let testSupport: [Target] = [
    .target(
        name: "PostgresTesting", dependencies: ["Postgres", "UVEventLoop"], path: "Tests/PostgresTesting",
        swiftSettings: swiftSettings),
    .target(name: "EngineTesting", path: "Tests/EngineTesting", swiftSettings: swiftSettings),
    .target(name: "FaultTesting", path: "Tests/FaultTesting", swiftSettings: swiftSettings),
    .target(
        name: "ProcessTesting", dependencies: ["UVEventLoop"], path: "Tests/ProcessTesting",
        swiftSettings: swiftSettings),
    // Works in a store as another user, with other mounts, or with calls that fail.
    .executableTarget(
        name: "StoreProbe", dependencies: ["Evaluation", "Reporting", "ResultStore"], path: "Tests/StoreProbe",
        swiftSettings: swiftSettings),
    // Simulates how often intervals hold; infra/test builds it with optimisation, which takes a fifth of the time.
    .executableTarget(
        name: "interval-coverage", dependencies: ["Statistics"], path: "Tests/Coverage", swiftSettings: swiftSettings),
    // Measures how long scores and intervals of a million samples take.
    .executableTarget(
        name: "score-speed", dependencies: ["Evaluation", "Statistics"], path: "Tests/Speed",
        swiftSettings: swiftSettings),
    .testTarget(
        name: "EndToEndTests",
        dependencies: ["EngineTesting", "ProcessTesting", "UVEventLoop", "assay", "assay-worker", "assay-report"],
        swiftSettings: swiftSettings),
    .testTarget(
        name: "FaultTests",
        dependencies: [
            "FaultTesting", "JobQueue", "Postgres", "PostgresTesting", "ProcessTesting", "StoreProbe", "UVEventLoop",
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
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
    ],
    targets: leaves + services + useCases + programs + testSupport,
    cxxLanguageStandard: .cxx17
)
