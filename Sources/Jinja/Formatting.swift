internal import PythonCompat

// MARK: - format()

extension Run {
    /// Python's `format(value, specification)`.
    func format(_ value: Value, _ text: String) throws(JinjaError) -> String {
        switch value {
        case .string(let string), .markup(let string):
            if text.isEmpty { return string }
            let specification = try self.specification(text, isNumber: false)
            return try self.raising { () throws(PythonError) in try specification.format(string) }
        case .bool(let flag):
            if text.isEmpty { return flag ? "True" : "False" }
            return try self.format(BigInteger(flag ? 1 : 0), text)
        case .int(let number): return text.isEmpty ? String(number) : try self.format(BigInteger(number), text)
        case .big(let number): return text.isEmpty ? try self.decimal(number) : try self.format(number, text)
        case .float(let number):
            let specification = try self.specification(text, isNumber: true)
            try self.charge(specification.precision ?? 6)
            return try self.raising { () throws(PythonError) in try specification.format(number) }
        case .object(let object as Value.Foreign) where !text.isEmpty:
            return try self.raising { () throws(PythonError) in try object.value.format(text) }
        default:
            guard text.isEmpty else {
                throw self.error(.type, "unsupported format string passed to \(value.typeName).__format__")
            }
            return try self.str(value)
        }
    }

    private func format(_ number: BigInteger, _ text: String) throws(JinjaError) -> String {
        let specification = try self.specification(text, isNumber: true)
        try self.charge(toPrint: number)
        return try self.raising { () throws(PythonError) in try specification.format(number) }
    }

    /// A specification that asks for no more than a value may have.
    private func specification(_ text: String, isNumber: Bool) throws(JinjaError) -> FormatSpecification {
        let specification = try self.raising { () throws(PythonError) in
            try FormatSpecification(text, isNumber: isNumber)
        }
        try self.check(bytes: specification.width)
        try self.check(bytes: specification.precision ?? 0)
        return specification
    }
}

// MARK: - %

extension Run {
    /// Python's `format % value`.
    func percent(_ format: String, _ value: Value, escapes: Bool) throws(JinjaError) -> String {
        var arguments: [Value]
        var mapping: Value?
        if case .tuple(let tuple) = value {
            arguments = tuple.items
        } else {
            arguments = [value]
            switch value {
            case .list, .dict, .undefined: mapping = value
            case .object(let object): if object is RangeObject || object is NamespaceObject { mapping = value }
            default: break
            }
        }
        let scalars = Array(format.unicodeScalars)
        try self.charge(scalars.count / 16)
        var result = ""
        var position = 0
        var used = 0
        var usesMapping = false
        func next() throws(JinjaError) -> Value {
            guard used < arguments.count else { throw self.error(.type, "not enough arguments for format string") }
            used += 1
            return arguments[used - 1]
        }
        while position < scalars.count {
            let start = position
            while position < scalars.count, scalars[position] != "%" { position += 1 }
            if position > start { result += PythonText.string(scalars[start..<position]) }
            guard position < scalars.count else { break }
            position += 1
            if position < scalars.count, scalars[position] == "%" {
                result += "%"
                position += 1
                continue
            }
            var keyed: Value?
            if position < scalars.count, scalars[position] == "(" {
                guard let mapping else { throw self.error(.type, "format requires a mapping") }
                var depth = 1
                let first = position + 1
                position += 1
                while position < scalars.count, depth > 0 {
                    if scalars[position] == "(" { depth += 1 } else if scalars[position] == ")" { depth -= 1 }
                    position += 1
                }
                guard depth == 0 else { throw self.error(.value, "incomplete format key") }
                keyed = try self.subscripted(mapping, .string(PythonText.string(scalars[first..<position - 1])))
                usesMapping = true
                arguments = keyed.map { [$0] } ?? []
                used = 0
            }
            let layout = try self.layout(scalars, &position, next)
            guard position < scalars.count else { throw self.error(.value, "incomplete format") }
            let type = scalars[position]
            position += 1
            let value = try next()
            guard "diuoxXeEfFgGcrsa".unicodeScalars.contains(type) else {
                throw self.error(.value, "unsupported format character '\(type)' at index \(position - 1)")
            }
            result += try self.percent(type, layout, value, escapes: escapes)
            try self.check(bytes: result.utf8.count)
        }
        if !usesMapping, mapping == nil, used < arguments.count {
            throw self.error(.type, "not all arguments converted during string formatting")
        }
        return result
    }

