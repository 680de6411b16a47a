public import Evaluation
import HDF5

/// What a shard's file says about itself: the identity of the work and where the shard stands in its job.
///
/// Hashes are lowercase hexadecimal SHA-256. There are no host names, times or attempts in it; they stand in the database.
public struct ShardHeader: Sendable, Hashable {
    /// The run's short identifier, and the name of its folder.
    public var runID: String
    /// The job's identifier, such as "k3f9m2ab.1", and the name of its folder.
    public var jobID: String
    /// The shard's number in its job, from 0.
    public var shardIndex: Int
    /// The first sample of the shard, counted over the job's samples.
    public var rowStart: Int
    /// The number of samples.
    public var rowCount: Int
    public var modelSHA256: String
    public var tokenizerSHA256: String
    public var datasetSHA256: String
    public var taskHash: String
    /// The engine's name, such as "llama.cpp".
    public var engine: String
    public var engineBuild: String
    /// Such as "cpu" or "cuda".
    public var deviceKind: String
    /// What else the numbers depend on; `nil` in files that were published before it was kept.
    public var settings: ResultSettings?
    public var logitsMode: LogitsMode
    /// The configuration as canonical JSON text; descriptive, and no part of the logical digest.
    public var provenance: String
    /// The jobs that samples were taken over from, and how many from each; descriptive, and no part of the logical digest.
    public var reusedFrom: [String: Int] = [:]
    /// What a reader has to know; set when the shard is published.
    public internal(set) var schemaVersion: Int

    public init(
        runID: String, jobID: String, shardIndex: Int, rowStart: Int, rowCount: Int, modelSHA256: String,
        tokenizerSHA256: String, datasetSHA256: String, taskHash: String, engine: String, engineBuild: String,
        deviceKind: String, settings: ResultSettings? = nil, logitsMode: LogitsMode, provenance: String
    ) {
        self.settings = settings
        self.schemaVersion = settings == nil ? 1 : 3
        self.runID = runID
        self.jobID = jobID
        self.shardIndex = shardIndex
        self.rowStart = rowStart
        self.rowCount = rowCount
        self.modelSHA256 = modelSHA256
        self.tokenizerSHA256 = tokenizerSHA256
        self.datasetSHA256 = datasetSHA256
        self.taskHash = taskHash
        self.engine = engine
        self.engineBuild = engineBuild
        self.deviceKind = deviceKind
        self.logitsMode = logitsMode
        self.provenance = provenance
    }
}

/// How the engine computed, and how prompts were written.
public struct ResultSettings: Sendable, Hashable {
    /// A JSON object with sorted keys: every setting of the engine that numbers may depend on, with what was chosen by itself.
    public var engine: String
    /// The SHA-256 of how rows become prompts, and prompts tokens, as far as the task does not say it; hexadecimal.
    public var promptsHash: String

    public init(engine: String, promptsHash: String) {
        self.engine = engine
        self.promptsHash = promptsHash
    }
}

extension ShardHeader {
    static let format = "assay-shard"
    /// 3 is said by files that name their settings.
    ///
    /// Of older files, and of what is scored again from them, 2 is said by those with /epochs, and 1 by all others.
    static let schemaVersions = 1...3
    /// The longest text that is written as an attribute, and the longest provenance.
    private static let textLimit = 4096
    static let provenanceLimit = 16 << 20

    /// The attributes of the root group but `complete`.
    var attributes: [String: AttributeValue] {
        var attributes: [String: AttributeValue] = [
            "format": .text(Self.format), "schema_version": .integer(self.schemaVersion), "run_id": .text(self.runID),
            "job_id": .text(self.jobID), "shard_index": .integer(self.shardIndex), "row_start": .integer(self.rowStart),
            "row_count": .integer(self.rowCount), "model_sha256": .text(self.modelSHA256),
            "tokenizer_sha256": .text(self.tokenizerSHA256), "dataset_sha256": .text(self.datasetSHA256),
            "task_hash": .text(self.taskHash), "engine": .text(self.engine), "engine_build": .text(self.engineBuild),
            "device_kind": .text(self.deviceKind), "logits_mode": .text(self.logitsMode.rawValue),
        ]
        if let settings = self.settings {
            attributes["engine_settings"] = .text(settings.engine)
            attributes["prompts_hash"] = .text(settings.promptsHash)
        }
        if !self.reusedFrom.isEmpty { attributes[Self.reusedFromName] = .text(Self.text(self.reusedFrom)) }
        return attributes
    }

    /// The schema_version of a file with these columns.
    func version(of schema: ShardSchema) -> Int { self.settings != nil ? 3 : schema.hasEpochs ? 2 : 1 }

    /// The order in which attributes stand in the file.
    static let attributeOrder =
        ["format", "schema_version", "run_id", "job_id"] + LogicalDigest.attributes.dropFirst(2) + [reusedFromName]

    static let reusedFromName = "reused_from"

