import Values

/// Reads a syntax tree without evaluating it: names it can read, filters and tests that do not exist.
struct Survey {
    private let source: Source
    private(set) var names: Set<String> = []
    /// Names are computed, or another template is read.
    private(set) var isOpen = false
    private(set) var unknown: [Diagnostic] = []
    /// String literals that look like templates: they may be rendered too.
    private(set) var templateConstants: [String] = []
    private var bound: Set<String> = []

    private let lookups: Set<String>?

    private let templater: Templater

    init(_ source: Source, templater: Templater, lookups: Set<String>? = nil) {
        self.source = source
        self.templater = templater
        self.lookups = lookups
    }

    private mutating func inner(_ names: [String] = [], _ body: [Statement]) {
        let outer = bound
        bound.formUnion(names)
        visit(body)
        bound = outer
    }

    mutating func visit(_ statements: [Statement]) {
        for statement in statements { visit(statement) }
    }

    private mutating func visit(_ statement: Statement) {
        switch statement.kind {
        case .text, .breakLoop, .continueLoop: break
        case .output(let expression), .evaluate(let expression): visit(expression)
        case .loop(let loop): visit(loop)
        case .branch(let branches, let otherwise):
            for (condition, body) in branches {
                visit(condition)
                inner([], body)
            }
            inner([], otherwise)
        case .assign(let target, let expression):
            visit(expression)
            bind(target)
        case .assignBlock(let target, let filter, let body):
            inner([], body)
            if let filter { visit(filter) }
            bind(target)
        case .macro(let macro):
            bound.insert(macro.name)
            visit(macro)
        case .callBlock(let call, let macro):
            visit(call)
            visit(macro)
        case .filterBlock(let filter, let body):
            visit(filter)
            inner([], body)
        case .include(let file, _, _), .extends(let file):
            isOpen = true
            visit(file)
        case .importAll(let file, let name, _):
            isOpen = true
            visit(file)
            bound.insert(name)
        case .importSome(let file, let names, _):
            isOpen = true
            visit(file)
            bound.formUnion(names.map(\.alias))
        case .block(let block): inner(["super", "self"], block.body)
        case .with(let pairs, let body):
            for (_, expression) in pairs { visit(expression) }
            inner(pairs.flatMap { $0.0.names }, body)
        case .autoescape(let body): inner([], body)
        }
    }

    private mutating func bind(_ target: AssignmentTarget) {
        if case .attribute(let name, _, _) = target { read(name) }
        bound.formUnion(target.names)
    }

    private mutating func visit(_ loop: Loop) {
        visit(loop.sequence)
        let outer = bound
        bound.formUnion(loop.target.names + ["loop"])
        if let condition = loop.condition { visit(condition) }
        visit(loop.body)
        bound = outer
        inner([], loop.otherwise)
    }

    private mutating func visit(_ macro: Macro) {
        for (_, fallback) in macro.parameters { if let fallback { visit(fallback) } }
        inner(macro.parameters.map(\.name) + ["varargs", "kwargs", "caller"], macro.body)
    }

    private mutating func read(_ name: String) {
        if bound.contains(name) || name == "omit" { return }
        names.insert(name)
        if name == "vars" || name == "self" { isOpen = true }
    }

    private mutating func visit(_ arguments: Arguments) {
        for argument in arguments.positional { visit(argument) }
        for (_, argument) in arguments.named { visit(argument) }
        if let list = arguments.list { visit(list) }
        if let mapping = arguments.mapping { visit(mapping) }
    }

    private mutating func visit(_ expression: Expression) {
        switch expression.kind {
        case .null, .bool, .int, .big, .double: break
        case .string(let text): if Templater.looksLikeTemplate(text) { templateConstants.append(text) }
        case .name(let name): read(name)
        case .list(let items), .tuple(let items), .concatenation(let items): for item in items { visit(item) }
        case .dict(let pairs):
            for (key, value) in pairs {
                visit(key)
                visit(value)
            }
        case .attribute(let object, _): visit(object)
        case .item(let object, let key): visitItem(object, key)
        case .slice(let object, let start, let stop, let step):
            visit(object)
            for part in [start, stop, step] { if let part { visit(part) } }
        case .call(let function, let arguments): visitCall(function, arguments)
        case .filter(let operand, let name, let arguments):
            if let operand { visit(operand) }
            visit(arguments)
            checkFilter(name, arguments, expression.span)
        case .test(let operand, let name, let arguments):
            visit(operand)
            visit(arguments)
            if templater.test(named: name) == nil {
                report(templater.unknown(.test, name), expression.span)
            }
        case .negative(let operand), .positive(let operand), .not(let operand): visit(operand)
        case .and(let left, let right), .or(let left, let right), .binary(_, let left, let right):
            visit(left)
            visit(right)
        case .comparison(let first, let rest):
            visit(first)
            for (_, other) in rest { visit(other) }
        case .conditional(let condition, let then, let otherwise):
            visit(condition)
            visit(then)
            if let otherwise { visit(otherwise) }
        }
    }

    /// `vars['name']` reads one variable; anything else of `vars` may read all.
    private mutating func visitItem(_ object: Expression, _ key: Expression) {
        if case .name("vars") = object.kind, !bound.contains("vars"), case .string(let name) = key.kind {
            names.insert(name)
            return
        }
        visit(object)
        visit(key)
    }

    private mutating func visitCall(_ function: Expression, _ arguments: Arguments) {
        visit(arguments)
        // Functions that every template has are no variables, unless they are called by another name.
        if case .name(let name) = function.kind, Globals.names.contains(name) {} else { visit(function) }
        guard case .name(let name) = function.kind, ["lookup", "query", "q"].contains(name) else { return }
        guard case .string(let plugin) = arguments.positional.first?.kind else {
            isOpen = true
            return
        }
        let short = plugin.split(separator: ".").last.map(String.init) ?? plugin
        if let lookups, !lookups.contains(short), !(templater.plugins?.has(.lookup, plugin) ?? false),
            let span = arguments.positional.first?.span
        {
            let hint = suggestion(for: short, among: lookups)
            report(TemplateError("there is no lookup plugin '\(plugin)'", hint: hint), span)
        }
        switch short {
        case "vars":
            for argument in arguments.positional.dropFirst() {
                if case .string(let name) = argument.kind { names.insert(name) } else { isOpen = true }
            }
            if arguments.list != nil { isOpen = true }
        case "varnames", "template": isOpen = true
        default: break
        }
    }

    private mutating func checkFilter(_ name: String, _ arguments: Arguments, _ span: Span) {
        guard templater.filter(named: name) != nil else {
            return report(templater.unknown(.filter, name), span)
        }
        let usesFilter = name == "map"
        guard usesFilter || ["select", "reject"].contains(name),
            case .string(let inner) = arguments.positional.first?.kind, let place = arguments.positional.first?.span
        else { return }
        if usesFilter, templater.filter(named: inner) == nil {
            report(templater.unknown(.filter, inner), place)
        } else if !usesFilter, templater.test(named: inner) == nil {
            report(templater.unknown(.test, inner), place)
        }
    }

    private mutating func report(_ error: TemplateError, _ span: Span) {
        var diagnostic = error.diagnostic
        diagnostic.place = source.place(of: span)
        diagnostic.length = Int(span.length)
        diagnostic.notes += templater.plugins?.problems ?? []
        unknown.append(diagnostic)
    }
}
