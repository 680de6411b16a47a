public import Evaluation
public import JSON
internal import OrderedCollections

/// Reads the columns of a document; errors say which column is wrong and what it must be.
public struct ColumnReader {
    private let value: JSONValue
    private let path: String

    public init(_ document: JSONValue) {
        self.value = document
        self.path = ""
    }

    private init(value: JSONValue, path: String) {
        self.value = value
        self.path = path
    }

    public func value(_ column: String, mustBe wanted: String) throws(TaskError) -> JSONValue {
        guard let value = self.value[column] else { throw self.error(column, mustBe: wanted, is: "missing") }
        return value
    }

    public func string(_ column: String) throws(TaskError) -> String {
        let value = try self.value(column, mustBe: "a string")
        guard let text = value.string else { throw self.error(column, mustBe: "a string", is: value.kind) }
        return text
    }

    public func items(_ column: String, mustBe wanted: String = "a list") throws(TaskError) -> [JSONValue] {
        let value = try self.value(column, mustBe: wanted)
        guard case .array(let items) = value else { throw self.error(column, mustBe: wanted, is: value.kind) }
        return items
    }

    public func strings(_ column: String) throws(TaskError) -> [String] {
        let wanted = "a list of strings"
        let value = try self.value(column, mustBe: wanted)
        guard let texts = value.texts else { throw self.error(column, mustBe: wanted, is: Self.describe(value)) }
        return texts
    }

    /// The lists of strings in a list.
    public func stringLists(_ column: String) throws(TaskError) -> [[String]] {
        let wanted = "a list of lists of strings"
        return try self.items(column, mustBe: wanted).map { item throws(TaskError) in
            guard let texts = item.texts else {
                throw self.error(column, mustBe: wanted, is: "a list with \(Self.describe(item)) in it")
            }
            return texts
        }
    }

    /// A mapping in a column.
    public func mapping(_ column: String) throws(TaskError) -> ColumnReader {
        let value = try self.value(column, mustBe: "a mapping")
        guard case .object = value else { throw self.error(column, mustBe: "a mapping", is: value.kind) }
        return ColumnReader(value: value, path: "\(self.path)\(column).")
    }

    private static func describe(_ value: JSONValue) -> String {
        if case .array = value { "a list of other values" } else { value.kind }
    }

    /// Another mapping in the same place.
    public func replacing(_ value: JSONValue) -> ColumnReader { ColumnReader(value: value, path: self.path) }

    public func error(_ column: String, mustBe wanted: String, is found: String) -> TaskError {
        TaskError(.invalidSample, "the column \(self.path)\(column) must be \(wanted), but it is \(found)")
    }
}

extension JSONValue {
    public static func strings(_ texts: [String]) -> JSONValue { .array(texts.map { .string($0) }) }

    /// The texts of a list of strings; `nil` for anything else.
    fileprivate var texts: [String]? {
        guard case .array(let items) = self else { return nil }
        let texts = items.compactMap(\.string)
        return texts.count == items.count ? texts : nil
    }

    /// A document with other columns, as `map` of data sets gives it: known ones stay in place, new ones follow.
    public func setting(_ columns: KeyValuePairs<String, JSONValue>) throws(TaskError) -> JSONValue {
        guard case .object(var members) = self else {
            throw TaskError(.invalidSample, "a document must be a mapping, but it is \(self.kind)")
        }
        for (column, value) in columns { members[column] = value }
        return .object(members)
    }
}
