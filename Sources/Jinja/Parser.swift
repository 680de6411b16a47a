internal import PythonCompat

/// Reads tokens into statements, by the grammar of Jinja 3.1.
struct Parser {
    /// How deep expressions and blocks may nest; Python itself takes 200 levels of brackets.
    private static let maxDepth = 100

    private let tokens: [Token]
    private let dialect: Template.Dialect
    private let stack = StackGuard()
    private var position = 0
    private var depth = 0
    /// What could end the blocks that are open.
    private var endings: [[String]] = []

    static func parse(_ source: String, _ dialect: Template.Dialect) throws(JinjaError) -> [Stmt] {
        var parser = Parser(tokens: try Lexer.tokens(source, dialect), dialect: dialect)
        return try parser.statements(until: nil)
    }

    private init(tokens: [Token], dialect: Template.Dialect) {
        self.tokens = tokens
        self.dialect = dialect
    }

    // MARK: Tokens

    private var current: Token { self.tokens[self.position] }
    private var next: Token { self.tokens[min(self.position + 1, self.tokens.count - 1)] }

    @discardableResult
    private mutating func advance() -> Token {
        let token = self.current
        if self.position + 1 < self.tokens.count { self.position += 1 }
        return token
    }

    private func isName(_ name: String) -> Bool { self.current.kind == .name && self.current.text == name }
    private func isSymbol(_ symbol: String) -> Bool { self.current.kind == .symbol && self.current.text == symbol }

    private mutating func take(name: String) -> Bool {
        guard self.isName(name) else { return false }
        self.advance()
        return true
    }

    private mutating func take(_ symbol: String) -> Bool {
        guard self.isSymbol(symbol) else { return false }
        self.advance()
        return true
    }

    private mutating func expect(_ symbol: String) throws(JinjaError) {
        guard self.take(symbol) else { throw self.unexpected("'\(symbol)'") }
    }

    private mutating func expectName() throws(JinjaError) -> Token {
        guard self.current.kind == .name else { throw self.unexpected("a name") }
        return self.advance()
    }

    private mutating func expect(_ kind: Token.Kind, _ what: String) throws(JinjaError) {
        guard self.current.kind == kind else { throw self.unexpected(what) }
        self.advance()
    }

    private func unexpected(_ wanted: String) -> JinjaError {
        self.error("expected \(wanted), got \(self.described)")
    }

    private var described: String {
        switch self.current.kind {
        case .data: "text"
        case .end: "the template's end"
        case .string: "the string \(PythonText.repr(self.current.text))"
        default: "'\(self.current.text)'"
        }
    }

    private func error(_ message: String, at place: Place? = nil) -> JinjaError {
        JinjaError(.syntax, message, at: place ?? self.current.place)
    }

    private mutating func enter() throws(JinjaError) {
        self.depth += 1
        try self.stack.check(at: self.current.place)
        guard self.depth <= Self.maxDepth else {
            throw JinjaError(.limit, "this nests more than \(Self.maxDepth) deep", at: self.current.place)
        }
    }

    private mutating func leave() { self.depth -= 1 }

    private func made(_ syntax: Syntax, at place: Place) throws(JinjaError) -> Expr {
        var expression = Expr(syntax: syntax, place: place, depth: 0)
        expression.depth = 1 + (expression.children.map(\.depth).max() ?? 0)
        guard expression.depth <= 2 * Self.maxDepth else {
            throw JinjaError(.limit, "this expression nests more than \(2 * Self.maxDepth) deep", at: place)
        }
        return expression
    }

    // MARK: Statements

    /// Up to one of the end tags, whose name is then the current token.
    private mutating func statements(until ends: [String]?) throws(JinjaError) -> [Stmt] {
        var statements: [Stmt] = []
        var output: [Statement.Output] = []
        var outputPlace = self.current.place
        if let ends { self.endings.append(ends) }
        defer { if ends != nil { self.endings.removeLast() } }
        func flush() {
            guard !output.isEmpty else { return }
            statements.append(Stmt(statement: .output(output), place: outputPlace))
            output = []
        }
        while true {
            let token = self.current
            if output.isEmpty { outputPlace = token.place }
            switch token.kind {
            case .data:
                output.append(.data(token.text))
                self.advance()
            case .variableBegin:
                self.advance()
                output.append(.value(try self.tuple(hasConditions: true)))
                try self.expect(.variableEnd, "'}}'")
            case .blockBegin:
                flush()
                self.advance()
                if let ends, self.current.kind == .name, ends.contains(self.current.text) { return statements }
                try self.enter()
                let place = self.current.place
                if let statement = try self.statement() {
                    statements.append(Stmt(statement: statement, place: place))
                }
                self.leave()
                try self.expect(.blockEnd, "'%}'")
            default:
                flush()
                guard let ends else { return statements }
                throw self.error("the template ends where \(Self.listed(ends)) is missing")
            }
        }
    }

