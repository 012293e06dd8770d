import Patterns
package import Values

/// Renders templates and keeps what it has parsed. Used by one thread; made once.
package final class Templater {
    let limits: Limits
    /// How texts of playbooks are read.
    let options: FileOptions
    /// Conditions may give anything and its truth counts, as before ansible-core 2.19; otherwise only booleans.
    package var allowsBrokenConditions = true

    /// Told of what ansible-core will do no longer from version 2.23 on.
    package var deprecated: ((_ message: String, Place?) -> Void)?

    /// Told of what goes on in spite of an error.
    package var warn: ((_ message: String, Place?) -> Void)?

    /// Told of a condition that gave no boolean where that is allowed, in ansible-core's words.
    package var brokenCondition: ((_ message: String, Place?) -> Void)?

    /// Halves of characters in JSON become question marks; otherwise they are refused.
    package var allowsSurrogates = false

    /// The lookups that there are, to find misspelt ones before anything is evaluated; `nil`: not known.
    package var lookups: Set<String>?

    /// Told of texts that look like templates and, coming from results or marked unsafe, are none.
    package var untrusted: ((Text) -> Void)?

    /// Filters and tests beside those that are built in.
    package var plugins: (any TemplatePlugins)?

    /// Opens values under `!vault`, where the secrets are.
    package var unseal: ((Text) throws(Diagnostic) -> Text)?

    private struct Key: Hashable {
        let text: String
        let place: Place?
        let isExpression: Bool
        var isIncluded = false
        let options: FileOptions?
    }
    private var parsed: [Key: Syntax] = [:]
    private var globals: [String: Datum] = [:]
    private var patterns: [String: Pattern] = [:]
    /// How many texts are kept parsed; then all are forgotten.
    private static let cacheLimit = 20_000

    package init(limits: Limits = Limits()) {
        self.limits = limits
        var options = FileOptions()
        options.literalBackslashes = true
        self.options = options
        globals = Globals.all
    }

    // MARK: Results

    private static let omitText = "\u{0}omit\u{0}"
    /// What a template gives that wants its parameter left out: a text nothing else has.
    package static let omit: Value = .string(Text(omitText))

    package static func isOmit(_ value: Value) -> Bool {
        guard case .string(let text) = value else { return false }
        return text.string.utf8.count == omitText.utf8.count && text.string == omitText
    }

    /// Whether the text holds anything for a template engine.
    package static func looksLikeTemplate(_ text: String) -> Bool {
        text.contains("{{") || text.contains("{%") || text.contains("{#") || text.hasPrefix("#jinja2:")
    }

    static func looksLikeTemplate(_ text: String, _ options: FileOptions) -> Bool {
        var previous: UInt8 = 0
        for byte in text.utf8 {
            if previous == UInt8(ascii: "{"),
                byte == UInt8(ascii: "{") || byte == UInt8(ascii: "%") || byte == UInt8(ascii: "#")
            {
                return true
            }
            previous = byte
        }
        return text.hasPrefix("#jinja2:")
    }

    /// The template's result: of a text that is one expression the expression's value, else a string.
    ///
    /// Nothing in the result is a template again. Where a secret was read, the result is secret.
    package func render(_ text: Text, in scope: any Scope) throws(TemplateError) -> Value {
        try render(text, in: scope, dropsUndefined: false)
    }

    private func render(_ text: Text, in scope: any Scope, dropsUndefined: Bool) throws(TemplateError) -> Value {
        if text.isSealed { return .string(try opened(text)) }
        guard Self.looksLikeTemplate(text.string, options) else { return .string(text.untrusted) }
        let syntax = try syntax(of: text)
        let evaluator = Evaluator(self, scope, syntax.source)
        evaluator.sawSecret = text.isSecret
        evaluator.dropsUndefined = dropsUndefined
        let datum = try locating(text) { () throws(TemplateError) in try evaluator.render(text) }
        let isSecret = evaluator.sawSecret
        let value = try locating(text) { () throws(TemplateError) in try evaluator.value(of: datum) }
        return isSecret ? value.mapText(\.secret) : value
    }

    /// The rendered value without what is undefined in it; `nil` when nothing is left.
    package func defined(in value: Value, _ scope: any Scope) throws(TemplateError) -> Value? {
        switch value {
        case .string(let text) where text.isTemplate:
            do throws(TemplateError) { return try render(text, in: scope, dropsUndefined: true) } catch {
                if error.isUndefined { return nil }
                throw error
            }
        case .list(let list):
            var items: [Value] = []
            for item in list { if let item = try defined(in: item, scope) { items.append(item) } }
            return .list(items)
        case .dict(let dict):
            var members = Dict()
            for (key, item) in dict { if let item = try defined(in: item, scope) { members[key] = item } }
            return .dict(members)
        default: return value
        }
    }

    /// The list or mapping that a template gives, its members as they are written: what holds templates or conditions
    /// still does. `nil` where it gives something else.
    package func container(_ text: Text, in scope: any Scope) throws(TemplateError) -> Value? {
        guard Self.looksLikeTemplate(text.string, options) else { return nil }
        let syntax = try syntax(of: text)
        let evaluator = Evaluator(self, scope, syntax.source)
        return try locating(text) { () throws(TemplateError) -> Value? in
            func written(_ datum: Datum) throws(TemplateError) -> Value {
                switch datum {
                case .raw(let value): value
                case .string(let text): .string(text)
                default: try evaluator.value(of: datum)
                }
            }
            switch try evaluator.lifted(try evaluator.render(text)) {
            case .list(let box):
                var items: [Value] = []
                for item in box.items { items.append(try written(item)) }
                return .list(items)
            case .dict(let box):
                var members = Dict()
                for (key, item) in box.items { members[key] = try written(item) }
                return .dict(members)
            default: return nil
            }
        }
    }

    /// What is in a vaulted text.
    func opened(_ text: Text) throws(TemplateError) -> Text {
        do throws(Diagnostic) {
            var plain = text
            if text.mark?.seal == .closed, let unseal { plain = try unseal(text) }
            switch plain.mark?.seal {
            case nil: return Text(plain.string, mark: Mark(place: text.place, isSecret: true))
            case .unopenable(let why)?: throw Diagnostic(why, at: text.place)
            case .closed?: throw Diagnostic("Attempting to decrypt but no vault secrets found.", at: text.place)
            }
        } catch {
            var diagnostic = error
            diagnostic.message = "Attempt to use undecryptable variable: \(error.message)"
            var told = TemplateError(diagnostic)
            told.words = diagnostic.message
            throw told
        }
    }

    /// Renders every template in the value. Items and members that come out as `omit` are dropped.
    package func render(_ value: Value, in scope: any Scope) throws(TemplateError) -> Value {
        switch value {
        case .string(let text):
            if text.isTemplate { return try render(text, in: scope) }
            if let untrusted, Self.looksLikeTemplate(text.string) { untrusted(text) }
            return value
        case .list(let list):
            var result: [Value] = []
            result.reserveCapacity(list.count)
            for item in list {
                let rendered = try render(item, in: scope)
                if !Self.isOmit(rendered) { result.append(rendered) }
            }
            return .list(result)
        case .dict(let dict):
            var result = Dict(minimumCapacity: dict.count)
            for (key, item) in dict {
                let rendered = try render(item, in: scope)
                if !Self.isOmit(rendered) { result[key] = rendered }
            }
            return .dict(result)
        default: return value
        }
    }

    /// The value of a bare expression. Text that is wrapped in `{{ }}` is taken as a template.
    package func evaluate(expression text: Text, in scope: any Scope) throws(TemplateError) -> Value {
        if Self.isWrapped(text.string) { return try render(text, in: scope) }
        let syntax = try syntax(ofExpression: text)
        let evaluator = Evaluator(self, scope, syntax.source)
        let value = try locating(text, "expression") { () throws(TemplateError) -> Value in
            guard let expression = syntax.onlyExpression else { return .null }
            return try evaluator.value(of: try evaluator.evaluate(expression, Frame(nil, isTop: true)))
        }
        return evaluator.sawSecret ? value.mapText(\.secret) : value
    }

    /// Whether a condition (`when`, `changed_when`, …) holds.
    package func condition(_ text: Text, in scope: any Scope) throws(TemplateError) -> Bool {
        let stripped = StringMethods.strip(text.string)
        if stripped.isEmpty {
            if allowsBrokenConditions {
                brokenCondition?("Empty conditional expression was evaluated as True.", text.place)
                return true
            }
            throw TemplateError(
                Diagnostic(
                    "Empty conditional expressions are not allowed.", at: text.place, hint: "remove it, or say what"))
        }
        let clean = stripped == text.string ? text : Text(stripped, mark: text.mark)
        guard Self.isWrapped(stripped) else { return try truth(of: clean, in: scope) }
        let syntax = try syntax(of: clean)
        let evaluator = Evaluator(self, scope, syntax.source)
        let verdict = try locating(clean) { () throws(TemplateError) -> Bool? in
            let datum = try evaluator.lifted(try evaluator.render(clean))
            guard case .string(let result) = datum else { return try self.truth(of: datum, evaluator, clean) }
            let words = StringMethods.strip(result.string)
            if words.isEmpty { return allowsBrokenConditions ? true : try self.truth(of: datum, evaluator, clean) }
            if let bool = Value.string(words).asBool { return bool }
            // Only a text that somebody wrote into a file is an expression again; a result never is.
            if result.place != nil, !(result.mark?.isDeclaredUnsafe ?? false) {
                return try self.truth(of: Text(words, mark: result.mark), in: scope)
            }
            return allowsBrokenConditions ? try self.truth(of: datum, evaluator, clean) : nil
        }
        if let verdict { return verdict }
        throw TemplateError(Diagnostic("Encountered untrusted template or expression.", at: clean.place))
    }

    private func truth(of text: Text, in scope: any Scope) throws(TemplateError) -> Bool {
        let syntax = try syntax(ofExpression: text)
        let evaluator = Evaluator(self, scope, syntax.source)
        evaluator.rendersConstants = true
        return try locating(text, "expression") { () throws(TemplateError) -> Bool in
            guard let expression = syntax.onlyExpression else { return true }
            let datum = try evaluator.evaluate(expression, Frame(nil, isTop: true))
            return try self.truth(of: datum, evaluator, text)
        }
    }

    private func truth(of datum: Datum, _ evaluator: Evaluator, _ text: Text) throws(TemplateError) -> Bool {
        let datum = try evaluator.lifted(datum)
        if case .bool(let bool) = datum { return bool }
        let result = try evaluator.isTrue(datum)
        // Where the value comes from says more than where it is asked.
        let origin = (try? evaluator.value(of: datum).place) ?? nil
        let place = (origin ?? text.place).map { " at '\($0)'" } ?? ""
        let words = "Conditional result (\(result ? "True" : "False")) was derived from value of type "
            + "'\(datum.typeName)'\(place). Conditionals must have a boolean result."
        if allowsBrokenConditions {
            brokenCondition?(words, text.place)
            return result
        }
        throw TemplateError(
            "the condition gives a value of type '\(datum.typeName)', not a boolean",
            hint: "compare it, or test it with 'is truthy'; 'allow_broken_conditionals' takes any, as before 2.19",
            words: words)
    }

    /// Errors without a place get the text's.
    private func locating<T>(
        _ text: Text, _ what: String = "template", _ body: () throws(TemplateError) -> T
    ) throws(TemplateError) -> T {
        do throws(TemplateError) {
            return try body()
        } catch {
            var told = error.worded { "Error rendering \(what): \($0)" }
            told.diagnostic.place = error.diagnostic.place ?? text.place
            throw told
        }
    }

    /// Reading an expression's or a template's syntax.
    private func reading<T>(
        _ what: String, _ body: () throws(TemplateError) -> T
    ) throws(TemplateError) -> T {
        do throws(TemplateError) { return try body() } catch {
            let hint = error.diagnostic.hint.map { ", " + $0 } ?? ""
            throw error.worded { "Syntax error in \(what): \($0)\(hint)" }
        }
    }

    package static func isWrapped(_ text: String) -> Bool {
        let text = StringMethods.strip(text)
        return (text.hasPrefix("{{") || text.hasPrefix("{%") || text.hasPrefix("{#"))
            && (text.hasSuffix("}}") || text.hasSuffix("%}") || text.hasSuffix("#}"))
    }

    /// Python's `format % value`.
    package func printed(_ format: String, _ value: Value, in scope: any Scope) throws(TemplateError) -> String {
        let evaluator = Evaluator(self, scope, Source(text: format, place: nil))
        return try PercentFormat.apply(format, .raw(value), evaluator)
    }

    /// A template file's text. A first line `#jinja2: trim_blocks: false, …` overrides the options.
    package func renderFile(
        _ text: Text, options: FileOptions = FileOptions(), in scope: any Scope
    ) throws(TemplateError) -> String {
        guard let run = try run(text, options, in: scope) else { return try Header.split(text, options).0 }
        return try locating(text) { () throws(TemplateError) -> String in
            let pieces = run.output.pieces
            // Only text has line ends to be restored.
            if pieces.count == 1, let value = try native(pieces[0], run.evaluator), value.text == nil {
                return try run.output.text(run.evaluator)
            }
            return pieces.isEmpty ? "" : try ended(run, text)
        }
    }

    /// The same for a lookup: a template that puts out one thing gives that thing, one that puts out nothing has no
    /// value.
    package func renderLookup(_ text: Text, options: FileOptions, in scope: any Scope) throws(TemplateError) -> Value {
        guard let run = try run(text, options, in: scope) else { return .string(try Header.split(text, options).0) }
        let value = try locating(text) { () throws(TemplateError) -> Value in
            if run.output.pieces.isEmpty, !text.string.isEmpty { return .null }
            let only = run.output.pieces.count == 1 ? run.output.pieces[0] : nil
            if let only, let value = try native(only, run.evaluator) { return value }
            return .string(try ended(run, text))
        }
        return run.evaluator.sawSecret ? value.mapText(\.secret) : value
    }

    /// What is no text, as it is.
    private func native(_ datum: Datum, _ evaluator: Evaluator) throws(TemplateError) -> Value? {
        switch datum {
        case .string: nil
        case .object(let object): try object.value(evaluator)
        default: try evaluator.value(of: datum)
        }
    }

    private struct FileRun {
        let output: Output
        let evaluator: Evaluator
        let newline: String
    }

    /// `nil` for a text in which no template begins: Ansible leaves it alone, line statements and line ends included.
    private func run(
        _ text: Text, _ options: FileOptions, in scope: any Scope
    ) throws(TemplateError) -> FileRun? {
        let syntax = try syntax(of: text, options)
        let (body, used) = try Header.split(text, options)
        let isTemplate = text.string.hasPrefix("#jinja2:")
            || [used.blockStart, used.variableStart, used.commentStart].contains { body.contains($0) }
        guard isTemplate else { return nil }
        let run = FileRun(
            output: Output(), evaluator: Evaluator(self, scope, syntax.source), newline: syntax.options.newline)
        run.evaluator.fileOptions = syntax.options
        try locating(text) { () throws(TemplateError) in
            try run.evaluator.run(Context(syntax), Frame(nil, isTop: true), run.output)
            if run.output.pieces.count == 1, case .undefined(let undefined) = run.output.pieces[0] {
                throw undefined.error
            }
        }
        return run
    }

    /// The text that was put out, with as many line ends behind it as the template has.
    private func ended(_ run: FileRun, _ text: Text) throws(TemplateError) -> String {
        let result = try run.output.text(run.evaluator)
        let missing = Self.newlines(text.string) - Self.newlines(result)
        return missing > 0 ? result + String(repeating: run.newline, count: missing) : result
    }

    private static func newlines(_ text: String) -> Int {
        text.utf8.reversed().prefix { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }
            .filter { $0 == UInt8(ascii: "\n") }.count
    }

    // MARK: Parsing

    /// A regular expression, compiled once: loops use the same ones again and again.
    func pattern(_ source: String, _ flags: Pattern.Flags) throws(TemplateError) -> Pattern {
        let key = "\(flags.rawValue) \(source)"
        if let found = patterns[key] { return found }
        let pattern = try Filters.regex { () throws(PatternError) in try Pattern(source, flags) }
        if patterns.count >= 1000 { patterns = [:] }
        patterns[key] = pattern
        return pattern
    }

    func global(named name: String) -> Datum? { globals[name] }

    func syntax(of text: Text) throws(TemplateError) -> Syntax { try syntax(of: text, nil) }

    /// A template that another includes: the outer one's options hold, and a header in it is text.
    func syntax(ofIncluded text: Text, _ options: FileOptions) throws(TemplateError) -> Syntax {
        try syntax(of: text, options, isIncluded: true)
    }

    private func syntax(
        of text: Text, _ given: FileOptions?, isIncluded: Bool = false
    ) throws(TemplateError) -> Syntax {
        let key = Key(
            text: text.string, place: text.place, isExpression: false, isIncluded: isIncluded, options: given)
        if let found = parsed[key] { return found }
        let (body, used) = isIncluded
            ? (text.string, given ?? options) : try Header.split(text, given ?? options)
        let source = Source(
            text: Lexer.normalized(body, keepTrailingNewline: used.keepTrailingNewline), place: text.place,
            linesBefore: body.utf8.count == text.string.utf8.count ? 0 : 1)
        return try reading("template") { () throws(TemplateError) in
            var lexer = Lexer(source, used)
            var parser = Parser(source, try lexer.template())
            let statements = try parser.template()
            return keep(Syntax(source: source, statements: statements, blocks: parser.blocks, options: used), key)
        }
    }

    private func syntax(ofExpression text: Text) throws(TemplateError) -> Syntax {
        let key = Key(text: text.string, place: text.place, isExpression: true, options: nil)
        if let found = parsed[key] { return found }
        let source = Source(text: text.string, place: text.place)
        return try reading("expression") { () throws(TemplateError) in
            var lexer = Lexer(source, FileOptions())
            var parser = Parser(source, try lexer.expression())
            let expression = try parser.expression()
            guard case .end = parser.current.kind else {
                let hint = parser.isSymbol("=") ? "compare with '=='" : "expected the end of the expression"
                throw parser.unexpected(hint)
            }
            let statement = Statement(kind: .output(expression), span: expression.span)
            return keep(Syntax(source: source, statements: [statement], blocks: [:], options: options), key)
        }
    }

    /// Text that is to be one literal of Python.
    func syntax(ofLiteral text: String) throws(TemplateError) -> Syntax { try syntax(ofExpression: Text(text)) }

    private func keep(_ syntax: Syntax, _ key: Key) -> Syntax {
        if parsed.count >= Self.cacheLimit { parsed = [:] }
        parsed[key] = syntax
        return syntax
    }

    // MARK: Looking without evaluating

    /// What is wrong with a template before it is evaluated: syntax, unknown filters and tests.
    package func check(_ text: Text, asExpression: Bool) -> [Diagnostic] {
        do throws(TemplateError) {
            let isExpression = asExpression && !Self.isWrapped(text.string)
            if !asExpression, !Self.looksLikeTemplate(text.string, options) { return [] }
            let syntax = isExpression ? try syntax(ofExpression: text) : try syntax(of: text)
            var survey = Survey(syntax.source, templater: self, lookups: lookups)
            survey.visit(syntax.statements)
            return survey.unknown
        } catch {
            return [error.diagnostic]
        }
    }

    /// Whether a template can be read, whatever it names.
    package func parses(_ text: Text) -> Bool { (try? syntax(of: text)) != nil }

    /// The same for a template file.
    package func check(file text: Text, options: FileOptions = FileOptions()) -> [Diagnostic] {
        do throws(TemplateError) {
            let syntax = try syntax(of: text, options)
            var survey = Survey(syntax.source, templater: self, lookups: lookups)
            survey.visit(syntax.statements)
            return survey.unknown
        } catch {
            return [error.diagnostic]
        }
    }

    /// The names of variables that the text can read, `hostvars` among them where it is used.
    ///
    /// `nil` where that cannot be told: names that are computed, other templates, text that cannot be parsed.
    package func freeNames(in text: Text, asExpression: Bool) -> Set<String>? {
        let isExpression = asExpression && !Self.isWrapped(text.string)
        if !isExpression, !Self.looksLikeTemplate(text.string, options) { return [] }
        guard let syntax = try? isExpression ? syntax(ofExpression: text) : syntax(of: text) else { return nil }
        return names(in: syntax)
    }

    /// The same for a template file.
    package func freeNames(inFile text: Text, options: FileOptions = FileOptions()) -> Set<String>? {
        guard let syntax = try? syntax(of: text, options) else { return nil }
        return names(in: syntax)
    }

    private func names(in syntax: Syntax) -> Set<String>? {
        var survey = Survey(syntax.source, templater: self)
        survey.visit(syntax.statements)
        if survey.isOpen { return nil }
        var names = survey.names
        for constant in survey.templateConstants {
            guard let inner = freeNames(in: Text(constant), asExpression: false) else { return nil }
            names.formUnion(inner)
        }
        return names
    }
}
