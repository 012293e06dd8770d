import Values

/// What Jinja2's filters take as `attribute`: a dotted path, or a number.
struct AttributePath {
    private let parts: [Datum]

    init(_ datum: Datum) {
        if case .string(let text) = datum {
            parts = text.string.split(separator: ".", omittingEmptySubsequences: false).map {
                !$0.isEmpty && $0.allSatisfy(\.isNumber) ? .int(Int($0) ?? 0) : .string(String($0))
            }
        } else {
            parts = [datum]
        }
    }

    func value(of item: Datum, _ evaluator: Evaluator, fallback: Datum? = nil) throws(TemplateError) -> Datum {
        var result = item
        for part in parts {
            result = try evaluator.item(part, of: result, Span(0, 1))
            if let fallback, result.isUndefined { result = fallback }
        }
        return result
    }

    /// The value, which has to be there.
    func needed(of item: Datum, _ evaluator: Evaluator) throws(TemplateError) -> Datum {
        let found = try value(of: item, evaluator)
        if case .undefined(let undefined) = found { throw undefined.error }
        return found
    }
}

extension FilterCall {
    /// An argument that is a path of attributes; `None` is none.
    func path(_ index: Int) -> AttributePath? { self[index].flatMap { $0.isNull ? nil : AttributePath($0) } }
}

extension Filters {
    /// Strings that differ in case only are equal for most of Jinja2's filters.
    private static func folded(_ datum: Datum, _ caseSensitive: Bool) -> Datum {
        if !caseSensitive, case .string(let text) = datum { return .string(text.string.lowercased()) }
        return datum
    }

    static func addLists(_ table: inout FilterTable) {
        table.add("list") { (c) throws(TemplateError) in .list(try c.items()) }
        table.add("length", "count") { (c) throws(TemplateError) in
            if let range = c.value.runtimeObject as? RangeObject { return .int(range.count) }
            switch c.value {
            case .string(let text): return .int(text.string.unicodeScalars.count)
            case .list(let box): return .int(box.items.count)
            case .tuple(let items): return .int(items.count)
            case .dict(let box): return .int(box.items.count)
            case .object, .undefined: return .int(try c.items().count)
            default: throw TemplateError("object of type '\(c.value.typeName)' has no len()")
            }
        }
        table.add("first") { (c) throws(TemplateError) in
            try c.items().first ?? missing("no first item, sequence was empty")
        }
        table.add("last") { (c) throws(TemplateError) in
            try c.items().last ?? missing("no last item, sequence was empty")
        }
        table.add("reverse") { (c) throws(TemplateError) in
            if case .string(let text) = c.value {
                return .string(String(String.UnicodeScalarView(text.string.unicodeScalars.reversed())))
            }
            return .list(try c.items().reversed())
        }
        table.add("join", parameters: ["d", "attribute"]) { (c) throws(TemplateError) in
            var parts: [String] = []
            for item in try c.items() {
                let datum = try c[1].map { (path) throws(TemplateError) in
                    try AttributePath(path).value(of: item, c.evaluator)
                }
                parts.append(try c.evaluator.text(datum ?? item))
            }
            let result = parts.joined(separator: try c[0].map(c.evaluator.text) ?? "")
            try c.evaluator.countOutput(result.utf8.count)
            return .string(result)
        }
        table.add("sort", parameters: ["reverse", "case_sensitive", "attribute"]) { (c) throws(TemplateError) in
            var items = try c.items()
            let isReversed = try c.index(0) ?? 0 != 0
            let caseSensitive = try c.flag(1)
            let paths = try paths(c[2])
            try Sorting.sort(&items, c.evaluator, reverse: isReversed) { (item) throws(TemplateError) in
                if paths.isEmpty { return folded(item, caseSensitive) }
                return .list(
                    try paths.mapThrowing { (path) throws(TemplateError) in
                        folded(try path.needed(of: item, c.evaluator), caseSensitive)
                    })
            }
            return .list(items)
        }
        addExtremes(&table)
        addShapes(&table)
    }

    static func missing(_ message: String) -> Datum {
        .undefined(Undefined(message, name: nil, source: nil, span: Span(0, 1)))
    }

    private static func paths(_ datum: Datum?) throws(TemplateError) -> [AttributePath] {
        guard let datum, !datum.isNull else { return [] }
        guard case .string(let text) = datum else { return [AttributePath(datum)] }
        return text.string.split(separator: ",", omittingEmptySubsequences: false)
            .map { AttributePath(.string(String($0))) }
    }

    private static func addExtremes(_ table: inout FilterTable) {
        for (name, wantsLess) in [("min", true), ("max", false)] {
            table.add(name, parameters: ["case_sensitive", "attribute"]) { (c) throws(TemplateError) in
                let path = c.path(1)
                let caseSensitive = try c.flag(0)
                var best: (item: Datum, key: Datum)?
                for item in try c.items() {
                    let value = try path.map { (path) throws(TemplateError) in try path.needed(of: item, c.evaluator) }
                    let key = folded(value ?? item, caseSensitive)
                    guard let current = best else {
                        best = (item, key)
                        continue
                    }
                    let better = wantsLess
                        ? try c.evaluator.isLess(key, current.key)
                        : try c.evaluator.isLess(current.key, key, sign: .greater)
                    if better { best = (item, key) }
                }
                return best?.item ?? missing("no aggregated item, sequence was empty")
            }
        }
        table.add("sum", parameters: ["attribute", "start"]) { (c) throws(TemplateError) in
            var total = c[1] ?? .int(0)
            for item in try c.items() {
                var value = item
                if let path = c[0], !path.isNull { value = try AttributePath(path).value(of: item, c.evaluator) }
                total = try c.evaluator.binary(.add, total, value)
            }
            return total
        }
    }

