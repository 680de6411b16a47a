public import Evaluation
public import JSON
internal import OrderedCollections
internal import Yams

/// A node of a task file, with its place.
public struct ConfigurationNode: Sendable {
    public struct Place: Sendable, Equatable {
        public var file: String
        public var line: Int?
        public var column: Int?

        public init(file: String, line: Int? = nil, column: Int? = nil) {
            self.file = file
            self.line = line
            self.column = column
        }
    }

    public struct Member: Sendable {
        public var key: String
        public var place: Place
        public var node: ConfigurationNode
        /// False for a key that YAML takes for something else, such as `yes` or `1`, and that equals no text.
        public var isText = true
    }

    public enum Content: Sendable {
        /// Never an array or object.
        case scalar(JSONValue)
        /// The text after the tag !function.
        case function(String)
        case list([ConfigurationNode])
        case mapping([Member])
    }

    public var content: Content
    public var place: Place
    /// What is odd in the files that a root is of, to be told to their author.
    public var notes: [String] = []

    /// What stands in a task's canonical JSON; places are unknown there.
    public init(_ value: JSONValue, file: String) {
        self.place = Place(file: file)
        switch value {
        case .array(let items): self.content = .list(items.map { ConfigurationNode($0, file: file) })
        case .object(let members):
            let place = self.place
            self.content = .mapping(
                members.map { Member(key: $0.key, place: place, node: ConfigurationNode($0.value, file: file)) })
        default: self.content = .scalar(value)
        }
    }

    public init(_ content: Content, place: Place) {
        self.content = content
        self.place = place
    }

    /// The node without places.
    public var value: JSONValue {
        switch self.content {
        case .scalar(let value): value
        case .function(let name): .object(["function": .string(name)])
        case .list(let nodes): .array(nodes.map(\.value))
        case .mapping(let members):
            .object(.init(members.map { ($0.key, $0.node.value) }, uniquingKeysWith: { first, _ in first }))
        }
    }

    /// What it is in words, for messages; short scalars are shown.
    public var found: String {
        switch self.content {
        case .scalar(.null): "nothing"
        case .scalar(.string(let text)): text.utf8.count <= 40 ? "\"\(text)\"" : "a string"
        case .scalar(let value): value.text()
        case .function(let name): "!function \(name)"
        case .list: "a list"
        case .mapping: "a mapping"
        }
    }

    public func error(_ code: TaskError.Code, _ message: String) -> TaskError { self.place.error(code, message) }
}

extension ConfigurationNode.Place {
    public func error(_ code: TaskError.Code, _ message: String) -> TaskError {
        TaskError(code, message, file: self.file, line: self.line, column: self.column)
    }
}

extension ConfigurationNode {
    /// What a function is called, as a task file or canonical JSON writes it; `nil` for anything else.
    public var functionReference: String? {
        switch self.content {
        case .function(let name): return name
        case .mapping(let members):
            guard members.count == 1, members[0].key == "function",
                case .scalar(.string(let name)) = members[0].node.content
            else { return nil }
            return name
        default: return nil
        }
    }
}

extension ConfigurationNode {
    private enum Limit {
        static let bytes = 1 << 20
        static let nodes = 100_000
        static let depth = 64
        /// With so few, aliases of aliases can't grow without bounds.
        static let aliases = 16
        static let repeatedKeys = 50
    }

    /// Reads a task file within bounds, in UTF-8 or with a byte order mark in UTF-16.
    public static func load(path: String) throws(TaskError) -> ConfigurationNode {
        let bytes = try TextFile.utf8(try TextFile.bytes(path, limit: Limit.bytes), file: path)
        return try ConfigurationNode(yaml: String(decoding: bytes, as: UTF8.self), file: path)
    }

