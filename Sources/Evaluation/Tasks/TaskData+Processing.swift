extension TaskData {
    /// The rows as the task's process_docs makes them, which is done once, before anything is stored or hashed.
    func processed(by configuration: TaskConfiguration) throws(TaskError) -> TaskData {
        guard let function = configuration.processDocs else { return self }
        guard let process = NativeFunction.documents[function.name] else {
            throw TaskError(
                .unsupported, "process_docs: \(function.name) makes no rows of rows", file: configuration.file)
        }
        var data = self
        data.evaluated = try self.evaluated.mapped(process)
        if let pool = self.fewShotPool {
            data.fewShotPool = pool.sha256 == self.evaluated.sha256 ? data.evaluated : try pool.mapped(process)
        }
        return data
    }
}

extension DataSet {
    /// The rows that `change` makes of these; those for which it gives none are left out.
    func mapped(_ change: NativeFunction.DocumentFunction) throws(TaskError) -> DataSet {
        var jsonl: [UInt8] = []
        for row in 0..<self.rowCount {
            do throws(TaskError) {
                guard let changed = try change(try self.document(at: row).value) else { continue }
                changed.stored.write(to: &jsonl, sortingKeys: false)
                jsonl.append(UInt8(ascii: "\n"))
            } catch {
                throw TaskError(error.code, "row \(row): \(error.message)", file: self.file)
            }
        }
        return try DataSet(jsonl: jsonl, file: self.file, notes: self.notes)
    }
}