    private func layout(
        _ scalars: [Unicode.Scalar], _ position: inout Int, _ next: () throws(JinjaError) -> Value
    ) throws(JinjaError) -> PercentFormat {
        var layout = PercentFormat(scalars, &position)
        func number() throws(JinjaError) -> Int? {
            if position < scalars.count, scalars[position] == "*" {
                position += 1
                let value = try next()
                if case .big = value { throw self.error(.overflow, "Python int too large to convert to C ssize_t") }
                guard case .int(let number)? = Number.asInteger(value) else {
                    throw self.error(.type, "* wants int")
                }
                return number
            }
            var number: Int?
            while position < scalars.count, let digit = scalars[position].hexDigit, digit < 10 {
                number = (number ?? 0) * 10 + digit
                position += 1
                guard (number ?? 0) < 1 << 40 else { throw self.error(.value, "width too big") }
            }
            return number
        }
        layout.width = try number() ?? 0
        if layout.width < 0 {
            layout.isLeft = true
            layout.width = layout.width == Int.min ? Int.max : -layout.width
        }
        if position < scalars.count, scalars[position] == "." {
            position += 1
            layout.precision = max(0, try number() ?? 0)
        }
        if position < scalars.count, ["h", "l", "L"].contains(scalars[position]) { position += 1 }
        try self.check(bytes: layout.width)
        try self.check(bytes: layout.precision ?? 0)
        return layout
    }

    /// Python's `value[key]`.
    func subscripted(_ value: Value, _ key: Value) throws(JinjaError) -> Value {
        switch value {
        case .dict(let dict):
            guard let found = try self.value(of: key, in: dict) else {
                throw self.error(.lookup, "KeyError: \(try self.repr(key))")
            }
            return found
        case .undefined(let undefined): throw self.error(undefined)
        case .list, .tuple, .string, .markup:
            guard Number.asInteger(key) != nil else {
                throw self.error(.type, "\(value.typeName) indices must be integers or slices, not \(key.typeName)")
            }
            let item = try self.item(key, of: value)
            if case .undefined(let undefined) = item { throw self.error(.lookup, undefined.message) }
            return item
        case .object(let object as RangeObject):
            guard Number.asInteger(key) != nil else {
                throw self.error(.type, "range indices must be integers or slices, not \(key.typeName)")
            }
            guard let place = self.place(key, object.range.count) else {
                throw self.error(.lookup, "range object index out of range")
            }
            return .int(object.range[place])
        default: throw self.error(.type, "'\(value.typeName)' object is not subscriptable")
        }
    }

    private func percent(
        _ type: Unicode.Scalar, _ layout: PercentFormat, _ value: Value, escapes: Bool
    ) throws(JinjaError) -> String {
        switch type {
        case "s", "r", "a":
            var text = type == "s" ? try self.str(value) : try self.repr(value)
            if type == "a" { text = PythonText.ascii(text) }
            // A markup's arguments are made safe; a safe one stays as it is.
            if escapes { text = type == "s" ? try self.escaped(value) : HTML.escape(text) }
            return layout.text(text)
        case "c":
            if !escapes, let text = value.text, PythonText.length(text) == 1 { return layout.padded(text) }
            guard !escapes, let number = Number.integer(value) else {
                throw self.error(.type, "%c requires int or char")
            }
            return layout.padded(
                try self.raising { () throws(PythonError) in try PercentFormat.character(number) })
        case "d", "i", "u", "o", "x", "X":
            let number = try self.percentInteger(type, value, escapes)
            try self.charge(toPrint: number)
            return try self.raising { () throws(PythonError) in try layout.integer(number, type) }
        default:
            let number = try self.percentFloat(value, escapes)
            try self.charge(layout.precision ?? 6)
            return layout.float(number, type)
        }
    }

