// Truth, equality, order and hashing of values.

internal import JinjaSyntax
internal import PythonCompat

extension Run {
    func isTrue(_ value: Value) throws(JinjaError) -> Bool {
        switch value {
        case .bool(let flag): return flag
        case .null: return false
        case .int(let number): return number != 0
        case .big: return true
        case .float(let number): return number != 0
        case .string(let text), .markup(let text): return !text.isEmpty
        case .list(let list): return !list.items.isEmpty
        case .tuple(let tuple): return !tuple.items.isEmpty
        case .dict(let dict): return !dict.entries.isEmpty
        case .undefined(let undefined):
            if undefined.isStrict { throw self.error(undefined) }
            return false
        case .object(let object): return try object.length(self).map { $0 != 0 } ?? true
        }
    }

    /// Python's `is`, for what has an identity here.
    func isIdentical(_ a: Value, _ b: Value) -> Bool {
        switch (a, b) {
        case (.list(let a), .list(let b)): a === b
        case (.tuple(let a), .tuple(let b)): a === b || a.items.isEmpty && b.items.isEmpty
        case (.dict(let a), .dict(let b)): a === b
        case (.object(let a), .object(let b)): a === b
        case (.null, .null): true
        case (.bool(let a), .bool(let b)): a == b
        case (.undefined(let a), .undefined(let b)): a === b
        default: false
        }
    }

    /// Python's `==`.
    func isEqual(_ a: Value, _ b: Value) throws(JinjaError) -> Bool {
        switch (a, b) {
        case (.string(let a), .string(let b)), (.string(let a), .markup(let b)), (.markup(let a), .string(let b)),
            (.markup(let a), .markup(let b)):
            try self.charge(bytes: min(a.utf8.count, b.utf8.count))
            return isSame(a, b)
        case (.int(let a), .int(let b)): return a == b
        case (.null, .null): return true
        case (.list(let a), .list(let b)): return try self.isEqual(a.items, b.items)
        case (.tuple(let a), .tuple(let b)): return try self.isEqual(a.items, b.items)
        case (.dict(let a), .dict(let b)): return try self.isEqual(a, b)
        case (.undefined(let a), .undefined(let b)):
            if a.isStrict { throw self.error(a) }
            if b.isStrict { throw self.error(b) }
            return true
        case (.undefined(let a), _):
            if a.isStrict { throw self.error(a) }
            return false
        case (_, .undefined(let b)):
            if b.isStrict { throw self.error(b) }
            return false
        case (.object(let a), .object(let b)): return try self.isEqual(a, b)
        default:
            guard let order = Number.compare(a, b) else { return false }
            return order == .equal
        }
    }

    private func isEqual(_ a: [Value], _ b: [Value]) throws(JinjaError) -> Bool {
        guard a.count == b.count else { return false }
        try self.enter()
        defer { self.leave() }
        for (a, b) in zip(a, b) {
            try self.charge(1)
            if self.isIdentical(a, b) { continue }
            guard try self.isEqual(a, b) else { return false }
        }
        return true
    }

    private func isEqual(_ a: Value.Dict, _ b: Value.Dict) throws(JinjaError) -> Bool {
        guard a.entries.count == b.entries.count else { return false }
        try self.enter()
        defer { self.leave() }
        for (key, value) in a.entries {
            try self.charge(1)
            guard let other = try self.value(of: key, in: b) else { return false }
            if self.isIdentical(value, other) { continue }
            guard try self.isEqual(value, other) else { return false }
        }
        return true
    }

    private func isEqual(_ a: Value.Object, _ b: Value.Object) throws(JinjaError) -> Bool {
        if a === b { return true }
        if let a = a as? RangeObject, let b = b as? RangeObject { return a.key == b.key }
        if let a = a as? Value.Foreign, let b = b as? Value.Foreign {
            return isSame(a.value.identity, b.value.identity)
        }
        if let a = a as? DictView, let b = b as? DictView, a.kind != .values, b.kind != .values {
            guard a.dict.entries.count == b.dict.entries.count else { return false }
            for item in a.items(self) where !(try self.contains(.object(b), item)) { return false }
            return true
        }
        if let a = a as? BoundMethod, let b = b as? BoundMethod {
            return isSame(a.name, b.name) && self.isIdentical(a.owner, b.owner)
        }
        return false
    }

    /// Python's `in`.
    func contains(_ container: Value, _ item: Value) throws(JinjaError) -> Bool {
        switch container {
        case .string(let text), .markup(let text):
            guard let part = item.text else {
                throw self.error(
                    .type, "'in <string>' requires string as left operand, not \(item.typeName)")
            }
            try self.charge(bytes: text.utf8.count)
            return PythonText.contains(text, part)
        case .list(let list): return try self.contains(list.items, item)
        case .tuple(let tuple): return try self.contains(tuple.items, item)
        case .dict(let dict): return try self.value(of: item, in: dict) != nil
        case .undefined(let undefined):
            if undefined.isStrict { throw self.error(undefined) }
            return false
        case .object(let object):
            if let range = (object as? RangeObject)?.range {
                if case .int(let number) = Number.asInteger(item) ?? .null { return range.place(of: number) != nil }
            }
            if let view = object as? DictView {
                switch view.kind {
                case .keys: return try self.value(of: item, in: view.dict) != nil
                case .values: break
                case .items:
                    guard case .tuple(let pair) = item, pair.items.count == 2,
                        let value = try self.value(of: pair.items[0], in: view.dict)
                    else { return false }
                    if self.isIdentical(value, pair.items[1]) { return true }
                    return try self.isEqual(value, pair.items[1])
                }
            }
            guard let iterator = try object.iterate(self) else { break }
            while let value = try iterator.next(self) {
                try self.charge(1)
                if self.isIdentical(value, item) { return true }
                if try self.isEqual(value, item) { return true }
            }
            return false
        default: break
        }
        throw self.error(.type, "argument of type '\(container.typeName)' is not iterable")
    }

