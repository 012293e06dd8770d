import Values

/// What an expression has while it is evaluated: a `Value`, or what only templates know (tuples, functions, nothing).
///
/// Lists and mappings are references, as in Python: what a template appends is seen by everyone who holds the list.
enum Datum {
    case null
    case bool(Bool)
    case int(Int)
    case big(BigInt)
    case double(Double)
    case string(Text)
    case list(ListBox)
    case tuple([Datum])
    case dict(DictBox)
    case undefined(Undefined)
    case object(any RuntimeObject)
    /// Out of a variable and not looked at yet; texts in it may be templates.
    case raw(Value)

    static func string(_ string: String) -> Datum { .string(Text(string)) }
    static func list(_ items: [Datum]) -> Datum { .list(ListBox(items)) }
    static func strings(_ items: some Sequence<String>) -> Datum { .list(ListBox(items.map { .string(Text($0)) })) }
    static func integer(_ big: BigInt) -> Datum { big.int.map { .int($0) } ?? .big(big) }

    /// The empty string where `string` is `nil` would hide the difference: null.
    static func optional(_ string: String?) -> Datum { string.map { .string(Text($0)) } ?? .null }

    var text: String? { if case .string(let text) = self { text.string } else { nil } }
    var isUndefined: Bool { if case .undefined = self { true } else { false } }
    var isNull: Bool { if case .null = self { true } else { false } }

    /// A whole number that fits, booleans included.
    var int: Int? {
        switch self {
        case .int(let int): int
        case .bool(let bool): bool ? 1 : 0
        default: nil
        }
    }

    /// The type as Python's own functions name it in errors.
    var pythonName: String { isNull ? "None" : typeName }

    var typeName: String {
        switch self {
        case .null: "NoneType"
        case .bool: "bool"
        case .int, .big: "int"
        case .double: "float"
        case .string: "str"
        case .list: "list"
        case .tuple: "tuple"
        case .dict: "dict"
        case .undefined: "undefined"
        case .object(let object): object.typeName
        case .raw(let value): value.typeName
        }
    }
}

final class ListBox {
    var items: [Datum]
    init(_ items: [Datum]) { self.items = items }
}

/// A mapping. Keys are plain values; a tuple as key is kept as a list.
final class DictBox {
    var items: OrderedDictionary<Value, Datum>
    init(_ items: OrderedDictionary<Value, Datum> = [:]) { self.items = items }

    convenience init(_ dict: Dict) {
        var items = OrderedDictionary<Value, Datum>(minimumCapacity: dict.count)
        for (key, value) in dict { items[key] = .raw(value) }
        self.init(items)
    }

    subscript(_ name: String) -> Datum? {
        get { items[.string(Text(name))] }
        set { items[.string(Text(name))] = newValue }
    }
}

/// A value that is not there. It travels through expressions until somebody needs it; then its error is thrown.
final class Undefined {
    /// The name that has no value.
    let name: String?
    let message: String
    private let source: Source?
    private let span: Span
    private let candidates: () -> [String]
    /// What went wrong when a variable was rendered: thrown instead.
    private let cause: TemplateError?
    /// An error that is no lack of a value: `default` does not catch it.
    let isError: Bool
    /// The vault that nothing opened.
    let sealed: Text?
    /// Prints as nothing and is false, as Jinja2's own: an `if` without `else`.
    let isBlank: Bool

    init(
        _ message: String, name: String?, source: Source?, span: Span, isBlank: Bool = false,
        candidates: @escaping () -> [String] = { [] }
    ) {
        self.message = message
        self.name = name
        self.source = source
        self.span = span
        self.candidates = candidates
        cause = nil
        isError = false
        sealed = nil
        self.isBlank = isBlank
    }

    init(_ cause: TemplateError, sealed: Text? = nil) {
        self.cause = cause
        self.sealed = sealed
        isBlank = false
        message = cause.message
        name = cause.undefinedName
        source = nil
        span = Span(0, 1)
        candidates = { [] }
        isError = cause.undefinedName == nil
    }

    /// Itself, but an error wherever it is used from here on.
    var needed: Undefined { isBlank ? Undefined(error) : self }

