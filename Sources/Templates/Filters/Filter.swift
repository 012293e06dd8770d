import Values

/// A filter or a test: a function on a value.
struct Filter: Sendable {
    /// The parameters behind the value, in order.
    let parameters: [String]
    let required: Int
    /// Takes values that are undefined; otherwise the result is the first of them.
    let acceptsUndefined: Bool
    /// Takes any arguments and looks at the call itself.
    let isOpen: Bool
    let body: @Sendable (FilterCall) throws(TemplateError) -> Datum

    func apply(_ value: Datum, _ call: Call) throws(TemplateError) -> Datum {
        if !acceptsUndefined {
            if case .undefined(let undefined) = value, !undefined.isBlank { return value }
            if let undefined = call.firstUndefined { return .undefined(undefined) }
        }
        let lifted = try call.evaluator.lifted(value)
        let bound = isOpen ? [] : try call.bound(parameters, required: required)
        let result = try body(FilterCall(evaluator: call.evaluator, value: lifted, arguments: bound, call: call))
        // Ansible makes a list of any range that comes out of a filter.
        guard let range = result.runtimeObject as? RangeObject else { return result }
        return .list(try range.items(call.evaluator) ?? [])
    }
}

/// One use of a filter.
struct FilterCall {
    let evaluator: Evaluator
    let value: Datum
    /// In the order of the parameters; `nil` where not given.
    let arguments: [Datum?]
    let call: Call

    subscript(_ index: Int) -> Datum? { arguments[index] }

    /// The value as text, whatever it is.
    func string() throws(TemplateError) -> String { try evaluator.text(value) }

    /// The value as text, which it must be: what Python's functions for paths and methods of `str` require.
    func strictString() throws(TemplateError) -> String {
        guard case .string(let text) = value else {
            throw TemplateError("expected str, bytes or os.PathLike object, not \(value.typeName)")
        }
        return text.string
    }

    /// The items, each of which has to be text.
    func strictStrings() throws(TemplateError) -> [String] {
        try items().mapThrowing { (item) throws(TemplateError) in
            guard case .string(let text) = item else {
                throw TemplateError("expected str, bytes or os.PathLike object, not \(item.typeName)")
            }
            return text.string
        }
    }

    func items() throws(TemplateError) -> [Datum] { try evaluator.items(of: value) }

    func text(_ index: Int) throws(TemplateError) -> String? {
        guard let datum = arguments[index], !datum.isNull else { return nil }
        return try evaluator.text(datum)
    }

    func int(_ index: Int) throws(TemplateError) -> Int? {
        guard let datum = arguments[index], !datum.isNull else { return nil }
        return try Self.whole(datum)
    }

    /// An argument that Python takes as an index: `None` is none.
    func index(_ index: Int) throws(TemplateError) -> Int? { try arguments[index].map(Self.whole) }

    private static func whole(_ datum: Datum) throws(TemplateError) -> Int {
        if let int = datum.int { return int }
        if case .big = datum { throw TemplateError("Python int too large to convert to C ssize_t") }
        throw TemplateError("'\(datum.typeName)' object cannot be interpreted as an integer")
    }

    /// An argument that counts or measures, and that Python compares with numbers: a fraction will do.
    func size(_ index: Int) throws(TemplateError) -> Int? {
        guard let datum = arguments[index] else { return nil }
        if let int = datum.int { return int }
        switch datum {
        case .double(let double) where double.isFinite: return Int(exactly: double.rounded(.down).clamped)
        case .double(let double): return double > 0 ? .max : .min
        case .big(let big): return big.isNegative ? .min : .max
        default: throw TemplateError("'<' not supported between instances of '\(datum.typeName)' and 'int'")
        }
    }

    func flag(_ index: Int, _ fallback: Bool = false) throws(TemplateError) -> Bool {
        guard let datum = arguments[index] else { return fallback }
        return try evaluator.isTrue(datum)
    }
}

/// The table under construction: each family adds its own.
struct FilterTable {
    var filters: [String: Filter] = [:]

    mutating func add(
        _ names: String..., parameters: [String] = [], required: Int = 0, acceptsUndefined: Bool = false,
        isOpen: Bool = false, body: @escaping @Sendable (FilterCall) throws(TemplateError) -> Datum
    ) {
        let filter = Filter(
            parameters: parameters, required: required, acceptsUndefined: acceptsUndefined, isOpen: isOpen, body: body)
        for name in names { filters[name] = filter }
    }
}

/// All filters and tests.
package enum Filters {
    private static let table: [String: Filter] = {
        var table = FilterTable()
        addText(&table)
        addMarkup(&table)
        addPatterns(&table)
        addNumbers(&table)
        addLists(&table)
        addSelections(&table)
        addSets(&table)
        addCombinations(&table)
        addDicts(&table)
        addValues(&table)
        addPaths(&table)
        addDates(&table)
        addSerialization(&table)
        addDigests(&table)
        addRandom(&table)
        addAddresses(&table)
        addQueries(&table)
        addVaults(&table)
        addInspections(&table)
        return table.filters
    }()

    private static let tests: [String: Filter] = {
        var table = FilterTable()
        addTypeTests(&table)
        addComparisonTests(&table)
        addResultTests(&table)
        addPatternTests(&table)
        addFileTests(&table)
        addAddressTests(&table)
        addLocatorTests(&table)
        addInspectionTests(&table)
        return table.filters
    }()

    private static let collections = [
        "ansible.builtin.", "ansible.legacy.", "ansible.utils.", "ansible.netcommon.", "ansible.posix.",
        "community.general.",
    ]

    private static func found(_ name: String, _ table: [String: Filter]) -> Filter? {
        if let filter = table[name] { return filter }
        for collection in collections where name.hasPrefix(collection) {
            return table[String(name.dropFirst(collection.count))]
        }
        return nil
    }

    /// The name with its collection, as errors say it; a project's own have none.
    static func shownName(_ name: String, _ kind: PluginKind) -> String {
        let isOwn = kind == .test ? test(named: name) != nil : filter(named: name) != nil
        return name.contains(".") || !isOwn ? name : "ansible.builtin." + name
    }

    static func filter(named name: String) -> Filter? { found(name, table) }
    static func test(named name: String) -> Filter? { found(name, tests) }
    static var names: [String] { table.keys.sorted() }
    static var testNames: [String] { tests.keys.sorted() }

    static func unknown(_ name: String, _ kind: String, _ names: [String]) -> TemplateError {
        TemplateError(
            "there is no \(kind) named '\(name)'", hint: suggestion(for: name, among: names),
            words: "Syntax error in template: No \(kind) named '\(name)'.")
    }
}

extension Double {
    /// Within what a whole number of 64 bits can be.
    fileprivate var clamped: Double { Swift.min(Swift.max(self, -0x1p62), 0x1p62) }
}