    private func percentInteger(
        _ type: Unicode.Scalar, _ value: Value, _ escapes: Bool
    ) throws(JinjaError) -> BigInteger {
        let isDecimal = ["d", "i", "u"].contains(type)
        if let integer = Number.integer(value), !escapes || isDecimal { return integer }
        if isDecimal, case .float(let float) = value { return try self.truncated(float) }
        if escapes, isDecimal, value.text != nil || value.isUndefined {
            // A markup's helper asks int() of it.
            return Number.integer(try self.integer(value)) ?? BigInteger(0)
        }
        if isDecimal, case .undefined(let undefined) = value { throw self.error(undefined) }
        throw self.error(
            .type,
            isDecimal
                ? "%\(type) format: a real number is required, not \(value.typeName)"
                : "%\(type) format: an integer is required, not \(value.typeName)")
    }

    private func percentFloat(_ value: Value, _ escapes: Bool) throws(JinjaError) -> Double {
        if escapes, let text = value.text {
            guard let parsed = PythonNumber.float(text) else {
                throw self.error(.value, "could not convert string to float: \(PythonText.repr(text))")
            }
            return parsed
        }
        if case .undefined(let undefined) = value { throw self.error(undefined) }
        return try self.double(value)
    }
}

// MARK: - str.format

extension Run {
    /// Python's `str.format`, or what the sandbox has in its place.
    func format(
        _ text: String, _ arguments: Arguments, mapping: Value? = nil, escapes: Bool
    ) throws(JinjaError) -> String {
        var automatic: Int? = 0
        var usesNumbers = false
        return try self.format(
            Array(text.unicodeScalars)[...], arguments, mapping, escapes, depth: 2, &automatic, &usesNumbers)
    }

