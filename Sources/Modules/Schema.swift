package import Values

/// One row per parameter: YAML name, aliases, key path (and so the type), whether it must be given, documentation.
/// Decoding, load-time checking, `gantry doc` and the reference pages come from it.
package struct Schema<Subject: Sendable>: Sendable {
    package let name: String
    /// One line: what the module is for.
    package let summary: String
    package let parameters: [Parameter<Subject>]
    package let options: SchemaOptions

    package init(
        _ name: String, _ summary: String, _ parameters: [Parameter<Subject>], options: SchemaOptions = SchemaOptions()
    ) {
        self.name = name
        self.summary = summary
        self.parameters = parameters
        self.options = options
    }
}

/// What a schema says beyond its rows.
package struct SchemaOptions: Sendable {
    /// The parameter that a free-form line goes to (`command: ls -l`).
    package var freeForm: String?
    /// Parameters of other names are kept here rather than refused (`set_fact`, `add_host`).
    package var acceptsAny: Bool
    package var mutuallyExclusive: [[String]]
    package var requiredOneOf: [[String]]
    package var requiredTogether: [[String]]
    /// How check mode is honoured: `full`, `partial`, `none`, for the documentation.
    package var checkMode: String
    /// Keys of the result with one line each.
    package var returns: [(name: String, summary: String)]
    /// YAML tasks.
    package var examples: String
    /// Longer notes.
    package var notes: [String]
    /// The module only reads: no barrier, in any mode.
    package var onlyReads: Bool
    /// What ansible-core says of a missing parameter where an action plugin of its own says it.
    package var missing: String?
    /// The same of `requiredOneOf`.
    package var noneGiven: String?
    /// Parameters whose values are not told again with the result.
    package var untold: Set<String>
    /// Parameters of relatives that the module does not have, and what ansible-core's action plugin says to them.
    package var refused: [String: String] = [:]
    /// Which further parameters there are hangs on the node: one that is not known is refused there.
    package var hangsOnNode = false

    package init(
        freeForm: String? = nil, acceptsAny: Bool = false, mutuallyExclusive: [[String]] = [],
        requiredOneOf: [[String]] = [], requiredTogether: [[String]] = [], checkMode: String = "full",
        returns: [(name: String, summary: String)] = [], examples: String = "", notes: [String] = [],
        onlyReads: Bool = false, missing: String? = nil, noneGiven: String? = nil, untold: Set<String> = [],
        hangsOnNode: Bool = false
    ) {
        self.hangsOnNode = hangsOnNode
        self.freeForm = freeForm
        self.acceptsAny = acceptsAny
        self.mutuallyExclusive = mutuallyExclusive
        self.requiredOneOf = requiredOneOf
        self.requiredTogether = requiredTogether
        self.checkMode = checkMode
        self.returns = returns
        self.examples = examples
        self.notes = notes
        self.onlyReads = onlyReads
        self.missing = missing
        self.noneGiven = noneGiven
        self.untold = untold
    }
}

/// A parameter of a module.
package struct Parameter<Subject: Sendable>: Sendable {
    package let name: String
    package let aliases: [String]
    package let required: Bool
    package let summary: String
    /// `str`, `bool`, `path`, `list of str`, …
    package let type: String
    package let choices: [String]
    package let isSecret: Bool
    /// The default, as documentation shows it.
    package let defaultText: String?
    let decode: @Sendable (Value, inout Subject) throws(ParameterError) -> Void

    /// - Parameter path: where the decoded value goes; its type says what is accepted.
    package init<T: ParameterValue>(
        _ name: String, _ path: any WritableKeyPath<Subject, T> & Sendable, aliases: [String] = [],
        required: Bool = false,
        default defaultText: String? = nil, secret: Bool = false, _ summary: String
    ) {
        self.name = name
        self.aliases = aliases
        self.required = required
        self.summary = summary
        self.defaultText = defaultText
        type = T.typeName
        choices = T.choices
        isSecret = secret || T.isSecret
        decode = { (value: Value, subject: inout Subject) throws(ParameterError) in
            subject[keyPath: path] = try T(parameter: value)
        }
    }
}

/// Why a value cannot be a parameter: what was expected.
package struct ParameterError: Error, Sendable, Hashable {
    /// `a whole number`, `one of: present, absent`
    package let expected: String
    package init(expected: String) { self.expected = expected }
}

/// A type that parameters can have; conversions are as lenient as Ansible's.
package protocol ParameterValue: Sendable {
    init(parameter: Value) throws(ParameterError)
    static var typeName: String { get }
    static var choices: [String] { get }
    static var isSecret: Bool { get }
}