    var error: TemplateError {
        if let cause { return cause }
        let hint = name.flatMap { suggestion(for: $0, among: candidates()) }
        guard let source else { return TemplateError(message, hint: hint, undefinedName: name ?? "") }
        return source.failure(message, span, hint: hint, undefined: name ?? "")
    }
}

/// What templates use and no `Value` can be: functions, loops, namespaces, dates.
protocol RuntimeObject: AnyObject {
    var typeName: String { get }
    func text(_ evaluator: Evaluator) throws(TemplateError) -> String
    func attribute(_ name: String, _ evaluator: Evaluator) throws(TemplateError) -> Datum?
    func item(_ key: Datum, _ evaluator: Evaluator) throws(TemplateError) -> Datum?
    func call(_ call: Call) throws(TemplateError) -> Datum
    /// The items when iterated; `nil` where this cannot be.
    func items(_ evaluator: Evaluator) throws(TemplateError) -> [Datum]?
    /// Whether it can be called.
    var isCallable: Bool { get }
    /// As variables keep it; `nil` where it cannot leave a template.
    func value(_ evaluator: Evaluator) throws(TemplateError) -> Value?
}

extension RuntimeObject {
    func text(_ evaluator: Evaluator) throws(TemplateError) -> String { "<\(typeName)>" }
    func attribute(_ name: String, _ evaluator: Evaluator) throws(TemplateError) -> Datum? { nil }
    func item(_ key: Datum, _ evaluator: Evaluator) throws(TemplateError) -> Datum? { nil }
    func call(_ call: Call) throws(TemplateError) -> Datum {
        throw TemplateError("'\(typeName)' object is not callable")
    }
    func items(_ evaluator: Evaluator) throws(TemplateError) -> [Datum]? { nil }
    var isCallable: Bool { false }
    func value(_ evaluator: Evaluator) throws(TemplateError) -> Value? { nil }
}

/// The arguments of one call, evaluated.
struct Call {
    let evaluator: Evaluator
    let name: String
    var positional: [Datum] = []
    var named: [(name: String, value: Datum)] = []

    var firstUndefined: Undefined? {
        for datum in positional { if case .undefined(let undefined) = datum { return undefined } }
        for (_, datum) in named { if case .undefined(let undefined) = datum { return undefined } }
        return nil
    }

    /// The arguments in the order of the parameters' names; `nil` for those not given.
    func bound(_ names: [String], required: Int = 0) throws(TemplateError) -> [Datum?] {
        guard positional.count <= names.count else {
            let most = names.isEmpty ? "no arguments" : "at most \(names.count) argument\(names.count == 1 ? "" : "s")"
            throw TemplateError("'\(name)' takes \(most), \(positional.count) given")
        }
        var result: [Datum?] = positional.map { $0 } + [Datum?](repeating: nil, count: names.count - positional.count)
        for (argument, value) in named {
            guard let index = names.firstIndex(of: argument) else {
                throw TemplateError(
                    "'\(name)' has no argument '\(argument)'", hint: suggestion(for: argument, among: names))
            }
            if result[index] != nil { throw TemplateError("'\(name)' got argument '\(argument)' twice") }
            result[index] = value
        }
        for index in 0..<required where result[index] == nil {
            throw TemplateError("'\(name)' lacks argument '\(names[index])'")
        }
        return result
    }
}

/// A function written in Swift: globals and methods bound to their value.
final class Function: RuntimeObject {
    let name: String
    let typeName: String
    private let body: (Call) throws(TemplateError) -> Datum
    init(_ name: String, type: String = "builtin_function_or_method",
        _ body: @escaping (Call) throws(TemplateError) -> Datum
    ) {
        self.name = name
        typeName = type
        self.body = body
    }
    var isCallable: Bool { true }
    func call(_ call: Call) throws(TemplateError) -> Datum { try body(call) }
}

/// The variables of one block of a template. A name that is not here is looked up outside.
final class Frame {
    var values: [String: Datum] = [:]
    let parent: Frame?
    /// The outermost frame of a template: what is set here can be imported and is seen by its blocks.
    let isTop: Bool
    /// An import without context: the variables outside are not seen.
    let isIsolated: Bool

    init(_ parent: Frame?, isTop: Bool = false, isIsolated: Bool = false) {
        self.parent = parent
        self.isTop = isTop
        self.isIsolated = isIsolated
    }
}
