import Values

/// Walks the syntax tree of one rendering. Made for each; used by one thread.
final class Evaluator {
    let templater: Templater
    let scope: any Scope
    let limits: Limits
    /// The template that is being evaluated, for places in errors.
    var source: Source
    /// Variables that were rendered already, and whether they were secret.
    private var resolved: [String: (datum: Datum, isSecret: Bool)] = [:]
    private var chain: [String] = []
    private(set) var depth = 0
    private var iterations = 0
    var outputBytes = 0
    /// Whether a secret has been read since this was last cleared.
    var sawSecret = false
    /// How templates that this one includes are read: as itself.
    var fileOptions = FileOptions()
    /// Members of results that have no value are passed over.
    var dropsUndefined = false
    /// What had no value in the terms of a lookup that takes such; `nil` where that is an error.
    var absent: [Undefined]?
    /// Constant strings that look like templates are rendered: conditions of older playbooks have them.
    var rendersConstants = false
    /// The string literals that look like templates and were evaluated: they, and no data, may be rendered.
    var constants: Set<String> = []

    init(_ templater: Templater, _ scope: any Scope, _ source: Source) {
        self.templater = templater
        self.scope = scope
        self.source = source
        limits = templater.limits
    }

    func failure(_ message: String, _ span: Span, hint: String? = nil) -> TemplateError {
        source.failure(message, span, hint: hint)
    }

    /// The error with the place of the span, where it has none yet.
    func located(_ error: TemplateError, _ span: Span) -> TemplateError {
        if error.diagnostic.place != nil { return error }
        var copy = error
        copy.diagnostic.place = source.place(of: span)
        copy.diagnostic.length = Int(span.length)
        return copy
    }

    func limitError(_ message: String) -> TemplateError {
        var error = TemplateError(message)
        error.isLimit = true
        return error
    }

    /// One level deeper: variables in variables, macros in macros, templates in templates.
    func deeper<T>(_ body: () throws(TemplateError) -> T) throws(TemplateError) -> T {
        depth += 1
        defer { depth -= 1 }
        if depth > limits.depth {
            let names = chain.isEmpty ? "" : ": " + chain.suffix(12).joined(separator: " → ")
            throw limitError("templates are nested more than \(limits.depth) levels\(names)")
        }
        return try body()
    }

    func countIteration() throws(TemplateError) {
        iterations += 1
        if iterations > limits.iterations {
            throw limitError("more than \(limits.iterations) rounds of loops in one template")
        }
    }

    func countOutput(_ bytes: Int) throws(TemplateError) {
        let (sum, overflow) = outputBytes.addingReportingOverflow(bytes)
        outputBytes = overflow ? .max : sum
        if outputBytes > limits.outputBytes {
            throw limitError("the result is larger than \(limits.outputBytes >> 20) MiB")
        }
    }

    // MARK: Names

    func lookUp(_ name: String, _ frame: Frame, _ span: Span) throws(TemplateError) -> Datum {
        var current: Frame? = frame
        var seesScope = true
        while let found = current {
            if let datum = found.values[name] { return try lifted(datum) }
            if found.isIsolated { seesScope = false }
            current = found.parent
        }
        if seesScope {
            if let datum = try variable(name) { return datum }
            if let object = scope.object(named: name) { return .object(ScopeObject(object, name)) }
        }
        if let global = templater.global(named: name) { return global }
        return .undefined(
            Undefined("'\(name)' is undefined", name: name, source: source, span: span) { [scope, frame] in
                var names = scope.names
                var current: Frame? = frame
                while let found = current {
                    names += found.values.keys.sorted()
                    current = found.parent
                }
                return names
            })
    }

