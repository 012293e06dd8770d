import Values

/// Reads tokens into expressions, with Jinja2's precedences.
struct Parser {
    let source: Source
    var tokens: [Token]
    var at = 0
    var depth = 0
    var blocks: [String: Block] = [:]
    /// End tags that are waited for, innermost last: for error texts.
    var openTags: [(name: String, span: Span)] = []
    /// Special names read inside the macro being parsed.
    var namesRead: Set<String> = []

    static let depthLimit = 150

    init(_ source: Source, _ tokens: [Token]) {
        self.source = source
        self.tokens = tokens
    }

    var current: Token { tokens[at] }
    var previousSpan: Span { tokens[max(0, at - 1)].span }
    mutating func advance() { if at < tokens.count - 1 { at += 1 } }

    func isSymbol(_ symbol: String) -> Bool { current.kind == .symbol(symbol) }
    func isName(_ name: String) -> Bool { current.kind == .name(name) }
    mutating func skip(symbol: String) -> Bool {
        guard isSymbol(symbol) else { return false }
        advance()
        return true
    }
    mutating func skip(name: String) -> Bool {
        guard isName(name) else { return false }
        advance()
        return true
    }
    mutating func expect(symbol: String) throws(TemplateError) {
        guard skip(symbol: symbol) else { throw unexpected("expected '\(symbol)'") }
    }
    mutating func expectName(_ what: String = "a name") throws(TemplateError) -> String {
        guard case .name(let name) = current.kind else { throw unexpected("expected \(what)") }
        advance()
        return name
    }

    func unexpected(_ hint: String? = nil) -> TemplateError {
        source.failure("unexpected \(Self.words(current.kind))", current.span, hint: hint)
    }

    static func words(_ kind: Token.Kind) -> String {
        switch kind {
        case .text: "text"
        case .variableBegin: "'{{'"
        case .variableEnd: "end of print statement"
        case .blockBegin: "'{%'"
        case .blockEnd: "end of statement block"
        case .name(let name): "'\(name)'"
        case .string: "string"
        case .integer(let digits): "'\(digits)'"
        case .float(let double): "'\(double)'"
        case .symbol(let symbol): "'\(symbol)'"
        case .end: "end of template"
        }
    }

    private mutating func nested<T>(_ body: (inout Parser) throws(TemplateError) -> T) throws(TemplateError) -> T {
        depth += 1
        defer { depth -= 1 }
        if depth > Self.depthLimit {
            throw source.failure("expression is nested more than \(Self.depthLimit) levels", current.span)
        }
        return try body(&self)
    }

    mutating func expression(conditional: Bool = true) throws(TemplateError) -> Expression {
        try nested { (parser) throws(TemplateError) in
            conditional ? try parser.conditional() : try parser.or()
        }
    }

    private mutating func conditional() throws(TemplateError) -> Expression {
        var result = try or()
        while skip(name: "if") {
            let condition = try or()
            let otherwise: Expression? = skip(name: "else") ? try expression() : nil
            result = Expression(
                kind: .conditional(condition, then: result, otherwise: otherwise),
                span: result.span.through(previousSpan))
        }
        return result
    }

    private mutating func or() throws(TemplateError) -> Expression {
        var left = try and()
        while skip(name: "or") {
            let right = try and()
            left = Expression(kind: .or(left, right), span: left.span.through(right.span))
        }
        return left
    }

    private mutating func and() throws(TemplateError) -> Expression {
        var left = try not()
        while skip(name: "and") {
            let right = try not()
            left = Expression(kind: .and(left, right), span: left.span.through(right.span))
        }
        return left
    }

    private mutating func not() throws(TemplateError) -> Expression {
        guard isName("not") else { return try comparison() }
        let start = current.span
        advance()
        let operand = try nested { (parser) throws(TemplateError) in try parser.not() }
        return Expression(kind: .not(operand), span: start.through(operand.span))
    }

    private mutating func comparison() throws(TemplateError) -> Expression {
        let first = try sum()
        var rest: [(Comparison, Expression)] = []
        while true {
            if case .symbol(let symbol) = current.kind, let comparison = Comparison(rawValue: symbol) {
                advance()
                rest.append((comparison, try sum()))
            } else if skip(name: "in") {
                rest.append((.isIn, try sum()))
            } else if isName("not"), at + 1 < tokens.count, tokens[at + 1].kind == .name("in") {
                advance()
                advance()
                rest.append((.isNotIn, try sum()))
            } else {
                break
            }
        }
        if rest.isEmpty { return first }
        return Expression(kind: .comparison(first, rest), span: first.span.through(previousSpan))
    }

    private mutating func binary(
        _ operators: [String], _ operand: (inout Parser) throws(TemplateError) -> Expression
    ) throws(TemplateError) -> Expression {
        var left = try operand(&self)
        while case .symbol(let symbol) = current.kind, operators.contains(symbol),
            let found = BinaryOperator(rawValue: symbol)
        {
            advance()
            let right = try operand(&self)
            left = Expression(kind: .binary(found, left, right), span: left.span.through(right.span))
        }
        return left
    }

