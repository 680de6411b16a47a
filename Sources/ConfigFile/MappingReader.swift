public import Evaluation
internal import JSON
internal import PythonCompat

/// Takes a mapping's keys one after the other; what is left at the end is unknown.
public struct MappingReader {
    public let place: ConfigurationNode.Place
    /// What the mapping is, for messages.
    public let name: String
    private var members: [ConfigurationNode.Member]
    private var known: [String] = []

    public init(_ node: ConfigurationNode, name: String) throws(TaskError) {
        guard case .mapping(let members) = node.content else {
            throw node.error(.invalidValue, "\(name) must be a mapping (key: value), not \(node.found)")
        }
        self.place = node.place
        self.name = name
        self.members = members
    }

    /// The node of a key, unless it is missing or null.
    public mutating func node(_ key: String) -> ConfigurationNode? {
        self.known.append(key)
        guard let index = self.members.firstIndex(where: { $0.key == key }) else { return nil }
        let node = self.members.remove(at: index).node
        if case .scalar(.null) = node.content { return nil }
        return node
    }

    /// Whether a key is there without a value.
    public func isNull(_ key: String) -> Bool {
        if case .scalar(.null)? = self.peek(key)?.content { true } else { false }
    }

    /// The node of a key, which stays to be taken.
    public func peek(_ key: String) -> ConfigurationNode? { self.members.first { $0.key == key }?.node }

    public mutating func string(_ key: String) throws(TaskError) -> String? {
        guard let node = self.node(key) else { return nil }
        switch node.content {
        case .scalar(.string(let text)): return text
        case .scalar(.date(let date)): return date.text
        default: throw self.wrong(key, node, "a string; quote it if it is text")
        }
    }

    /// - Parameter readsText: Whether what Python's `int()` reads is a number, too.
    public mutating func integer(
        _ key: String, in range: ClosedRange<Int>, readsText: Bool = false
    ) throws(TaskError) -> Int? {
        guard let node = self.node(key) else { return nil }
        let number: Int? =
            switch node.content {
            case .scalar(.int(let number)): number
            case .scalar(.string(let text)) where readsText: PythonNumber.int(text)
            case .scalar(.double(let number)) where readsText: Int(exactly: number.rounded(.towardZero))
            default: nil
            }
        guard let number, range.contains(number) else {
            throw self.wrong(key, node, "an integer from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    public mutating func boolean(_ key: String) throws(TaskError) -> Bool? {
        guard let node = self.node(key) else { return nil }
        guard case .scalar(.bool(let flag)) = node.content else { throw self.wrong(key, node, "true or false") }
        return flag
    }

    /// A list of strings; one string stands for a list of one.
    public mutating func strings(_ key: String) throws(TaskError) -> [String]? {
        guard let node = self.node(key) else { return nil }
        switch node.content {
        case .scalar(.string(let text)): return [text]
        case .list(let nodes):
            var texts: [String] = []
            for node in nodes {
                guard case .scalar(.string(let text)) = node.content else {
                    throw self.wrong(key, node, "a list of strings; quote numbers that are text")
                }
                texts.append(text)
            }
            return texts
        default: throw self.wrong(key, node, "a string or a list of strings")
        }
    }

    public mutating func list(_ key: String) throws(TaskError) -> [ConfigurationNode]? {
        guard let node = self.node(key) else { return nil }
        guard case .list(let nodes) = node.content else { throw self.wrong(key, node, "a list") }
        return nodes
    }

    /// One of the cases of `Choice`.
    public mutating func choice<Choice: CaseIterable & RawRepresentable<String>>(
        _ key: String, of: Choice.Type, but hints: [String: String] = [:]
    ) throws(TaskError) -> Choice? {
        guard let node = self.node(key) else { return nil }
        guard case .scalar(.string(let text)) = node.content, let choice = Choice(rawValue: text) else {
            if case .scalar(.string(let text)) = node.content, let hint = hints[text] {
                throw node.error(.unsupported, "\(key): \(hint)")
            }
            let names = Choice.allCases.map(\.rawValue)
            var wanted = "one of \(names.joined(separator: ", "))"
            if case .scalar(.string(let text)) = node.content, let near = Self.nearest(text, names) {
                wanted += "; did you mean \(near)?"
            }
            throw self.wrong(key, node, wanted)
        }
        return choice
    }

    public func wrong(_ key: String, _ node: ConfigurationNode, _ wanted: String) -> TaskError {
        node.error(.invalidValue, "\(key) is \(node.found); it must be \(wanted)")
    }

    public func missing(_ key: String, _ wanted: String) -> TaskError {
        self.place.error(.missingKey, "\(self.name) has no \(key); \(wanted)")
    }

    /// Refuses the keys that nobody took; `refused` says why of those that are known elsewhere.
    public func finish(refused: [String: String] = [:]) throws(TaskError) {
        for member in self.members {
            if let reason = refused[member.key] {
                if case .scalar(.null) = member.node.content { continue }
                throw member.place.error(.unsupported, "the key \(member.key) is not supported: \(reason)")
            }
            let hint =
                Self.nearest(member.key, self.known).map { "did you mean \($0)?" }
                ?? "known keys are \(self.known.sorted().joined(separator: ", "))"
            throw member.place.error(.unknownKey, "\(self.name) has an unknown key \(member.key); \(hint)")
        }
    }

    /// The name that differs by at most a third of its letters.
    private static func nearest(_ text: String, _ names: [String]) -> String? {
        let best = names.map { (name: $0, distance: Self.distance(Array(text.utf8), Array($0.utf8))) }
            .min { $0.distance < $1.distance }
        guard let best, best.distance <= max(1, best.name.utf8.count / 3) else { return nil }
        return best.name
    }

    /// How many bytes to insert, delete or replace.
    private static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        guard a.count <= 200 else { return .max }
        var row = Array(0...b.count)
        for (i, x) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, y) in b.enumerated() {
                let replaced = diagonal + (x == y ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(replaced, diagonal + 1, row[j] + 1)
            }
        }
        return row[b.count]
    }
}