    private func format(
        _ scalars: ArraySlice<Unicode.Scalar>, _ arguments: Arguments, _ mapping: Value?, _ escapes: Bool,
        depth: Int, _ automatic: inout Int?, _ usesNumbers: inout Bool
    ) throws(JinjaError) -> String {
        guard depth > 0 else { throw self.error(.value, "Max string recursion exceeded") }
        var result = ""
        var position = scalars.startIndex
        while position < scalars.endIndex {
            let scalar = scalars[position]
            position += 1
            if scalar == "{" || scalar == "}" {
                if position < scalars.endIndex, scalars[position] == scalar {
                    result.unicodeScalars.append(scalar)
                    position += 1
                    continue
                }
                guard scalar == "{" else {
                    throw self.error(.value, "Single '}' encountered in format string")
                }
                guard position < scalars.endIndex else {
                    throw self.error(.value, "Single '{' encountered in format string")
                }
                let field = try self.raising { () throws(PythonError) in try FormatField(scalars, &position) }
                result += try self.formatted(field, arguments, mapping, escapes, depth, &automatic, &usesNumbers)
                try self.check(bytes: result.utf8.count)
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    private func formatted(
        _ field: FormatField, _ arguments: Arguments, _ mapping: Value?, _ escapes: Bool, _ depth: Int,
        _ automatic: inout Int?, _ usesNumbers: inout Bool
    ) throws(JinjaError) -> String {
        var value = try self.fieldValue(field.name, arguments, mapping, escapes, &automatic, &usesNumbers)
        switch field.conversion {
        case nil: break
        case "s": value = .string(try self.str(value))
        case "r": value = .string(try self.repr(value))
        case "a": value = .string(PythonText.ascii(try self.repr(value)))
        case .some(let other): throw self.error(.value, "Unknown conversion specifier '\(other)'")
        }
        var specification = PythonText.string(field.specification)
        if specification.utf8.contains(UInt8(ascii: "{")) || specification.utf8.contains(UInt8(ascii: "}")) {
            specification = try self.format(
                field.specification, arguments, mapping, false, depth: depth - 1, &automatic, &usesNumbers)
        }
        guard escapes else { return try self.format(value, specification) }
        if case .markup(let text) = value {
            guard specification.isEmpty else {
                throw self.error(.value, "Unsupported format specification for Markup.")
            }
            return text
        }
        return HTML.escape(try self.format(value, specification))
    }

    private func fieldValue(
        _ name: [Unicode.Scalar], _ arguments: Arguments, _ mapping: Value?, _ escapes: Bool,
        _ automatic: inout Int?, _ usesNumbers: inout Bool
    ) throws(JinjaError) -> Value {
        let firstEnd = name.firstIndex { $0 == "." || $0 == "[" } ?? name.count
        let first = name[..<firstEnd]
        // The sandbox's formatter is written in Python, and numbers no field that has more than a number.
        let isPython = self.isSandboxed || escapes
        var value: Value
        if first.isEmpty, !isPython || name.isEmpty {
            guard !usesNumbers, let number = automatic else {
                throw self.error(.value, "cannot switch from manual field specification to automatic field numbering")
            }
            automatic = number + 1
            value = try self.positional(number, arguments, mapping, isPython)
        } else if !first.isEmpty, first.allSatisfy({ $0.hexDigit.map { $0 < 10 } ?? false }) {
            if !isPython || firstEnd == name.count {
                guard automatic == 0 || usesNumbers else {
                    throw self.error(
                        .value, "cannot switch from automatic field numbering to manual field specification")
                }
                usesNumbers = true
            }
            guard let number = Int(PythonText.string(first)) else {
                throw self.error(.value, "Too many decimal digits in format string")
            }
            value = try self.positional(number, arguments, mapping, isPython)
        } else {
            let key = PythonText.string(first)
            if let mapping {
                value = try self.subscripted(mapping, .string(key))
            } else {
                guard let named = arguments.named.first(where: { isSame($0.name, key) })?.value else {
                    throw self.error(.lookup, "KeyError: \(PythonText.repr(key))")
                }
                value = named
            }
        }
        var position = firstEnd
        while position < name.count {
            if name[position] == "." {
                let end = name[(position + 1)...].firstIndex { $0 == "." || $0 == "[" } ?? name.count
                guard end > position + 1 else { throw self.error(.value, "Empty attribute in format string") }
                value = try self.fieldAttribute(PythonText.string(name[(position + 1)..<end]), of: value, escapes)
                position = end
            } else if name[position] == "[" {
                guard let end = name[position...].firstIndex(of: "]") else {
                    throw self.error(.value, "Missing ']' in format string")
                }
                guard end > position + 1 else { throw self.error(.value, "Empty attribute in format string") }
                let text = PythonText.string(name[(position + 1)..<end])
                let isNumber = text.utf8.allSatisfy { (0x30...0x39).contains($0) }
                let key: Value = isNumber ? Int(text).map { .int($0) } ?? .string(text) : .string(text)
                value = self.isSandboxed ? try self.item(key, of: value) : try self.subscripted(value, key)
                position = end + 1
            } else {
                throw self.error(.value, "Only '.' or '[' may follow ']' in format field specifier")
            }
        }
        return value
    }

    private func positional(
        _ number: Int, _ arguments: Arguments, _ mapping: Value?, _ isPython: Bool
    ) throws(JinjaError) -> Value {
        if mapping != nil, !isPython { throw self.error(.value, "Format string contains positional fields") }
        guard number < arguments.positional.count else {
            throw self.error(.lookup, "Replacement index \(number) out of range for positional args tuple")
        }
        return arguments.positional[number]
    }

    private func fieldAttribute(_ name: String, of value: Value, _ escapes: Bool) throws(JinjaError) -> Value {
        if self.isSandboxed { return try self.attribute(name, of: value) }
        if case .dict = value, !DictMethods.names.contains(name) {
            throw self.error(.attribute, "'dict' object has no attribute '\(name)'")
        }
        let found = try self.attribute(name, of: value)
        if case .undefined(let undefined) = found { throw self.error(.attribute, undefined.message) }
        return found
    }
}
