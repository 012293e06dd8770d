import Values

/// One template while it runs: its blocks, and those of the templates it extends.
final class Context {
    let syntax: Syntax
    /// Per name the blocks from the most derived to the base, each with the template it is from.
    var blocks: [String: [(block: Block, source: Source)]] = [:]
    var parent: Syntax?

    init(_ syntax: Syntax) {
        self.syntax = syntax
        addBlocks(of: syntax)
    }

    func addBlocks(of syntax: Syntax) {
        for (name, block) in syntax.blocks { blocks[name, default: []].append((block, syntax.source)) }
    }
}

extension Evaluator {
    enum Flow { case next, breakLoop, continueLoop }

    /// Runs a template and those that it extends.
    func run(_ context: Context, _ frame: Frame, _ output: Output) throws(TemplateError) {
        var syntax = context.syntax
        var ancestors = 0
        if !syntax.blocks.isEmpty { frame.values["self"] = .object(BlockNames(context, frame)) }
        while true {
            let outer = source
            source = syntax.source
            defer { source = outer }
            context.parent = nil
            _ = try execute(syntax.statements, frame, output, context)
            guard let parent = context.parent else { return }
            ancestors += 1
            if ancestors > limits.depth { throw limitError("templates extend each other in a circle") }
            context.addBlocks(of: parent)
            syntax = parent
        }
    }

    func execute(
        _ statements: [Statement], _ frame: Frame, _ output: Output, _ context: Context
    ) throws(TemplateError) -> Flow {
        for statement in statements {
            // A template that extends another prints nothing itself; what it sets and defines counts.
            let isSilent = frame.isTop && context.parent != nil
            if isSilent, statement.kind.onlyPrints { continue }
            switch statement.kind {
            case .text(let text):
                try output.add(.string(text), self)
            case .output(let expression):
                try output.add(try evaluate(expression, frame), self)
            case .branch(let branches, let otherwise):
                let flow = try branch(branches, otherwise, frame, output, context)
                if flow != .next { return flow }
            case .breakLoop: return .breakLoop
            case .continueLoop: return .continueLoop
            case .autoescape(let body):
                let flow = try execute(body, Frame(frame), output, context)
                if flow != .next { return flow }
            case .with(let pairs, let body):
                let flow = try with(pairs, body, frame, output, context)
                if flow != .next { return flow }
            default: try perform(statement, frame, isSilent ? Output() : output, context)
            }
        }
        return .next
    }

    private func branch(
        _ branches: [(condition: Expression, body: [Statement])], _ otherwise: [Statement], _ frame: Frame,
        _ output: Output, _ context: Context
    ) throws(TemplateError) -> Flow {
        for (condition, body) in branches where try isTrue(try evaluate(condition, frame)) {
            return try execute(body, frame, output, context)
        }
        return try execute(otherwise, frame, output, context)
    }

    private func with(
        _ pairs: [(AssignmentTarget, Expression)], _ body: [Statement], _ frame: Frame, _ output: Output,
        _ context: Context
    ) throws(TemplateError) -> Flow {
        let inner = Frame(frame)
        for (target, expression) in pairs {
            // Each value is evaluated outside: the names beside it are not seen.
            try assign(target, try evaluate(expression, frame), inner)
        }
        return try execute(body, inner, output, context)
    }

    /// The statements that do not pass `break` and `continue` on.
    private func perform(
        _ statement: Statement, _ frame: Frame, _ output: Output, _ context: Context
    ) throws(TemplateError) {
        switch statement.kind {
        case .loop(let loop):
            let items = try items(of: try evaluate(loop.sequence, frame), loop.sequence.span)
            try run(loop, items, frame, output, context, depth: 0)
        case .assign(let target, let expression): try assign(target, try evaluate(expression, frame), frame)
        case .assignBlock(let target, let filter, let body):
            let inner = Output()
            _ = try execute(body, Frame(frame), inner, context)
            var result = try inner.concatenated(self)
            if let filter { result = try apply(filter, to: result, frame) }
            try assign(target, result, frame)
        case .macro(let macro): frame.values[macro.name] = .object(MacroObject(macro, frame, context, source))
        case .callBlock(let call, let macro):
            guard case .call(let function, let arguments) = call.kind else { return }
            let caller = Datum.object(MacroObject(macro, frame, context, source))
            try output.add(try self.call(function, arguments, frame, call.span, caller: caller), self)
        case .filterBlock(let filter, let body):
            let inner = Output()
            _ = try execute(body, Frame(frame), inner, context)
            try output.add(try apply(filter, to: .string(try inner.text(self)), frame), self)
        case .block(let block): try render(block, frame, output, context)
        case .evaluate(let expression): _ = try evaluate(expression, frame)
        case .include(let file, let ignoreMissing, let withContext):
            guard let syntax = try load(try evaluate(file, frame), ignoreMissing, file.span) else { return }
            do throws(TemplateError) {
                try deeper { () throws(TemplateError) in
                    let top = Frame(withContext ? frame : nil, isTop: true, isIsolated: !withContext)
                    try run(Context(syntax), top, output)
                }
            } catch {
                // Where it all began says nothing; the include that goes round does.
                guard error.isLimit, error.diagnostic.place == nil else { throw error }
                throw located(error, statement.span)
            }
        case .importAll(let file, let name, let withContext):
            frame.values[name] = .object(try module(file, frame, withContext))
        case .importSome(let file, let names, let withContext):
            let module = try module(file, frame, withContext)
            for (name, alias) in names {
                frame.values[alias] =
                    module.values[name]
                    ?? .undefined(
                        Undefined(
                            "the imported template has no '\(name)'", name: name, source: source, span: file.span))
            }
        case .extends(let file):
            if context.parent != nil { throw failure("a template can extend only one other", statement.span) }
            context.parent = try load(try evaluate(file, frame), false, file.span)
        case .text, .output, .branch, .breakLoop, .continueLoop, .with, .autoescape: break
        }
    }