    private static func listed(_ names: [String]) -> String {
        names.map { "'\($0)'" }.joined(separator: " or ")
    }

    /// A block's body: from the end of the tag to one of the end tags.
    private mutating func body(_ ends: [String]) throws(JinjaError) -> [Stmt] {
        // As in Python, a colon may stand here.
        _ = self.take(":")
        try self.expect(.blockEnd, "'%}'")
        return try self.statements(until: ends)
    }

    private mutating func body(_ end: String) throws(JinjaError) -> [Stmt] {
        let body = try self.body([end])
        self.advance()
        return body
    }

    private mutating func statement() throws(JinjaError) -> Statement? {
        let token = self.current
        guard token.kind == .name else { throw self.unexpected("a tag's name") }
        switch token.text {
        case "for": return try self.loop()
        case "if": return try self.choice()
        case "set": return try self.set()
        case "with": return try self.with()
        case "macro": return try self.macro()
        case "call": return try self.callBlock()
        case "filter": return try self.filterBlock()
        case "block": return try self.block()
        case "print": return try self.print()
        case "autoescape":
            self.advance()
            let flag = try self.expression()
            return .autoescape(flag, try self.body("endautoescape"))
        case "extends", "include", "import", "from":
            throw JinjaError(
                .unsupported, "'\(token.text)' needs other templates, and there are none: put everything in this one",
                at: token.place)
        case "generation" where self.dialect == .chat:
            self.advance()
            return .generation(try self.body("endgeneration"))
        case "break" where self.dialect == .chat, "continue" where self.dialect == .chat:
            self.advance()
            return .stop(continues: token.text == "continue")
        default:
            var message = "there is no tag '\(token.text)'"
            if let ends = self.endings.last { message += "; the block that is open ends with \(Self.listed(ends))" }
            throw self.error(message)
        }
    }

    private mutating func loop() throws(JinjaError) -> Statement {
        self.advance()
        let target = try self.target(ending: "in")
        guard self.take(name: "in") else { throw self.unexpected("'in'") }
        let items = try self.tuple(hasConditions: false, ending: "recursive")
        let test = self.take(name: "if") ? try self.expression() : nil
        let isRecursive = self.take(name: "recursive")
        let body = try self.body(["endfor", "else"])
        let other = self.advance().text == "endfor" ? [] : try self.body("endfor")
        return .loop(
            .init(target: target, items: items, test: test, isRecursive: isRecursive, body: body, other: other))
    }

    private mutating func choice() throws(JinjaError) -> Statement {
        self.advance()
        var branches: [(test: Expr, body: [Stmt])] = []
        while true {
            let test = try self.tuple(hasConditions: false)
            branches.append((test, try self.body(["elif", "else", "endif"])))
            switch self.advance().text {
            case "elif": continue
            case "else": return .choice(branches, other: try self.body("endif"))
            default: return .choice(branches, other: [])
            }
        }
    }

    private mutating func set() throws(JinjaError) -> Statement {
        self.advance()
        let target = try self.target(hasNamespaces: true)
        if self.take("=") { return .assign(target, try self.tuple(hasConditions: true)) }
        let filter = try self.filters(nil)
        return .capture(target, filter: filter, try self.body("endset"))
    }

    private mutating func with() throws(JinjaError) -> Statement {
        self.advance()
        var values: [(target: Expr, value: Expr)] = []
        while self.current.kind != .blockEnd {
            if !values.isEmpty { try self.expect(",") }
            let target = try self.target()
            try self.expect("=")
            values.append((target, try self.expression()))
        }
        return .with(values, try self.body("endwith"))
    }

