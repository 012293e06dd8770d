import Values

/// An expression with the stretch of text that it was read from.
struct Expression: Sendable {
    let kind: Kind
    let span: Span

    indirect enum Kind: Sendable {
        case null
        case bool(Bool)
        case int(Int)
        case big(BigInt)
        case double(Double)
        case string(String)
        case name(String)
        case list([Expression])
        case tuple([Expression])
        case dict([(key: Expression, value: Expression)])
        case attribute(Expression, String)
        case item(Expression, Expression)
        case slice(Expression, Expression?, Expression?, Expression?)
        case call(Expression, Arguments)
        /// A filter; without an operand it works on the text of a block.
        case filter(Expression?, String, Arguments)
        case test(Expression, String, Arguments)
        case negative(Expression), positive(Expression), not(Expression)
        case and(Expression, Expression), or(Expression, Expression)
        case binary(BinaryOperator, Expression, Expression)
        case concatenation([Expression])
        case comparison(Expression, [(Comparison, Expression)])
        case conditional(Expression, then: Expression, otherwise: Expression?)
    }
}

enum BinaryOperator: String, Sendable {
    case add = "+", subtract = "-", multiply = "*", divide = "/", floorDivide = "//", modulo = "%", power = "**"
}

enum Comparison: String, Sendable {
    case equal = "==", notEqual = "!=", less = "<", lessOrEqual = "<=", greater = ">", greaterOrEqual = ">="
    case isIn = "in", isNotIn = "not in"
}

/// The arguments of a call, a filter or a test.
struct Arguments: Sendable {
    var positional: [Expression] = []
    var named: [(name: String, value: Expression)] = []
    var list: Expression?
    var mapping: Expression?
}

/// What a value is assigned to.
indirect enum AssignmentTarget: Sendable {
    case name(String, Span)
    case tuple([AssignmentTarget], Span)
    /// `namespace.attribute`
    case attribute(String, String, Span)

    var names: [String] {
        switch self {
        case .name(let name, _): [name]
        case .tuple(let parts, _): parts.flatMap(\.names)
        case .attribute: []
        }
    }
}

struct Statement: Sendable {
    let kind: Kind
    let span: Span

    indirect enum Kind: Sendable {
        case text(String)
        case output(Expression)
        case loop(Loop)
        case branch([(condition: Expression, body: [Statement])], otherwise: [Statement])
        case assign(AssignmentTarget, Expression)
        case assignBlock(AssignmentTarget, filter: Expression?, body: [Statement])
        case macro(Macro)
        case callBlock(Expression, Macro)
        case filterBlock(Expression, body: [Statement])
        case include(Expression, ignoreMissing: Bool, withContext: Bool)
        case importAll(Expression, name: String, withContext: Bool)
        case importSome(Expression, names: [(name: String, alias: String)], withContext: Bool)
        case extends(Expression)
        case block(Block)
        case evaluate(Expression)
        case breakLoop, continueLoop
        case with([(AssignmentTarget, Expression)], body: [Statement])
        case autoescape(body: [Statement])

        /// Whether nothing is left of it where a template that extends another stays silent.
        var onlyPrints: Bool {
            switch self {
            case .text, .output, .block, .include, .callBlock, .filterBlock: true
            default: false
            }
        }
    }
}

extension Statement {
    /// Whether the statement is text of blanks and line ends.
    var isWhitespace: Bool {
        if case .text(let text) = kind { text.unicodeScalars.allSatisfy(\.properties.isWhitespace) } else { false }
    }
}

struct Loop: Sendable {
    let target: AssignmentTarget
    let sequence: Expression
    let condition: Expression?
    let isRecursive: Bool
    let body: [Statement]
    let otherwise: [Statement]
}

struct Macro: Sendable {
    let name: String
    let parameters: [(name: String, fallback: Expression?)]
    let body: [Statement]
    /// Which of the special names the body reads: they decide what the macro accepts.
    let usesVarargs: Bool
    let usesKwargs: Bool
    let usesCaller: Bool
}

struct Block: Sendable {
    let name: String
    let isScoped: Bool
    let isRequired: Bool
    let body: [Statement]
}

/// A parsed template.
final class Syntax: Sendable {
    let source: Source
    let statements: [Statement]
    let blocks: [String: Block]
    let options: FileOptions

    init(source: Source, statements: [Statement], blocks: [String: Block], options: FileOptions) {
        self.source = source
        self.statements = statements
        self.blocks = blocks
        self.options = options
    }

    /// The one expression that the template consists of, if so.
    var onlyExpression: Expression? {
        guard statements.count == 1, case .output(let expression) = statements[0].kind else { return nil }
        return expression
    }
}