    private static func addShapes(_ table: inout FilterTable) {
        table.add("batch", parameters: ["linecount", "fill_with"], required: 1) { (c) throws(TemplateError) in
            // A width that no row has puts everything into one.
            var width = c[0]?.int
            if case .double(let double)? = c[0] { width = Int(exactly: double) }
            var rows: [[Datum]] = []
            var row: [Datum] = []
            for item in try c.items() {
                if row.count == width {
                    rows.append(row)
                    row = []
                }
                row.append(item)
            }
            if !row.isEmpty { rows.append(row) }
            if let fill = c[1], !fill.isNull, let last = rows.last, let width = try c.size(0), last.count < width {
                try c.evaluator.countOutput(width)
                rows[rows.count - 1] += Array(repeating: fill, count: width - last.count)
            }
            return .list(rows.map { .list($0) })
        }
        table.add("slice", parameters: ["slices", "fill_with"], required: 1) { (c) throws(TemplateError) in
            let items = try c.items()
            guard let count = try c.index(0), count > 0 else { throw TemplateError("'slice' takes a positive number") }
            try c.evaluator.countOutput(count)
            let per = items.count / count
            let extra = items.count % count
            var rows: [Datum] = []
            var at = 0
            for index in 0..<count {
                let width = per + (index < extra ? 1 : 0)
                var row = Array(items[at..<(at + width)])
                at += width
                if let fill = c[1], !fill.isNull, index >= extra { row.append(fill) }
                rows.append(.list(row))
            }
            return .list(rows)
        }
        table.add("groupby", parameters: ["attribute", "default", "case_sensitive"], required: 1) {
            (c) throws(TemplateError) in try .list(groups(c))
        }
        table.add("flatten", parameters: ["levels", "skip_nulls"]) { (c) throws(TemplateError) in
            .list(try flattened(try c.items(), try c.size(0), try c.flag(1, true), c.evaluator))
        }
    }

    private static func groups(_ c: FilterCall) throws(TemplateError) -> [Datum] {
        let path = AttributePath(c[0] ?? .null)
        let caseSensitive = try c.flag(2)
        var keyed: [Datum] = []
        for item in try c.items() {
            let value = try path.value(of: item, c.evaluator, fallback: c[1])
            keyed.append(.tuple([folded(value, caseSensitive), value, item]))
        }
        try Sorting.sort(&keyed, c.evaluator) { (row) throws(TemplateError) in
            try c.evaluator.member(.int(0), of: row) ?? .null
        }
        var result: [(key: Datum, group: GroupObject)] = []
        for case .tuple(let row) in keyed {
            if let last = result.last, try c.evaluator.areEqual(last.key, row[0]) {
                last.group.list.items.append(row[2])
            } else {
                result.append((row[0], GroupObject(row[1], ListBox([row[2]]))))
            }
        }
        return result.map { .object($0.group) }
    }

    static func flattened(
        _ items: [Datum], _ levels: Int?, _ skipsNulls: Bool, _ evaluator: Evaluator
    ) throws(TemplateError) -> [Datum] {
        var result: [Datum] = []
        for item in items {
            let item = try evaluator.lifted(item)
            if skipsNulls, item.isNull || item.text == "None" || item.text == "null" { continue }
            switch item {
            case .list, .tuple:
                if let levels, levels < 1 {
                    result.append(item)
                } else {
                    result += try flattened(
                        try evaluator.items(of: item), levels.map { $0 - 1 }, skipsNulls, evaluator)
                }
            default: result.append(item)
            }
        }
        return result
    }
}

/// One row of `groupby`: a pair that can also be asked for `grouper` and `list`.
final class GroupObject: RuntimeObject {
    let typeName = "tuple"
    private let grouper: Datum
    let list: ListBox

    init(_ grouper: Datum, _ list: ListBox) {
        self.grouper = grouper
        self.list = list
    }

    func attribute(_ name: String, _ evaluator: Evaluator) throws(TemplateError) -> Datum? {
        switch name {
        case "grouper": grouper
        case "list": .list(list)
        default: try evaluator.attribute(name, of: .tuple([grouper, .list(list)]), nil, Span(0, 1))
        }
    }
    func item(_ key: Datum, _ evaluator: Evaluator) throws(TemplateError) -> Datum? {
        try evaluator.member(key, of: .tuple([grouper, .list(list)]))
    }
    func items(_ evaluator: Evaluator) throws(TemplateError) -> [Datum]? { [grouper, .list(list)] }
    func text(_ evaluator: Evaluator) throws(TemplateError) -> String {
        try evaluator.repr(.tuple([grouper, .list(list)]))
    }
    func value(_ evaluator: Evaluator) throws(TemplateError) -> Value? {
        try evaluator.value(of: .tuple([grouper, .list(list)]))
    }
}
