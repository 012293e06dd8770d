import Values

extension JMESPath {
    static func value(_ query: Query, _ input: Value) throws(TemplateError) -> Value {
        switch query {
        case .current: return input
        case .field(let name): return input[name] ?? .null
        case .literal(let value): return value
        case .index(let index):
            guard let list = input.list else { return .null }
            let position = index < 0 ? index + list.count : index
            return list.indices.contains(position) ? list[position] : .null
        case .slice(let start, let stop, let step):
            guard let list = input.list else { return .null }
            if step == 0 { throw TemplateError("the step of a JMESPath slice cannot be zero") }
            return .list(Evaluator.positions(list.count, start, stop, step ?? 1).map { list[$0] })
        case .chain(let left, let right):
            let inner = try value(left, input)
            return inner.isNull ? .null : try value(right, inner)
        case .pipe(let left, let right): return try value(right, try value(left, input))
        case .projection(let left, let right):
            guard let list = try value(left, input).list else { return .null }
            return try project(list, right)
        case .valueProjection(let left, let right):
            guard let dict = try value(left, input).dict else { return .null }
            return try project(Array(dict.values), right)
        case .filter(let left, let condition, let right):
            guard let list = try value(left, input).list else { return .null }
            var kept: [Value] = []
            for item in list where try isTrue(value(condition, item)) { kept.append(item) }
            return try project(kept, right)
        case .flatten(let left):
            guard let list = try value(left, input).list else { return .null }
            return .list(list.flatMap { $0.list ?? [$0] })
        case .list(let items):
            if input.isNull { return .null }
            return .list(try items.mapThrowing { (item) throws(TemplateError) in try value(item, input) })
        case .dict(let items):
            if input.isNull { return .null }
            var result = Dict()
            for (name, item) in items { result[name] = try value(item, input) }
            return .dict(result)
        default: return try operation(query, input)
        }
    }

    private static func operation(_ query: Query, _ input: Value) throws(TemplateError) -> Value {
        switch query {
        case .and(let left, let right):
            let first = try value(left, input)
            return isTrue(first) ? try value(right, input) : first
        case .or(let left, let right):
            let first = try value(left, input)
            return isTrue(first) ? first : try value(right, input)
        case .not(let inner): return .bool(!isTrue(try value(inner, input)))
        case .comparison(let sign, let left, let right):
            return compare(sign, try value(left, input), try value(right, input))
        case .function(let name, let arguments): return try function(name, arguments, input)
        default: throw TemplateError("'&' in a JMESPath query is for arguments of functions")
        }
    }

    private static func project(_ list: [Value], _ query: Query) throws(TemplateError) -> Value {
        var result: [Value] = []
        for item in list {
            let found = try value(query, item)
            if !found.isNull { result.append(found) }
        }
        return .list(result)
    }

    private static func isTrue(_ value: Value) -> Bool {
        switch value {
        case .int, .double: true
        default: value.isTrue
        }
    }

    /// JSON's equality: true is not 1.
    private static func isSame(_ left: Value, _ right: Value) -> Bool {
        (left.bool == nil) == (right.bool == nil) && left == right
    }

    private static func compare(_ sign: String, _ left: Value, _ right: Value) -> Value {
        if sign == "==" { return .bool(isSame(left, right)) }
        if sign == "!=" { return .bool(!isSame(left, right)) }
        let order: Int
        if let a = left.text, let b = right.text {
            order = a == b ? 0 : Value.precedes(a, b) ? -1 : 1
        } else if left.bool == nil, right.bool == nil, let a = left.number, let b = right.number {
            order = a == b ? 0 : a < b ? -1 : 1
        } else {
            return .null
        }
        switch sign {
        case "<": return .bool(order < 0)
        case "<=": return .bool(order <= 0)
        case ">": return .bool(order > 0)
        default: return .bool(order >= 0)
        }
    }

    // MARK: Functions

    private static let names = [
        "abs", "avg", "ceil", "contains", "ends_with", "floor", "join", "keys", "length", "map", "max", "max_by",
        "merge", "min", "min_by", "not_null", "reverse", "sort", "sort_by", "starts_with", "sum", "to_array",
        "to_number", "to_string", "type", "values",
    ]

    private static func function(_ name: String, _ queries: [Query], _ input: Value) throws(TemplateError) -> Value {
        var arguments: [Value] = []
        var reference: Query?
        for query in queries {
            if case .reference(let inner) = query {
                reference = inner
            } else {
                arguments.append(try value(query, input))
            }
        }
        func wrong() -> TemplateError {
            TemplateError(
                "JMESPath function '\(name)' cannot take (\(arguments.map(\.typeName).joined(separator: ", ")))")
        }
        guard names.contains(name) else {
            throw TemplateError("JMESPath has no function '\(name)'", hint: suggestion(for: name, among: names))
        }
        if let reference {
            guard let list = arguments.first?.list else { throw wrong() }
            return try byReference(name, list, reference)
        }
        guard let first = arguments.first else { throw wrong() }
        if let answer = numeric(name, first) ?? textual(name, first, arguments.dropFirst().first)
            ?? collected(name, first, arguments)
        {
            return answer
        }
        throw wrong()
    }