    /// A variable of the scope, rendered at its first use.
    private func variable(_ name: String) throws(TemplateError) -> Datum? {
        if let (datum, isSecret) = resolved[name] {
            if isSecret { sawSecret = true }
            return datum
        }
        guard let value = try scope.value(of: name) else { return nil }
        if let start = chain.firstIndex(of: name), case .string(let text) = value, text.isTemplate {
            let loop = (chain[start...] + [name]).joined(separator: " → ")
            var error = limitError("'\(name)' is defined by itself: \(loop)")
            error.words = "Recursive loop detected in template: \(loop)"
            throw error
        }
        chain.append(name)
        defer { chain.removeLast() }
        let before = sawSecret
        sawSecret = false
        var datum: Datum
        do throws(TemplateError) {
            datum = try lifted(.raw(value))
        } catch {
            throw value.place.map { error.noting("in variable '\(name)' (\($0))") } ?? error
        }
        if case .undefined(let undefined) = datum, let sealed = undefined.sealed, let place = value.place {
            let error = undefined.error.noting("in variable '\(name)' (\(place))")
            datum = .undefined(Undefined(error, sealed: sealed))
        }
        resolved[name] = (datum, sawSecret)
        sawSecret = sawSecret || before
        return datum
    }

    /// What is behind `raw`: a template in it is rendered, a container opened one level.
    func lifted(_ datum: Datum) throws(TemplateError) -> Datum {
        guard case .raw(let value) = datum else { return datum }
        switch value {
        case .null: return .null
        case .bool(let bool): return .bool(bool)
        case .int(let int): return .int(int)
        case .big(let big): return .big(big)
        case .double(let double): return .double(double)
        case .string(let text):
            if text.isSecret { sawSecret = true }
            if let kind = text.moment, let date = DateTime(text.string, kind) { return .object(date) }
            return text.isTemplate ? try renderNested(text) : .string(text)
        case .list(let list): return .list(ListBox(list.map { .raw($0) }))
        case .dict(let dict): return .dict(DictBox(dict))
        }
    }

    /// Renders a variable's template. What fails becomes undefined with that error, thrown when it is needed.
    private func renderNested(_ text: Text) throws(TemplateError) -> Datum {
        if text.isSealed {
            sawSecret = true
            do throws(TemplateError) {
                return .string(try templater.opened(text))
            } catch { return .undefined(Undefined(error, sealed: text)) }
        }
        guard Templater.looksLikeTemplate(text.string, templater.options) else { return .string(text) }
        let outerSource = source
        let outerConstants = rendersConstants
        let outerSecret = sawSecret
        sawSecret = text.isSecret
        rendersConstants = false
        defer {
            source = outerSource
            rendersConstants = outerConstants
        }
        do throws(TemplateError) {
            let result = try deeper { () throws(TemplateError) in try render(text) }
            let secret = sawSecret
            sawSecret = outerSecret || (secret && !Self.isContainer(result))
            return secret ? try finished(result, secret: true) : result
        } catch {
            sawSecret = sawSecret || outerSecret
            if error.isLimit { throw error }
            return .undefined(Undefined(error))
        }
    }

    private static func isContainer(_ datum: Datum) -> Bool {
        switch datum {
        case .list, .tuple, .dict: true
        default: false
        }
    }

    private func finished(_ datum: Datum, secret: Bool) throws(TemplateError) -> Datum {
        switch datum {
        case .string(let text): return .string(text.secret)
        case .list, .tuple, .dict: return try lifted(.raw(try value(of: datum).mapText(\.secret)))
        default: return datum
        }
    }

    /// Evaluates a template to its native result.
    func render(_ text: Text) throws(TemplateError) -> Datum {
        let syntax = try templater.syntax(of: text)
        source = syntax.source
        if let expression = syntax.onlyExpression {
            return Self.restoringNewlines(try evaluate(expression, Frame(nil, isTop: true)), text.string)
        }
        let output = Output()
        try run(Context(syntax), Frame(nil, isTop: true), output)
        return Self.restoringNewlines(try output.concatenated(self), text.string)
    }

    /// Ansible gives a text result the newlines at the end that the template had.
    private static func restoringNewlines(_ datum: Datum, _ template: String) -> Datum {
        guard case .string(let text) = datum, template.utf8.last == UInt8(ascii: "\n") else { return datum }
        func count(_ string: String) -> Int { string.utf8.reversed().prefix { $0 == UInt8(ascii: "\n") }.count }
        let missing = count(template) - count(text.string)
        if missing <= 0 { return datum }
        return .string(Text(text.string + String(repeating: "\n", count: missing), mark: text.mark))
    }

