internal import Evaluation
internal import Yams

/// Reads one map of a job file, key by key, and knows where each key stands.
struct YAMLReader {
    let path: String
    /// The keys above, for messages: "tasks[2].settings".
    let prefix: String
    private let mapping: Node.Mapping
    let line: Int

    init(_ node: Node, path: String, prefix: String, known: [String]) throws(PlanningError) {
        self.path = path
        self.prefix = prefix
        self.line = node.mark?.line ?? 1
        guard case .mapping(let mapping) = node else {
            throw PlanningError(
                .jobFile, at: "\(path):\(self.line)",
                "\(prefix.isEmpty ? "the file" : "'\(prefix)'") must be a map of \(known.joined(separator: ", "))")
        }
        self.mapping = mapping
        var seen: Set<String> = []
        for (key, _) in mapping {
            let name = key.scalar?.string ?? ""
            let place = "\(path):\(key.mark?.line ?? self.line)"
            guard known.contains(name) else {
                throw PlanningError(
                    .jobFile, at: place, "unknown key '\(name)'; known here are \(known.joined(separator: ", "))")
            }
            guard seen.insert(name).inserted else {
                throw PlanningError(.jobFile, at: place, "'\(name)' stands here twice; keep one")
            }
        }
    }

    func node(_ key: String) -> Node? {
        guard let node = self.mapping[Node(key)] else { return nil }
        if node.scalar?.string == "" || node == Node("null", Tag(.null)) { return nil }
        return node
    }

    func error(_ key: String, _ node: Node?, _ message: String) -> PlanningError {
        let name = self.prefix.isEmpty ? key : "\(self.prefix).\(key)"
        return PlanningError(.jobFile, at: "\(self.path):\(node?.mark?.line ?? self.line)", "'\(name)' \(message)")
    }

    func string(_ key: String) throws(PlanningError) -> String? {
        guard let node = self.node(key) else { return nil }
        guard let value = node.scalar?.string else { throw self.error(key, node, "must be plain text") }
        return value
    }

    func required(_ key: String) throws(PlanningError) -> String {
        guard let value = try self.string(key) else { throw self.error(key, nil, "is missing") }
        return value
    }

    func integer(_ key: String, in range: ClosedRange<Int>) throws(PlanningError) -> Int? {
        guard let node = self.node(key) else { return nil }
        guard let value = Int.construct(from: node.scalar ?? Node.Scalar("")), range.contains(value) else {
            throw self.error(
                key, node,
                "is '\(node.scalar?.string ?? "not a number")'; it must be a whole number from \(range.lowerBound) to \(range.upperBound)"
            )
        }
        return value
    }

    /// One of the names of an enumeration.
    func boolean(_ key: String) throws(PlanningError) -> Bool? {
        guard let node = self.node(key) else { return nil }
        guard let flag = node.bool else { throw self.error(key, node, "must be true or false") }
        return flag
    }

    func choice<Value: RawRepresentable<String> & CaseIterable>(_ key: String) throws(PlanningError) -> Value? {
        guard let name = try self.string(key) else { return nil }
        guard let value = Value(rawValue: name) else {
            let known = Value.allCases.map(\.rawValue).joined(separator: ", ")
            throw self.error(key, self.node(key), "is '\(name)'; it must be one of \(known)")
        }
        return value
    }

    /// A map, as a JSON text.
    func jsonObject(_ key: String) throws(PlanningError) -> String? {
        guard let node = self.node(key) else { return nil }
        guard case .mapping = node else { throw self.error(key, node, "must be a map of names and values") }
        var budget = 1000
        return try self.json(node, of: key, &budget)
    }

    private func json(_ node: Node, of key: String, _ budget: inout Int) throws(PlanningError) -> String {
        budget -= 1
        guard budget > 0 else { throw self.error(key, node, "has more than 1000 values") }
        switch node {
        case .scalar(let scalar):
            guard scalar.style == .plain else { return JSONValue.string(scalar.string).text() }
            if node.null != nil { return "null" }
            if let flag = node.bool { return "\(flag)" }
            if let number = node.int { return "\(number)" }
            if let number = node.float, number.isFinite { return "\(number)" }
            return JSONValue.string(scalar.string).text()
        case .sequence(let items):
            var parts: [String] = []
            for item in items { parts.append(try self.json(item, of: key, &budget)) }
            return "[\(parts.joined(separator: ","))]"
        case .mapping(let entries):
            var parts: [String] = []
            for (name, value) in entries {
                guard let name = name.scalar?.string else { throw self.error(key, name, "must have names as its keys") }
                parts.append("\(JSONValue.string(name).text()):\(try self.json(value, of: key, &budget))")
            }
            return "{\(parts.joined(separator: ","))}"
        case .alias: throw self.error(key, node, "must not have aliases (*name)")
        }
    }

    /// A list of plain text, or one text as a list of one.
    func strings(_ key: String) throws(PlanningError) -> [String]? {
        guard let node = self.node(key) else { return nil }
        if let one = node.scalar?.string { return [one] }
        var values: [String] = []
        for item in node.sequence ?? [] {
            guard let value = item.scalar?.string else { throw self.error(key, item, "must be a list of names") }
            values.append(value)
        }
        guard !values.isEmpty else { throw self.error(key, node, "must be a list of names, with one at least") }
        return values
    }
}
