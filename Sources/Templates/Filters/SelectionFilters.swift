import Values

/// `map`, `select`, `reject` and their kind; sets; combinations.
extension Filters {
    static func addSelections(_ table: inout FilterTable) {
        table.add("map", isOpen: true) { (c) throws(TemplateError) in .list(try mapped(c)) }
        for (name, keeps) in [("select", true), ("reject", false)] {
            table.add(name, isOpen: true) { (c) throws(TemplateError) in
                try selected(c, keeps: keeps, path: nil, c.call)
            }
        }
        for (name, keeps) in [("selectattr", true), ("rejectattr", false)] {
            table.add(name, isOpen: true) { (c) throws(TemplateError) in
                if try !c.evaluator.isTrue(c.value) { return .list([]) }
                guard let first = c.call.positional.first else {
                    throw TemplateError("missing parameter for attribute name")
                }
                var call = c.call
                call.positional.removeFirst()
                return try selected(c, keeps: keeps, path: AttributePath(first), call)
            }
        }
    }

    private static func mapped(_ c: FilterCall) throws(TemplateError) -> [Datum] {
        var call = c.call
        var result: [Datum] = []
        if try !c.evaluator.isTrue(c.value) { return [] }
        if call.positional.isEmpty, let index = call.named.firstIndex(where: { $0.name == "attribute" }) {
            let path = AttributePath(call.named.remove(at: index).value)
            // No value is no fallback.
            let given = call.named.firstIndex { $0.name == "default" }.map { call.named.remove(at: $0).value }
            let fallback = given.flatMap { $0.isNull ? nil : $0 }
            if let extra = call.named.first { throw TemplateError("'map' has no argument '\(extra.name)'") }
            for item in try c.items() { result.append(try path.value(of: item, c.evaluator, fallback: fallback)) }
            return result
        }
        guard let name = call.positional.first?.text else { throw TemplateError("'map' requires a filter argument") }
        call.positional.removeFirst()
        let inner = Call(evaluator: c.evaluator, name: name, positional: call.positional, named: call.named)
        for item in try c.items() {
            try c.evaluator.countIteration()
            result.append(try c.evaluator.filter(name, item, inner, nil))
        }
        return result
    }

    private static func selected(
        _ c: FilterCall, keeps: Bool, path: AttributePath?, _ call: Call
    ) throws(TemplateError) -> Datum {
        if try !c.evaluator.isTrue(c.value) { return .list([]) }
        var call = call
        var test: String?
        if !call.positional.isEmpty {
            guard let name = call.positional.removeFirst().text else {
                throw TemplateError("'\(c.call.name)' takes the name of a test")
            }
            test = name
        }
        let inner = Call(evaluator: c.evaluator, name: test ?? "", positional: call.positional, named: call.named)
        var result: [Datum] = []
        for item in try c.items() {
            try c.evaluator.countIteration()
            let value = try path.map { (path) throws(TemplateError) in try path.value(of: item, c.evaluator) } ?? item
            let answer = try test.map { (name) throws(TemplateError) in
                try c.evaluator.test(name, value, inner)
            } ?? value
            if try c.evaluator.isTrue(answer) == keeps { result.append(item) }
        }
        return .list(result)
    }

    // MARK: Sets

    /// Items in their order without those equal to an earlier one.
    static func unique(
        _ items: [Datum], _ evaluator: Evaluator, key: (Datum) throws(TemplateError) -> Datum = { $0 }
    ) throws(TemplateError) -> [Datum] {
        var seen: Set<Value> = []
        var result: [Datum] = []
        for item in items where seen.insert(try evaluator.identity(of: try key(item))).inserted { result.append(item) }
        return result
    }

    private static func values(_ items: [Datum], _ evaluator: Evaluator) throws(TemplateError) -> Set<Value> {
        var result: Set<Value> = []
        for item in items { result.insert(try evaluator.identity(of: item)) }
        return result
    }

