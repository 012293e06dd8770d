import Values

/// Reads an inventory in TOML form: tables of groups with `hosts`, `vars` and `children`.
struct TOMLSource {
    private let source: InventorySource
    private let text: SourceText
    private var graph: Graph
    private var warnings: [Diagnostic] = []

    /// - Returns: warnings about what was passed over.
    static func read(
        _ text: SourceText, _ source: InventorySource, into graph: inout Graph
    ) throws(Diagnostic) -> [Diagnostic] {
        let groups = try TOMLReader.dict(text.text, file: text.file)
        var reader = TOMLSource(source: source, text: text, graph: graph)
        if groups.isEmpty { throw reader.error("it is empty") }
        if groups["plugin"] != nil {
            throw reader.error("it holds the settings of a plugin, which are written in YAML")
        }
        for (name, data) in groups { try reader.readGroup(name.pythonText, data) }
        graph = reader.graph
        return reader.warnings
    }

    private init(source: InventorySource, text: SourceText, graph: Graph) {
        self.source = source
        self.text = text
        self.graph = graph
    }

    private func error(_ message: String) -> Diagnostic { Diagnostic("inventory '\(source.name)': \(message)") }

    private mutating func warn(_ message: String) {
        var warning = error(message)
        warning.severity = .warning
        warnings.append(warning)
    }

    private mutating func readGroup(_ name: String, _ data: Value) throws(Diagnostic) {
        guard let sections = data.dict else {
            return warn("'\(name)' is not a group and is skipped: a group holds 'hosts', 'vars' and 'children'")
        }
        let group = graph.addGroup(name)
        func mapping(_ key: String, _ value: Value) throws(Diagnostic) -> Dict {
            guard let dict = value.dict else { throw error("'\(name).\(key)' is a table, not a \(value.typeName)") }
            return dict
        }
        for (key, value) in sections {
            switch key.text {
            case "vars":
                for (key, value) in try mapping("vars", value) { graph.set(key, text.marked(value), ofGroup: group) }
            case "children":
                guard let children = value.list else {
                    throw error("'\(name).children' is a list, not a \(value.typeName)")
                }
                for child in children {
                    guard graph.put(group: graph.addGroup(child.pythonText), into: group) != nil else {
                        throw error("the group '\(child.pythonText)' would be inside of itself")
                    }
                }
            case "hosts":
                for (pattern, value) in try mapping("hosts", value) {
                    let variables = try mapping("hosts.\(pattern.pythonText)", value)
                    try readHosts(pattern.pythonText, variables, group)
                }
            default:
                let hint = suggestion(for: key.pythonText, among: ["hosts", "vars", "children"])
                warn("'\(key.pythonText)' in the group '\(name)' is skipped" + (hint.map { ": " + $0 } ?? ""))
            }
        }
    }

    private mutating func readHosts(_ pattern: String, _ variables: Dict, _ group: Int) throws(Diagnostic) {
        let (name, port) = parsedAddress(pattern, ranges: true) ?? (pattern, nil)
        let names: [String]
        do { names = try expandedRanges(name) } catch { throw self.error(error.message) }
        for name in names {
            let host = graph.addHost(name, port: port, source: source)
            graph.put(host: host, into: group)
            for (key, value) in variables { graph.set(key, text.marked(value), ofHost: host) }
        }
    }
}