    private mutating func signature() throws(JinjaError) -> Signature {
        var signature = Signature()
        try self.expect("(")
        while !self.isSymbol(")") {
            if !signature.names.isEmpty { try self.expect(",") }
            let name = try self.assignableName()
            guard !signature.names.contains(where: { isSame($0, name) }) else {
                throw self.error("the parameter '\(name)' is given twice")
            }
            if self.take("=") {
                signature.defaults.append(try self.expression())
            } else if !signature.defaults.isEmpty {
                throw self.error("a parameter without a value follows one with a value")
            }
            signature.names.append(name)
        }
        self.advance()
        return signature
    }

    private mutating func assignableName() throws(JinjaError) -> String {
        let token = try self.expectName()
        guard !Self.constants.keys.contains(token.text) else {
            throw self.error("'\(token.text)' is a constant", at: token.place)
        }
        return token.text
    }

    private mutating func macro() throws(JinjaError) -> Statement {
        self.advance()
        let name = try self.assignableName()
        let signature = try self.signature()
        return .macro(name, signature, try self.body("endmacro"))
    }

    private mutating func callBlock() throws(JinjaError) -> Statement {
        let place = self.advance().place
        let signature = self.isSymbol("(") ? try self.signature() : Signature()
        let call = try self.expression()
        guard case .call = call.syntax else { throw self.error("expected a call", at: place) }
        return .callBlock(call, signature, try self.body("endcall"))
    }

    private mutating func filterBlock() throws(JinjaError) -> Statement {
        self.advance()
        guard let filter = try self.filters(nil, startsInline: true) else { throw self.unexpected("a filter") }
        return .filterBlock(filter, try self.body("endfilter"))
    }

    private mutating func block() throws(JinjaError) -> Statement {
        self.advance()
        let name = try self.expectName().text
        let isScoped = self.take(name: "scoped")
        let isRequired = self.take(name: "required")
        if self.isSymbol("-") { throw self.error("a block's name can't have a hyphen") }
        let body = try self.body("endblock")
        if isRequired {
            for statement in body {
                guard case .output(let parts) = statement.statement,
                    parts.allSatisfy({
                        if case .data(let text) = $0 {
                            text.unicodeScalars.allSatisfy(PythonText.isSpace)
                        } else {
                            false
                        }
                    })
                else {
                    throw self.error("a required block can hold comments and white space only", at: statement.place)
                }
            }
        }
        _ = self.take(name: name)
        return .block(.init(name: name, isScoped: isScoped, isRequired: isRequired, body: body))
    }

    private mutating func print() throws(JinjaError) -> Statement {
        self.advance()
        var values: [Statement.Output] = []
        while self.current.kind != .blockEnd {
            if !values.isEmpty { try self.expect(",") }
            values.append(.value(try self.expression()))
        }
        return .output(values)
    }

    /// What is assigned to: a name, a tuple of names, or a member of a namespace.
    private mutating func target(ending: String? = nil, hasNamespaces: Bool = false) throws(JinjaError) -> Expr {
        let target = try self.tuple(
            isSimple: true, hasConditions: false, ending: ending, hasNamespaces: hasNamespaces)
        try Self.checkAssignable(target)
        return target
    }

    private static func checkAssignable(_ target: Expr) throws(JinjaError) {
        switch target.syntax {
        case .name, .namespaceMember: return
        case .tuple(let items): for item in items { try Self.checkAssignable(item) }
        default: throw JinjaError(.syntax, "nothing can be assigned to this", at: target.place)
        }
    }

    // MARK: Expressions

    private static let constants: [String: Constant] = [
        "true": .bool(true), "True": .bool(true), "false": .bool(false), "False": .bool(false), "none": .null,
        "None": .null,
    ]

    private mutating func expression(hasConditions: Bool = true) throws(JinjaError) -> Expr {
        try self.enter()
        defer { self.leave() }
        return hasConditions ? try self.condition() : try self.or()
    }

