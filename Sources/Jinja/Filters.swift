internal import PythonCompat

/// A filter: what follows `|`.
struct Filter: Sendable {
    typealias Function = @Sendable (Value, [Value?], Run) throws(JinjaError) -> Value

    let name: String
    /// The parameters after the value; `nil` for a filter that takes any arguments.
    private let parameters: [String]?
    private let required: Int
    private let function: Function
    private let variadic: (@Sendable (Value, Arguments, Run) throws(JinjaError) -> Value)?

    init(_ name: String, _ parameters: [String] = [], required: Int = 0, _ function: @escaping Function) {
        self.name = name
        self.parameters = parameters
        self.required = required
        self.function = function
        self.variadic = nil
    }

    init(
        _ name: String, variadic: @escaping @Sendable (Value, Arguments, Run) throws(JinjaError) -> Value
    ) {
        self.name = name
        self.parameters = nil
        self.required = 0
        self.function = { (value, _, _) throws(JinjaError) in value }
        self.variadic = variadic
    }

    static func named(_ name: String, _ dialect: Template.Dialect) -> Filter? {
        switch name {
        case "regex_replace" where dialect == .chat: nil
        case "tojson" where dialect == .chat: Self.chatJSON
        default: Self.all[name]
        }
    }

    func apply(_ value: Value, _ arguments: Arguments, _ run: Run) throws(JinjaError) -> Value {
        try run.charge(2)
        if let variadic = self.variadic { return try variadic(value, arguments, run) }
        if arguments.positional.isEmpty, arguments.named.isEmpty, self.required == 0 {
            return try self.function(value, Array(repeating: nil, count: self.parameters?.count ?? 0), run)
        }
        let bound = try arguments.bound(to: self.parameters ?? [], required: self.required, self.name, run)
        return try self.function(value, bound, run)
    }

    private static let all: [String: Filter] = {
        var all: [String: Filter] = [:]
        for filter in Self.texts + Self.numbers + Self.sequences + Self.mappings + Self.html {
            all[filter.name] = filter
        }
        for (other, name) in [("count", "length"), ("d", "default"), ("e", "escape")] { all[other] = all[name] }
        return all
    }()

    // MARK: Mappings and what has several types

    private static let mappings: [Filter] = [
        Filter("default", ["default_value", "boolean"]) { (value, values, run) throws(JinjaError) in
            if value.isUndefined { return values[0] ?? .string("") }
            if let flag = values[1], try run.isTrue(flag), try !run.isTrue(value) { return values[0] ?? .string("") }
            return value
        },
        Filter("attr", ["name"], required: 1) { (value, values, run) throws(JinjaError) in
            guard let name = values[0]?.text else {
                throw run.error(.type, "attribute name must be string, not '\(values[0]?.typeName ?? "")'")
            }
            // Elements are no attributes.
            if case .dict = value, !DictMethods.names.contains(name) {
                return run.undefined("a dict object has no attribute '\(name)'")
            }
            if case .object(let object) = value, object is SelfObject { return run.undefined("no attribute '\(name)'") }
            return try run.attribute(name, of: value)
        },
        Filter("items") { (value, _, run) throws(JinjaError) in
            try Self.items(value, run)
        },
        Filter("dictsort", ["case_sensitive", "by", "reverse"]) { (value, values, run) throws(JinjaError) in
            let ignores = try !Self.isTrue(values[0], run)
            let by = values[1] ?? .string("key")
            let isKey = try run.isEqual(by, .string("key"))
            let isValue = try run.isEqual(by, .string("value"))
            guard isKey || isValue else {
                throw run.error(.runtime, "You can only sort by either \"key\" or \"value\"")
            }
            let dict = try Self.mapping(value, run)
            var items: [(key: Value, value: Value)] = []
            for (key, value) in dict.entries {
                items.append((Self.folded(isKey ? key : value, ignores), try run.tuple([key, value])))
            }
            return try run.list(try run.sorted(items, reverse: try run.flag(values[2])))
        },
        Filter("xmlattr", ["autospace"]) { (value, values, run) throws(JinjaError) in
            var parts: [String] = []
            for (key, value) in try Self.mapping(value, run).entries where !value.isNone && !value.isUndefined {
                guard let name = key.text else { throw run.error(.type, "expected string or bytes-like object") }
                let breaking: Set<Unicode.Scalar> = [" ", "\t", "\n", "\r", "\u{C}", "\u{B}", "/", ">", "="]
                guard !name.unicodeScalars.contains(where: breaking.contains) else {
                    throw run.error(.value, "Invalid character in attribute name: \(PythonText.repr(name))")
                }
                parts.append("\(try run.escaped(key))=\"\(try run.escaped(value))\"")
            }
            let hasSpace = try values[0].map { (flag) throws(JinjaError) in try run.isTrue(flag) } ?? true
            let text = (hasSpace && !parts.isEmpty ? " " : "") + parts.joined(separator: " ")
            return run.autoescapes ? .markup(text) : try run.string(text)
        },
        Filter("tojson", ["indent"]) { (value, values, run) throws(JinjaError) in
            var writer = JSONWriter(run)
            writer.sortsKeys = true
            try writer.setIndent(values[0] ?? .null)
            return .markup(JSONWriter.safe(try writer.text(value)))
        },
    ]

