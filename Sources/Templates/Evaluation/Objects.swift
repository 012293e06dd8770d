import Values

/// `loop` inside a `for`.
final class LoopObject: RuntimeObject {
    let typeName = "LoopContext"
    private let items: [Datum]
    private let depth: Int
    private var lastChanged: [Datum]?
    var index = 0
    var recursion: ((Datum) throws(TemplateError) -> Datum)?

    init(_ items: [Datum], depth: Int) {
        self.items = items
        self.depth = depth
    }

    var isCallable: Bool { recursion != nil }

    func call(_ call: Call) throws(TemplateError) -> Datum {
        guard let recursion else {
            throw TemplateError("the loop must have the 'recursive' marker to be called recursively")
        }
        guard call.positional.count == 1 else { throw TemplateError("'loop' takes one argument") }
        return try recursion(call.positional[0])
    }

    func attribute(_ name: String, _ evaluator: Evaluator) throws(TemplateError) -> Datum? {
        switch name {
        case "index": return .int(index + 1)
        case "index0": return .int(index)
        case "revindex": return .int(items.count - index)
        case "revindex0": return .int(items.count - index - 1)
        case "first": return .bool(index == 0)
        case "last": return .bool(index == items.count - 1)
        case "length": return .int(items.count)
        case "depth": return .int(depth + 1)
        case "depth0": return .int(depth)
        case "previtem":
            return index > 0 ? items[index - 1] : Self.missing("there is no previous item", "loop.previtem")
        case "nextitem":
            return index + 1 < items.count ? items[index + 1] : Self.missing("there is no next item", "loop.nextitem")
        case "cycle":
            return .object(
                Function("cycle") { [self] (call) throws(TemplateError) -> Datum in
                    if call.positional.isEmpty { throw TemplateError("no items for cycling given") }
                    return call.positional[self.index % call.positional.count]
                })
        case "changed":
            return .object(
                Function("changed") { [self] (call) throws(TemplateError) -> Datum in
                    defer { self.lastChanged = call.positional }
                    guard let last = self.lastChanged else { return .bool(true) }
                    return .bool(!(try call.evaluator.areEqual(.tuple(last), .tuple(call.positional))))
                })
        default: return nil
        }
    }

    private static func missing(_ message: String, _ name: String) -> Datum {
        .undefined(Undefined(message, name: name, source: nil, span: Span(0, 1)))
    }
}

/// `namespace()`: the one thing whose attributes `set` can change from inside a loop.
final class Namespace: RuntimeObject {
    let typeName = "Namespace"
    var values: OrderedDictionary<String, Datum> = [:]
    func attribute(_ name: String, _ evaluator: Evaluator) throws(TemplateError) -> Datum? { values[name] }
    func item(_ key: Datum, _ evaluator: Evaluator) throws(TemplateError) -> Datum? { key.text.flatMap { values[$0] } }
    func text(_ evaluator: Evaluator) throws(TemplateError) -> String {
        let dict = DictBox()
        for (name, value) in values { dict[name] = value }
        return "<Namespace \(try evaluator.repr(.dict(dict)))>"
    }
}

/// An imported template.
final class Module: RuntimeObject {
    let typeName = "TemplateModule"
    let values: [String: Datum]
    private let output: Output
    init(_ values: [String: Datum], _ output: Output) {
        self.values = values
        self.output = output
    }
    func attribute(_ name: String, _ evaluator: Evaluator) throws(TemplateError) -> Datum? { values[name] }
    func text(_ evaluator: Evaluator) throws(TemplateError) -> String { try output.text(evaluator) }
    func value(_ evaluator: Evaluator) throws(TemplateError) -> Value? { .string(try output.text(evaluator)) }
}

/// `self` inside a block: the other blocks as functions.
final class BlockNames: RuntimeObject {
    let typeName = "TemplateReference"
    private let context: Context
    private let frame: Frame
    init(_ context: Context, _ frame: Frame) {
        self.context = context
        self.frame = frame
    }
    func attribute(_ name: String, _ evaluator: Evaluator) throws(TemplateError) -> Datum? {
        guard context.blocks[name] != nil else { return nil }
        return .object(
            Function(name) { [context, frame] (call) throws(TemplateError) -> Datum in
                let output = Output()
                try call.evaluator.render(
                    blockNamed: name, level: 0, frame, isScoped: false, output, context)
                return try output.concatenated(call.evaluator)
            })
    }
}

