internal import JSON
internal import OrderedCollections
internal import PythonCompat

/// What a column holds, as Arrow's readers find it: every value of a column is of one type, or missing.
///
/// The loaders of `datasets` decide it over the first rows of the first file, and make the other rows and files fit.
indirect enum ColumnType: Sendable, Hashable {
    /// Nothing but missing values.
    case null
    case bool
    case int
    case double
    /// A time in whole seconds, without a zone.
    case timestamp
    case text
    case list(ColumnType)
    case structure(OrderedDictionary<String, ColumnType>)
    /// Values of several kinds, which `datasets` keeps as JSON texts.
    case json

    /// Whether anything in it is kept as JSON texts.
    var hasJSON: Bool {
        switch self {
        case .json: true
        case .list(let item): item.hasJSON
        case .structure(let members): members.values.contains { $0.hasJSON }
        default: false
        }
    }

    /// In words, for messages.
    var name: String {
        switch self {
        case .null: "of nothing"
        case .bool: "of booleans"
        case .int: "of integers"
        case .double: "of numbers"
        case .timestamp: "of dates"
        case .text: "of texts"
        case .list: "of lists"
        case .structure: "of mappings"
        case .json: "of JSON"
        }
    }
}

/// Finds the type of values that come one after the other.
final class TypeFinder {
    private struct Kinds: OptionSet {
        let rawValue: Int

        static let bool = Kinds(rawValue: 1)
        static let number = Kinds(rawValue: 2)
        static let text = Kinds(rawValue: 4)
        static let list = Kinds(rawValue: 8)
        static let object = Kinds(rawValue: 16)
        /// A number that is not finite.
        static let odd = Kinds(rawValue: 32)

        var areSeveral: Bool { self.rawValue.nonzeroBitCount > 1 }
    }

    private var kinds: Kinds = []
    private var areIntegers = true
    private var areTimes = true
    private var item: TypeFinder?
    private var members: OrderedDictionary<String, TypeFinder> = [:]
    private var firstKeys: Set<String>?
    private var losesNulls = false
    private var keysDiffer = false

    /// The columns' names in the order in which they came.
    var columnCount: Int { self.members.count }

    func add(_ value: JSONValue) {
        switch value {
        case .null: break
        case .bool: self.kinds.insert(.bool)
        case .int: self.kinds.insert(.number)
        case .double(let number) where !number.isFinite: self.kinds.insert(.odd)
        case .double:
            self.kinds.insert(.number)
            self.areIntegers = false
        case .string(let text):
            self.kinds.insert(.text)
            if self.areTimes, PythonDate(arrow: text) == nil { self.areTimes = false }
        // Loaders find dates in texts only.
        case .date: self.kinds.insert(.text)
        case .array(let items):
            self.kinds.insert(.list)
            let finder = self.item ?? TypeFinder()
            self.item = finder
            // Nothing but missing values came so far.
            if finder.kinds.isEmpty, items.count > 1, items[0] == .null { self.losesNulls = true }
            for item in items { finder.add(item) }
        case .object(let members):
            self.kinds.insert(.object)
            if let first = self.firstKeys {
                if members.count != first.count || members.keys.contains(where: { !first.contains($0) }) {
                    self.keysDiffer = true
                }
            } else {
                self.firstKeys = Set(members.keys)
            }
            for (key, value) in members {
                if let known = self.members[key] {
                    known.add(value)
                } else {
                    let finder = TypeFinder()
                    finder.add(value)
                    self.members[key] = finder
                }
            }
        }
    }

    /// What was found.
    ///
    /// - Parameters:
    ///   - keepsShapes: Mappings of different keys are kept as JSON; else each gets the keys of the others.
    ///   - findsDates: Texts that are all dates are dates.
    ///   - isRewritten: The values went through ujson, which makes null of numbers that are not finite.
    func type(keepsShapes: Bool, findsDates: Bool, isRewritten: Bool) -> ColumnType {
        var kinds = self.kinds
        if kinds.remove(.odd) != nil, !isRewritten { kinds.insert(.number) }
        if kinds.areSeveral { return .json }
        if kinds.contains(.bool) { return .bool }
        if kinds.contains(.number) {
            return self.areIntegers && (isRewritten || !self.kinds.contains(.odd)) ? .int : .double
        }
        if kinds.contains(.text) { return findsDates && self.areTimes ? .timestamp : .text }
        if kinds.contains(.list) {
            return .list(
                self.item?.type(keepsShapes: keepsShapes, findsDates: findsDates, isRewritten: isRewritten) ?? .null)
        }
        guard kinds.contains(.object) else { return .null }
        if keepsShapes, self.keysDiffer || self.members.isEmpty { return .json }
        return .structure(
            self.members.mapValues {
                $0.type(keepsShapes: keepsShapes, findsDates: findsDates, isRewritten: isRewritten)
            })
    }

    /// The types of the members, where all values are rows.
    ///
    /// - Parameters:
    ///   - keepsShapes: Mappings of different keys are kept as JSON.
    ///   - isPandas: As pandas reads JSON: mappings get each other's keys, and dates are only in columns that are called so.
    ///   - findsDates: Texts that are all dates are dates.
    func columns(
        keepsShapes: Bool, isPandas: Bool, findsDates: Bool = true, isRewritten: Bool = false
    ) -> OrderedDictionary<String, ColumnType> {
        var columns: OrderedDictionary<String, ColumnType> = [:]
        for (name, finder) in self.members {
            columns[name] = finder.type(
                keepsShapes: keepsShapes && !isPandas, findsDates: findsDates && (!isPandas || finder.isDate(name)),
                isRewritten: isRewritten)
        }
        // Into rows without it a column with JSON texts is put at the end, so the first row has them all.
        guard let first = self.firstKeys, columns.values.contains(where: \.hasJSON) else { return columns }
        let inFirst = columns.elements.prefix(first.count)
        let others = columns.elements.dropFirst(first.count)
        return OrderedDictionary(
            uniqueKeysWithValues: (inFirst + others.filter { $0.value.hasJSON } + others.filter { !$0.value.hasJSON })
                .map { ($0.key, $0.value) })
    }

