internal import PythonCompat

/// Expressions, from what binds least to what binds most.
extension Parser {
    static let constants: [String: Constant] = [
        "true": .bool(true), "True": .bool(true), "false": .bool(false), "False": .bool(false), "none": .null,
        "None": .null,
    ]

    mutating func expression(hasConditions: Bool = true) throws(SyntaxError) -> Expr {
        try self.enter()
        defer { self.leave() }
        return hasConditions ? try self.condition() : try self.or()
    }

    mutating func condition() throws(SyntaxError) -> Expr {
        var value = try self.or()
        let place = value.place
        while self.take(name: "if") {
            let test = try self.or()
            var other: Expr?
            if self.take(name: "else") {
                try self.enter()
                other = try self.condition()
                self.leave()
            }
            value = try self.made(.condition(test: test, value: value, other: other), at: place)
        }
        return value
    }

    mutating func or() throws(SyntaxError) -> Expr {
        var left = try self.and()
        while self.isName("or") {
            let place = self.advance().place
            left = try self.made(.or(left, try self.and()), at: place)
        }
        return left
    }

    mutating func and() throws(SyntaxError) -> Expr {
        var left = try self.not()
        while self.isName("and") {
            let place = self.advance().place
            left = try self.made(.and(left, try self.not()), at: place)
        }
        return left
    }

    mutating func not() throws(SyntaxError) -> Expr {
        guard self.isName("not") else { return try self.comparison() }
        let place = self.advance().place
        try self.enter()
        defer { self.leave() }
        return try self.made(.not(try self.not()), at: place)
    }

    mutating func comparison() throws(SyntaxError) -> Expr {
        let first = try self.sum()
        var rest: [(operation: Comparing, value: Expr)] = []
        let place = self.current.place
        while let operation = self.comparing() { rest.append((operation, try self.sum())) }
        return rest.isEmpty ? first : try self.made(.compare(first, rest), at: place)
    }

    mutating func comparing() -> Comparing? {
        if self.current.kind == .symbol {
            let operation: Comparing
            switch self.current.text {
            case "==": operation = .equal
            case "!=": operation = .notEqual
            case "<", "<=", ">", ">=": operation = .order(Comparison(rawValue: self.current.text) ?? .less)
            default: return nil
            }
            self.advance()
            return operation
        }
        if self.take(name: "in") { return .isIn }
        if self.isName("not"), self.next.kind == .name, self.next.text == "in" {
            self.advance()
            self.advance()
            return .isNotIn
        }
        return nil
    }

    mutating func sum() throws(SyntaxError) -> Expr {
        var left = try self.concat()
        while self.isSymbol("+") || self.isSymbol("-") {
            let token = self.advance()
            left = try self.made(
                .arithmetic(token.text == "+" ? .add : .subtract, left, try self.concat()), at: token.place)
        }
        return left
    }

    mutating func concat() throws(SyntaxError) -> Expr {
        let first = try self.product()
        guard self.isSymbol("~") else { return first }
        let place = self.current.place
        var items = [first]
        while self.take("~") { items.append(try self.product()) }
        return try self.made(.concat(items), at: place)
    }

    mutating func product() throws(SyntaxError) -> Expr {
        var left = try self.power()
        while self.current.kind == .symbol, ["*", "/", "//", "%"].contains(self.current.text),
            let operation = Arithmetic(rawValue: self.current.text)
        {
            let place = self.advance().place
            left = try self.made(.arithmetic(operation, left, try self.power()), at: place)
        }
        return left
    }

    mutating func power() throws(SyntaxError) -> Expr {
        var left = try self.unary()
        while self.isSymbol("**") {
            let place = self.advance().place
            left = try self.made(.arithmetic(.power, left, try self.unary()), at: place)
        }
        return left
    }

    mutating func unary(hasFilters: Bool = true) throws(SyntaxError) -> Expr {
        var value: Expr
        let token = self.current
        if self.isSymbol("-") || self.isSymbol("+") {
            self.advance()
            try self.enter()
            let operand = try self.unary(hasFilters: false)
            self.leave()
            value = try self.made(token.text == "-" ? .negative(operand) : .positive(operand), at: token.place)
        } else {
            value = try self.primary()
        }
        value = try self.postfix(value)
        return hasFilters ? try self.filtersAndTests(value) : value
    }

