package import Values

/// `lookup`, `query` and `q`.
final class LookupFunction: RuntimeObject {
    let typeName = "function"
    let name: String
    private let wantsList: Bool
    init(_ name: String, wantsList: Bool) {
        self.name = name
        self.wantsList = wantsList
    }
    var isCallable: Bool { true }

    func call(_ call: Call) throws(TemplateError) -> Datum {
        let evaluator = call.evaluator
        guard let plugin = call.positional.first?.text else {
            if case .undefined(let undefined) = call.positional.first { return .undefined(undefined) }
            throw TemplateError("'\(name)' needs the name of a lookup plugin")
        }
        let takesAbsent = evaluator.scope.acceptsUndefined(lookup: plugin)
        let outer = evaluator.absent
        evaluator.absent = takesAbsent ? [] : nil
        defer { evaluator.absent = outer }
        var terms: [Value] = []
        for datum in call.positional.dropFirst() {
            let term = try evaluator.lifted(try evaluator.renderedConstant(datum))
            if !takesAbsent, case .undefined(let undefined) = term { return .undefined(undefined) }
            terms.append(try evaluator.value(of: term))
        }
        var options = Dict()
        for (key, datum) in call.named {
            if !takesAbsent, case .undefined(let undefined) = datum { return .undefined(undefined) }
            options[key] = try evaluator.value(of: datum)
        }
        let wantList = options.removeValue(forKey: "wantlist")?.isTrue ?? false
        let errors = options.removeValue(forKey: "errors")?.text ?? "strict"
        let isList = wantsList || wantList
        let results: [Value]
        do throws(TemplateError) {
            results = try evaluator.scope.lookup(plugin, terms, options)
        } catch {
            if error.isLimit || errors == "strict" || error.isUndefined {
                throw error.worded {
                    $0.hasPrefix("The lookup plugin '\(plugin)' was not found")
                        ? $0 : "The lookup plugin '\(plugin)' failed: \($0)"
                }
            }
            guard ["warn", "ignore"].contains(errors) else {
                throw TemplateError(
                    "The lookup plugin '\(plugin)' failed: 'errors' is '\(errors)'",
                    hint: "expected strict, warn or ignore")
            }
            let problem = "An error occurred while running the lookup plugin '\(plugin)': \(error.diagnostic.message)"
            if errors == "warn" { evaluator.templater.warn?(problem, error.diagnostic.place) }
            return isList ? .list([]) : .null
        }
        for result in results { result.forEachText { if $0.isSecret { evaluator.sawSecret = true } } }
        if isList { return .list(results.map(evaluator.restored)) }
        if results.count == 1 { return evaluator.restored(results[0]) }
        let texts = results.compactMap(\.text)
        return texts.count == results.count && !texts.isEmpty
            ? .string(texts.joined(separator: ",")) : .list(results.map(evaluator.restored))
    }
}

extension Evaluator {
    /// Older playbooks write templates into the literals they give to lookups: `lookup('env', '{{ name }}')`.
    func renderedConstant(_ datum: Datum) throws(TemplateError) -> Datum {
        if constants.isEmpty { return datum }
        switch datum {
        case .list(let box):
            return .list(try box.items.mapThrowing { (item) throws(TemplateError) in try renderedConstant(item) })
        case .dict(let box):
            let rendered = DictBox()
            for (key, item) in box.items { rendered.items[key] = try renderedConstant(item) }
            return .dict(rendered)
        default: break
        }
        guard case .string(let text) = datum, text.mark == nil,
            Templater.looksLikeTemplate(text.string, templater.options), constants.contains(text.string)
        else { return datum }
        return try lifted(.raw(.string(Text(text.string, mark: Mark(isTemplate: true)))))
    }
}

/// What has no value, on its way through a lookup that may be given such: a text that nothing else has.
package struct AbsentValue {
    /// Which of those that the lookup was given; `nil` for one that the lookup made.
    package let index: Int?
    package let message: String
    private static let beginning = "\u{0}undefined\u{0}"

    package init(index: Int?, message: String) {
        self.index = index
        self.message = message
    }

    /// `nil` for any other value.
    package init?(_ value: Value) {
        guard let text = value.text, text.utf8.starts(with: Self.beginning.utf8) else { return nil }
        let parts = text.split(separator: "\u{0}", maxSplits: 2, omittingEmptySubsequences: true)
        guard parts.count > 1 else { return nil }
        index = Int(parts[1])
        message = parts.count > 2 ? String(parts[2]) : ""
    }

    package var value: Value { .string("\(Self.beginning)\(index.map(String.init) ?? "-")\u{0}\(message)") }

    /// What `undef()` without a hint says.
    package static let unset = "Mandatory variable has not been overridden"
}

extension Evaluator {
    /// A lookup's result, with what had no value again without one.
    func restored(_ value: Value) -> Datum {
        guard absent != nil else { return .raw(value) }
        switch value {
        case .list(let list): return .list(list.map(restored))
        case .dict(let dict):
            let box = DictBox()
            for (key, item) in dict { box.items[key] = restored(item) }
            return .dict(box)
        default:
            guard let found = AbsentValue(value) else { return .raw(value) }
            if let index = found.index, let given = absent, given.indices.contains(index) {
                return .undefined(given[index])
            }
            return .undefined(Undefined(found.message, name: nil, source: nil, span: Span(0, 1)))
        }
    }
}