final class MacroObject: RuntimeObject {
    let typeName = "Macro"
    private let macro: Macro
    private let frame: Frame
    private let context: Context
    private let source: Source

    init(_ macro: Macro, _ frame: Frame, _ context: Context, _ source: Source) {
        self.macro = macro
        self.frame = frame
        self.context = context
        self.source = source
    }

    var isCallable: Bool { true }

    func attribute(_ name: String, _ evaluator: Evaluator) throws(TemplateError) -> Datum? {
        switch name {
        case "name": .string(macro.name)
        case "arguments": .tuple(macro.parameters.map { .string($0.name) })
        case "catch_kwargs": .bool(macro.usesKwargs)
        case "catch_varargs": .bool(macro.usesVarargs)
        case "caller": .bool(macro.usesCaller)
        default: nil
        }
    }

    func call(_ call: Call) throws(TemplateError) -> Datum {
        let evaluator = call.evaluator
        let inner = Frame(frame)
        var named = call.named
        for (index, parameter) in macro.parameters.enumerated() {
            if index < call.positional.count {
                inner.values[parameter.name] = call.positional[index]
            } else if let found = named.firstIndex(where: { $0.name == parameter.name }) {
                inner.values[parameter.name] = named.remove(at: found).value
            } else if parameter.fallback == nil {
                inner.values[parameter.name] = .undefined(
                    Undefined(
                        "parameter '\(parameter.name)' was not provided", name: parameter.name, source: source,
                        span: Span(0, 1)))
            }
        }
        let caller = named.firstIndex { $0.name == "caller" }.map { named.remove(at: $0).value }
        if macro.usesCaller, !macro.parameters.contains(where: { $0.name == "caller" }) {
            inner.values["caller"] =
                caller ?? .undefined(Undefined("no caller defined", name: "caller", source: nil, span: Span(0, 1)))
        } else if caller != nil {
            throw TemplateError("macro '\(macro.name)' was called with a call block but does not use 'caller'")
        }
        try takeRest(call, named, inner)
        let outer = evaluator.source
        evaluator.source = source
        defer { evaluator.source = outer }
        return try evaluator.deeper { () throws(TemplateError) in
            for parameter in macro.parameters where inner.values[parameter.name] == nil {
                guard let fallback = parameter.fallback else { continue }
                inner.values[parameter.name] = try evaluator.evaluate(fallback, inner)
            }
            let output = Output()
            _ = try evaluator.execute(macro.body, inner, output, context)
            return try output.concatenated(evaluator)
        }
    }

    private func takeRest(
        _ call: Call, _ named: [(name: String, value: Datum)], _ inner: Frame
    ) throws(TemplateError) {
        let rest = Array(call.positional.dropFirst(macro.parameters.count))
        if macro.usesVarargs {
            inner.values["varargs"] = .tuple(rest)
        } else if !rest.isEmpty {
            throw TemplateError("macro '\(macro.name)' takes not more than \(macro.parameters.count) argument(s)")
        }
        if macro.usesKwargs {
            let box = DictBox()
            for (name, value) in named { box[name] = value }
            inner.values["kwargs"] = .dict(box)
        } else if let first = named.first {
            throw TemplateError(
                "macro '\(macro.name)' takes no keyword argument '\(first.name)'",
                hint: suggestion(for: first.name, among: macro.parameters.map(\.name)))
        }
    }
}

/// Python's `range`: counted, not stored.
final class RangeObject: RuntimeObject {
    let typeName = "range"
    let start: Int
    let stop: Int
    let step: Int

    init(_ start: Int, _ stop: Int, _ step: Int) {
        self.start = start
        self.stop = stop
        self.step = step
    }

    var count: Int {
        // Of the ends of what 64 bits hold the difference does not fit.
        let (from, to, by) = (Int128(start), Int128(stop), Int128(step))
        let count = by > 0 ? (from < to ? (to - from - 1) / by + 1 : 0) : from > to ? (from - to - 1) / -by + 1 : 0
        return Int(clamping: count)
    }