    mutating func primary(hasNamespaces: Bool = false) throws(SyntaxError) -> Expr {
        let token = self.current
        switch token.kind {
        case .name:
            self.advance()
            if let constant = Self.constants[token.text] { return try self.made(.constant(constant), at: token.place) }
            if hasNamespaces, self.take(".") {
                return try self.made(.namespaceMember(token.text, try self.expectName().text), at: token.place)
            }
            return try self.made(.name(token.text), at: token.place)
        case .string:
            var text = ""
            while self.current.kind == .string { text += self.advance().text }
            return try self.made(.constant(.string(text)), at: token.place)
        case .number:
            self.advance()
            return try self.made(.constant(token.constant ?? .null), at: token.place)
        case .symbol where token.text == "(":
            self.advance()
            let value = try self.tuple(hasConditions: true, isInBrackets: true)
            try self.expect(")")
            return value
        case .symbol where token.text == "[": return try self.list()
        case .symbol where token.text == "{": return try self.dict()
        default: throw self.error("unexpected \(self.described)")
        }
    }

    mutating func list() throws(SyntaxError) -> Expr {
        let place = self.advance().place
        var items: [Expr] = []
        while !self.isSymbol("]") {
            if !items.isEmpty {
                try self.expect(",")
                if self.isSymbol("]") { break }
            }
            items.append(try self.expression())
        }
        self.advance()
        return try self.made(.list(items), at: place)
    }

    mutating func dict() throws(SyntaxError) -> Expr {
        let place = self.advance().place
        var entries: [(key: Expr, value: Expr)] = []
        while !self.isSymbol("}") {
            if !entries.isEmpty {
                try self.expect(",")
                if self.isSymbol("}") { break }
            }
            let key = try self.expression()
            try self.expect(":")
            entries.append((key, try self.expression()))
        }
        self.advance()
        return try self.made(.dict(entries), at: place)
    }

    /// An expression, or a tuple where commas follow.
    mutating func tuple(
        isSimple: Bool = false, hasConditions: Bool, ending: String? = nil, isInBrackets: Bool = false,
        hasNamespaces: Bool = false
    ) throws(SyntaxError) -> Expr {
        let place = self.current.place
        var items: [Expr] = []
        var isTuple = false
        try self.enter()
        defer { self.leave() }
        while true {
            if !items.isEmpty { try self.expect(",") }
            if self.endsTuple(ending) { break }
            items.append(
                isSimple
                    ? try self.primary(hasNamespaces: hasNamespaces)
                    : try self.expression(hasConditions: hasConditions))
            guard self.isSymbol(",") else { break }
            isTuple = true
        }
        if !isTuple {
            if let only = items.first { return only }
            guard isInBrackets else { throw self.unexpected("an expression") }
        }
        return try self.made(.tuple(items), at: place)
    }

    func endsTuple(_ ending: String?) -> Bool {
        switch self.current.kind {
        case .variableEnd, .blockEnd: true
        case .symbol: self.current.text == ")"
        case .name: self.current.text == ending
        default: false
        }
    }

    mutating func postfix(_ value: Expr) throws(SyntaxError) -> Expr {
        var value = value
        while self.current.kind == .symbol {
            switch self.current.text {
            case ".", "[": value = try self.subscripted(value)
            case "(": value = try self.called(value)
            default: return value
            }
        }
        return value
    }

    mutating func filtersAndTests(_ value: Expr) throws(SyntaxError) -> Expr {
        var value = value
        while true {
            if self.isSymbol("|") {
                value = try self.filters(value) ?? value
            } else if self.isName("is") {
                value = try self.tested(value)
            } else if self.isSymbol("(") {
                value = try self.called(value)
            } else {
                return value
            }
        }
    }

    mutating func called(_ value: Expr) throws(SyntaxError) -> Expr {
        let place = self.current.place
        return try self.made(.call(value, try self.arguments()), at: place)
    }