    private func contains(_ items: [Value], _ item: Value) throws(JinjaError) -> Bool {
        try self.charge(items.count / 16)
        for value in items {
            if self.isIdentical(value, item) { return true }
            if try self.isEqual(value, item) { return true }
        }
        return false
    }

    /// What a value is found by in a dictionary.
    func key(_ value: Value) throws(JinjaError) -> Key {
        switch value {
        case .null: return .null
        case .bool(let flag): return .int(flag ? 1 : 0)
        case .int(let number): return .int(number)
        case .big(let number): return .big(number)
        case .float(let number):
            if let whole = Int(exactly: number) { return .int(whole) }
            if let big = BigInteger(exactly: number) { return .big(big) }
            return .float(number.bitPattern)
        case .string(let text), .markup(let text): return .string(ExactText(text))
        case .tuple(let tuple):
            try self.enter()
            defer { self.leave() }
            var keys: [Key] = []
            for item in tuple.items {
                try self.charge(1)
                keys.append(try self.key(item))
            }
            return .tuple(keys)
        case .undefined(let undefined):
            if undefined.isStrict { throw self.error(undefined) }
            return .undefined(isStrict: false)
        case .list, .dict: throw self.error(.type, "unhashable type: '\(value.typeName)'")
        case .object(let object):
            if let range = object as? RangeObject { return range.key }
            if let view = object as? DictView, view.kind != .values {
                throw self.error(.type, "unhashable type: '\(view.typeName)'")
            }
            if object is SliceObject { throw self.error(.type, "unhashable type: 'slice'") }
            if let foreign = object as? Value.Foreign { return .foreign(ExactText(foreign.value.identity)) }
            return .object(ObjectIdentifier(object))
        }
    }

    /// Python's `<`, `<=`, `>` and `>=`.
    func compare(_ operation: Comparison, _ a: Value, _ b: Value) throws(JinjaError) -> Bool {
        if let a = a.text, let b = b.text {
            try self.charge(bytes: min(a.utf8.count, b.utf8.count))
            return operation.holds(PythonText.order(a, b))
        }
        switch (a, b) {
        case (.undefined(let undefined), _), (_, .undefined(let undefined)): throw self.error(undefined)
        case (.list(let a), .list(let b)): return try self.compare(operation, a.items, b.items)
        case (.tuple(let a), .tuple(let b)): return try self.compare(operation, a.items, b.items)
        case (.object(let x), .object(let y)):
            if let x = x as? DictView, let y = y as? DictView, x.kind != .values, y.kind != .values {
                let (small, large) = operation == .less || operation == .lessEqual ? (x, y) : (y, x)
                for item in small.items(self) where !(try self.contains(.object(large), item)) { return false }
                let (countA, countB) = (small.dict.entries.count, large.dict.entries.count)
                return operation == .less || operation == .greater ? countA < countB : true
            }
            if let x = (x as? Value.Foreign)?.value, let y = (y as? Value.Foreign)?.value {
                let (isLess, isGreater) = try self.raising { () throws(PythonError) in
                    (try x.isLess(than: y), try y.isLess(than: x))
                }
                return operation.holds(isLess ? .less : isGreater ? .greater : .equal)
            }
        default:
            if let order = Number.compare(a, b) { return operation.holds(order) }
        }
        throw self.error(
            .type,
            "'\(operation.rawValue)' not supported between instances of '\(a.typeName)' and '\(b.typeName)'")
    }

    private func compare(_ operation: Comparison, _ a: [Value], _ b: [Value]) throws(JinjaError) -> Bool {
        try self.enter()
        defer { self.leave() }
        for (a, b) in zip(a, b) {
            try self.charge(1)
            if self.isIdentical(a, b) { continue }
            if try self.isEqual(a, b) { continue }
            return try self.compare(operation, a, b)
        }
        return operation.holds(a.count < b.count ? .less : a.count > b.count ? .greater : .equal)
    }

    /// A stable sort by `<`, as Python's.
    func sorted(_ items: [(key: Value, value: Value)], reverse: Bool) throws(JinjaError) -> [Value] {
        // Reversed sorting keeps the order of equal items.
        var items = reverse ? items.reversed() : items
        try self.mergeSort(&items)
        return reverse ? items.reversed().map(\.value) : items.map(\.value)
    }

    private func mergeSort(_ items: inout [(key: Value, value: Value)]) throws(JinjaError) {
        let count = items.count
        if count == 1 { return }
        var source = items
        var width = 1
        while width < count {
            var merged: [(key: Value, value: Value)] = []
            merged.reserveCapacity(count)
            var start = 0
            while start < count {
                let middle = min(start + width, count)
                let end = min(start + 2 * width, count)
                var (left, right) = (start, middle)
                while left < middle, right < end {
                    try self.charge(1)
                    if try self.compare(.less, source[right].key, source[left].key) {
                        merged.append(source[right])
                        right += 1
                    } else {
                        merged.append(source[left])
                        left += 1
                    }
                }
                merged.append(contentsOf: source[left..<middle])
                merged.append(contentsOf: source[right..<end])
                start = end
            }
            source = merged
            width *= 2
        }
        items = source
    }
}

extension Comparison {
    func holds(_ order: PythonOrder) -> Bool {
        switch self {
        case .less: order == .less
        case .lessEqual: order == .less || order == .equal
        case .greater: order == .greater
        case .greaterEqual: order == .greater || order == .equal
        }
    }
}
