import Values

/// The methods of Python's `list`.
enum ListMethods {
    static let names: Set<String> = [
        "append", "clear", "copy", "count", "extend", "index", "insert", "pop", "remove", "reverse", "sort",
    ]

    static func call(_ name: String, _ box: ListBox, _ call: Call) throws(TemplateError) -> Datum {
        let evaluator = call.evaluator
        switch name {
        case "append": box.items.append(try call.bound(["object"], required: 1)[0] ?? .null)
        case "extend": box.items += try evaluator.items(of: try call.bound(["iterable"], required: 1)[0] ?? .null)
        case "clear": box.items = []
        case "copy": return .list(box.items)
        case "insert":
            let bound = try call.bound(["index", "object"], required: 2)
            guard let index = bound[0]?.int else { throw TemplateError("'insert' takes an integer index") }
            let position = index < 0 ? max(0, index + box.items.count) : min(index, box.items.count)
            box.items.insert(bound[1] ?? .null, at: position)
        case "pop":
            let index = try call.bound(["index"])[0]?.int ?? -1
            let position = index < 0 ? index + box.items.count : index
            guard box.items.indices.contains(position) else {
                throw TemplateError(box.items.isEmpty ? "pop from empty list" : "pop index out of range")
            }
            return try evaluator.lifted(box.items.remove(at: position))
        case "count", "index", "remove": return try search(name, box, call)
        case "reverse": box.items.reverse()
        case "sort":
            let bound = try call.bound(["key", "reverse"])
            var items = try evaluator.items(of: .list(box))
            try Sorting.sort(&items, evaluator, reverse: try evaluator.isTrue(bound[1] ?? .null)) { $0 }
            box.items = items
        default: throw TemplateError("list method '\(name)' cannot be used in a template")
        }
        return .null
    }

    private static func search(_ name: String, _ box: ListBox, _ call: Call) throws(TemplateError) -> Datum {
        let bound = try call.bound(name == "index" ? ["value", "start", "stop"] : ["value"], required: 1)
        let wanted = bound[0] ?? .null
        let positions = Evaluator.positions(
            box.items.count, name == "index" ? bound[1]?.int : nil, name == "index" ? bound[2]?.int : nil, 1)
        var count = 0
        for position in positions where try call.evaluator.areEqual(box.items[position], wanted) {
            if name == "index" { return .int(position) }
            if name == "remove" {
                box.items.remove(at: position)
                return .null
            }
            count += 1
        }
        if name == "count" { return .int(count) }
        throw TemplateError("\(try call.evaluator.repr(wanted)) is not in list")
    }
}

/// The methods of Python's `dict`.
enum DictMethods {
    static let names: Set<String> = [
        "clear", "copy", "fromkeys", "get", "items", "keys", "pop", "popitem", "setdefault", "update", "values",
    ]

    static func call(_ name: String, _ box: DictBox, _ call: Call) throws(TemplateError) -> Datum {
        let evaluator = call.evaluator
        switch name {
        case "keys": return .list(box.items.keys.map(Evaluator.plain))
        case "values":
            var result: [Datum] = []
            for key in Array(box.items.keys) { result.append(try present(key, box, evaluator)) }
            return .list(result)
        case "items": return .list(try pairs(box, evaluator))
        case "get":
            let bound = try call.bound(["key", "default"], required: 1)
            return try evaluator.member(bound[0] ?? .null, of: .dict(box)) ?? bound[1] ?? .null
        case "pop":
            let bound = try call.bound(["key", "default"], required: 1)
            if let found = box.items.removeValue(forKey: try evaluator.key(bound[0] ?? .null)) {
                return try evaluator.lifted(found)
            }
            if let fallback = bound[1] { return fallback }
            throw TemplateError("KeyError: \(try evaluator.repr(bound[0] ?? .null))")
        case "popitem":
            if box.items.isEmpty { throw TemplateError("popitem(): dictionary is empty") }
            let (key, value) = box.items.removeLast()
            return .tuple([Evaluator.plain(key), try evaluator.lifted(value)])
        case "setdefault":
            let bound = try call.bound(["key", "default"], required: 1)
            if let found = try evaluator.member(bound[0] ?? .null, of: .dict(box)) { return found }
            box.items[try evaluator.key(bound[0] ?? .null)] = bound[1] ?? .null
            return bound[1] ?? .null
        case "update":
            if let first = call.positional.first { try update(box, from: first, evaluator) }
            for (key, value) in call.named { box[key] = value }
            return .null
        case "clear":
            box.items = [:]
            return .null
        case "copy": return .dict(DictBox(box.items))
        case "fromkeys":
            let bound = try call.bound(["iterable", "value"], required: 1)
            let result = DictBox()
            for key in try evaluator.items(of: bound[0] ?? .null) {
                result.items[try evaluator.key(key)] = bound[1] ?? .null
            }
            return .dict(result)
        default: throw TemplateError("dict method '\(name)' cannot be used in a template")
        }
    }