    mutating func subscripted(_ value: Expr) throws(SyntaxError) -> Expr {
        let token = self.advance()
        if token.text == "." {
            let member = self.advance()
            switch (member.kind, member.constant) {
            case (.name, _): return try self.made(.attribute(value, member.text), at: member.place)
            case (.number, .some(let constant)):
                if case .float = constant { break }
                return try self.made(
                    .item(value, try self.made(.constant(constant), at: member.place)), at: member.place)
            default: break
            }
            throw self.error("expected a name or a whole number after the dot", at: member.place)
        }
        var items: [Expr] = []
        while !self.isSymbol("]") {
            if !items.isEmpty { try self.expect(",") }
            items.append(try self.subscriptItem())
        }
        self.advance()
        let item = items.count == 1 ? items[0] : try self.made(.tuple(items), at: token.place)
        return try self.made(.item(value, item), at: token.place)
    }

    mutating func subscriptItem() throws(SyntaxError) -> Expr {
        let place = self.current.place
        var parts: [Expr?] = []
        if self.take(":") {
            parts.append(nil)
        } else {
            let value = try self.expression()
            guard self.take(":") else { return value }
            parts.append(value)
        }
        func ends() -> Bool { self.isSymbol("]") || self.isSymbol(",") }
        if self.isSymbol(":") || ends() { parts.append(nil) } else { parts.append(try self.expression()) }
        if self.take(":"), !ends() { parts.append(try self.expression()) } else { parts.append(nil) }
        return try self.made(.slice(parts[0], parts[1], parts[2]), at: place)
    }

    mutating func arguments() throws(SyntaxError) -> CallArguments {
        let place = self.current.place
        try self.expect("(")
        var arguments = CallArguments()
        var needsComma = false
        func check(_ holds: Bool) throws(SyntaxError) {
            guard holds else { throw self.error("these arguments can't follow each other in this order", at: place) }
        }
        while !self.isSymbol(")") {
            if needsComma {
                try self.expect(",")
                if self.isSymbol(")") { break }
            }
            if self.take("*") {
                try check(arguments.sequence == nil && arguments.mapping == nil)
                arguments.sequence = try self.expression()
            } else if self.take("**") {
                try check(arguments.mapping == nil)
                arguments.mapping = try self.expression()
            } else if self.current.kind == .name, self.next.kind == .symbol, self.next.text == "=" {
                try check(arguments.mapping == nil)
                let name = self.advance()
                self.advance()
                guard !arguments.named.contains(where: { PythonText.equal($0.name, name.text) }) else {
                    throw self.error("the argument '\(name.text)' is given twice", at: name.place)
                }
                arguments.named.append((name.text, try self.expression()))
            } else {
                try check(arguments.sequence == nil && arguments.mapping == nil && arguments.named.isEmpty)
                arguments.positional.append(try self.expression())
            }
            needsComma = true
        }
        self.advance()
        return arguments
    }

    mutating func dottedName() throws(SyntaxError) -> Token {
        var token = try self.expectName()
        while self.take(".") { token.text += "." + (try self.expectName().text) }
        return token
    }

    mutating func filters(_ operand: Expr?, startsInline: Bool = false) throws(SyntaxError) -> Expr? {
        var value = operand
        var startsInline = startsInline
        while startsInline || self.isSymbol("|") {
            if !startsInline { self.advance() }
            startsInline = false
            let name = try self.dottedName()
            let arguments = self.isSymbol("(") ? try self.arguments() : CallArguments()
            value = try self.made(.filter(value, name.text, arguments), at: name.place)
        }
        return value
    }

    mutating func tested(_ value: Expr) throws(SyntaxError) -> Expr {
        let place = self.advance().place
        let isNegated = self.take(name: "not")
        let name = try self.dottedName()
        var arguments = CallArguments()
        if self.isSymbol("(") {
            arguments = try self.arguments()
        } else if self.startsTestArgument {
            if self.isName("is") { throw self.error("tests can't be chained with 'is'") }
            arguments.positional = [try self.postfix(try self.primary())]
        }
        let test = try self.made(.test(value, name.text, arguments), at: name.place)
        return isNegated ? try self.made(.not(test), at: place) : test
    }

    var startsTestArgument: Bool {
        switch self.current.kind {
        case .name: !["else", "or", "and"].contains(self.current.text)
        case .string, .number: true
        case .symbol: self.current.text == "[" || self.current.text == "{"
        default: false
        }
    }
}
