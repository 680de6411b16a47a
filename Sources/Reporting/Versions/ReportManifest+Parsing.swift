extension ReportManifest {
    /// Reads a manifest that may have been changed by others; throws `damaged` that names the member at fault.
    ///
    /// - Parameter source: The file, for the error's message.
    init(parsing content: [UInt8], source: String) throws(ReportError) {
        let json: JSONValue
        do {
            json = try JSONValue(parsing: String(decoding: content, as: UTF8.self), source: source)
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
