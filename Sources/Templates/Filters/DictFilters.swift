import Values

extension Filters {
    static func dict(_ datum: Datum, _ evaluator: Evaluator, _ what: String) throws(TemplateError) -> DictBox {
        switch datum {
        case .dict(let box): return box
        case .object(let object):
            if let scope = object as? ScopeObject { return try scope.contents(evaluator) }
        default: break
        }
        throw TemplateError("\(what) requires a dictionary, got '\(datum.typeName)' instead")
    }

    static func addDicts(_ table: inout FilterTable) {
        table.add("dict2items", parameters: ["key_name", "value_name"]) { (c) throws(TemplateError) in
            let box = try dict(c.value, c.evaluator, "dict2items")
            let keyName = try c.text(0) ?? "key"
            let valueName = try c.text(1) ?? "value"
            return .list(
                box.items.map { key, value in
                    let row = DictBox()
                    row[keyName] = Evaluator.plain(key)
                    row[valueName] = value
                    return .dict(row)
                })
        }
        table.add("items2dict", parameters: ["key_name", "value_name"]) { (c) throws(TemplateError) in
            guard c.value.isSequence else {
                throw TemplateError("items2dict requires a list, got '\(c.value.typeName)' instead")
            }
            let keyName = c[0] ?? .string("key")
            let valueName = c[1] ?? .string("value")
            let result = DictBox()
            for item in try c.items() {
                switch item {
                case .dict, .list, .tuple, .object: break
                default: throw TemplateError("items2dict requires a list of dictionaries, got '\(item.typeName)' in it")
                }
                guard let key = try c.evaluator.member(keyName, of: item),
                    let value = try c.evaluator.member(valueName, of: item)
                else {
                    throw TemplateError(
                        "items2dict requires each dictionary in the list to contain the keys "
                            + "\(try c.evaluator.repr(keyName)) and \(try c.evaluator.repr(valueName))")
                }
                result.items[try c.evaluator.key(key)] = value
            }
            return .dict(result)
        }
        table.add("community.general.dict") { (c) throws(TemplateError) in
            let result = DictBox()
            try DictMethods.update(result, from: c.value, c.evaluator)
            return .dict(result)
        }
        table.add("items") { (c) throws(TemplateError) in
            .list(try DictMethods.pairs(try dict(c.value, c.evaluator, "items"), c.evaluator))
        }
        table.add("dictsort", parameters: ["case_sensitive", "by", "reverse"]) { (c) throws(TemplateError) in
            var pairs = try DictMethods.pairs(try dict(c.value, c.evaluator, "dictsort"), c.evaluator)
            let by = try c.text(1) ?? "key"
            guard by == "key" || by == "value" else {
                throw TemplateError("you can only sort by either 'key' or 'value'")
            }
            let caseSensitive = try c.flag(0)
            try Sorting.sort(&pairs, c.evaluator, reverse: try c.flag(2)) { (pair) throws(TemplateError) in
                let key = try c.evaluator.member(.int(by == "key" ? 0 : 1), of: pair) ?? .null
                if !caseSensitive, case .string(let text) = key { return .string(text.string.lowercased()) }
                return key
            }
            return .list(pairs)
        }
        addMerges(&table)
    }

    private static func addMerges(_ table: inout FilterTable) {
        table.add("combine", isOpen: true) { (c) throws(TemplateError) in try combined(c) }
        table.add("rekey_on_member", parameters: ["key", "duplicates"], required: 1) { (c) throws(TemplateError) in
            try rekeyed(c)
        }
        table.add("subelements", parameters: ["subelements", "skip_missing"], required: 1) {
            (c) throws(TemplateError) in try subelements(c)
        }
        table.add("extract", parameters: ["container", "morekeys"], required: 1, acceptsUndefined: true) {
            (c) throws(TemplateError) in
            var keys = [c.value]
            if let more = c[1], !more.isNull {
                if case .list(let box) = more { keys += box.items } else { keys.append(more) }
            }
            var result = c[0] ?? .null
            for key in keys {
                if case .undefined = key { return key }
                result = try c.evaluator.item(key, of: result, Span(0, 1))
            }
            return result
        }
    }

    private static func combined(_ c: FilterCall) throws(TemplateError) -> Datum {
        var recursive = false
        var mode = "replace"
        for (name, value) in c.call.named {
            switch name {
            case "recursive": recursive = try c.evaluator.isTrue(value)
            case "list_merge": mode = try c.evaluator.text(value)
            default: throw TemplateError("'recursive' and 'list_merge' are the only valid keyword arguments")
            }
        }
        guard ["replace", "keep", "append", "prepend", "append_rp", "prepend_rp"].contains(mode) else {
            throw TemplateError(
                "'list_merge' is '\(mode)'", hint: "known: replace, keep, append, prepend, append_rp, prepend_rp")
        }
        let terms = try flattened([c.value] + c.call.positional, 1, true, c.evaluator)
        guard var result = terms.last else { return .dict(DictBox()) }
        for term in terms.dropLast().reversed() {
            guard let left = try? dict(term, c.evaluator, "combine"),
                let right = try? dict(result, c.evaluator, "combine")
            else {
                throw TemplateError(
                    "failed to combine variables, expected dicts but got a '\(term.typeName)' and a "
                        + "'\(result.typeName)'")
            }
            result = .dict(try merged(left, right, recursive, mode, c.evaluator))
        }
        return result
    }

