import Values

extension Filters {
    /// `json_query` of `community.general`: JMESPath.
    static func addQueries(_ table: inout FilterTable) {
        table.add("json_query", "jmespath", parameters: ["expr"], required: 1) { (c) throws(TemplateError) in
            var parser = JMESPath(try c.text(0) ?? "")
            let query = try parser.query()
            return .raw(try JMESPath.value(query, try c.evaluator.value(of: c.value)))
        }
    }
}

/// JMESPath: reads a query into a tree, and evaluates it.
struct JMESPath {
    indirect enum Query: Sendable {
        case current
        case field(String)
        case literal(Value)
        case index(Int)
        case slice(Int?, Int?, Int?)
        case chain(Query, Query)
        /// The second applies to every item of the list that the first gives.
        case projection(Query, Query)
        case valueProjection(Query, Query)
        case filter(Query, condition: Query, Query)
        case flatten(Query)
        case list([Query])
        case dict([(String, Query)])
        case comparison(String, Query, Query)
        case and(Query, Query), or(Query, Query), not(Query)
        case pipe(Query, Query)
        case function(String, [Query])
        case reference(Query)
    }

    private enum Token: Equatable { case name(String), number(Int), literal(Value), symbol(String), end }

    private let text: String
    private var tokens: [Token] = []
    private var at = 0
    private var depth = 0

    init(_ text: String) { self.text = text }

    private func failure(_ message: String) -> TemplateError {
        TemplateError("in the JMESPath query '\(text)': \(message)")
    }

    mutating func query() throws(TemplateError) -> Query {
        try scan()
        let query = try expression(0)
        guard tokens[at] == .end else { throw failure("unexpected \(words(tokens[at]))") }
        return query
    }

    private func words(_ token: Token) -> String {
        switch token {
        case .name(let name): "'\(name)'"
        case .number(let number): "'\(number)'"
        case .literal(let value): value.pythonRepr
        case .symbol(let symbol): "'\(symbol)'"
        case .end: "end"
        }
    }

    // MARK: Tokens

    private mutating func scan() throws(TemplateError) {
        let scalars = Array(text)
        var index = 0
        while index < scalars.count {
            let character = scalars[index]
            if character.isWhitespace {
                index += 1
            } else if character.isASCII, character.isLetter || character == "_" {
                let start = index
                while index < scalars.count, scalars[index].isASCII,
                    scalars[index].isLetter || scalars[index].isNumber || scalars[index] == "_"
                {
                    index += 1
                }
                tokens.append(.name(String(scalars[start..<index])))
            } else if character.isNumber || (character == "-" && scalars.dropFirst(index + 1).first?.isNumber == true) {
                let start = index
                index += 1
                while index < scalars.count, scalars[index].isNumber { index += 1 }
                guard let number = Int(String(scalars[start..<index])) else { throw failure("a number is too large") }
                tokens.append(.number(number))
            } else if "'\"`".contains(character) {
                var end = index + 1
                while end < scalars.count, scalars[end] != character { end += scalars[end] == "\\" ? 2 : 1 }
                guard end < scalars.count else { throw failure("\(character) is never closed") }
                tokens.append(try quoted(character, String(scalars[(index + 1)..<end])))
                index = end + 1
            } else {
                let two = String(scalars[index..<min(index + 2, scalars.count)])
                let known = ["==", "!=", "<=", ">=", "&&", "||", "[?", "[]"].contains(two)
                let symbol = known ? two : String(character)
                guard known || ".*[]{}(),:@&|!<>".contains(character) else {
                    throw failure("unexpected '\(character)'")
                }
                tokens.append(.symbol(symbol))
                index += symbol.count
            }
        }
        tokens.append(.end)
    }

    private func quoted(_ mark: Character, _ body: String) throws(TemplateError) -> Token {
        switch mark {
        case "'": return .literal(.string(StringMethods.replace(body, "\\'", "'")))
        case "\"":
            guard let name = (try? Value(json: "\"\(body)\""))?.text else { throw failure("bad name \"\(body)\"") }
            return .name(name)
        default:
            let plain = StringMethods.replace(StringMethods.strip(body, left: true, right: false), "\\`", "`")
            if let value = try? Value(json: plain) { return .literal(value) }
            guard let value = try? Value(json: "\"\(plain)\"") else { throw failure("bad literal `\(body)`") }
            return .literal(value)
        }
    }

    // MARK: Grammar

    private static let powers: [String: Int] = [
        "|": 1, "||": 2, "&&": 3, "==": 5, "!=": 5, "<": 5, "<=": 5, ">": 5, ">=": 5, "[]": 9, "*": 20, "[?": 21,
        ".": 40, "!": 45, "{": 50, "[": 55, "(": 60,
    ]

    private func power(_ token: Token) -> Int {
        if case .symbol(let symbol) = token { return Self.powers[symbol] ?? 0 }
        return 0
    }

    private mutating func advance() -> Token {
        defer { if at < tokens.count - 1 { at += 1 } }
        return tokens[at]
    }

    private mutating func expect(_ symbol: String) throws(TemplateError) {
        let token = advance()
        if token != .symbol(symbol) { throw failure("expected '\(symbol)', got \(words(token))") }
    }

