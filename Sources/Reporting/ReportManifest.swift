internal import Crypto
internal import Files
internal import JSON
internal import OrderedCollections

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
            File(name: name, bytes: content.count, sha256: SHA256.text(of: content))
        }
    }

    var json: JSONValue {
        .object([
            "format": .string("assay-report-manifest"),
            "schema_version": .int(Report.schemaVersion),
            "tool": .object(["name": .string("assay-report"), "version": .string(self.toolVersion)]),
            "report": .string(self.report),
            "run": .string(self.run),
            "rebuild": .string(self.rebuild),
            "inputs": .array(self.inputs.map(\.json)),
            "files": .array(self.files.map(\.json)),
        ])
    }
}

extension ReportManifest.Input {
    fileprivate var json: JSONValue {
        .object([
            "job": .string(self.job), "digest": .string(self.digest),
            "results": .string(self.results), "model_sha256": .string(self.modelSHA256),
            "dataset_sha256": .string(self.datasetSHA256), "task_hash": .string(self.taskHash),
        ])
    }
}

extension ReportManifest.File {
    fileprivate var json: JSONValue {
        .object([
            "name": .string(self.name), "bytes": .int(self.bytes),
            "sha256": .string(self.sha256),
        ])
    }
}

extension ReportManifest {
    /// Reads a manifest that may have been changed by others; throws `damaged` that names the member at fault.
    ///
    /// - Parameter source: The file, for the error's message.
    init(parsing content: [UInt8], source: String) throws(ReportError) {
        let json: JSONValue
        do {
            json = try JSONValue.parsed(String(decoding: content, as: UTF8.self), source: source)
        } catch {
            throw ReportError(.damaged, error.message)
        }
        let reader = ManifestReader(source: source)
        guard json["format"]?.string == "assay-report-manifest" else {
            throw reader.fault("format", "\"assay-report-manifest\"")
        }
        guard json["schema_version"]?.int == Report.schemaVersion else {
            throw reader.fault("schema_version", "\(Report.schemaVersion), which is what this program reads")
        }
        self.toolVersion = try reader.string(json["tool"] ?? .null, "version")
        self.report = try reader.string(json, "report")
        self.run = try reader.string(json, "run")
        self.rebuild = try reader.string(json, "rebuild")
        self.inputs = []
        for input in try reader.array(json, "inputs") {
            self.inputs.append(
                Input(
                    job: try reader.string(input, "job"), digest: try reader.string(input, "digest"),
                    results: try reader.string(input, "results"),
                    modelSHA256: try reader.string(input, "model_sha256"),
                    datasetSHA256: try reader.string(input, "dataset_sha256"),
                    taskHash: try reader.string(input, "task_hash")))
        }
        self.files = []
        for file in try reader.array(json, "files") {
            let name = try reader.string(file, "name")
            // The name becomes part of a path.
            guard !name.isEmpty, !name.hasPrefix("."), !name.utf8.contains(UInt8(ascii: "/")), !name.utf8.contains(0)
            else { throw reader.fault("files.name", "the name of a file of this folder") }
            guard let bytes = file["bytes"]?.int, bytes >= 0 else { throw reader.fault("files.bytes", "a count") }
            self.files.append(.init(name: name, bytes: bytes, sha256: try reader.string(file, "sha256")))
        }
    }
}

private struct ManifestReader {
    let source: String

    func fault(_ key: String, _ expected: String) -> ReportError {
        ReportError(
            .damaged, "\(self.source): \"\(key)\" is not \(expected); build the report again to get an intact version")
    }

    func string(_ json: JSONValue, _ key: String) throws(ReportError) -> String {
        guard let value = json[key]?.string else { throw self.fault(key, "a string") }
        return value
    }

    func array(_ json: JSONValue, _ key: String) throws(ReportError) -> [JSONValue] {
        guard let value = json[key]?.array else { throw self.fault(key, "a list") }
        return value
    }
}