    /// `right` wins.
    private static func merged(
        _ left: DictBox, _ right: DictBox, _ recursive: Bool, _ mode: String, _ evaluator: Evaluator
    ) throws(TemplateError) -> DictBox {
        if left.items.isEmpty { return DictBox(right.items) }
        if try evaluator.areEqual(.dict(left), .dict(right)) { return DictBox(right.items) }
        let result = DictBox(left.items)
        if !recursive, mode == "replace" {
            for (key, value) in right.items { result.items[key] = value }
            return result
        }
        for (key, value) in right.items {
            guard let old = result.items[key] else {
                result.items[key] = value
                continue
            }
            let before = try evaluator.lifted(old)
            let after = try evaluator.lifted(value)
            switch (before, after) {
            case (.dict(let a), .dict(let b)) where recursive:
                result.items[key] = .dict(try merged(a, b, recursive, mode, evaluator))
            case (.list(let a), .list(let b)):
                result.items[key] = .list(try mergedLists(a.items, b.items, mode, evaluator))
            default: result.items[key] = after
            }
        }
        return result
    }

    private static func mergedLists(
        _ left: [Datum], _ right: [Datum], _ mode: String, _ evaluator: Evaluator
    ) throws(TemplateError) -> [Datum] {
        func without(_ items: [Datum], _ others: [Datum]) throws(TemplateError) -> [Datum] {
            var result: [Datum] = []
            for item in items where !(try evaluator.contains(.list(others), item)) { result.append(item) }
            return result
        }
        switch mode {
        case "keep": return left
        case "append": return left + right
        case "prepend": return right + left
        case "append_rp": return try without(left, right) + right
        case "prepend_rp": return right + (try without(left, right))
        default: return right
        }
    }

    private static func rekeyed(_ c: FilterCall) throws(TemplateError) -> Datum {
        let duplicates = try c.text(1) ?? "error"
        guard duplicates == "error" || duplicates == "overwrite" else {
            throw TemplateError("duplicates parameter to rekey_on_member has unknown value '\(duplicates)'")
        }
        var items: [Datum]
        switch c.value {
        case .dict(let box):
            items = try DictMethods.pairs(box, c.evaluator).mapThrowing { (pair) throws(TemplateError) in
                try c.evaluator.member(.int(1), of: pair) ?? .null
            }
        case .list, .tuple: items = try c.items()
        default: throw TemplateError("Type is not a valid list, set, or dict")
        }
        let name = try c.text(0) ?? ""
        let result = DictBox()
        for item in items {
            guard case .dict = item else { throw TemplateError("List item is not a valid dict") }
            guard let key = try c.evaluator.member(.string(name), of: item) else {
                throw TemplateError("key '\(name)' was not found")
            }
            let plain = try c.evaluator.key(key)
            if result.items[plain] != nil, duplicates == "error" {
                throw TemplateError("key \(plain.pythonRepr) is not unique, cannot convert to dict")
            }
            result.items[plain] = item
        }
        return .dict(result)
    }

    private static func subelements(_ c: FilterCall) throws(TemplateError) -> Datum {
        let elements: [Datum]
        switch c.value {
        case .dict(let box):
            elements = try DictMethods.pairs(box, c.evaluator).mapThrowing { (pair) throws(TemplateError) in
                try c.evaluator.member(.int(1), of: pair) ?? .null
            }
        case .list: elements = try c.items()
        default: throw TemplateError("obj must be a list of dicts or a nested dict")
        }
        var path: [Datum]
        switch c[0] {
        case .list(let box): path = box.items
        case .string(let text):
            path = text.string.split(separator: ".", omittingEmptySubsequences: false).map { .string(String($0)) }
        default: throw TemplateError("subelements must be a list or a string")
        }
        let skips = try c.flag(1)
        var result: [Datum] = []
        for element in elements {
            var values = element
            for part in path {
                guard case .dict = values else {
                    throw TemplateError(
                        "the key \(try c.evaluator.text(part)) should point to a dictionary, got '\(values.typeName)'")
                }
                if let found = try c.evaluator.member(part, of: values) { values = found } else if skips {
                    values = .list([])
                    break
                } else {
                    throw TemplateError(
                        "could not find the key '\(try c.evaluator.text(part))' in an item",
                        hint: "leave such items out with skip_missing=True")
                }
            }
            guard case .list = values else {
                let name = try c.evaluator.repr(path.last ?? .null)
                throw TemplateError("the key \(name) should point to a list, got '\(values.typeName)'")
            }
            for value in try c.evaluator.items(of: values) { result.append(.tuple([element, value])) }
        }
        return .list(result)
    }
}

extension Datum {
    var isSequence: Bool {
        switch self {
        case .list, .tuple: true
        case .object(let object): object is RangeObject || object is GroupObject
        default: false
        }
    }
}
