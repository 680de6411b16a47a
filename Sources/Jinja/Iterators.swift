internal import PythonCompat

/// What gives one value after the other.
class Iterator: Value.Object {
    /// How many iterators stand within each other.
    let depth: Int

    init(depth: Int) { self.depth = depth }

    override var typeName: String { "generator" }

    func next(_ run: Run) throws(JinjaError) -> Value? { nil }

    override func iterate(_ run: Run) throws(JinjaError) -> Iterator? {
        guard self.depth < 30 else { throw run.error(.limit, "more than 30 filters give their values to each other") }
        return self
    }
}

/// Goes through a list as it is at the time: what is appended meanwhile comes too.
final class ListIterator: Iterator {
    private let list: Value.List
    private var position = 0

    init(_ list: Value.List) {
        self.list = list
        super.init(depth: 0)
    }

    override var typeName: String { "list_iterator" }

    override func next(_ run: Run) throws(JinjaError) -> Value? {
        guard self.position < self.list.items.count else { return nil }
        self.position += 1
        return self.list.items[self.position - 1]
    }
}

final class ArrayIterator: Iterator {
    private var items: [Value]
    private var position = 0
    private let name: String
    /// A dictionary must not change its size meanwhile.
    private let dict: Value.Dict?

    init(_ items: [Value], _ name: String = "tuple_iterator", dict: Value.Dict? = nil) {
        self.items = items
        self.name = name
        self.dict = dict
        super.init(depth: 0)
    }

    override var typeName: String { self.name }
    override func forget() { self.items = [] }

    override func next(_ run: Run) throws(JinjaError) -> Value? {
        if let dict = self.dict, dict.entries.count != self.items.count {
            throw run.error(.runtime, "dictionary changed size during iteration")
        }
        guard self.position < self.items.count else { return nil }
        self.position += 1
        return self.items[self.position - 1]
    }
}

/// What a filter gives value by value, when it is asked.
final class Generator: Iterator {
    /// `nil` when nothing more comes.
    private var make: ((Run) throws(JinjaError) -> Value?)?

    init(depth: Int, _ make: @escaping (Run) throws(JinjaError) -> Value?) {
        self.make = make
        super.init(depth: depth)
    }

    override func forget() { self.make = nil }

    override func next(_ run: Run) throws(JinjaError) -> Value? {
        guard let make = self.make else { return nil }
        try run.enter(6)
        defer { run.leave(6) }
        do throws(JinjaError) {
            if let value = try make(run) { return value }
        } catch {
            self.make = nil
            throw error
        }
        self.make = nil
        return nil
    }
}

final class RangeObject: Value.Object {
    let range: PythonRange

    init(_ range: PythonRange) { self.range = range }

    override var typeName: String { "range" }

    var key: Key {
        .range(
            start: self.range.count == 0 ? 0 : self.range.start, count: self.range.count,
            step: self.range.count < 2 ? 0 : self.range.step)
    }

    override func printed(_ run: Run) throws(JinjaError) -> String? { self.range.repr }
    override func length(_ run: Run) throws(JinjaError) -> Int? { self.range.count }
    override func iterate(_ run: Run) throws(JinjaError) -> Iterator? { self.iterator(backwards: false) }

    func iterator(backwards: Bool) -> Iterator {
        var position = 0
        return Generator(depth: 0) { [range] _ throws(JinjaError) in
            guard position < range.count else { return nil }
            position += 1
            return .int(range[backwards ? range.count - position : position - 1])
        }
    }

    override func attribute(_ name: String, _ run: Run) throws(JinjaError) -> Value? {
        switch name {
        case "start": .int(self.range.start)
        case "stop": .int(self.range.stop)
        case "step": .int(self.range.step)
        case "count", "index": run.kept(BoundMethod(.object(self), name))
        default: nil
        }
    }
}

final class DictView: Value.Object {
    enum Kind: String { case keys, values, items }

    let dict: Value.Dict
    let kind: Kind

    init(_ dict: Value.Dict, _ kind: Kind) {
        self.dict = dict
        self.kind = kind
    }

    override var typeName: String { "dict_\(self.kind.rawValue)" }

    func items(_ run: Run) -> [Value] {
        switch self.kind {
        case .keys: self.dict.entries.map(\.key)
        case .values: self.dict.entries.map(\.value)
        case .items: self.dict.entries.map { .tuple(Value.Tuple([$0.key, $0.value])) }
        }
    }

    override func length(_ run: Run) throws(JinjaError) -> Int? { self.dict.entries.count }

    override func iterate(_ run: Run) throws(JinjaError) -> Iterator? {
        try run.check(count: self.dict.entries.count)
        return ArrayIterator(self.items(run), "dict_\(self.kind.rawValue.dropLast())iterator", dict: self.dict)
    }

    override func attribute(_ name: String, _ run: Run) throws(JinjaError) -> Value? {
        name == "isdisjoint" && self.kind != .values ? run.kept(BoundMethod(.object(self), name)) : nil
    }
}
