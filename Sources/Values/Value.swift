package import OrderedCollections

/// A value of Ansible's language: what YAML and JSON hold, what templates compute, what modules take and return.
///
/// Equality and hashing are Python's: `1`, `1.0` and `true` are equal; marks on text do not count.
package enum Value: Sendable {
    case null
    case bool(Bool)
    case int(Int)
    /// A whole number beyond 64 bits, as Python has them; what fits is an `int`.
    case big(BigInt)
    case double(Double)
    case string(Text)
    case list([Value])
    case dict(Dict)
}

/// A mapping in insertion order. Keys are scalars; nearly always strings.
package typealias Dict = OrderedDictionary<Value, Value>

extension Dict {
    /// The value under a string key.
    package subscript(_ key: String) -> Value? {
        get { self[.string(Text(key))] }
        set { self[.string(Text(key))] = newValue }
    }

    /// A mapping with string keys, in the order given; a later duplicate wins.
    package init(_ pairs: some Sequence<(String, Value)>) {
        self.init()
        for (key, value) in pairs { self[key] = value }
    }

    /// The keys that are strings, in order.
    package var names: [String] { keys.compactMap(\.text) }
}

/// `second` over `first`: by key, or by `hash_behaviour=merge` with dictionaries merged all the way down.
package func combined(_ first: Dict, _ second: Dict, merging: Bool) -> Dict {
    if first.isEmpty { return second }
    var result = first
    for (key, value) in second {
        if merging, case .dict(let old)? = result[key], case .dict(let new) = value {
            result[key] = .dict(combined(old, new, merging: true))
        } else {
            result[key] = value
        }
    }
    return result
}

extension Value {
    /// A plain string: no place, not a template, not secret.
    package static func string(_ string: String) -> Value { .string(Text(string)) }

    /// The whole number, as `int` where it fits.
    package static func integer(_ big: BigInt) -> Value { big.int.map { .int($0) } ?? .big(big) }

    /// The whole number that decimal or other digits with a sign say; `nil` for more than Python reads, or no digits.
    package static func integer(digits: String, radix: Int = 10) -> Value? {
        if let int = Int(digits, radix: radix) { return .int(int) }
        guard digits.utf8.count <= 4300 else { return nil }
        return BigInt(digits: digits, radix: radix).map { .integer($0) }
    }

    package static func strings(_ strings: some Sequence<String>) -> Value { .list(strings.map { .string($0) }) }

    /// The string, if this is one.
    package var text: String? { if case .string(let text) = self { text.string } else { nil } }
    package var int: Int? { if case .int(let int) = self { int } else { nil } }
    package var bool: Bool? { if case .bool(let bool) = self { bool } else { nil } }
    package var list: [Value]? { if case .list(let list) = self { list } else { nil } }
    package var dict: Dict? { if case .dict(let dict) = self { dict } else { nil } }
    package var isNull: Bool { if case .null = self { true } else { false } }

    /// The member under a string key; `nil` where this is not a mapping or has no such key.
    package subscript(_ key: String) -> Value? { dict?[key] }

    /// Where the value was written, if it is a string that kept its place.
    package var place: Place? { if case .string(let text) = self { text.mark?.place } else { nil } }

    /// Python's name of the type, as users know it from error messages.
    package var typeName: String {
        switch self {
        case .null: "NoneType"
        case .bool: "bool"
        case .int, .big: "int"
        case .double: "float"
        case .string: "str"
        case .list: "list"
        case .dict: "dict"
        }
    }

    /// Python's truth: empty and zero are false.
    package var isTrue: Bool {
        switch self {
        case .null: false
        case .bool(let bool): bool
        case .int(let int): int != 0
        case .big: true
        case .double(let double): double != 0
        case .string(let text): !text.string.isEmpty
        case .list(let list): !list.isEmpty
        case .dict(let dict): !dict.isEmpty
        }
    }

    /// The words that Ansible takes for a boolean (`yes`, `on`, `1`, …), or `nil`.
    package var asBool: Bool? {
        switch self {
        case .bool(let bool): return bool
        case .int(0), .double(0): return false
        case .int(1), .double(1): return true
        case .string(let text):
            switch text.string.lowercased() {
            case "yes", "on", "1", "true", "t", "y", "1.0": return true
            case "no", "off", "0", "false", "f", "n", "0.0": return false
            default: return nil
            }
        default: return nil
        }
    }

    /// The value with `change` applied to every string in it, keys left alone.
    package func mapText(_ change: (Text) -> Text) -> Value {
        switch self {
        case .string(let text): .string(change(text))
        case .list(let list): .list(list.map { $0.mapText(change) })
        case .dict(let dict): .dict(dict.mapValues { $0.mapText(change) })
        default: self
        }
    }

    /// Calls `visit` on every string in the value.
    package func forEachText(_ visit: (Text) -> Void) {
        switch self {
        case .string(let text): visit(text)
        case .list(let list): for item in list { item.forEachText(visit) }
        case .dict(let dict): for item in dict.values { item.forEachText(visit) }
        default: break
        }
    }

    /// Data that was not written by the playbook's authors (results, file contents): never a template.
    package var untrusted: Value { mapText(\.untrusted) }
}

extension Value: Hashable {
    package static func == (left: Value, right: Value) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.string(let a), .string(let b)): a.string == b.string
        case (.list(let a), .list(let b)): a == b
        case (.dict(let a), .dict(let b)): a.count == b.count && a.allSatisfy { b[$0.key] == $0.value }
        case (.big(let a), .big(let b)): a == b
        case (.double(let a), .big(let b)), (.big(let b), .double(let a)): BigInt(a) == b && a == a.rounded()
        case (.double(let a), _): right.number.map { a == $0 } ?? false
        case (_, .double(let b)): left.number.map { $0 == b } ?? false
        default: if let a = left.whole, let b = right.whole { a == b } else { false }
        }
    }

    package func hash(into hasher: inout Hasher) {
        switch self {
        case .null: hasher.combine(0)
        case .string(let text): hasher.combine(text.string)
        case .list(let list): hasher.combine(list.count)
        case .dict(let dict): hasher.combine(dict.count)
        case .big(let big): hasher.combine(big.double)
        case .bool, .int: hasher.combine(whole ?? 0)
        case .double(let double):
            if let exact = Int(exactly: double) { hasher.combine(exact) } else { hasher.combine(double) }
        }
    }

    private var whole: Int? {
        switch self {
        case .bool(let bool): bool ? 1 : 0
        case .int(let int): int
        default: nil
        }
    }

    /// The number, booleans included as Python counts them.
    package var number: Double? {
        switch self {
        case .double(let double): double
        case .big(let big): big.double
        default: whole.map(Double.init)
        }
    }
}

extension Value: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral {
    package init(stringLiteral value: String) { self = .string(Text(value)) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(integerLiteral value: Int) { self = .int(value) }
}

extension Value: ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral {
    package init(arrayLiteral elements: Value...) { self = .list(elements) }
    package init(dictionaryLiteral elements: (String, Value)...) { self = .dict(Dict(elements)) }
}