    private mutating func sum() throws(TemplateError) -> Expression {
        try binary(["+", "-"]) { (parser) throws(TemplateError) in try parser.concatenation() }
    }

    private mutating func concatenation() throws(TemplateError) -> Expression {
        let first = try product()
        guard isSymbol("~") else { return first }
        var parts = [first]
        while skip(symbol: "~") { parts.append(try product()) }
        return Expression(kind: .concatenation(parts), span: first.span.through(previousSpan))
    }

    private mutating func product() throws(TemplateError) -> Expression {
        try binary(["*", "/", "//", "%"]) { (parser) throws(TemplateError) in try parser.power() }
    }

    private mutating func power() throws(TemplateError) -> Expression {
        try binary(["**"]) { (parser) throws(TemplateError) in try parser.unary() }
    }

    mutating func unary(withFilter: Bool = true) throws(TemplateError) -> Expression {
        let start = current.span
        var result: Expression
        if skip(symbol: "-") {
            let operand = try nested { (parser) throws(TemplateError) in try parser.unary(withFilter: false) }
            result = Expression(kind: .negative(operand), span: start.through(operand.span))
        } else if skip(symbol: "+") {
            let operand = try nested { (parser) throws(TemplateError) in try parser.unary(withFilter: false) }
            result = Expression(kind: .positive(operand), span: start.through(operand.span))
        } else {
            result = try primary()
        }
        result = try postfix(result)
        return withFilter ? try filters(result) : result
    }

    mutating func primary() throws(TemplateError) -> Expression {
        let token = current
        switch token.kind {
        case .name(let name):
            advance()
            return Expression(kind: Self.constant(name) ?? .name(read(name)), span: token.span)
        case .string(var text):
            advance()
            while case .string(let more) = current.kind {
                text += more
                advance()
            }
            return Expression(kind: .string(text), span: token.span.through(previousSpan))
        case .integer(let digits):
            advance()
            return Expression(kind: Self.integer(digits), span: token.span)
        case .float(let double):
            advance()
            return Expression(kind: .double(double), span: token.span)
        case .symbol("("):
            advance()
            let inner = try tuple(explicit: true)
            try expect(symbol: ")")
            return Expression(kind: inner.kind, span: token.span.through(previousSpan))
        case .symbol("["): return try list()
        case .symbol("{"): return try dict()
        default: throw unexpected()
        }
    }

    private mutating func read(_ name: String) -> String {
        namesRead.insert(name)
        return name
    }

    private static func constant(_ name: String) -> Expression.Kind? {
        switch name {
        case "true", "True": .bool(true)
        case "false", "False": .bool(false)
        case "none", "None": .null
        default: nil
        }
    }

    static func integer(_ text: String) -> Expression.Kind {
        let lower = text.lowercased()
        let (digits, radix) =
            lower.hasPrefix("0x") ? (String(lower.dropFirst(2)), 16)
            : lower.hasPrefix("0o") ? (String(lower.dropFirst(2)), 8)
            : lower.hasPrefix("0b") ? (String(lower.dropFirst(2)), 2) : (lower, 10)
        if let int = Int(digits, radix: radix) { return .int(int) }
        return .big(BigInt(digits: digits, radix: radix) ?? BigInt(0))
    }

    private mutating func list() throws(TemplateError) -> Expression {
        let start = current.span
        advance()
        var items: [Expression] = []
        while !isSymbol("]") {
            if !items.isEmpty { try expect(symbol: ",") }
            if isSymbol("]") { break }
            items.append(try expression())
        }
        try expect(symbol: "]")
        return Expression(kind: .list(items), span: start.through(previousSpan))
    }

    private mutating func dict() throws(TemplateError) -> Expression {
        let start = current.span
        advance()
        var items: [(key: Expression, value: Expression)] = []
        while !isSymbol("}") {
            if !items.isEmpty { try expect(symbol: ",") }
            if isSymbol("}") { break }
            let key = try expression()
            try expect(symbol: ":")
            items.append((key, try expression()))
        }
        try expect(symbol: "}")
        return Expression(kind: .dict(items), span: start.through(previousSpan))
    }

    private var atTupleEnd: Bool {
        switch current.kind {
        case .variableEnd, .blockEnd, .end, .symbol(")"): true
        default: false
        }
    }

    /// One expression, or several with commas between them.
    mutating func tuple(
        explicit: Bool = false, conditional: Bool = true, endNames: [String] = []
    ) throws(TemplateError) -> Expression {
        let start = current.span
        var items: [Expression] = []
        var isTuple = false
        while true {
            if !items.isEmpty { try expect(symbol: ",") }
            if atTupleEnd || endNames.contains(where: { isName($0) }) { break }
            items.append(try expression(conditional: conditional))
            guard isSymbol(",") else { break }
            isTuple = true
        }
        if !isTuple {
            if let only = items.first { return only }
            if !explicit { throw unexpected("expected an expression") }
        }
        return Expression(kind: .tuple(items), span: start.through(previousSpan))
    }