    static func pairs(_ box: DictBox, _ evaluator: Evaluator) throws(TemplateError) -> [Datum] {
        var result: [Datum] = []
        for key in Array(box.items.keys) {
            result.append(.tuple([Evaluator.plain(key), try present(key, box, evaluator)]))
        }
        return result
    }

    /// The member, which must have a value.
    private static func present(_ key: Value, _ box: DictBox, _ evaluator: Evaluator) throws(TemplateError) -> Datum {
        let found = try evaluator.member(Evaluator.plain(key), of: .dict(box)) ?? .null
        if case .undefined(let undefined) = found { throw undefined.error }
        return found
    }

    static func update(_ box: DictBox, from other: Datum, _ evaluator: Evaluator) throws(TemplateError) {
        switch other {
        case .dict(let source): for (key, value) in source.items { box.items[key] = value }
        case .object(let object):
            if let scope = object as? ScopeObject {
                for (key, value) in try scope.contents(evaluator).items { box.items[key] = value }
            }
        default:
            for pair in try evaluator.items(of: other) {
                let items = try evaluator.items(of: pair)
                guard items.count == 2 else {
                    throw TemplateError("dictionary update sequence element has length \(items.count); 2 is required")
                }
                box.items[try evaluator.key(items[0])] = items[1]
            }
        }
    }
}

/// What Python's numbers have as attributes.
enum NumberMethods {
    static func attribute(_ name: String, _ object: Datum) -> Datum? {
        switch (name, object) {
        case ("real", .bool), ("numerator", .bool): return object.int.map { .int($0) }
        case ("real", _): return object
        case ("imag", .double): return .double(0)
        case ("imag", _), ("numerator", .double), ("denominator", .double): return name == "imag" ? .int(0) : nil
        case ("numerator", _): return object
        case ("denominator", _): return .int(1)
        case ("bit_length", .bool), ("bit_count", .bool):
            return .object(Function(name) { (_) throws(TemplateError) in object.int.map { .int($0) } ?? .null })
        case ("bit_length", .int(let int)):
            return .object(Function(name) { (_) throws(TemplateError) in .int(BigInt(int).bitWidth) })
        case ("bit_length", .big(let big)):
            return .object(Function(name) { (_) throws(TemplateError) in .int(big.bitWidth) })
        case ("bit_count", .int(let int)):
            return .object(Function(name) { (_) throws(TemplateError) in .int(int.magnitude.nonzeroBitCount) })
        case ("is_integer", .double(let double)):
            return .object(Function(name) { (_) throws(TemplateError) in .bool(double == double.rounded(.down)) })
        default: return nil
        }
    }
}

/// A stable sort with an order that can fail.
enum Sorting {
    static func sort(
        _ items: inout [Datum], _ evaluator: Evaluator, reverse: Bool = false,
        by key: (Datum) throws(TemplateError) -> Datum
    ) throws(TemplateError) {
        var keyed: [(key: Datum, item: Datum)] = []
        for item in items { keyed.append((try key(item), item)) }
        // Reversed before and after keeps equal items in their order, as Python does.
        if reverse { keyed.reverse() }
        try merge(&keyed, evaluator)
        if reverse { keyed.reverse() }
        items = keyed.map(\.item)
    }

    private static func merge(
        _ items: inout [(key: Datum, item: Datum)], _ evaluator: Evaluator
    ) throws(TemplateError) {
        if items.count < 2 { return }
        var left = Array(items[..<(items.count / 2)])
        var right = Array(items[(items.count / 2)...])
        try merge(&left, evaluator)
        try merge(&right, evaluator)
        var i = 0
        var j = 0
        items = []
        items.reserveCapacity(left.count + right.count)
        while i < left.count, j < right.count {
            if try evaluator.isLess(right[j].key, left[i].key) {
                items.append(right[j])
                j += 1
            } else {
                items.append(left[i])
                i += 1
            }
        }
        items += left[i...]
        items += right[j...]
    }
}