    func assign(_ target: AssignmentTarget, _ datum: Datum, _ frame: Frame) throws(TemplateError) {
        switch target {
        case .name(let name, _): frame.values[name] = datum
        case .attribute(let name, let attribute, let span):
            guard case .object(let object) = try lookUp(name, frame, span), let space = object as? Namespace else {
                throw failure("cannot assign attribute on non-namespace object", span)
            }
            space.values[attribute] = datum
        case .tuple(let targets, let span):
            let items = try items(of: datum, span)
            guard items.count == targets.count else {
                let what = items.count < targets.count ? "not enough" : "too many"
                let got = items.count < targets.count ? ", got \(items.count)" : ""
                throw failure("\(what) values to unpack (expected \(targets.count)\(got))", span)
            }
            for (target, item) in zip(targets, items) { try assign(target, item, frame) }
        }
    }

    // MARK: Loops

    func run(
        _ loop: Loop, _ all: [Datum], _ frame: Frame, _ output: Output, _ context: Context, depth: Int
    ) throws(TemplateError) {
        var items = all
        if let condition = loop.condition {
            items = []
            for item in all {
                let inner = Frame(frame)
                try assign(loop.target, item, inner)
                if try isTrue(try evaluate(condition, inner)) { items.append(item) }
            }
        }
        let state = LoopObject(items, depth: depth)
        if loop.isRecursive {
            state.recursion = { [unowned self] (datum) throws(TemplateError) -> Datum in
                try self.deeper { () throws(TemplateError) in
                    let inner = Output()
                    let list = try self.items(of: datum, loop.sequence.span)
                    try self.run(loop, list, frame, inner, context, depth: depth + 1)
                    return try inner.concatenated(self)
                }
            }
        }
        for (index, item) in items.enumerated() {
            try countIteration()
            state.index = index
            let inner = Frame(frame)
            inner.values["loop"] = .object(state)
            try assign(loop.target, item, inner)
            if try execute(loop.body, inner, output, context) == .breakLoop { break }
        }
        if items.isEmpty { _ = try execute(loop.otherwise, Frame(frame), output, context) }
    }

    // MARK: Other templates

    private func load(_ name: Datum, _ ignoreMissing: Bool, _ span: Span) throws(TemplateError) -> Syntax? {
        var names: [String] = []
        switch name {
        case .string(let text): names = [text.string]
        case .list, .tuple: for item in try items(of: name, span) { names.append(try text(item)) }
        case .undefined(let undefined): throw undefined.error
        default: throw failure("expected the name of a template, got '\(name.typeName)'", span)
        }
        for name in names {
            if let text = try scope.template(named: name) { return try templater.syntax(ofIncluded: text, fileOptions) }
        }
        if ignoreMissing { return nil }
        let what = names.count == 1 ? "template '\(names[0])' is not there" : "none of the templates is there"
        throw failure(what, span, hint: names.count > 1 ? names.joined(separator: ", ") : nil)
    }

    private func module(_ file: Expression, _ frame: Frame, _ withContext: Bool) throws(TemplateError) -> Module {
        guard let syntax = try load(try evaluate(file, frame), false, file.span) else { return Module([:], Output()) }
        let top = Frame(withContext ? frame : nil, isTop: true, isIsolated: !withContext)
        let output = Output()
        try deeper { () throws(TemplateError) in try run(Context(syntax), top, output) }
        return Module(top.values.filter { !$0.key.hasPrefix("_") && $0.key != "self" }, output)
    }

    private func render(_ block: Block, _ frame: Frame, _ output: Output, _ context: Context) throws(TemplateError) {
        try render(blockNamed: block.name, level: 0, frame, isScoped: block.isScoped, output, context)
    }

    func render(
        blockNamed name: String, level: Int, _ frame: Frame, isScoped: Bool, _ output: Output, _ context: Context
    ) throws(TemplateError) {
        guard let stack = context.blocks[name], level < stack.count else {
            throw TemplateError("there is no parent block called '\(name)'")
        }
        let (block, from) = stack[level]
        if block.isRequired, level == 0 { throw TemplateError("required block '\(name)' is not filled in") }
        var outer: Frame? = frame
        if !isScoped { while let found = outer, !found.isTop { outer = found.parent } }
        let inner = Frame(outer)
        inner.values["super"] = .object(
            Function("super") { [unowned self] (_) throws(TemplateError) -> Datum in
                let text = Output()
                try self.render(blockNamed: name, level: level + 1, frame, isScoped: isScoped, text, context)
                return try text.concatenated(self)
            })
        inner.values["self"] = .object(BlockNames(context, frame))
        let outerSource = source
        source = from
        defer { source = outerSource }
        try deeper { () throws(TemplateError) in _ = try execute(block.body, inner, output, context) }
    }
}