    /// Jobs and how many samples come from each: "k3f9m2ab.1: 50, m7x2p8qd.0: 3".
    static func text(_ reused: [String: Int]) -> String {
        reused.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", ")
    }

    /// What `text` wrote; `nil` for anything else.
    private static func reused(_ text: String) -> [String: Int]? {
        var reused: [String: Int] = [:]
        for part in text.split(separator: ", ") {
            let words = part.split(separator: ": ")
            guard words.count == 2, let count = Int(words[1]), count > 0 else { return nil }
            reused[String(words[0])] = count
        }
        return reused
    }

    /// Throws `invalidInput` for values that no file could hold.
    func check(samples: Int) throws(StoreError) {
        let place = "\(self.runID)/\(self.jobID)"
        guard self.shardIndex >= 0, self.rowStart >= 0, self.rowCount > 0, self.rowCount == samples else {
            throw StoreError(
                .invalidInput, path: place,
                "shard \(self.shardIndex) starts at row \(self.rowStart) and declares \(self.rowCount) samples; "
                    + "\(samples) were given.")
        }
        for (name, value) in self.attributes {
            guard case .text(let text) = value else { continue }
            guard text.utf8.count <= Self.textLimit, !text.utf8.contains(0) else {
                throw StoreError(
                    .invalidInput, path: place,
                    "\(name) has U+0000 in it or is longer than \(Self.textLimit) bytes.")
            }
        }
        guard self.provenance.utf8.count <= Self.provenanceLimit, !self.provenance.utf8.contains(0) else {
            throw StoreError(
                .invalidInput, path: place,
                "the provenance has U+0000 in it or is longer than \(Self.provenanceLimit) bytes.")
        }
    }

    /// Reads the header of a complete shard's file.
    @HDF5Actor
    init(reading root: borrowing Group) throws(HDF5Error) {
        let reader = try AttributeReader(root, names: Self.attributeOrder + ["complete"])
        guard try reader.integer("complete") == 1, try reader.text("format") == Self.format else {
            throw HDF5Error(
                .malformed, operation: "reading the header", object: "/", detail: "this is no complete shard of Assay")
        }
        let version = try reader.integer("schema_version")
        guard Self.schemaVersions.contains(version) else {
            throw HDF5Error(
                .unsupported, operation: "reading the header", object: "/",
                detail: "its schema_version is \(version), which this version of Assay does not know")
        }
        let mode = try reader.text("logits_mode")
        guard let logitsMode = LogitsMode(rawValue: mode) else {
            throw HDF5Error(
                .unsupported, operation: "reading the header", object: "/", detail: "its logits_mode is \"\(mode)\"")
        }
        let settings =
            version < 3
            ? nil
            : ResultSettings(
                engine: try reader.text("engine_settings"), promptsHash: try reader.text("prompts_hash"))
        self.init(
            runID: try reader.text("run_id"), jobID: try reader.text("job_id"),
            shardIndex: try reader.integer("shard_index"), rowStart: try reader.integer("row_start"),
            rowCount: try reader.integer("row_count"), modelSHA256: try reader.text("model_sha256"),
            tokenizerSHA256: try reader.text("tokenizer_sha256"), datasetSHA256: try reader.text("dataset_sha256"),
            taskHash: try reader.text("task_hash"), engine: try reader.text("engine"),
            engineBuild: try reader.text("engine_build"), deviceKind: try reader.text("device_kind"),
            settings: settings, logitsMode: logitsMode,
            provenance: try root.text("provenance", limit: Self.provenanceLimit))
        self.schemaVersion = version
        if let text = try reader.optionalText(Self.reusedFromName) {
            guard let reused = Self.reused(text) else {
                throw HDF5Error(
                    .malformed, operation: "reading the header", object: "/@\(Self.reusedFromName)",
                    detail: "it is no list of jobs and numbers")
            }
            self.reusedFrom = reused
        }
    }
}

/// The attributes of a group by name, with checked access.
struct AttributeReader {
    private var values: [String: AttributeValue] = [:]
    private let path: String

    @HDF5Actor
    init(_ group: borrowing Group, names: [String]) throws(HDF5Error) {
        self.path = group.path
        for name in names {
            self.values[name] = try group.attribute(name)
        }
    }

    /// An integer that is not negative.
    func integer(_ name: String) throws(HDF5Error) -> Int {
        guard case .integer(let number) = self.values[name], number >= 0 else { throw self.missing(name) }
        return number
    }

    func text(_ name: String) throws(HDF5Error) -> String {
        guard case .text(let text) = self.values[name] else { throw self.missing(name) }
        return text
    }

    /// `nil` where the attribute is not there.
    func optionalText(_ name: String) throws(HDF5Error) -> String? {
        self.values[name] == nil ? nil : try self.text(name)
    }

    private func missing(_ name: String) -> HDF5Error {
        HDF5Error(
            .malformed, operation: "reading attributes", object: "\(self.path)@\(name)",
            detail: "the attribute is missing or of another type")
    }
}

extension Group {
    /// A single string that is a data set of its own, because attributes end at 64 KiB.
    @HDF5Actor
    func text(_ name: String, limit: Int) throws(HDF5Error) -> String {
        let dataSet = try self.dataSet(name)
        guard dataSet.shape.isEmpty, let text = try dataSet.readStrings(limit: limit).first else {
            throw HDF5Error(
                .malformed, operation: "reading", object: dataSet.path, detail: "it is no single string")
        }
        return text
    }

    @HDF5Actor
    func writeText(_ name: String, _ text: String) throws(HDF5Error) {
        let dataSet = try self.createDataSet(name, type: .string(width: FixedStrings.width([text])), shape: [])
        try dataSet.write([text])
    }
}
