internal import Crypto

/// What a version consists of and was made from: the content of manifest.json.
public struct ReportManifest: Sendable, Hashable {
    /// One job's published results.
    public struct Input: Sendable, Hashable {
        public var job: String
        public var digest: String
        public var results: String
        public var modelSHA256: String
        public var datasetSHA256: String
        public var taskHash: String
    }

    /// One file of the version.
    public struct File: Sendable, Hashable {
        public var name: String
        public var bytes: Int
        public var sha256: String
    }

    public static let fileName = "manifest.json"

    public var toolVersion: String
    public var report: String
    public var run: String
    /// The command that builds the version again.
    public var rebuild: String
    /// In the report's order.
    public var inputs: [Input]
    /// Every file but the manifest, by name.
    public var files: [File]

    init(_ report: Report, contents: [String: [UInt8]]) {
        self.toolVersion = report.toolVersion
        self.report = report.name.value
        self.run = report.runID
        self.rebuild = report.rebuildCommand
        self.inputs = report.tasks.flatMap(\.jobs).map { report in
            Input(
                job: report.job.name, digest: report.job.digest, results: report.job.resultPath,
                modelSHA256: report.job.model.sha256, datasetSHA256: report.job.datasetSHA256,
                taskHash: report.job.task.hash)
        }
        self.files = contents.sorted { $0.key < $1.key }.map { name, content in
            File(name: name, bytes: content.count, sha256: Hexadecimal.text(SHA256.hash(data: content)))
        }
    }

    var json: JSONValue {
        .object([
            .init("format", .string("assay-report-manifest")),
            .init("schema_version", .int(Report.schemaVersion)),
            .init(
                "tool",
                .object([.init("name", .string("assay-report")), .init("version", .string(self.toolVersion))])),
            .init("report", .string(self.report)),
            .init("run", .string(self.run)),
            .init("rebuild", .string(self.rebuild)),
            .init("inputs", .array(self.inputs.map(\.json))),
            .init("files", .array(self.files.map(\.json))),
        ])
    }
}

extension ReportManifest.Input {
    fileprivate var json: JSONValue {
        .object([
            .init("job", .string(self.job)), .init("digest", .string(self.digest)),
            .init("results", .string(self.results)), .init("model_sha256", .string(self.modelSHA256)),
            .init("dataset_sha256", .string(self.datasetSHA256)), .init("task_hash", .string(self.taskHash)),
        ])
    }
}

extension ReportManifest.File {
    fileprivate var json: JSONValue {
        .object([
            .init("name", .string(self.name)), .init("bytes", .int(self.bytes)),
            .init("sha256", .string(self.sha256)),
        ])
    }
}

/// Bytes as lower-case hexadecimal digits.
enum Hexadecimal {
    static func text(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".unicodeScalars)
        var text = String.UnicodeScalarView()
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(text)
    }
}