    static func addSets(_ table: inout FilterTable) {
        table.add("unique", parameters: ["case_sensitive", "attribute"]) { (c) throws(TemplateError) in
            let caseSensitive = try c.flag(0)
            let path = c.path(1)
            if path != nil || c[0] != nil, !caseSensitive {
                // Ansible's own way for what cannot be hashed knows neither parameter.
                for item in try c.items() where path == nil {
                    switch item {
                    case .list, .dict:
                        throw TemplateError(
                            "'unique' with 'case_sensitive' cannot compare values of type '\(item.typeName)'",
                            words: "Jinja2's unique filter failed and we cannot fall back to Ansible's version as it "
                                + "does not support the parameters supplied.")
                    default: break
                    }
                }
            }
            return .list(
                try unique(try c.items(), c.evaluator) { (item) throws(TemplateError) in
                    let value = try path.map { (path) throws(TemplateError) in try path.value(of: item, c.evaluator) }
                    if !caseSensitive, case .string(let text) = value ?? item {
                        return .string(text.string.lowercased())
                    }
                    return value ?? item
                })
        }
        for name in ["intersect", "difference", "symmetric_difference", "union"] {
            table.add(name, parameters: ["b"], required: 1) { (c) throws(TemplateError) in
                let left = try c.items()
                let right = try c.evaluator.items(of: c[0] ?? .null)
                if name == "union" { return .list(try unique(left + right, c.evaluator)) }
                let inLeft = try values(left, c.evaluator)
                let inRight = try values(right, c.evaluator)
                var result: [Datum] = []
                for item in left where try inRight.contains(c.evaluator.identity(of: item)) == (name == "intersect") {
                    result.append(item)
                }
                if name == "symmetric_difference" {
                    for item in right where try !inLeft.contains(c.evaluator.identity(of: item)) { result.append(item) }
                }
                return .list(try unique(result, c.evaluator))
            }
        }
    }

    // MARK: Combinations

    static func addCombinations(_ table: inout FilterTable) {
        table.add("zip", isOpen: true) { (c) throws(TemplateError) in try zipped(c, fill: nil) }
        table.add("zip_longest", isOpen: true) { (c) throws(TemplateError) in
            try zipped(c, fill: c.call.named.first { $0.name == "fillvalue" }?.value ?? .null)
        }
        table.add("product", isOpen: true) { (c) throws(TemplateError) in
            var pools = [try c.items()]
            for other in c.call.positional { pools.append(try c.evaluator.items(of: other)) }
            if let times = c.call.named.first(where: { $0.name == "repeat" })?.value.int {
                pools = (0..<max(0, times)).flatMap { _ in pools }
            }
            try check(pools.reduce(1.0) { $0 * Double($1.count) }, c)
            var rows: [[Datum]] = [[]]
            for pool in pools { rows = rows.flatMap { row in pool.map { row + [$0] } } }
            return .list(rows.map { .tuple($0) })
        }
        table.add("permutations", parameters: ["r"]) { (c) throws(TemplateError) in
            let items = try c.items()
            let width = try c.int(0) ?? items.count
            if width < 0 { throw TemplateError("r must be non-negative") }
            if width > items.count { return .list([]) }
            try check((0..<width).reduce(1.0) { $0 * Double(items.count - $1) }, c)
            var rows: [[Int]] = [[]]
            for _ in 0..<width {
                rows = rows.flatMap { row in items.indices.filter { !row.contains($0) }.map { row + [$0] } }
            }
            return .list(rows.map { .tuple($0.map { items[$0] }) })
        }
        table.add("combinations", parameters: ["r"], required: 1) { (c) throws(TemplateError) in
            let items = try c.items()
            let width = try c.index(0) ?? 0
            if width < 0 { throw TemplateError("r must be non-negative") }
            if width > items.count { return .list([]) }
            try check((0..<width).reduce(1.0) { $0 * Double(items.count - $1) / Double($1 + 1) }, c)
            var rows: [[Int]] = [[]]
            for _ in 0..<width {
                rows = rows.flatMap { row in
                    items.indices.dropFirst((row.last ?? -1) + 1).map { row + [$0] }
                }
            }
            return .list(rows.map { .tuple($0.map { items[$0] }) })
        }
    }

    private static func check(_ rows: Double, _ c: FilterCall) throws(TemplateError) {
        if rows > Double(c.evaluator.limits.iterations) {
            throw c.evaluator.limitError("'\(c.call.name)' would give more than \(c.evaluator.limits.iterations) items")
        }
    }

    private static func zipped(_ c: FilterCall, fill: Datum?) throws(TemplateError) -> Datum {
        var lists = [try c.items()]
        for other in c.call.positional { lists.append(try c.evaluator.items(of: other)) }
        let counts = lists.map(\.count)
        let count = (fill == nil ? counts.min() : counts.max()) ?? 0
        return .list(
            (0..<count).map { index in .tuple(lists.map { index < $0.count ? $0[index] : fill ?? .null }) })
    }
}
