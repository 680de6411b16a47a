/// One row of a data set.
public struct Document: Sendable, Hashable {
    /// The row's number in the data set, from 0.
    public var row: Int
    /// A JSON object: column -> value.
    public var value: JSONValue

    public init(row: Int, value: JSONValue) {
        self.row = row
        self.value = value
    }

    /// What the sample is called: the column `id` if there is one, else the row's number.
    public func sampleID() throws(TaskError) -> String {
        switch self.value["id"] {
        case nil: return String(self.row)
        case .string(let text) where !text.isEmpty && text.utf8.count <= 512: return text
        case .int(let number): return String(number)
        case .some(let value):
            throw TaskError(
                .invalidData,
                "row \(self.row): the column id holds \(value.kind); it must be a string of 1 to 512 bytes or an integer"
            )
        }
    }
}