    private static let chatJSON = Filter(
        "tojson", ["ensure_ascii", "indent", "separators", "sort_keys"]
    ) { (value, values, run) throws(JinjaError) in
        var writer = JSONWriter(run)
        writer.isASCII = try Self.isTrue(values[0], run)
        try writer.setIndent(values[1] ?? .null)
        try writer.setSeparators(values[2] ?? .null)
        writer.sortsKeys = try Self.isTrue(values[3], run)
        return try run.string(try writer.text(value))
    }

    static func isTrue(_ value: Value?, _ run: Run) throws(JinjaError) -> Bool {
        guard let value else { return false }
        return try run.isTrue(value)
    }

    /// Lower case, where letter case is ignored.
    static func folded(_ value: Value, _ ignores: Bool) -> Value {
        guard ignores, let text = value.text else { return value }
        return .string(PythonText.lower(text))
    }

    private static func mapping(_ value: Value, _ run: Run) throws(JinjaError) -> Value.Dict {
        switch value {
        case .dict(let dict): return dict
        case .undefined(let undefined): throw run.error(undefined)
        default: throw run.error(.attribute, "'\(value.typeName)' object has no attribute 'items'")
        }
    }

    private static func items(_ value: Value, _ run: Run) throws(JinjaError) -> Value {
        var iterator: Iterator?
        return run.kept(
            Generator(depth: 1) { run throws(JinjaError) in
                if value.isUndefined { return nil }
                guard case .dict(let dict) = value else {
                    throw run.error(.type, "Can only get item pairs from a mapping.")
                }
                if iterator == nil { iterator = try DictView(dict, .items).iterate(run) }
                return try iterator?.next(run)
            })
    }

    // MARK: HTML

    private static let html: [Filter] = [
        Filter("escape") { (value, _, run) throws(JinjaError) in .markup(try run.escaped(value)) },
        Filter("forceescape") { (value, _, run) throws(JinjaError) in .markup(HTML.escape(try run.str(value))) },
        Filter("safe") { (value, _, run) throws(JinjaError) in .markup(try run.str(value)) },
        Filter("striptags") { (value, _, run) throws(JinjaError) in
            let text = try run.str(value)
            try run.charge(bytes: text.utf8.count)
            return try run.string(HTML.withoutTags(text))
        },
        Filter("urlencode") { (value, _, run) throws(JinjaError) in try run.string(try Self.urlEncoded(value, run)) },
        Filter("urlize", ["trim_url_limit", "nofollow", "target", "rel", "extra_schemes"]) {
            (value, values, run) throws(JinjaError) in
            let text = try HTML.urlized(value, values, run)
            return run.autoescapes ? .markup(text) : try run.string(text)
        },
    ]

    private static func urlEncoded(_ value: Value, _ run: Run) throws(JinjaError) -> String {
        if let text = value.text { return PythonHTML.quote(text, isQuery: false) }
        let pairs: [Value]
        switch value {
        case .dict(let dict): pairs = DictView(dict, .items).items(run)
        case .null, .bool, .int, .big, .float: return PythonHTML.quote(try run.str(value), isQuery: false)
        case .object(let object) where try object.iterate(run) == nil:
            return PythonHTML.quote(try run.str(value), isQuery: false)
        default: pairs = try run.array(value)
        }
        var parts: [String] = []
        for pair in pairs {
            guard try run.iterator(pair) != nil else {
                throw run.error(.type, "cannot unpack non-iterable \(pair.typeName) object")
            }
            let values = try run.array(pair)
            guard values.count == 2 else { throw run.error(.value, "a pair of key and value is expected") }
            parts.append(
                PythonHTML.quote(try run.str(values[0]), isQuery: true) + "="
                    + PythonHTML.quote(try run.str(values[1]), isQuery: true))
        }
        return parts.joined(separator: "&")
    }
}

/// `a.b.0`: what filters take as `attribute`.
struct AttributePath {
    private let parts: [Value]
    private let replacement: Value?

    init(_ attribute: Value, _ replacement: Value? = nil) {
        self.replacement = replacement
        switch attribute {
        case .null: self.parts = []
        case .string(let text), .markup(let text):
            self.parts = PythonText.split(text, by: ".", most: Int.max).map { part in
                guard !part.isEmpty, part.unicodeScalars.allSatisfy(PythonText.isDigit) else { return .string(part) }
                return PythonNumber.integer(part, base: 10).map { Value($0) } ?? .string(part)
            }
        default: self.parts = [attribute]
        }
    }

    func value(_ item: Value, _ run: Run) throws(JinjaError) -> Value {
        var item = item
        for part in self.parts {
            item = try run.item(part, of: item)
            if item.isUndefined, let replacement = self.replacement { item = replacement }
        }
        return item
    }
}