    private static func numeric(_ name: String, _ first: Value) -> Value? {
        if let number = first.bool == nil ? first.number : nil {
            switch name {
            case "abs": return first.int.map { .int(abs($0)) } ?? .double(abs(number))
            case "ceil": return .int(Int(number.rounded(.up)))
            case "floor": return .int(Int(number.rounded(.down)))
            case "to_number": return first
            default: return nil
            }
        }
        if name == "to_number" {
            guard let text = first.text else { return .null }
            return Int(text).map { .int($0) } ?? Double(text).map { .double($0) } ?? .null
        }
        guard let list = first.list, name == "sum" || name == "avg", list.allSatisfy({ $0.number != nil }) else {
            return nil
        }
        let whole = list.compactMap(\.int)
        let total = list.reduce(0.0) { $0 + ($1.number ?? 0) }
        if name == "avg" { return list.isEmpty ? .null : .double(total / Double(list.count)) }
        return whole.count == list.count ? .int(whole.reduce(0, +)) : .double(total)
    }

    private static func textual(_ name: String, _ first: Value, _ second: Value?) -> Value? {
        switch name {
        case "starts_with", "ends_with":
            guard let text = first.text, let part = second?.text else { return nil }
            return .bool(name == "starts_with" ? text.hasPrefix(part) : text.hasSuffix(part))
        case "contains":
            if let text = first.text {
                return .bool(second?.text.map { StringMethods.find($0, in: text) != nil } ?? false)
            }
            guard let list = first.list, let second else { return nil }
            return .bool(list.contains { isSame($0, second) })
        case "join":
            guard let separator = first.text, let list = second?.list else { return nil }
            let texts = list.compactMap(\.text)
            return texts.count == list.count ? .string(texts.joined(separator: separator)) : nil
        case "to_string":
            return first.text != nil ? first : .string(first.json(JSONStyle(asciiOnly: true, compact: true)))
        case "type":
            let types = ["NoneType": "null", "bool": "boolean", "int": "number", "float": "number", "str": "string",
                "list": "array", "dict": "object"]
            return .string(types[first.typeName] ?? first.typeName)
        default: return nil
        }
    }

    private static func collected(_ name: String, _ first: Value, _ all: [Value]) -> Value? {
        switch name {
        case "length":
            return first.text.map { .int($0.unicodeScalars.count) } ?? first.list.map { .int($0.count) }
                ?? first.dict.map { .int($0.count) }
        case "keys": return first.dict.map { .list(Array($0.keys)) }
        case "values": return first.dict.map { .list(Array($0.values)) }
        case "to_array": return first.list != nil ? first : .list([first])
        case "not_null": return all.first { !$0.isNull } ?? .null
        case "reverse":
            if let scalars = first.text?.unicodeScalars {
                return .string(String(String.UnicodeScalarView(scalars.reversed())))
            }
            return first.list.map { .list($0.reversed()) }
        case "merge":
            var result = Dict()
            for value in all {
                guard let dict = value.dict else { return nil }
                for (key, item) in dict { result[key] = item }
            }
            return .dict(result)
        case "max", "min", "sort":
            guard let list = first.list, let sorted = sorted(list.map { ($0, $0) }) else { return nil }
            if name == "sort" { return .list(sorted) }
            return (name == "max" ? sorted.last : sorted.first) ?? .null
        default: return nil
        }
    }

    /// Stable; `nil` where the keys are not all texts or all numbers.
    private static func sorted(_ pairs: [(key: Value, item: Value)]) -> [Value]? {
        let isText = pairs.allSatisfy { $0.key.text != nil }
        guard isText || pairs.allSatisfy({ $0.key.number != nil && $0.key.bool == nil }) else { return nil }
        return pairs.enumerated().sorted {
            let (a, b) = ($0.element.key, $1.element.key)
            if a == b { return $0.offset < $1.offset }
            return isText ? Value.precedes(a.text ?? "", b.text ?? "") : (a.number ?? 0) < (b.number ?? 0)
        }.map(\.element.item)
    }

    private static func byReference(_ name: String, _ list: [Value], _ query: Query) throws(TemplateError) -> Value {
        let keys = try list.mapThrowing { (item) throws(TemplateError) in try value(query, item) }
        if name == "map" { return .list(keys) }
        guard let sorted = sorted(Array(zip(keys, list))) else {
            throw TemplateError("JMESPath function '\(name)' needs keys that are all texts or all numbers")
        }
        switch name {
        case "sort_by": return .list(sorted)
        case "max_by":
            // The first of equal ones, as max() takes it.
            guard let last = sorted.last, let index = list.lastIndex(of: last) else { return .null }
            return list[keys.firstIndex(of: keys[index]) ?? index]
        case "min_by": return sorted.first ?? .null
        default: throw TemplateError("JMESPath function '\(name)' takes no reference")
        }
    }
}
