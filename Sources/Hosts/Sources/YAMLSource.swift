import Values
import YAML

/// Reads an inventory in YAML form: groups as mappings of `hosts`, `vars` and `children`.
struct YAMLSource {
    private let source: InventorySource
    private let text: SourceText
    private let options: ValueOptions
    private var graph: Graph
    private(set) var warnings: [Diagnostic] = []

    /// - Returns: warnings about what was passed over.
    static func read(
        _ text: SourceText, _ source: InventorySource, _ options: InventoryOptions, into graph: inout Graph
    ) throws(Diagnostic) -> [Diagnostic] {
        let (node, warnings) = try YAMLReader.document(text.text, file: text.file)
        guard let node, !node.isNull else {
            throw Diagnostic("'\(source.name)' is empty", hint: "an inventory begins with 'all:'")
        }
        guard let groups = node.entries else {
            throw node.diagnostic(
                "an inventory is a mapping of groups, not a \(node.kindName)", hint: "begin with 'all:'")
        }
        if let plugin = node["plugin"], plugin.scalar?.isTrue ?? true {
            throw plugin.diagnostic(
                "it holds the settings of the inventory plugin '\(plugin.text ?? plugin.kindName)', and no hosts",
                hint: "'enable_plugins' in ansible.cfg says which plugins count")
        }
        var reader = YAMLSource(
            source: source, text: text, options: ValueOptions(), graph: graph)
        reader.warnings = warnings
        for group in groups { _ = try reader.readGroup(group) }
        graph = reader.graph
        return reader.warnings
    }

    private init(source: InventorySource, text: SourceText, options: ValueOptions, graph: Graph) {
        self.source = source
        self.text = text
        self.options = options
        self.graph = graph
    }

    private mutating func warn(_ node: Node, _ message: String, hint: String? = nil) {
        warnings.append(node.diagnostic(message, hint: hint, severity: .warning))
    }

    /// - Returns: the group's id; `nil` for what is no group.
    private mutating func readGroup(_ entry: Node.Entry) throws(Diagnostic) -> Int? {
        guard let name = entry.key.text else {
            throw entry.key.diagnostic("the name of a group is a string, not a \(entry.key.kindName)", hint: "quote it")
        }
        guard entry.value.isNull || entry.value.entries != nil else {
            warn(
                entry.key, "'\(name)' is not a group and is skipped",
                hint: "a group holds 'hosts', 'vars' and 'children'")
            return nil
        }
        let group = graph.addGroup(name)
        for section in entry.value.entries ?? [] {
            let key = section.key.text ?? section.key.scalar?.pythonText ?? ""
            guard ["hosts", "vars", "children"].contains(key) else {
                warn(
                    section.key, "'\(key)' in the group '\(name)' is skipped",
                    hint: suggestion(for: key, among: ["hosts", "vars", "children"])
                        ?? "a group holds 'hosts', 'vars' and 'children'")
                continue
            }
            try readSection(key, section.value, of: group)
        }
        return group
    }

    private mutating func readSection(_ key: String, _ value: Node, of group: Int) throws(Diagnostic) {
        if value.isNull { return }
        // A single name may stand for a mapping with that one key.
        let single = value.text == nil ? nil : [Node.Entry(key: value, value: value.null)]
        guard let entries = value.entries ?? single else {
            throw value.diagnostic(
                "'\(key)' is a mapping, not a \(value.kindName)",
                hint: key == "vars" ? "write 'name: value'" : "write 'name:' for each, with a colon and without '-'")
        }
        switch key {
        case "vars":
            for entry in entries {
                let key = try entry.key.value(ValueOptions(trusted: false))
                graph.set(key, text.marked(try entry.value.value(options)), ofGroup: group)
            }
        case "children":
            for entry in entries {
                guard let child = try readGroup(entry) else { continue }
                if graph.put(group: child, into: group) == nil {
                    throw entry.key.diagnostic(
                        "the group '\(graph.groups[child].name)' would be inside of itself",
                        hint: "'\(graph.groups[group].name)' is below it already")
                }
            }
        default:
            for entry in entries { try readHost(entry, group) }
        }
    }

    private mutating func readHost(_ entry: Node.Entry, _ group: Int) throws(Diagnostic) {
        guard let pattern = entry.key.text else {
            let shown = entry.key.scalar?.pythonText ?? entry.key.kindName
            throw entry.key.diagnostic("Host pattern \(shown) must be a string", hint: "quote it")
        }
        guard entry.value.isNull || entry.value.entries != nil else {
            throw entry.value.diagnostic(
                "the variables of '\(pattern)' are a mapping, not a \(entry.value.kindName)",
                hint: "write 'name: value' below the host")
        }
        let (name, port) = parsedAddress(pattern, ranges: true) ?? (pattern, nil)
        let names: [String]
        do { names = try expandedRanges(name) } catch { throw entry.key.diagnostic(error.message) }
        var variables: [(Value, Value)] = []
        for variable in entry.value.entries ?? [] {
            let key = try variable.key.value(ValueOptions(trusted: false))
            variables.append((key, text.marked(try variable.value.value(options))))
        }
        for name in names {
            let host = graph.addHost(name, port: port, source: source)
            graph.put(host: host, into: group)
            for (key, value) in variables { graph.set(key, value, ofHost: host) }
        }
    }
}