    private mutating func condition() throws(JinjaError) -> Expr {
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

    private mutating func or() throws(JinjaError) -> Expr {
        var left = try self.and()
        while self.isName("or") {
            let place = self.advance().place
            left = try self.made(.or(left, try self.and()), at: place)
        }
        return left
    }

    private mutating func and() throws(JinjaError) -> Expr {
        var left = try self.not()
        while self.isName("and") {
            let place = self.advance().place
            left = try self.made(.and(left, try self.not()), at: place)
        }
        return left
    }

    private mutating func not() throws(JinjaError) -> Expr {
        guard self.isName("not") else { return try self.comparison() }
        let place = self.advance().place
        try self.enter()
        defer { self.leave() }
        return try self.made(.not(try self.not()), at: place)
    }

    private mutating func comparison() throws(JinjaError) -> Expr {
        let first = try self.sum()
        var rest: [(operation: Comparing, value: Expr)] = []
        let place = self.current.place
        while let operation = self.comparing() { rest.append((operation, try self.sum())) }
        return rest.isEmpty ? first : try self.made(.compare(first, rest), at: place)
    }

    private mutating func comparing() -> Comparing? {
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

    private mutating func sum() throws(JinjaError) -> Expr {
        var left = try self.concat()
        while self.isSymbol("+") || self.isSymbol("-") {
            let token = self.advance()
            left = try self.made(
                .arithmetic(token.text == "+" ? .add : .subtract, left, try self.concat()), at: token.place)
        }
        return left
    }

    private mutating func concat() throws(JinjaError) -> Expr {
        let first = try self.product()
        guard self.isSymbol("~") else { return first }
        let place = self.current.place
        var items = [first]
        while self.take("~") { items.append(try self.product()) }
        return try self.made(.concat(items), at: place)
    }

    private mutating func product() throws(JinjaError) -> Expr {
        var left = try self.power()
        while self.current.kind == .symbol, ["*", "/", "//", "%"].contains(self.current.text),
            let operation = Arithmetic(rawValue: self.current.text)
        {
            let place = self.advance().place
            left = try self.made(.arithmetic(operation, left, try self.power()), at: place)
        }
        return left
    }

    private mutating func power() throws(JinjaError) -> Expr {
        var left = try self.unary()
        while self.isSymbol("**") {
            let place = self.advance().place
            left = try self.made(.arithmetic(.power, left, try self.unary()), at: place)
        }
        return left
    }

    private mutating func unary(hasFilters: Bool = true) throws(JinjaError) -> Expr {
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

    private mutating func primary(hasNamespaces: Bool = false) throws(JinjaError) -> Expr {
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

    private mutating func list() throws(JinjaError) -> Expr {
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

    private mutating func dict() throws(JinjaError) -> Expr {
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
    private mutating func tuple(
        isSimple: Bool = false, hasConditions: Bool, ending: String? = nil, isInBrackets: Bool = false,
        hasNamespaces: Bool = false
    ) throws(JinjaError) -> Expr {
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

    private func endsTuple(_ ending: String?) -> Bool {
        switch self.current.kind {
        case .variableEnd, .blockEnd: true
        case .symbol: self.current.text == ")"
        case .name: self.current.text == ending
        default: false
        }
    }

    private mutating func postfix(_ value: Expr) throws(JinjaError) -> Expr {
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

    private mutating func filtersAndTests(_ value: Expr) throws(JinjaError) -> Expr {
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

    private mutating func called(_ value: Expr) throws(JinjaError) -> Expr {
        let place = self.current.place
        return try self.made(.call(value, try self.arguments()), at: place)
    }

    private mutating func subscripted(_ value: Expr) throws(JinjaError) -> Expr {
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

    private mutating func subscriptItem() throws(JinjaError) -> Expr {
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

    private mutating func arguments() throws(JinjaError) -> CallArguments {
        let place = self.current.place
        try self.expect("(")
        var arguments = CallArguments()
        var needsComma = false
        func check(_ holds: Bool) throws(JinjaError) {
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
                guard !arguments.named.contains(where: { isSame($0.name, name.text) }) else {
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

    private mutating func dottedName() throws(JinjaError) -> Token {
        var token = try self.expectName()
        while self.take(".") { token.text += "." + (try self.expectName().text) }
        return token
    }

    private mutating func filters(_ operand: Expr?, startsInline: Bool = false) throws(JinjaError) -> Expr? {
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

    private mutating func tested(_ value: Expr) throws(JinjaError) -> Expr {
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

    private var startsTestArgument: Bool {
        switch self.current.kind {
        case .name: !["else", "or", "and"].contains(self.current.text)
        case .string, .number: true
        case .symbol: self.current.text == "[" || self.current.text == "{"
        default: false
        }
    }
}