    mutating func postfix(_ operand: Expression) throws(TemplateError) -> Expression {
        var result = operand
        while case .symbol(let symbol) = current.kind {
            switch symbol {
            case ".", "[": result = try subscripted(result)
            case "(":
                let arguments = try arguments()
                result = Expression(kind: .call(result, arguments), span: result.span.through(previousSpan))
            default: return result
            }
        }
        return result
    }

    private mutating func subscripted(_ operand: Expression) throws(TemplateError) -> Expression {
        let isDot = isSymbol(".")
        advance()
        guard isDot else {
            let kind = try index(of: operand)
            return Expression(kind: kind, span: operand.span.through(previousSpan))
        }
        let span = current.span
        switch current.kind {
        case .name(let name):
            advance()
            return Expression(kind: .attribute(operand, name), span: operand.span.through(span))
        case .integer(let digits):
            advance()
            let key = Expression(kind: Self.integer(digits), span: span)
            return Expression(kind: .item(operand, key), span: operand.span.through(span))
        default: throw unexpected("expected a name or number behind '.'")
        }
    }

    private mutating func index(of operand: Expression) throws(TemplateError) -> Expression.Kind {
        if isSymbol("]") { throw unexpected("expected an index") }
        if isSymbol(":") { return try slice(of: operand, from: nil) }
        var items = [try expression()]
        if isSymbol(":") { return try slice(of: operand, from: items[0]) }
        while skip(symbol: ","), !isSymbol("]") { items.append(try expression()) }
        try expect(symbol: "]")
        if items.count == 1 { return .item(operand, items[0]) }
        return .item(operand, Expression(kind: .tuple(items), span: items[0].span.through(previousSpan)))
    }

    private mutating func slice(
        of operand: Expression, from start: Expression?
    ) throws(TemplateError) -> Expression.Kind {
        try expect(symbol: ":")
        var stop: Expression?
        var step: Expression?
        if !isSymbol(":"), !isSymbol("]") { stop = try expression() }
        if skip(symbol: ":"), !isSymbol("]") { step = try expression() }
        try expect(symbol: "]")
        return .slice(operand, start, stop, step)
    }

    mutating func arguments() throws(TemplateError) -> Arguments {
        var result = Arguments()
        try expect(symbol: "(")
        var first = true
        while !isSymbol(")") {
            if !first { try expect(symbol: ",") }
            first = false
            if isSymbol(")") { break }
            if skip(symbol: "*") {
                result.list = try expression()
            } else if skip(symbol: "**") {
                result.mapping = try expression()
            } else if case .name(let name) = current.kind, tokens[at + 1].kind == .symbol("=") {
                advance()
                advance()
                if result.named.contains(where: { $0.name == name }) {
                    throw source.failure("keyword argument repeated: \(name)", current.span)
                }
                result.named.append((name, try expression()))
            } else {
                if !result.named.isEmpty || result.mapping != nil {
                    throw source.failure("invalid syntax for function call expression", current.span,
                        hint: "arguments without a name come before those with one")
                }
                result.positional.append(try expression())
            }
        }
        try expect(symbol: ")")
        return result
    }

    mutating func filters(_ operand: Expression) throws(TemplateError) -> Expression {
        var result = operand
        while true {
            switch current.kind {
            case .symbol("|"):
                advance()
                result = try filter(result)
            case .name("is"):
                advance()
                result = try test(result)
            case .symbol("("):
                let arguments = try arguments()
                result = Expression(kind: .call(result, arguments), span: result.span.through(previousSpan))
            default: return result
            }
        }
    }

    /// `name.of.filter(arguments)`; the bar before it has been read.
    mutating func filter(_ operand: Expression?) throws(TemplateError) -> Expression {
        let start = current.span
        let name = try dottedName("the name of a filter")
        let span = start.through(previousSpan)
        let arguments = isSymbol("(") ? try arguments() : Arguments()
        return Expression(kind: .filter(operand, name, arguments), span: span)
    }

    private mutating func dottedName(_ what: String) throws(TemplateError) -> String {
        var name = try expectName(what)
        while isSymbol("."), at + 1 < tokens.count, case .name(let part) = tokens[at + 1].kind {
            advance()
            advance()
            name += "." + part
        }
        return name
    }

    private mutating func test(_ operand: Expression) throws(TemplateError) -> Expression {
        let negated = skip(name: "not")
        let start = current.span
        let name = try dottedName("the name of a test")
        let span = start.through(previousSpan)
        var arguments = Arguments()
        switch current.kind {
        case .symbol("("): arguments = try self.arguments()
        case .name("else"), .name("or"), .name("and"), .name("if"), .name("in"), .name("not"): break
        case .name("is"):
            throw source.failure("you cannot chain multiple tests with 'is'", current.span)
        case .name, .string, .integer, .float, .symbol("["), .symbol("{"):
            let argument = try primary()
            arguments.positional = [try postfix(argument)]
        default: break
        }
        let result = Expression(kind: .test(operand, name, arguments), span: span)
        return negated ? Expression(kind: .not(result), span: span) : result
    }
}