    func contains(_ number: Int) -> Bool {
        let inside = step > 0 ? start <= number && number < stop : stop < number && number <= start
        return inside && (Int128(number) - Int128(start)) % Int128(step) == 0
    }

    func items(_ evaluator: Evaluator) throws(TemplateError) -> [Datum]? {
        if count > evaluator.limits.iterations {
            throw evaluator.limitError("a range of \(count) items is longer than \(evaluator.limits.iterations)")
        }
        return (0..<count).map { .int(start + $0 * step) }
    }

    func item(_ key: Datum, _ evaluator: Evaluator) throws(TemplateError) -> Datum? {
        guard let index = key.int else { return nil }
        let position = index < 0 ? index + count : index
        return (0..<count).contains(position) ? .int(start + position * step) : nil
    }

    func text(_ evaluator: Evaluator) throws(TemplateError) -> String {
        step == 1 ? "range(\(start), \(stop))" : "range(\(start), \(stop), \(step))"
    }
}

/// `cycler(…)`.
final class Cycler: RuntimeObject {
    let typeName = "Cycler"
    private let items: [Datum]
    private var position = 0
    init(_ items: [Datum]) { self.items = items }

    func attribute(_ name: String, _ evaluator: Evaluator) throws(TemplateError) -> Datum? {
        switch name {
        case "current": return items[position]
        case "next":
            return .object(
                Function("next") { [self] (_) throws(TemplateError) -> Datum in
                    let item = self.items[self.position]
                    self.position = (self.position + 1) % self.items.count
                    return item
                })
        case "reset":
            return .object(
                Function("reset") { [self] (_) throws(TemplateError) -> Datum in
                    self.position = 0
                    return .null
                })
        default: return nil
        }
    }
}

/// `joiner(…)`: nothing the first time, then the separator.
final class Joiner: RuntimeObject {
    let typeName = "Joiner"
    private let separator: Datum
    private var used = false
    init(_ separator: Datum) { self.separator = separator }
    var isCallable: Bool { true }
    func call(_ call: Call) throws(TemplateError) -> Datum {
        defer { used = true }
        return used ? separator : .string("")
    }
}

/// An object of the scope, such as `hostvars`.
final class ScopeObject: RuntimeObject {
    let typeName = "dict"
    private let object: any TemplateObject
    let name: String
    init(_ object: any TemplateObject, _ name: String) {
        self.object = object
        self.name = name
    }

    func item(_ key: Datum, _ evaluator: Evaluator) throws(TemplateError) -> Datum? {
        let plain = try evaluator.key(key)
        if let inner = try object.object(plain) { return .object(ScopeObject(inner, "\(name)[\(plain.pythonRepr)]")) }
        guard let value = try object.member(plain) else { return nil }
        return try evaluator.lifted(.raw(value))
    }

    func attribute(_ name: String, _ evaluator: Evaluator) throws(TemplateError) -> Datum? {
        guard DictMethods.names.contains(name) else { return nil }
        return .object(
            Function(name) { [self] (call) throws(TemplateError) -> Datum in
                if name == "get" {
                    let bound = try call.bound(["key", "default"], required: 1)
                    return try self.item(bound[0] ?? .null, call.evaluator) ?? bound[1] ?? .null
                }
                return try DictMethods.call(name, try self.contents(call.evaluator), call)
            })
    }

    func keys() throws(TemplateError) -> [Value] { try object.keys }

    func contents(_ evaluator: Evaluator) throws(TemplateError) -> DictBox {
        let box = DictBox()
        for key in try object.keys {
            if let inner = try object.object(key) {
                box.items[key] = .object(ScopeObject(inner, name))
            } else if let value = try object.member(key) {
                box.items[key] = .raw(value)
            }
        }
        return box
    }

    func items(_ evaluator: Evaluator) throws(TemplateError) -> [Datum]? {
        try object.keys.map { .raw($0.untrusted) }
    }

    func text(_ evaluator: Evaluator) throws(TemplateError) -> String {
        try evaluator.repr(.dict(try contents(evaluator)))
    }

    func value(_ evaluator: Evaluator) throws(TemplateError) -> Value? {
        try evaluator.value(of: .dict(try contents(evaluator)))
    }
}