extension ParameterValue {
    package static var choices: [String] { [] }
    package static var isSecret: Bool { false }
}

extension Optional: ParameterValue where Wrapped: ParameterValue {
    /// `null` leaves the parameter unset.
    package init(parameter: Value) throws(ParameterError) {
        self = parameter.isNull ? nil : .some(try Wrapped(parameter: parameter))
    }
    package static var typeName: String { Wrapped.typeName }
    package static var choices: [String] { Wrapped.choices }
    package static var isSecret: Bool { Wrapped.isSecret }
}

extension String: ParameterValue {
    package init(parameter: Value) throws(ParameterError) {
        switch parameter {
        case .null: self = ""
        case .list, .dict: self = parameter.json()
        default: self = parameter.pythonText
        }
    }
    package static var typeName: String { "str" }
}

extension Secret: ParameterValue {
    package init(parameter: Value) throws(ParameterError) { self.init(try String(parameter: parameter)) }
    package static var typeName: String { "str" }
    package static var isSecret: Bool { true }
}

extension Bool: ParameterValue {
    package init(parameter: Value) throws(ParameterError) {
        guard let bool = parameter.asBool else { throw ParameterError(expected: "a boolean (yes, no, true, false)") }
        self = bool
    }
    package static var typeName: String { "bool" }
}

extension Int: ParameterValue {
    package init(parameter: Value) throws(ParameterError) {
        switch parameter {
        case .int(let int): self = int
        case .bool(let bool): self = bool ? 1 : 0
        case .double(let double) where Int(exactly: double) != nil: self = Int(double)
        case .string(let text):
            guard let int = Int(text.string.filter { !$0.isWhitespace && $0 != "_" }) else { fallthrough }
            self = int
        default: throw ParameterError(expected: "a whole number")
        }
    }
    package static var typeName: String { "int" }
}

extension Double: ParameterValue {
    package init(parameter: Value) throws(ParameterError) {
        if let number = parameter.number ?? parameter.text.flatMap({ Double($0) }) {
            self = number
        } else {
            throw ParameterError(expected: "a number")
        }
    }
    package static var typeName: String { "float" }
}

extension Value: ParameterValue {
    package init(parameter: Value) throws(ParameterError) { self = parameter }
    package static var typeName: String { "any" }
}

/// Inside the extension below, `Value` is the dictionary's own parameter.
package typealias Item = Value

extension OrderedDictionary: ParameterValue where Key == Item, Value == Item {
    package init(parameter: Value) throws(ParameterError) {
        switch parameter {
        case .dict(let dict): self = dict
        case .string(let text):
            guard let value = try? Item(json: text.string), let dict = value.dict else { fallthrough }
            self = dict
        default: throw ParameterError(expected: "a mapping")
        }
    }
    package static var typeName: String { "dict" }
}

extension Array: ParameterValue where Element: ParameterValue {
    /// A list; a string is split at commas, any other scalar becomes a list of one, as in Ansible.
    package init(parameter: Value) throws(ParameterError) {
        self = []
        switch parameter {
        case .list(let list): for item in list { append(try Element(parameter: item)) }
        case .string(let text):
            for part in text.string.split(separator: ",", omittingEmptySubsequences: false) {
                append(try Element(parameter: .string(Text(part.trimmed, mark: text.mark))))
            }
        case .dict: throw ParameterError(expected: "a list")
        default: append(try Element(parameter: parameter))
        }
    }
    package static var typeName: String { "list of \(Element.typeName)" }
    package static var choices: [String] { Element.choices }
    package static var isSecret: Bool { Element.isSecret }
}

/// A parameter with a fixed set of words: declare `enum State: String, CaseIterable, Choice`.
package protocol Choice: ParameterValue, RawRepresentable, CaseIterable where RawValue == String {}

extension Choice {
    package init(parameter: Value) throws(ParameterError) {
        let word: String
        switch parameter {
        // YAML reads an unquoted `yes`, `no`, `on`, `off` as a boolean before a choice is looked for.
        case .bool(let bool):
            let words = bool ? ["yes", "on", "true"] : ["no", "off", "false"]
            word = Self.allCases.map(\.rawValue).first { words.contains($0) } ?? parameter.pythonText
        default: word = parameter.pythonText
        }
        guard let choice = Self(rawValue: word) else {
            throw ParameterError(expected: "one of: \(Self.choices.joined(separator: ", "))")
        }
        self = choice
    }
    package static var typeName: String { "str" }
    package static var choices: [String] { allCases.map(\.rawValue) }
}
