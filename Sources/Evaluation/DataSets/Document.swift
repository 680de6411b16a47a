internal import PythonCompat

/// One row of a data set.
public struct Document: Sendable, Hashable {
    /// The row's number in the data set, from 0.
    public var row: Int
    /// A JSON object: column -> value.
    public var value: JSONValue
    /// The data set's column `id` says what samples are called: no two rows have the same, and none has an odd one.
    var isNamed = true

    public init(row: Int, value: JSONValue) {
        self.row = row
        self.value = value
    }

    /// What the sample is called: the column `id` where it names every row that has one, else the row's number.
    public var sampleID: String { (self.isNamed ? self.name : nil) ?? String(self.row) }

    /// What the column `id` says; `nil` where it says nothing that a sample can be called.
    var name: String? {
        switch self.value["id"] {
        case .string(let text)? where !text.isEmpty && text.utf8.count <= 512: text
        case .int?, .double?, .bool?, .date?: self.value["id"].map(PythonText.str)
        default: nil
        }
    }

    /// Whether the column `id` holds something, but nothing that a sample can be called.
    var hasOddID: Bool {
        switch self.value["id"] {
        case nil, .null?: false
        default: self.name == nil
        }
    }
}

/// Finds whether the column `id` can name the samples of a data set.
struct SampleIDs {
    private var names: Set<[UInt8]> = []
    private var unnamed: [Int] = []
    private var reason: String?

    /// Whether nothing speaks against the ids; final once `problem` was asked.
    var areNames: Bool { self.reason == nil }

    mutating func add(_ document: Document) {
        guard self.reason == nil else { return }
        if document.hasOddID {
            self.reason = "row \(document.row) has \(document.value["id"]?.kind ?? "nothing") there"
        } else if let name = document.name {
            if !self.names.insert(Array(name.utf8)).inserted { self.repeated(name, document.row) }
        } else {
            self.unnamed.append(document.row)
        }
    }

    /// What to tell of ids that name nothing; `nil` if they do, or there are none.
    mutating func problem() -> String? {
        if !self.names.isEmpty, let row = self.unnamed.first(where: { self.names.contains(Array(String($0).utf8)) }) {
            self.repeated(String(row), row)
        }
        return self.reason.map {
            "samples are called by their row numbers, not by the column id: \($0) (an id is a text of up to 512 bytes or a "
                + "number, and no two are the same)"
        }
    }

    private mutating func repeated(_ name: String, _ row: Int) {
        self.reason = "row \(row) is called \"\(name.prefix(40))\" as another one is"
    }
}
