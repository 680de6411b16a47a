internal import OrderedCollections
internal import Yams

extension ConfigurationNode {
    private enum Limit {
        static let bytes = 1 << 20
        static let nodes = 100_000
        static let depth = 64
        /// With so few, aliases of aliases can't grow without bounds.
        static let aliases = 16
    }

    /// Parses a task file within bounds.
    init(yaml: String, file: String) throws(TaskError) {
        guard yaml.utf8.count <= Limit.bytes else {
            throw TaskError(.limitExceeded, "the task file is larger than 1 MiB", file: file)
        }
        try Self.checkAliases(yaml, file: file)
        let root: Node?
        do {
            root = try Yams.Parser(yaml: yaml, encoding: .utf8).singleRoot()
        } catch let error as YamlError {
            throw Self.explained(error, file: file)
        } catch {
            throw TaskError(.invalidYAML, "the file is not valid YAML: \(error)", file: file)
        }
        guard let root else { throw TaskError(.invalidYAML, "the file is empty; a task needs keys", file: file) }
        var budget = Limit.nodes
        self = try Self.converted(root, file: file, depth: 0, budget: &budget)
    }

    /// Counts `*name` for which there is an `&name`, wherever they stand.
    private static func checkAliases(_ yaml: String, file: String) throws(TaskError) {
        var anchors: Set<Substring> = []
        var aliases: [Substring] = []
        let isName = { (c: Character) in c.isASCII && (c.isLetter || c.isNumber || c == "_" || c == "-") }
        var rest = yaml[...]
        while let mark = rest.firstIndex(where: { $0 == "&" || $0 == "*" }) {
            let name = rest[rest.index(after: mark)...].prefix(while: isName)
            if !name.isEmpty {
                if rest[mark] == "&" { anchors.insert(name) } else { aliases.append(name) }
            }
            rest = rest[rest.index(after: mark)...]
        }
        guard aliases.count(where: { anchors.contains($0) }) <= Limit.aliases else {
            throw TaskError(
                .limitExceeded, "the file uses more than \(Limit.aliases) aliases (*name); write the values out",
                file: file)
        }
    }

    private static func explained(_ error: YamlError, file: String) -> TaskError {
        switch error {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            let context = context.map { "\($0.text) " } ?? ""
            return TaskError(
                .invalidYAML, "the file is not valid YAML: \(context)\(problem)", file: file, line: mark.line,
                column: mark.column)
        case .reader(let problem, _, _, _):
            return TaskError(.invalidYAML, "the file is not valid YAML: \(problem)", file: file)
        case .duplicatedKeysInMapping(let keys, let context):
            return TaskError(
                .invalidYAML, "the key \(keys.joined(separator: ", ")) is there twice", file: file,
                line: context.mark.line, column: context.mark.column)
        default: return TaskError(.invalidYAML, "the file is not valid YAML: \(error)", file: file)
        }
    }

    private static func converted(
        _ node: Node, file: String, depth: Int, budget: inout Int
    ) throws(TaskError) -> ConfigurationNode {
        let place = Place(file: file, line: node.mark?.line, column: node.mark?.column)
        budget -= 1
        guard budget > 0 else { throw place.error(.limitExceeded, "the file has more than \(Limit.nodes) values") }
        guard depth <= Limit.depth else { throw place.error(.limitExceeded, "values are nested more than 64 deep") }
        let tag = node.tag.description
        let standard = "tag:yaml.org,2002:"
        if tag == "!function", case .scalar(let scalar) = node {
            return ConfigurationNode(.function(scalar.string), place: place)
        }
        guard tag.hasPrefix(standard) else {
            throw place.error(.unsupported, "the tag \(tag) is not supported; use plain YAML values")
        }
        switch node {
        case .scalar(let scalar):
            let kind = String(tag.dropFirst(standard.count))
            return ConfigurationNode(.scalar(try Self.value(scalar.string, kind, place)), place: place)
        case .sequence(let sequence):
            guard tag == standard + "seq" else { throw place.error(.unsupported, "the tag \(tag) is not supported") }
            var items: [ConfigurationNode] = []
            for item in sequence {
                items.append(try Self.converted(item, file: file, depth: depth + 1, budget: &budget))
            }
            return ConfigurationNode(.list(items), place: place)
        case .mapping(let mapping):
            guard tag == standard + "map" else { throw place.error(.unsupported, "the tag \(tag) is not supported") }
            var members: [Member] = []
            for (key, value) in mapping {
                let keyPlace = Place(file: file, line: key.mark?.line, column: key.mark?.column)
                guard case .scalar(let scalar) = key, scalar.string != "<<" else {
                    throw keyPlace.error(.unsupported, "a key must be plain text; merge keys are not supported")
                }
                let node = try Self.converted(value, file: file, depth: depth + 1, budget: &budget)
                members.append(Member(key: scalar.string, place: keyPlace, node: node))
            }
            return ConfigurationNode(.mapping(members), place: place)
        case .alias: throw place.error(.unsupported, "this alias is not supported; write the value out")
        }
    }

    /// A scalar as PyYAML reads it.
    private static func value(_ text: String, _ kind: String, _ place: Place) throws(TaskError) -> JSONValue {
        switch kind {
        case "str", "timestamp", "value": return .string(text)
        case "null": return .null
        case "bool": return .bool(["yes", "true", "on"].contains(text.lowercased()))
        case "int":
            guard let number = Self.integer(text) else {
                throw place.error(.invalidValue, "\(text) is not an integer of 64 bits; quote it if it is text")
            }
            return .int(number)
        case "float":
            guard let number = Double(text.replacing("_", with: "")), number.isFinite else {
                throw place.error(.invalidValue, "\(text) is not a finite number; quote it if it is text")
            }
            return .double(number)
        default: throw place.error(.unsupported, "the tag \(kind) is not supported; use plain YAML values")
        }
    }

    private static func integer(_ text: String) -> Int? {
        var digits = text.replacing("_", with: "").lowercased()
        let isNegative = digits.hasPrefix("-")
        if isNegative || digits.hasPrefix("+") { digits.removeFirst() }
        var radix = 10
        for (prefix, base) in [("0x", 16), ("0b", 2), ("0o", 8)] where digits.hasPrefix(prefix) {
            radix = base
            digits.removeFirst(2)
        }
        if radix == 10, digits.utf8.count > 1, digits.hasPrefix("0") { radix = 8 }
        return Int((isNegative ? "-" : "") + digits, radix: radix)
    }
}
