internal import PythonCompat

/// A filter: what follows `|`.
struct Filter: Sendable {
    typealias Function = @Sendable (Value, [Value?], Run) throws(JinjaError) -> Value

    private let name: String
    /// The parameters after the value; `nil` for a filter that takes any arguments.
    private let parameters: [String]?
    private let required: Int
    private let function: Function
    private let variadic: (@Sendable (Value, Arguments, Run) throws(JinjaError) -> Value)?

    private init(_ name: String, _ parameters: [String] = [], required: Int = 0, _ function: @escaping Function) {
        self.name = name
        self.parameters = parameters
        self.required = required
        self.function = function
        self.variadic = nil
    }

    private init(
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

    // MARK: Texts

    private static let texts: [Filter] = [
        cased(.upper), cased(.lower), cased(.capitalize),
        Filter("title") { (value, _, run) throws(JinjaError) in try run.string(Self.titled(try run.str(value))) },
        Filter("trim", ["chars"]) { (value, values, run) throws(JinjaError) in
            var characters: String?
            _ = try run.str(value)
            if let chars = values[0], !chars.isNone {
                guard let text = chars.text else { throw run.error(.type, "strip arg must be None or str") }
                characters = text
            }
            return try Self.soft(value, run) { (text) throws(JinjaError) in Text.strip(text, characters) }
        },
        Filter("string") { (value, _, run) throws(JinjaError) in
            value.text != nil ? value : try run.string(try run.str(value))
        },
        Filter("center", ["width"]) { (value, values, run) throws(JinjaError) in
            let width = try values[0].map { (width) throws(JinjaError) in try run.index(width) } ?? 80
            try run.check(bytes: max(0, width))
            return try Self.soft(value, run) { (text) throws(JinjaError) in
                PythonText.justify(text, .center, width: max(0, width))
            }
        },
        Filter("replace", ["old", "new", "count"], required: 2) { (value, values, run) throws(JinjaError) in
            try Self.replace(value, values, run)
        },
        Filter(
            "format",
            variadic: { (value, arguments, run) throws(JinjaError) in
                guard arguments.positional.isEmpty || arguments.named.isEmpty else {
                    throw run.error(.runtime, "can't handle positional and keyword arguments at the same time")
                }
                let values =
                    arguments.named.isEmpty
                    ? try run.tuple(arguments.positional)
                    : try run.makeDict(arguments.named.map { (.string($0.name), $0.value) })
                if case .markup(let text) = value { return .markup(try run.percent(text, values, escapes: true)) }
                return try run.string(try run.percent(try run.str(value), values, escapes: false))
            }),
        Filter("indent", ["width", "first", "blank"]) { (value, values, run) throws(JinjaError) in
            try Self.indent(value, values, run)
        },
        Filter("truncate", ["length", "killwords", "end", "leeway"]) { (value, values, run) throws(JinjaError) in
            try Self.truncate(value, values, run)
        },
        Filter("wordwrap", ["width", "break_long_words", "wrapstring", "break_on_hyphens"]) {
            (value, values, run) throws(JinjaError) in try WordWrap.filter(value, values, run)
        },
        Filter("wordcount") { (value, _, run) throws(JinjaError) in
            let text = try run.str(value)
            try run.charge(bytes: text.utf8.count)
            return .int(text.unicodeScalars.split { !PythonText.isWord($0) }.count)
        },
        Filter("regex_replace", ["pattern", "repl", "count"], required: 2) { (value, values, run) throws(JinjaError) in
            try RegexReplace.filter(value, values, run)
        },
        Filter("pprint") { (value, _, run) throws(JinjaError) in try run.string(try PrettyPrint.text(value, run)) },
    ]

    private static func cased(_ method: StringMethod) -> Filter {
        Filter(method.rawValue) { (value, _, run) throws(JinjaError) in
            try Self.soft(value, run) { (text) throws(JinjaError) in Run.cased(method, text) }
        }
    }

    /// The filter's text; a safe one stays safe.
    private static func soft(
        _ value: Value, _ run: Run, _ change: (String) throws(JinjaError) -> String
    ) throws(JinjaError) -> Value {
        let text = try run.str(value)
        try run.charge(bytes: text.utf8.count)
        let result = try change(text)
        try run.check(bytes: result.utf8.count)
        if case .markup = value { return .markup(result) }
        return .string(result)
    }

    /// Words begin after white space, hyphens and opening brackets.
    private static func titled(_ text: String) -> String {
        func isBoundary(_ scalar: Unicode.Scalar) -> Bool {
            ["-", "(", "{", "[", "<"].contains(scalar) || PythonText.isSpace(scalar)
        }
        var result = ""
        var rest = text.unicodeScalars[...]
        while let first = rest.first {
            let part = rest.prefix { isBoundary($0) == isBoundary(first) }
            result += PythonText.upper(String(Character(first))) + PythonText.lower(String(part.dropFirst()))
            rest = rest[part.endIndex...]
        }
        return result
    }

    private static func replace(_ value: Value, _ values: [Value?], _ run: Run) throws(JinjaError) -> Value {
        let (old, new) = (values[0] ?? .null, values[1] ?? .null)
        var limit = -1
        if let count = values[2], !count.isNone { limit = try run.index(count, "'replace' takes an integer") }
        func isMarkup(_ value: Value) -> Bool { if case .markup = value { true } else { false } }
        guard run.autoescapes else {
            return try run.string(
                try run.replaced(try run.str(value), try run.str(old), try run.str(new), limit))
        }
        var subject = value
        if isMarkup(old) || isMarkup(new) && !isMarkup(value) {
            subject = .markup(try run.escaped(value))
        } else if value.text == nil {
            subject = .string(try run.str(value))
        }
        let text = subject.text ?? ""
        if isMarkup(subject) {
            return .markup(try run.replaced(text, try run.str(old), try run.escaped(new), limit))
        }
        return try run.string(try run.replaced(text, try run.str(old), try run.str(new), limit))
    }

    private static func indent(_ value: Value, _ values: [Value?], _ run: Run) throws(JinjaError) -> Value {
        if case .undefined(let undefined)? = values[0] { throw run.error(undefined) }
        let indentation: String
        if let text = values[0]?.text {
            indentation = text
        } else {
            let width = try values[0].map { (width) throws(JinjaError) in try run.index(width) } ?? 4
            try run.check(bytes: max(0, width))
            indentation = String(repeating: " ", count: max(0, width))
        }
        guard let text = value.text else {
            switch value {
            case .undefined(let undefined): throw run.error(undefined)
            case .list: throw run.error(.attribute, "'list' object has no attribute 'splitlines'")
            default: throw run.error(.type, "indent takes a text, not '\(value.typeName)'")
            }
        }
        let isBlank = try values[2].map { (flag) throws(JinjaError) in try run.isTrue(flag) } ?? false
        let isFirst = try values[1].map { (flag) throws(JinjaError) in try run.isTrue(flag) } ?? false
        let lines = PythonText.splitLines(text + "\n")
        try run.check(
            bytes: text.utf8.count + lines.count.multipliedReportingOverflow(by: indentation.utf8.count).partialValue)
        var result = isBlank ? lines.joined(separator: "\n" + indentation) : lines.first ?? ""
        if !isBlank { for line in lines.dropFirst() { result += "\n" + (line.isEmpty ? "" : indentation) + line } }
        if isFirst { result = indentation + result }
        try run.check(bytes: result.utf8.count)
        if case .markup = value { return .markup(result) }
        return try run.string(result)
    }

    private static func truncate(_ value: Value, _ values: [Value?], _ run: Run) throws(JinjaError) -> Value {
        let length = values[0] ?? .int(255)
        let end = values[2] ?? .string("...")
        let leeway = values[3].flatMap { $0.isNone ? nil : $0 } ?? .int(5)
        let endLength = try run.requiredLength(end)
        guard try run.compare(.greaterEqual, length, .int(endLength)) else {
            throw run.error(.value, "expected length >= \(endLength), got \(try run.repr(length))")
        }
        guard try run.compare(.greaterEqual, leeway, .int(0)) else {
            throw run.error(.value, "expected leeway >= 0, got \(try run.repr(leeway))")
        }
        let size = try run.requiredLength(value)
        let most = try run.arithmetic(.add, length, leeway)
        if try run.compare(.lessEqual, .int(size), most) { return value }
        let kept = try run.slice(value, .null, try run.arithmetic(.subtract, length, .int(endLength)), .null)
        if let kills = values[1], try run.isTrue(kills) { return try run.arithmetic(.add, kept, end) }
        guard let text = kept.text else {
            throw run.error(.attribute, "'\(kept.typeName)' object has no attribute 'rsplit'")
        }
        let head = Text.split(text, by: " ", most: 1, fromRight: true)[0]
        if case .markup = kept { return try run.arithmetic(.add, .markup(head), end) }
        return try run.arithmetic(.add, .string(head), end)
    }

    // MARK: Numbers

    private static let numbers: [Filter] = [
        Filter("abs") { (value, _, run) throws(JinjaError) in
            switch value {
            case .float(let number): return .float(number.magnitude)
            default:
                guard let number = Number.integer(value) else {
                    throw run.error(.type, "bad operand type for abs(): '\(value.typeName)'")
                }
                return Value(number.isNegative ? number.negated : number)
            }
        },
        Filter("int", ["default", "base"]) { (value, values, run) throws(JinjaError) in
            try run.integer(value, values[0] ?? .int(0), base: values[1] ?? .int(10))
        },
        Filter("float", ["default"]) { (value, values, run) throws(JinjaError) in
            try run.float(value).map { .float($0) } ?? values[0] ?? .float(0)
        },
        Filter("round", ["precision", "method"]) { (value, values, run) throws(JinjaError) in
            try Rounding.round(value, values[0] ?? .int(0), values[1] ?? .string("common"), run)
        },
        Filter("filesizeformat", ["binary"]) { (value, values, run) throws(JinjaError) in
            let isBinary = try values[0].map { (flag) throws(JinjaError) in try run.isTrue(flag) } ?? false
            return .string(try Self.fileSize(value, isBinary, run))
        },
    ]

    private static func fileSize(_ value: Value, _ isBinary: Bool, _ run: Run) throws(JinjaError) -> String {
        let bytes: Double
        switch value {
        case .string(let text), .markup(let text):
            guard let number = PythonNumber.float(text) else {
                throw run.error(.value, "could not convert string to float: \(PythonText.repr(text))")
            }
            bytes = number
        default: bytes = try run.double(value)
        }
        let base: Double = isBinary ? 1024 : 1000
        if bytes == 1 { return "1 Byte" }
        if bytes < base {
            let whole = try run.truncated(bytes)
            return "\(whole) Bytes"
        }
        var unit = base
        for letter in ["k", "M", "G", "T", "P", "E", "Z", "Y"] {
            unit *= base
            guard bytes < unit || letter == "Y" else { continue }
            let size = base * bytes / unit
            let number = FloatText.special(size, isUpper: false) ?? FloatText.fixed(size, 1)
            return number + " " + (isBinary ? letter.uppercased() + "iB" : letter + "B")
        }
        return ""
    }

    // MARK: Sequences

    private static let sequences: [Filter] = [
        Filter("length") { (value, _, run) throws(JinjaError) in .int(try run.requiredLength(value)) },
        Filter("list") { (value, _, run) throws(JinjaError) in try run.list(try run.array(value)) },
        Filter("first") { (value, _, run) throws(JinjaError) in
            guard let iterator = try run.iterator(value) else {
                throw run.error(.type, "'\(value.typeName)' object is not iterable")
            }
            return try iterator.next(run) ?? run.undefined("No first item, sequence was empty.")
        },
        Filter("last") { (value, _, run) throws(JinjaError) in
            guard let iterator = try Self.reversed(value, run) else {
                throw run.error(.type, "'\(value.typeName)' object is not reversible")
            }
            return try iterator.next(run) ?? run.undefined("No last item, sequence was empty.")
        },
        Filter("random") { (_, _, run) throws(JinjaError) in
            throw run.error(
                .unsupported, "'random' gives another value each time, so that no prompt with it can be reproduced")
        },
        Filter("reverse") { (value, _, run) throws(JinjaError) in
            if let text = value.text {
                let reversed = Text.string(text.unicodeScalars.reversed())
                if case .markup = value { return .markup(reversed) }
                return try run.string(reversed)
            }
            if let iterator = try Self.reversed(value, run) { return run.kept(iterator) }
            guard let iterator = try run.iterator(value) else {
                throw run.error(.runtime, "argument must be iterable")
            }
            do throws(JinjaError) {
                return try run.list(try run.array(iterator).reversed())
            } catch {
                throw error.code == .type ? run.error(.runtime, "argument must be iterable") : error
            }
        },
        Filter("join", ["d", "attribute"]) { (value, values, run) throws(JinjaError) in
            try Self.join(value, values[0] ?? .string(""), values[1], run)
        },
        Filter("sum", ["attribute", "start"]) { (value, values, run) throws(JinjaError) in
            var total = values[1] ?? .int(0)
            if total.text != nil {
                throw run.error(.type, "sum() can't sum strings [use ''.join(seq) instead]")
            }
            let path = values[0].flatMap { $0.isNone ? nil : AttributePath($0) }
            guard let iterator = try run.iterator(value) else {
                throw run.error(.type, "'\(value.typeName)' object is not iterable")
            }
            while let item = try iterator.next(run) {
                try run.charge(1)
                total = try run.arithmetic(.add, total, try path?.value(item, run) ?? item)
            }
            return total
        },
        Filter("min", ["case_sensitive", "attribute"]) { (value, values, run) throws(JinjaError) in
            try Self.extreme(.less, value, values, run)
        },
        Filter("max", ["case_sensitive", "attribute"]) { (value, values, run) throws(JinjaError) in
            try Self.extreme(.greater, value, values, run)
        },
        Filter("sort", ["reverse", "case_sensitive", "attribute"]) { (value, values, run) throws(JinjaError) in
            let ignores = try !Self.isTrue(values[1], run)
            let paths = Self.paths(values[2])
            var items: [(key: Value, value: Value)] = []
            for item in try run.array(value) {
                var keys: [Value] = []
                for path in paths { keys.append(Self.folded(try path.value(item, run), ignores)) }
                items.append((.list(Value.List(own: keys)), item))
            }
            return try run.list(try run.sorted(items, reverse: try run.flag(values[0])))
        },
        Filter("unique", ["case_sensitive", "attribute"]) { (value, values, run) throws(JinjaError) in
            try Self.unique(value, values, run)
        },
        Filter("groupby", ["attribute", "default", "case_sensitive"], required: 1) {
            (value, values, run) throws(JinjaError) in try Self.groups(value, values, run)
        },
        Filter("batch", ["linecount", "fill_with"], required: 1) { (value, values, run) throws(JinjaError) in
            try Self.batches(value, values[0] ?? .null, values[1], run)
        },
        Filter("slice", ["slices", "fill_with"], required: 1) { (value, values, run) throws(JinjaError) in
            try Self.slices(value, values[0] ?? .null, values[1], run)
        },
        Filter("map", variadic: { (value, arguments, run) throws(JinjaError) in try Self.map(value, arguments, run) }),
        selection("select", keeps: true, hasAttribute: false), selection("reject", keeps: false, hasAttribute: false),
        selection("selectattr", keeps: true, hasAttribute: true),
        selection("rejectattr", keeps: false, hasAttribute: true),
    ]

    private static func isTrue(_ value: Value?, _ run: Run) throws(JinjaError) -> Bool {
        guard let value else { return false }
        return try run.isTrue(value)
    }

    /// From the end to the beginning; `nil` for what has no end.
    private static func reversed(_ value: Value, _ run: Run) throws(JinjaError) -> Iterator? {
        switch value {
        case .list(let list): return ArrayIterator(list.items.reversed(), "list_reverseiterator")
        case .tuple(let tuple): return ArrayIterator(tuple.items.reversed(), "reversed")
        case .string(let text): return ArrayIterator(Text.characters(text).reversed(), "reversed")
        case .markup(let text):
            // By its elements, which are safe as it is.
            return ArrayIterator(text.unicodeScalars.reversed().map { .markup(String(Character($0))) }, "reversed")
        case .dict(let dict):
            return ArrayIterator(dict.entries.map(\.key).reversed(), "dict_reversekeyiterator", dict: dict)
        case .undefined(let undefined):
            if undefined.isStrict { throw run.error(undefined) }
            return ArrayIterator([], "reversed")
        case .object(let object):
            if let range = object as? RangeObject { return range.iterator(backwards: true) }
            if let view = object as? DictView {
                return ArrayIterator(view.items(run).reversed(), "dict_reverseiterator", dict: view.dict)
            }
            return nil
        default: return nil
        }
    }

    private static func join(
        _ value: Value, _ separator: Value, _ attribute: Value?, _ run: Run
    ) throws(JinjaError) -> Value {
        let path = attribute.flatMap { $0.isNone ? nil : AttributePath($0) }
        func items() throws(JinjaError) -> Iterator {
            guard let iterator = try run.iterator(value) else {
                throw run.error(.type, "'\(value.typeName)' object is not iterable")
            }
            return iterator
        }
        guard run.autoescapes else {
            // The separator is made a text first.
            let separator = try run.str(separator)
            let iterator = try items()
            var result = ""
            var isFirst = true
            while let item = try iterator.next(run) {
                if !isFirst { result += separator }
                isFirst = false
                result += try run.str(try path?.value(item, run) ?? item)
                try run.charge(1)
                try run.check(bytes: result.utf8.count)
            }
            return try run.string(result)
        }
        var values: [Value] = []
        for item in try run.array(try items()) { values.append(try path?.value(item, run) ?? item) }
        func isMarkup(_ value: Value) -> Bool { if case .markup = value { true } else { false } }
        let escapes = isMarkup(separator) || values.contains(where: isMarkup)
        var texts: [String] = []
        for value in values { texts.append(escapes ? try run.escaped(value) : try run.str(value)) }
        let text = texts.joined(separator: escapes ? try run.escaped(separator) : try run.str(separator))
        try run.check(bytes: text.utf8.count)
        return escapes ? .markup(text) : .string(text)
    }

    /// Lower case, where letter case is ignored.
    private static func folded(_ value: Value, _ ignores: Bool) -> Value {
        guard ignores, let text = value.text else { return value }
        return .string(PythonText.lower(text))
    }

    private static func paths(_ attribute: Value?) -> [AttributePath] {
        guard let text = attribute?.text else { return [AttributePath(attribute ?? .null)] }
        return Text.split(text, by: ",", most: Int.max).map { AttributePath(.string($0)) }
    }

    private static func extreme(
        _ comparison: Comparison, _ value: Value, _ values: [Value?], _ run: Run
    ) throws(JinjaError) -> Value {
        let ignores = try !Self.isTrue(values[0], run)
        let path = AttributePath(values[1] ?? .null)
        guard let iterator = try run.iterator(value) else {
            throw run.error(.type, "'\(value.typeName)' object is not iterable")
        }
        guard var best = try iterator.next(run) else {
            return run.undefined("No aggregated item, sequence was empty.")
        }
        var bestKey = Self.folded(try path.value(best, run), ignores)
        while let item = try iterator.next(run) {
            try run.charge(1)
            let key = Self.folded(try path.value(item, run), ignores)
            if try run.compare(comparison, key, bestKey) { (best, bestKey) = (item, key) }
        }
        return best
    }

    private static func unique(_ value: Value, _ values: [Value?], _ run: Run) throws(JinjaError) -> Value {
        let ignores = try !Self.isTrue(values[0], run)
        let path = AttributePath(values[1] ?? .null)
        var seen: Set<Key> = []
        return try Self.generator(value, run) { (iterator, run) throws(JinjaError) in
            while let item = try iterator.next(run) {
                try run.charge(1)
                if seen.insert(try run.key(Self.folded(try path.value(item, run), ignores))).inserted { return item }
            }
            return nil
        }
    }

    /// What is made value by value from another; nothing happens before the first is asked for.
    private static func generator(
        _ value: Value, _ run: Run, ifTrue: Bool = false,
        _ next: @escaping (Iterator, Run) throws(JinjaError) -> Value?
    ) throws(JinjaError) -> Value {
        var iterator: Iterator?
        var depth = 1
        if case .object(let object as Iterator) = value { depth = object.depth + 1 }
        guard depth < 30 else { throw run.error(.limit, "more than 30 filters give their values to each other") }
        return run.kept(
            Generator(depth: depth) { run throws(JinjaError) in
                if iterator == nil {
                    if ifTrue, try !run.isTrue(value) { return nil }
                    guard let made = try run.iterator(value) else {
                        throw run.error(.type, "'\(value.typeName)' object is not iterable")
                    }
                    iterator = made
                }
                guard let iterator else { return nil }
                return try next(iterator, run)
            })
    }

    private static func groups(_ value: Value, _ values: [Value?], _ run: Run) throws(JinjaError) -> Value {
        let replacement = values[1].flatMap { $0.isNone ? nil : $0 }
        let path = AttributePath(values[0] ?? .null, replacement)
        let ignores = try !Self.isTrue(values[2], run)
        var keyed: [(key: Value, value: Value)] = []
        for item in try run.array(value) {
            try run.charge(1)
            keyed.append((Self.folded(try path.value(item, run), ignores), item))
        }
        let items = try run.sorted(keyed.map { ($0.key, .tuple(Value.Tuple([$0.key, $0.value]))) }, reverse: false)
        var groups: [(key: Value, items: [Value])] = []
        for case .tuple(let pair) in items {
            let key = pair.items[0]
            var isSame = false
            if let last = groups.last {
                isSame = run.isIdentical(last.key, key) ? true : try run.isEqual(last.key, key)
            }
            if isSame {
                groups[groups.count - 1].items.append(pair.items[1])
            } else {
                groups.append((key, [pair.items[1]]))
            }
        }
        var result: [Value] = []
        for group in groups {
            let key = ignores ? try path.value(group.items[0], run) : group.key
            result.append(try run.tuple([key, try run.list(group.items)], isGroup: true))
        }
        return try run.list(result)
    }

    private static func batches(
        _ value: Value, _ count: Value, _ fill: Value?, _ run: Run
    ) throws(JinjaError) -> Value {
        var items: [Value] = []
        var isDone = false
        return try Self.generator(value, run) { (iterator, run) throws(JinjaError) in
            guard !isDone else { return nil }
            while let item = try iterator.next(run) {
                try run.charge(1)
                if try run.isEqual(.int(items.count), count) {
                    let batch = items
                    items = [item]
                    return try run.list(batch)
                }
                items.append(item)
            }
            isDone = true
            guard !items.isEmpty else { return nil }
            if let fill, !fill.isNone, try run.compare(.less, .int(items.count), count) {
                let missing = try run.arithmetic(.subtract, count, .int(items.count))
                guard case .int(let number)? = Number.asInteger(missing) else {
                    throw run.error(.type, "can't multiply sequence by non-int of type '\(missing.typeName)'")
                }
                try run.check(count: number)
                items += Array(repeating: fill, count: max(0, number))
            }
            return try run.list(items)
        }
    }

    private static func slices(
        _ value: Value, _ count: Value, _ fill: Value?, _ run: Run
    ) throws(JinjaError) -> Value {
        var parts: [Value]?
        var position = 0
        return try Self.generator(value, run) { (iterator, run) throws(JinjaError) in
            if parts == nil { parts = try Self.sliced(try run.array(iterator), count, fill, run) }
            guard let parts, position < parts.count else { return nil }
            position += 1
            return parts[position - 1]
        }
    }

    private static func sliced(
        _ items: [Value], _ count: Value, _ fill: Value?, _ run: Run
    ) throws(JinjaError) -> [Value] {
        guard case .int(let size) = try run.arithmetic(.floorDivide, .int(items.count), count),
            case .int(let extra) = try run.arithmetic(.modulo, .int(items.count), count),
            case .int(let count)? = Number.asInteger(count)
        else { throw run.error(.type, "'float' object cannot be interpreted as an integer") }
        try run.check(count: max(0, count))
        var parts: [Value] = []
        var start = 0
        for number in 0..<max(0, count) {
            let end = start + size + (number < extra ? 1 : 0)
            var part = Array(items[start..<end])
            if let fill, !fill.isNone, number >= extra { part.append(fill) }
            parts.append(try run.list(part))
            start = end
        }
        return parts
    }

    private static func map(_ value: Value, _ arguments: Arguments, _ run: Run) throws(JinjaError) -> Value {
        var change: ((Value, Run) throws(JinjaError) -> Value)?
        return try Self.generator(value, run, ifTrue: true) { (iterator, run) throws(JinjaError) in
            if change == nil { change = try Self.mapping(arguments, run) }
            guard let item = try iterator.next(run) else { return nil }
            try run.charge(1)
            return try change?(item, run) ?? item
        }
    }

    private static func mapping(
        _ arguments: Arguments, _ run: Run
    ) throws(JinjaError) -> (Value, Run) throws(JinjaError) -> Value {
        if arguments.positional.isEmpty, let index = arguments.named.firstIndex(where: { isSame($0.name, "attribute") })
        {
            var named = arguments.named
            let attribute = named.remove(at: index).value
            var replacement: Value?
            if let index = named.firstIndex(where: { isSame($0.name, "default") }) {
                let value = named.remove(at: index).value
                replacement = value.isNone ? nil : value
            }
            if let first = named.first {
                throw run.error(.runtime, "Unexpected keyword argument '\(first.name)'")
            }
            let path = AttributePath(attribute, replacement)
            return { (item, run) throws(JinjaError) in try path.value(item, run) }
        }
        guard let name = arguments.positional.first else {
            throw run.error(.runtime, "map requires a filter argument")
        }
        var rest = arguments
        rest.positional.removeFirst()
        return { (item, run) throws(JinjaError) in
            guard let filter = try Self.found(name, run, { Filter.named($0, run.dialect) }) else {
                throw run.error(.runtime, "No filter named \(try Self.shown(name, run)).")
            }
            return try filter.apply(item, rest, run)
        }
    }

    /// By a name that is a value.
    private static func found<Found>(_ name: Value, _ run: Run, _ find: (String) -> Found?) throws(JinjaError) -> Found?
    {
        _ = try run.key(name)
        return name.text.flatMap(find)
    }

    private static func shown(_ name: Value, _ run: Run) throws(JinjaError) -> String {
        if case .undefined(let undefined) = name {
            return "Undefined (\(undefined.message); did you forget to quote the callable name?)"
        }
        return try run.repr(name)
    }

    private static func selection(_ name: String, keeps: Bool, hasAttribute: Bool) -> Filter {
        Filter(
            name,
            variadic: { (value, arguments, run) throws(JinjaError) in
                var holds: ((Value, Run) throws(JinjaError) -> Bool)?
                return try Self.generator(value, run, ifTrue: true) { (iterator, run) throws(JinjaError) in
                    if holds == nil { holds = try Self.condition(arguments, hasAttribute, run) }
                    while let item = try iterator.next(run) {
                        try run.charge(1)
                        if try holds?(item, run) == keeps { return item }
                    }
                    return nil
                }
            })
    }

    private static func condition(
        _ arguments: Arguments, _ hasAttribute: Bool, _ run: Run
    ) throws(JinjaError) -> (Value, Run) throws(JinjaError) -> Bool {
        var rest = arguments
        var path: AttributePath?
        if hasAttribute {
            guard let attribute = rest.positional.first else {
                throw run.error(.runtime, "Missing parameter for attribute name")
            }
            path = AttributePath(attribute)
            rest.positional.removeFirst()
        }
        guard let name = rest.positional.first else {
            return { (item, run) throws(JinjaError) in try run.isTrue(try path?.value(item, run) ?? item) }
        }
        rest.positional.removeFirst()
        return { (item, run) throws(JinjaError) in
            let value = try path?.value(item, run) ?? item
            guard let test = try Self.found(name, run, { JinjaTest.named($0) }) else {
                throw run.error(.runtime, "No test named \(try Self.shown(name, run)).")
            }
            return try test.holds(value, rest, run)
        }
    }

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
        Filter("forceescape") { (value, _, run) throws(JinjaError) in .markup(Text.escape(try run.str(value))) },
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
        if let text = value.text { return HTML.quoted(text, isQuery: false) }
        let pairs: [Value]
        switch value {
        case .dict(let dict): pairs = DictView(dict, .items).items(run)
        case .null, .bool, .int, .big, .float: return HTML.quoted(try run.str(value), isQuery: false)
        case .object(let object) where try object.iterate(run) == nil:
            return HTML.quoted(try run.str(value), isQuery: false)
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
                HTML.quoted(try run.str(values[0]), isQuery: true) + "="
                    + HTML.quoted(try run.str(values[1]), isQuery: true))
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
            self.parts = Text.split(text, by: ".", most: Int.max).map { part in
                guard !part.isEmpty, part.unicodeScalars.allSatisfy(PythonText.isDigit) else { return .string(part) }
                return Text.integer(part, base: 10).map { Value($0) } ?? .string(part)
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

extension Run {
    /// Python's `int(value)`, as the filter of that name has it.
    func integer(_ value: Value, _ missing: Value, base: Value) throws(JinjaError) -> Value {
        switch value {
        case .string(let text), .markup(let text):
            if let base = Number.asInteger(base), case .int(let base) = base, base == 0 || (2...36).contains(base),
                let number = Text.integer(text, base: base)
            {
                return Value(number)
            }
            guard let number = PythonNumber.float(text), number.isFinite else { return missing }
            return Value(try self.truncated(number))
        case .float(let number):
            if number.isNaN { return missing }
            return Value(try self.truncated(number))
        case .undefined(let undefined): throw self.error(undefined)
        default: return Number.asInteger(value) ?? missing
        }
    }

    /// Python's `int(value)`.
    func integer(_ value: Value) throws(JinjaError) -> Value {
        if let text = value.text {
            guard let number = Text.integer(text, base: 10) else {
                throw self.error(.value, "invalid literal for int() with base 10: \(PythonText.repr(text))")
            }
            return Value(number)
        }
        if case .undefined(let undefined) = value { throw self.error(undefined) }
        if case .float(let number) = value { return Value(try self.truncated(number)) }
        return Number.asInteger(value) ?? value
    }

    /// Python's `float(value)`; `nil` where that is a type or value error.
    func float(_ value: Value) throws(JinjaError) -> Double? {
        switch value {
        case .string(let text), .markup(let text): return PythonNumber.float(text)
        case .bool, .int, .big, .float: return try self.double(value)
        case .undefined(let undefined): throw self.error(undefined)
        default: return nil
        }
    }
}

/// The filter `round`.
private enum Rounding {
    static func round(_ value: Value, _ precision: Value, _ method: Value, _ run: Run) throws(JinjaError) -> Value {
        guard let name = method.text, ["common", "ceil", "floor"].contains(name) else {
            _ = try run.key(method)
            throw run.error(.runtime, "method must be common, ceil or floor")
        }
        if isSame(name, "common") { return try Self.common(value, precision, run) }
        let factor = try run.arithmetic(.power, .int(10), precision)
        let scaled = try run.arithmetic(.multiply, value, factor)
        let whole: Value
        switch scaled {
        case .float(let number):
            guard !number.isNaN else { throw run.error(.value, "cannot convert float NaN to integer") }
            guard let big = BigInteger(exactly: number.rounded(isSame(name, "ceil") ? .up : .down)) else {
                throw run.error(.overflow, "cannot convert float infinity to integer")
            }
            whole = Value(big)
        default:
            guard let integer = Number.asInteger(scaled) else {
                throw run.error(.type, "must be real number, not \(scaled.typeName)")
            }
            whole = integer
        }
        return try run.arithmetic(.divide, whole, factor)
    }

    private static func common(_ value: Value, _ precision: Value, _ run: Run) throws(JinjaError) -> Value {
        guard Number.isNumber(value) else {
            throw run.error(.type, "type \(value.typeName) doesn't define __round__ method")
        }
        if precision.isNone {
            guard case .float(let number) = value else { return Number.asInteger(value) ?? value }
            return Value(try run.truncated(number.isFinite ? number.rounded(.toNearestOrEven) : number))
        }
        guard Number.asInteger(precision) != nil else {
            throw run.error(.type, "'\(precision.typeName)' object cannot be interpreted as an integer")
        }
        let digits = try run.index(precision)
        guard case .float(let number) = value else {
            guard digits < 0, let whole = Number.integer(value) else { return Number.asInteger(value) ?? value }
            return Value(try Self.rounded(whole, digits, run))
        }
        guard number.isFinite, number != 0, digits < 340 else { return value }
        guard digits > -310 else { return .float(number.sign == .minus ? -0.0 : 0) }
        guard let result = PythonNumber.round(number, digits: digits) else {
            throw run.error(.overflow, "rounded value too large to represent")
        }
        return .float(result)
    }

    private static func rounded(_ whole: BigInteger, _ digits: Int, _ run: Run) throws(JinjaError) -> BigInteger {
        guard digits > -100_000 else { return BigInteger(0) }
        let unit = FloatText.powerOfTen(-digits)
        let (quotient, remainder) = BigInteger.floorDivide(whole, unit)
        let order = (remainder + remainder).order(unit)
        let up = order == .greater || order == .equal && quotient.isOdd
        return (up ? quotient + BigInteger(1) : quotient) * unit
    }
}