    private mutating func expression(_ binding: Int) throws(TemplateError) -> Query {
        depth += 1
        defer { depth -= 1 }
        if depth > 100 { throw failure("nested more than 100 levels") }
        var left = try prefix()
        while binding < power(tokens[at]) { left = try infix(left) }
        return left
    }

    private mutating func prefix() throws(TemplateError) -> Query {
        let token = advance()
        switch token {
        case .literal(let value): return .literal(value)
        case .name(let name):
            return tokens[at] == .symbol("(") ? try function(name) : .field(name)
        case .symbol("@"): return .current
        case .symbol("*"): return .valueProjection(.current, try projected(20))
        case .symbol("[]"): return .projection(.flatten(.current), try projected(9))
        case .symbol("[?"): return try filter(.current)
        case .symbol("!"): return .not(try expression(45))
        case .symbol("&"): return .reference(try expression(0))
        case .symbol("("):
            let inner = try expression(0)
            try expect(")")
            return inner
        case .symbol("{"): return try dict()
        case .symbol("["):
            switch tokens[at] {
            case .number, .symbol(":"): return try bracket(.current)
            case .symbol("*") where tokens.dropFirst(at + 1).first == .symbol("]"): return try bracket(.current)
            default: return try list()
            }
        default: throw failure("unexpected \(words(token))")
        }
    }

    private mutating func infix(_ left: Query) throws(TemplateError) -> Query {
        guard case .symbol(let symbol) = advance() else { throw failure("unexpected end") }
        switch symbol {
        case ".":
            if tokens[at] == .symbol("*") {
                _ = advance()
                return .valueProjection(left, try projected(20))
            }
            return .chain(left, try member(40))
        case "|": return .pipe(left, try expression(1))
        case "||": return .or(left, try expression(2))
        case "&&": return .and(left, try expression(3))
        case "[]": return .projection(.flatten(left), try projected(9))
        case "[?": return try filter(left)
        case "[": return try bracket(left)
        case "==", "!=", "<", "<=", ">", ">=": return .comparison(symbol, left, try expression(5))
        default: throw failure("unexpected '\(symbol)'")
        }
    }

    private mutating func member(_ binding: Int) throws(TemplateError) -> Query {
        switch tokens[at] {
        case .name, .symbol("*"): return try expression(binding)
        case .symbol("["):
            _ = advance()
            return try list()
        case .symbol("{"):
            _ = advance()
            return try dict()
        case let token: throw failure("unexpected \(words(token)) behind '.'")
        }
    }

    /// What follows a projection and applies to each of its items.
    private mutating func projected(_ binding: Int) throws(TemplateError) -> Query {
        if power(tokens[at]) < 10 { return .current }
        switch tokens[at] {
        case .symbol("["), .symbol("[?"): return try continuing(binding)
        case .symbol("."):
            _ = advance()
            return try member(binding)
        default: throw failure("unexpected \(words(tokens[at]))")
        }
    }

    private mutating func continuing(_ binding: Int) throws(TemplateError) -> Query {
        var left = Query.current
        repeat { left = try infix(left) } while binding < power(tokens[at])
        return left
    }

    private mutating func bracket(_ left: Query) throws(TemplateError) -> Query {
        if tokens[at] == .symbol("*") {
            _ = advance()
            try expect("]")
            return .projection(left, try projected(20))
        }
        var parts: [Int?] = [nil]
        while tokens[at] != .symbol("]") {
            switch advance() {
            case .number(let number): parts[parts.count - 1] = number
            case .symbol(":") where parts.count < 3: parts.append(nil)
            case let token: throw failure("unexpected \(words(token)) in brackets")
            }
        }
        try expect("]")
        if parts.count == 1 { return .chain(left, .index(parts[0] ?? 0)) }
        let slice = Query.slice(parts[0], parts[1], parts.count > 2 ? parts[2] : nil)
        return .projection(.chain(left, slice), try projected(20))
    }

    private mutating func filter(_ left: Query) throws(TemplateError) -> Query {
        let condition = try expression(0)
        try expect("]")
        let right: Query = tokens[at] == .symbol("[]") ? .current : try projected(21)
        return .filter(left, condition: condition, right)
    }

    private mutating func list() throws(TemplateError) -> Query {
        var items = [try expression(0)]
        while tokens[at] == .symbol(",") {
            _ = advance()
            items.append(try expression(0))
        }
        try expect("]")
        return .list(items)
    }

    private mutating func dict() throws(TemplateError) -> Query {
        var items: [(String, Query)] = []
        repeat {
            guard case .name(let name) = advance() else { throw failure("expected a name") }
            try expect(":")
            items.append((name, try expression(0)))
            guard tokens[at] == .symbol(",") else { break }
            _ = advance()
        } while true
        try expect("}")
        return .dict(items)
    }

    private mutating func function(_ name: String) throws(TemplateError) -> Query {
        try expect("(")
        var items: [Query] = []
        while tokens[at] != .symbol(")") {
            if !items.isEmpty { try expect(",") }
            items.append(try expression(0))
        }
        try expect(")")
        return .function(name, items)
    }
}
