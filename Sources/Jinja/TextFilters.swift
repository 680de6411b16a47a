internal import JinjaSyntax
internal import PythonCompat

/// Filters of texts.
extension Filter {
    static let texts: [Filter] = [
        cased(.upper), cased(.lower), cased(.capitalize),
        Filter("title") { (value, _, run) throws(JinjaError) in try run.string(Self.titled(try run.str(value))) },
        Filter("trim", ["chars"]) { (value, values, run) throws(JinjaError) in
            var characters: String?
            _ = try run.str(value)
            if let chars = values[0], !chars.isNone {
                guard let text = chars.text else { throw run.error(.type, "strip arg must be None or str") }
                characters = text
            }
            return try Self.soft(value, run) { (text) throws(JinjaError) in PythonText.strip(text, of: characters) }
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
            (value, values, run) throws(JinjaError) in try Self.wordwrap(value, values, run)
        },
        Filter("wordcount") { (value, _, run) throws(JinjaError) in
            let text = try run.str(value)
            try run.charge(bytes: text.utf8.count)
            return .int(text.unicodeScalars.split { !PythonText.isWord($0) }.count)
        },
        Filter("regex_replace", ["pattern", "repl", "count"], required: 2) { (value, values, run) throws(JinjaError) in
            try Self.regexReplace(value, values, run)
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
        let head = PythonText.split(text, by: " ", most: 1, fromRight: true)[0]
        if case .markup = kept { return try run.arithmetic(.add, .markup(head), end) }
        return try run.arithmetic(.add, .string(head), end)
    }

    /// By the rules of Python's `textwrap`.
    private static func wordwrap(_ value: Value, _ values: [Value?], _ run: Run) throws(JinjaError) -> Value {
        guard let text = value.text else {
            if case .undefined(let undefined) = value { throw run.error(undefined) }
            throw run.error(.attribute, "'\(value.typeName)' object has no attribute 'splitlines'")
        }
        let width = try values[0].map { (width) throws(JinjaError) in try run.index(width) } ?? 79
        let breaksWords = try values[1].map { (flag) throws(JinjaError) in try run.isTrue(flag) } ?? true
        let breaksHyphens = try values[3].map { (flag) throws(JinjaError) in try run.isTrue(flag) } ?? true
        var newline = "\n"
        if let separator = values[2], !separator.isNone {
            guard let text = separator.text else {
                throw run.error(.attribute, "'\(separator.typeName)' object has no attribute 'join'")
            }
            newline = text
        }
        try run.charge(bytes: 16 * text.utf8.count)
        var paragraphs: [String] = []
        for line in PythonText.splitLines(text) {
            guard width > 0 else {
                throw run.error(.value, "invalid width \(width) (must be > 0)")
            }
            let lines = TextWrap.wrap(line, width: width, breaksWords: breaksWords, breaksHyphens: breaksHyphens)
            try run.check(bytes: lines.count.multipliedReportingOverflow(by: max(1, newline.utf8.count)).partialValue)
            paragraphs.append(lines.joined(separator: newline))
        }
        let result = paragraphs.joined(separator: newline)
        try run.check(bytes: result.utf8.count)
        return try run.string(result)
    }

    /// lm-eval's own filter: Python's `re.sub`.
    private static func regexReplace(_ value: Value, _ values: [Value?], _ run: Run) throws(JinjaError) -> Value {
        let (pattern, replacement) = (values[0] ?? .null, values[1] ?? .null)
        let count = try values[2].map { (count) throws(JinjaError) in try run.index(count) } ?? 0
        guard let pattern = pattern.text else {
            throw run.error(.type, "first argument must be string or compiled pattern")
        }
        guard let template = replacement.text else {
            guard case .object(let function) = replacement, function.isCallable else {
                throw run.error(.type, "expected str instance, \(replacement.typeName) found")
            }
            throw run.error(.unsupported, "regex_replace takes a text as replacement here, not a function")
        }
        guard let text = value.text else {
            throw run.error(.type, "expected string or bytes-like object, got '\(value.typeName)'")
        }
        // A pattern may take millions of steps for a short text.
        try run.charge(5000 + text.utf8.count / 64)
        let result: String
        do throws(PatternError) {
            result = try PythonRegex(pattern, maxSteps: 5_000_000).sub(template, text, most: count)
        } catch {
            throw run.error(.value, "regex_replace: \(error.message)")
        }
        return try run.string(result)
    }
}