    /// Whether Arrow 26 makes lists of a wrong length of these values, as it does where the first items of a column's lists
    /// are missing; `datasets` then reads the rows in another way, in which texts stay texts.
    func losesNulls(as type: ColumnType) -> Bool {
        switch type {
        case .list(let item): self.losesNulls || self.item?.losesNulls(as: item) == true
        case .structure(let members): members.contains { self.members[$0.key]?.losesNulls(as: $0.value) == true }
        default: false
        }
    }

    private func isDate(_ name: String) -> Bool {
        let name = name.lowercased()
        return self.kinds == .text
            && (name.hasSuffix("_at") || name.hasSuffix("_time") || name.hasPrefix("timestamp") || name == "modified"
                || name == "date")
    }
}

/// Why a value does not fit a column.
struct Misfit: Error {
    /// The value as it stands in the file.
    var value: JSONValue
    var wanted: ColumnType
    /// Where it is in the column: keys and brackets.
    var path = ""
}

extension ColumnType {
    /// The value that a loader makes of one in a file.
    ///
    /// - Parameters:
    ///   - own: The type of the column in that part of the file.
    ///   - rewriting: What the value went through before.
    /// - Throws: `Misfit` where `datasets` can't cast the column to this type.
    func value(
        of value: JSONValue, from own: ColumnType, rewriting: UltraJSON.Rewriting
    ) throws(Misfit) -> JSONValue {
        if value == .null { return .null }
        switch (self, own) {
        case (.json, _): return UltraJSON.field(value)
        case (.list(let wanted), .list(let own)):
            guard case .array(let items) = value else { break }
            var values: [JSONValue] = []
            values.reserveCapacity(items.count)
            for item in items {
                do throws(Misfit) {
                    values.append(try wanted.value(of: item, from: own, rewriting: rewriting))
                } catch {
                    throw Misfit(value: error.value, wanted: error.wanted, path: "[]" + error.path)
                }
            }
            return .array(values)
        case (.structure(let wanted), .structure(let own)):
            guard case .object(let members) = value, own.keys.allSatisfy({ wanted[$0] != nil }) else { break }
            var values: OrderedDictionary<String, JSONValue> = [:]
            values.reserveCapacity(wanted.count)
            for (key, type) in wanted {
                do throws(Misfit) {
                    values[key] = try type.value(
                        of: members[key] ?? .null, from: own[key] ?? .null, rewriting: rewriting)
                } catch {
                    throw Misfit(value: error.value, wanted: error.wanted, path: ".\(key)" + error.path)
                }
            }
            return .object(values)
        case (.text, .structure): return .string(value.text())
        case (.list, _), (.structure, _), (_, .list), (_, .structure), (_, .json): break
        default:
            if let cast = self.scalar(own.scalar(value, rewriting), from: own) { return cast }
        }
        throw Misfit(value: value, wanted: self)
    }

    /// A value in a column of this type, which was found in it.
    private func scalar(_ value: JSONValue, _ rewriting: UltraJSON.Rewriting) -> JSONValue {
        switch (self, value) {
        case (_, .double(let number)) where !number.isFinite: return UltraJSON.value(number, rewriting)
        case (.double, .int(let number)): return .double(Double(number))
        case (.double, .double(let number)): return UltraJSON.value(number, rewriting)
        case (.timestamp, .string(let text)): return PythonDate(arrow: text).map(JSONValue.date) ?? value
        default: return value
        }
    }

    /// Arrow's cast of a scalar from another type; `nil` if there is none for this value.
    private func scalar(_ value: JSONValue, from own: ColumnType) -> JSONValue? {
        if self == own || value == .null { return value }
        switch (self, value) {
        case (.bool, .int(let number)): return .bool(number != 0)
        case (.bool, .double(let number)): return .bool(number != 0)
        case (.bool, .string(let text)):
            switch text.lowercased() {
            case "true", "1": return .bool(true)
            case "false", "0": return .bool(false)
            default: return nil
            }
        case (.int, .bool(let flag)): return .int(flag ? 1 : 0)
        case (.int, .double(let number)): return Int(exactly: number).map(JSONValue.int)
        case (.int, .string(let text)): return Int(text).map(JSONValue.int)
        case (.int, .date(let date)): return .int(date.secondsSince1970)
        case (.double, .bool(let flag)): return .double(flag ? 1 : 0)
        case (.double, .int(let number)): return Double(exactly: number).map(JSONValue.double)
        case (.double, .string(let text)): return Double(text).map(JSONValue.double)
        case (.timestamp, .int(let number)): return PythonDate(secondsSince1970: number).map(JSONValue.date)
        case (.timestamp, .string(let text)): return PythonDate(arrow: text).map(JSONValue.date)
        case (.text, .string): return value
        case (.text, .bool(let flag)): return .string(flag ? "true" : "false")
        case (.text, .int(let number)): return .string(String(number))
        case (.text, .double(let number)): return .string(Self.arrowText(number))
        case (.text, .date(let date)): return .string(date.text)
        default: return nil
        }
    }

    /// A number as Arrow writes it: a whole one has no ".0".
    private static func arrowText(_ number: Double) -> String {
        let text = PythonText.str(.double(number))
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }
}