    /// Parses a task file's text within bounds.
    public init(yaml: String, file: String) throws(TaskError) {
        guard yaml.utf8.count <= Limit.bytes else {
            throw TaskError(.limitExceeded, "the task file is larger than 1 MiB", file: file)
        }
        var text = YAMLText(yaml, file: file)
        try Self.checkAliases(yaml, file: file)
        guard let root = try text.root() else {
            throw TaskError(.invalidYAML, "the file is empty; a task needs keys", file: file)
        }
        var reader = NodeReader(text: text)
        self = try reader.node(root, depth: 0)
        self.notes = reader.notes
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

    /// A text for Yams, which refuses a mapping with a key that is there twice: of such a key all but the last are marked,
    /// so that each is another one.
    private struct YAMLText {
        /// Of no use in a task file, but allowed in YAML.
        private static let marker: Unicode.Scalar = "\u{F8FF}"
        /// Every plain scalar has this tag, and what it means is found here.
        static let plain = "assay:plain"
        private static let resolver = try? Resolver.basic.appending(.init(rawValue: Self.plain), "^")

        private struct Insertion {
            var line: Int
            var column: Int
            var count: Int
        }

        let file: String
        private var text: String
        private var insertions: [Insertion] = []

        init(_ text: String, file: String) {
            self.file = file
            // A byte order mark.
            self.text = text.unicodeScalars.first == "\u{FEFF}" ? String(text.unicodeScalars.dropFirst()) : text
        }

        mutating func root() throws(TaskError) -> Node? {
            while true {
                do {
                    let parser = try Yams.Parser(
                        yaml: self.text, resolver: Self.resolver ?? .default, encoding: .utf8)
                    return try parser.singleRoot()
                } catch let error as YamlError {
                    guard case .duplicatedKeysInMapping(_, let context) = error, self.markKey(at: context.mark) else {
                        throw self.explained(error)
                    }
                } catch {
                    throw TaskError(.invalidYAML, "the file is not valid YAML: \(error)", file: self.file)
                }
            }
        }

        /// Puts a mark into the key that begins at a place.
        ///
        /// - Returns: Whether that was possible.
        private mutating func markKey(at mark: Mark) -> Bool {
            guard self.insertions.count < Limit.repeatedKeys,
                !self.text.unicodeScalars.contains(Self.marker)
                    || !self.insertions.isEmpty
            else { return false }
            var scalars = Array(self.text.unicodeScalars)
            guard var position = Self.index(of: mark, in: scalars) else { return false }
            // What says of what kind the key is stands before it.
            while position < scalars.count, scalars[position] == "!" || scalars[position] == "&" {
                while position < scalars.count, scalars[position] != " " { position += 1 }
                while position < scalars.count, scalars[position] == " " { position += 1 }
            }
            guard position < scalars.count, scalars[position] != "*" else { return false }
            if scalars[position] == "\"" || scalars[position] == "'" { position += 1 }
            let inserted = [Self.marker] + Array("\(self.insertions.count)".unicodeScalars) + [Self.marker]
            scalars.insert(contentsOf: inserted, at: position)
            self.insertions.append(Insertion(line: mark.line, column: mark.column, count: inserted.count))
            var text = String.UnicodeScalarView()
            text.append(contentsOf: scalars)
            self.text = String(text)
            return true
        }

        private static func index(of mark: Mark, in scalars: [Unicode.Scalar]) -> Int? {
            var (line, column, position) = (1, 1, 0)
            while position < scalars.count, line < mark.line || column < mark.column {
                let scalar = scalars[position]
                position += 1
                column += 1
                if scalar == "\r", position < scalars.count, scalars[position] == "\n" { continue }
                if ["\r", "\n", "\u{85}", "\u{2028}", "\u{2029}"].contains(scalar) { (line, column) = (line + 1, 1) }
                guard line <= mark.line else { return nil }
            }
            return position < scalars.count ? position : nil
        }

        /// A key as it stands in the file.
        func key(_ text: String) -> String {
            guard !self.insertions.isEmpty, text.unicodeScalars.first == Self.marker else { return text }
            return String(text.unicodeScalars.dropFirst().drop { $0 != Self.marker }.dropFirst())
        }

        /// A place as it is in the file.
        func place(_ mark: Mark?) -> Place {
            guard let mark else { return Place(file: self.file) }
            var column = mark.column
            for insertion in self.insertions.reversed() where insertion.line == mark.line && insertion.column < column {
                column = max(insertion.column, column - insertion.count)
            }
            return Place(file: self.file, line: mark.line, column: column)
        }

        private func explained(_ error: YamlError) -> TaskError {
            switch error {
            case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
                .composer(let context, let problem, let mark, _):
                let scalars = Array(self.text.unicodeScalars)
                if let index = Self.index(of: mark, in: scalars), scalars[index] == "\t" {
                    return self.place(mark).error(
                        .invalidYAML, "the file is not valid YAML: there is a tab here; YAML indents with spaces")
                }
                let context = context.map { "\($0.text) " } ?? ""
                return self.place(mark).error(.invalidYAML, "the file is not valid YAML: \(context)\(problem)")
            case .reader(let problem, _, _, _):
                return TaskError(.invalidYAML, "the file is not valid YAML: \(problem)", file: self.file)
            case .duplicatedKeysInMapping(let keys, let context):
                let names = keys.map(self.key).joined(separator: ", ")
                return self.place(context.mark).error(.invalidYAML, "the key \(names) is there twice")
            default: return TaskError(.invalidYAML, "the file is not valid YAML: \(error)", file: self.file)
            }
        }
    }

    /// Makes nodes of what Yams parsed, as PyYAML's SafeLoader constructs values.
    private struct NodeReader {
        private static let standard = "tag:yaml.org,2002:"

        let text: YAMLText
        var notes: [String] = []
        private var budget = Limit.nodes

        init(text: YAMLText) { self.text = text }

        mutating func node(_ node: Node, depth: Int) throws(TaskError) -> ConfigurationNode {
            let place = self.text.place(node.mark)
            self.budget -= 1
            guard self.budget > 0 else {
                throw place.error(.limitExceeded, "the file has more than \(Limit.nodes) values")
            }
            guard depth <= Limit.depth else {
                throw place.error(.limitExceeded, "values are nested more than 64 deep")
            }
            let tag = node.tag.description
            switch node {
            case .scalar(let scalar): return try self.scalar(scalar, tag, place)
            case .sequence(let sequence):
                guard ["seq", "omap", "pairs"].contains(where: { tag == Self.standard + $0 }) else {
                    throw Self.unknown(tag, place)
                }
                var items: [ConfigurationNode] = []
                for item in sequence {
                    let node = try self.node(item, depth: depth + 1)
                    guard tag != Self.standard + "seq" else {
                        items.append(node)
                        continue
                    }
                    // Pairs are tuples of Python's.
                    guard case .mapping(let members) = node.content, members.count == 1, let member = members.first
                    else { throw place.error(.invalidValue, "\(tag) must be a list of mappings with one key each") }
                    let key = ConfigurationNode(.scalar(.string(member.key)), place: member.place)
                    items.append(ConfigurationNode(.list([key, member.node]), place: node.place))
                }
                return ConfigurationNode(.list(items), place: place)
            case .mapping(let mapping):
                guard tag == Self.standard + "map" || tag == Self.standard + "set" else {
                    throw Self.unknown(tag, place)
                }
                let members = try self.members(mapping, depth: depth)
                guard tag == Self.standard + "set" else { return ConfigurationNode(.mapping(members), place: place) }
                return ConfigurationNode(
                    .list(members.map { ConfigurationNode(.scalar(.string($0.key)), place: $0.place) }), place: place)
            case .alias: throw place.error(.unsupported, "this alias is not supported; write the value out")
            }
        }

        private func scalar(
            _ scalar: Node.Scalar, _ tag: String, _ place: Place
        ) throws(TaskError) -> ConfigurationNode {
            if tag == "!function" { return ConfigurationNode(.function(scalar.string), place: place) }
            let tag = tag == YAMLText.plain ? YAMLScalar.tag(of: scalar.string) : tag
            guard tag.hasPrefix(Self.standard) else { throw Self.unknown(tag, place) }
            guard let value = YAMLScalar.value(scalar.string, tag: tag) else {
                let kinds = ["bool", "int", "float", "timestamp", "binary"]
                guard let kind = kinds.first(where: { tag == Self.standard + $0 }) else {
                    throw Self.unknown(tag, place)
                }
                throw place.error(
                    .invalidValue,
                    "\(scalar.string.prefix(40)) is no value of YAML's type \(kind); quote it if it is text")
            }
            return ConfigurationNode(.scalar(value), place: place)
        }

        private static func unknown(_ tag: String, _ place: Place) -> TaskError {
            place.error(.unsupported, "the tag \(tag) is not supported; use plain YAML values")
        }

        /// The members of a mapping; of a key that is there twice the last one counts.
        private mutating func members(_ mapping: Node.Mapping, depth: Int) throws(TaskError) -> [Member] {
            let (merged, own) = try self.pairs(mapping, depth: depth)
            var seen: [String: Place] = [:]
            for member in own {
                guard let other = seen.updateValue(member.place, forKey: member.key) else { continue }
                let note =
                    "the key \(member.key) is there twice (lines \(other.line ?? 0) and \(member.place.line ?? 0)); the last "
                    + "one counts, as in lm-eval"
                if !self.notes.contains(note) { self.notes.append(note) }
            }
            var members: OrderedDictionary<String, Member> = [:]
            for member in merged + own { members[member.key] = member }
            return Array(members.values)
        }

        /// What is merged into a mapping with <<, and what is its own, keys that are there twice included.
        private mutating func pairs(
            _ mapping: Node.Mapping, depth: Int
        ) throws(TaskError) -> (merged: [Member], own: [Member]) {
            var (merged, own): ([Member], [Member]) = ([], [])
            // PyYAML merges the same key object once, and texts of one letter are always the same object.
            var (letters, places): (Set<String>, [Place]) = ([], [])
            for (key, value) in mapping {
                let place = self.text.place(key.mark)
                guard case .scalar(let scalar) = key else {
                    throw place.error(.unsupported, "a key must be plain text")
                }
                let name = self.text.key(scalar.string)
                guard name == "<<", key.tag.description == YAMLText.plain else {
                    let tag = key.tag.description == YAMLText.plain ? YAMLScalar.tag(of: name) : key.tag.description
                    own.append(
                        Member(
                            key: name, place: place, node: try self.node(value, depth: depth + 1),
                            isText: tag == Self.standard + "str"))
                    continue
                }
                for member in try self.merged(value, depth: depth) {
                    let scalars = member.key.unicodeScalars
                    if scalars.count < 2, scalars.allSatisfy({ $0.value < 0x100 }) {
                        guard letters.insert(member.key).inserted else { continue }
                    } else {
                        guard !places.contains(member.place) else { continue }
                        places.append(member.place)
                    }
                    merged.append(member)
                }
            }
            return (merged, own)
        }

        private mutating func merged(_ value: Node, depth: Int) throws(TaskError) -> [Member] {
            let nodes: [Node] = if case .sequence(let sequence) = value { Array(sequence) } else { [value] }
            var members: [Member] = []
            for node in nodes {
                self.budget -= 1
                guard case .mapping(let mapping) = node, depth < Limit.depth, self.budget > 0 else {
                    throw self.text.place(value.mark).error(
                        .invalidYAML, "behind << must stand a mapping (*name) or a list of mappings")
                }
                let (merged, own) = try self.pairs(mapping, depth: depth + 1)
                members += merged + own
            }
            return members
        }
    }
}
