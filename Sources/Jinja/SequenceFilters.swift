internal import JinjaSyntax
internal import PythonCompat

/// Filters of what can be gone through.
extension Filter {
    static let sequences: [Filter] = [
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
                let reversed = PythonText.string(text.unicodeScalars.reversed())
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

    /// From the end to the beginning; `nil` for what has no end.
    private static func reversed(_ value: Value, _ run: Run) throws(JinjaError) -> Iterator? {
        switch value {
        case .list(let list): return ArrayIterator(list.items.reversed(), "list_reverseiterator")
        case .tuple(let tuple): return ArrayIterator(tuple.items.reversed(), "reversed")
        case .string(let text): return ArrayIterator(Value.characters(of: text).reversed(), "reversed")
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

    private static func paths(_ attribute: Value?) -> [AttributePath] {
        guard let text = attribute?.text else { return [AttributePath(attribute ?? .null)] }
        return PythonText.split(text, by: ",", most: Int.max).map { AttributePath(.string($0)) }
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
}
