internal import JinjaSyntax
internal import PythonCompat

/// A test: what follows `is`.
struct JinjaTest: Sendable {
    private let name: String

    private static let names: Set<String> = [
        "odd", "even", "divisibleby", "defined", "undefined", "filter", "test", "none", "boolean", "false", "true",
        "integer", "float", "lower", "upper", "string", "mapping", "number", "sequence", "iterable", "callable",
        "sameas", "escaped", "in", "==", "eq", "equalto", "!=", "ne", ">", "gt", "greaterthan", "ge", ">=", "<", "lt",
        "lessthan", "<=", "le",
    ]

    static func named(_ name: String) -> JinjaTest? { Self.names.contains(name) ? JinjaTest(name: name) : nil }

    /// The parameters that follow the value; those of Python's operators take no names.
    private var parameters: [String] {
        switch self.name {
        case "divisibleby": ["num"]
        case "sameas": ["other"]
        case "in": ["seq"]
        case "==", "eq", "equalto", "!=", "ne", ">", "gt", "greaterthan", "ge", ">=", "<", "lt", "lessthan", "<=", "le":
            ["/b"]
        default: []
        }
    }

    func holds(_ value: Value, _ arguments: Arguments, _ run: Run) throws(JinjaError) -> Bool {
        let parameters = self.parameters
        let other = try arguments.bound(to: parameters, required: parameters.count, self.name, run).first ?? nil
        switch self.name {
        case "defined": return !value.isUndefined
        case "undefined": return value.isUndefined
        case "none": return value.isNone
        case "boolean":
            guard case .bool = value else { return false }
            return true
        case "true":
            guard case .bool(true) = value else { return false }
            return true
        case "false":
            guard case .bool(false) = value else { return false }
            return true
        case "integer":
            switch value {
            case .int, .big: return true
            default: return false
            }
        case "float":
            guard case .float = value else { return false }
            return true
        case "number": return Number.isNumber(value)
        case "string": return value.text != nil
        case "mapping":
            guard case .dict = value else { return false }
            return true
        case "escaped":
            guard case .markup = value else { return false }
            return true
        case "odd": return try self.remainder(value, .int(2), is: 1, run)
        case "even": return try self.remainder(value, .int(2), is: 0, run)
        case "divisibleby": return try self.remainder(value, other ?? .null, is: 0, run)
        case "lower": return PythonText.isLower(try run.str(value))
        case "upper": return PythonText.isUpper(try run.str(value))
        case "filter":
            return try self.isHashable(value, run) && value.text.map { Filter.named($0, run.dialect) != nil } ?? false
        case "test": return try self.isHashable(value, run) && value.text.map { Self.named($0) != nil } ?? false
        case "sequence":
            switch value {
            case .string, .markup, .list, .tuple, .dict: return true
            case .undefined(let undefined): return !undefined.isStrict
            case .object(let object): return object is RangeObject
            default: return false
            }
        case "iterable":
            if case .object(let object) = value, object is LoopObject { return true }
            return try run.iterator(value) != nil
        case "callable":
            if case .object(let object) = value { return object.isCallable }
            return value.isUndefined
        case "sameas": return Self.isSameObject(value, other ?? .null, run)
        case "in": return try run.contains(other ?? .null, value)
        case "==", "eq", "equalto": return try run.isEqual(value, other ?? .null)
        case "!=", "ne": return !(try run.isEqual(value, other ?? .null))
        case ">", "gt", "greaterthan": return try run.compare(.greater, value, other ?? .null)
        case ">=", "ge": return try run.compare(.greaterEqual, value, other ?? .null)
        case "<", "lt", "lessthan": return try run.compare(.less, value, other ?? .null)
        default: return try run.compare(.lessEqual, value, other ?? .null)
        }
    }

    private func isHashable(_ value: Value, _ run: Run) throws(JinjaError) -> Bool {
        _ = try run.key(value)
        return true
    }

    private func remainder(_ value: Value, _ divisor: Value, is wanted: Int, _ run: Run) throws(JinjaError) -> Bool {
        try run.isEqual(try run.arithmetic(.modulo, value, divisor), .int(wanted))
    }

    /// Python's `is`; numbers and texts have no identity here, so that equal ones of a type are the same.
    private static func isSameObject(_ a: Value, _ b: Value, _ run: Run) -> Bool {
        switch (a, b) {
        case (.int(let a), .int(let b)): a == b
        case (.big(let a), .big(let b)): a == b
        case (.float(let a), .float(let b)): a.bitPattern == b.bitPattern
        case (.string(let a), .string(let b)), (.markup(let a), .markup(let b)): isSame(a, b)
        default: run.isIdentical(a, b)
        }
    }
}