    // MARK: Results

    /// The value as variables keep it: tuples are lists, templates inside are rendered, `omit` drops out.
    func value(of datum: Datum) throws(TemplateError) -> Value {
        switch datum {
        case .null: return .null
        case .bool(let bool): return .bool(bool)
        case .int(let int): return .int(int)
        case .big(let big): return .integer(big)
        case .double(let double): return .double(double)
        case .string(let text): return .string(text.untrusted)
        case .list(let box): return .list(try values(box.items))
        case .tuple(let items): return .list(try values(items))
        case .dict(let box):
            var result = Dict(minimumCapacity: box.items.count)
            for (key, item) in box.items {
                guard let value = try kept(item) else { continue }
                if !Templater.isOmit(value) { result[key] = value }
            }
            return .dict(result)
        case .undefined(let undefined):
            guard let count = absent?.count else { throw undefined.error }
            absent?.append(undefined)
            return AbsentValue(index: count, message: undefined.error.told).value
        case .object(let object):
            guard let value = try object.value(self) else {
                throw TemplateError("type '\(object.typeName)' cannot be kept in a variable")
            }
            return value
        case .raw(let value): return try self.value(ofRaw: value)
        }
    }

    /// What tells it from others in a set; blanks are all the same.
    func identity(of datum: Datum) throws(TemplateError) -> Value {
        if case .undefined(let undefined) = datum, undefined.isBlank { return .string("\0blank") }
        return try value(of: datum)
    }

    /// A member's value; `nil` where it has none and that is passed over.
    private func kept(_ datum: Datum) throws(TemplateError) -> Value? {
        do throws(TemplateError) { return try value(of: datum) } catch {
            if dropsUndefined, error.isUndefined { return nil }
            throw error
        }
    }

    private func values(_ items: [Datum]) throws(TemplateError) -> [Value] {
        var result: [Value] = []
        result.reserveCapacity(items.count)
        for item in items {
            guard let value = try kept(item) else { continue }
            if !Templater.isOmit(value) { result.append(value) }
        }
        return result
    }

    private func value(ofRaw value: Value) throws(TemplateError) -> Value {
        switch value {
        case .string(let text):
            guard text.isTemplate else { return value }
            let before = sawSecret
            let rendered = try self.value(of: try lifted(.raw(value)))
            sawSecret = before
            return rendered
        case .list(let list): return .list(try values(list.map { .raw($0) }))
        case .dict(let dict): return try self.value(of: .dict(DictBox(dict)))
        default: return value
        }
    }
}

/// What a template printed: pieces that are joined at the end, since a single one keeps its type.
final class Output {
    var pieces: [Datum] = []

    func add(_ datum: Datum, _ evaluator: Evaluator) throws(TemplateError) {
        if case .null = datum { return }
        switch datum {
        case .string(let text):
            try evaluator.countOutput(text.string.utf8.count)
            pieces.append(datum)
        // What is changed later was printed as it was.
        case .list(let box): pieces.append(.list(box.items))
        case .dict(let box): pieces.append(.dict(DictBox(box.items)))
        default: pieces.append(datum)
        }
    }

    /// One piece as it is, several as text, none as null.
    func concatenated(_ evaluator: Evaluator) throws(TemplateError) -> Datum {
        guard pieces.count != 1 else { return pieces[0] }
        if pieces.isEmpty { return .null }
        return .string(try text(evaluator))
    }

    func text(_ evaluator: Evaluator) throws(TemplateError) -> String {
        var result = ""
        for piece in pieces {
            switch piece {
            case .string(let text): result += text.string
            case .list, .tuple, .dict, .raw:
                let text = try evaluator.value(of: piece).pythonText
                try evaluator.countOutput(text.utf8.count)
                result += text
            default:
                let text = try evaluator.text(piece)
                try evaluator.countOutput(text.utf8.count)
                result += text
            }
        }
        return result
    }
}
