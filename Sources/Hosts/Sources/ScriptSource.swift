import Glibc
import Values
import YAML

/// Runs an executable inventory with `--list`, and with `--host` where it gives no `_meta`.
struct ScriptSource {
    private let source: InventorySource
    private let file: SourceFile
    private let options: InventoryOptions
    private var graph: Graph

    private(set) var warnings: [Diagnostic] = []
    /// What the script wrote to its standard error, the end of it.
    private var said: [String] = []

    /// - Returns: what the script wrote to its standard error, and what is old-fashioned about its output.
    static func read(
        _ source: InventorySource, _ options: InventoryOptions, into graph: inout Graph
    ) throws(Diagnostic) -> [Diagnostic] {
        let file = SourceFile(name: source.name)
        var reader = ScriptSource(source: source, file: file, options: options, graph: graph)
        do throws(Diagnostic) { try reader.readAll() } catch {
            var told = error
            told.notes += reader.warnings.map(\.message)
            throw told
        }
        graph = reader.graph
        return reader.warnings
    }

    private init(source: InventorySource, file: SourceFile, options: InventoryOptions, graph: Graph) {
        self.source = source
        self.file = file
        self.options = options
        self.graph = graph
    }

    private func error(_ message: String, notes: [String] = []) -> Diagnostic {
        Diagnostic("inventory script '\(source.name)': \(message)", notes: notes.isEmpty ? said : notes)
    }

    private mutating func output(_ arguments: [String]) throws(Diagnostic) -> String {
        guard let run = ScriptRun(source.path, arguments) else {
            let command = ([source.path] + arguments).joined(separator: " ")
            throw error(
                "Failed to execute inventory script command '\(command)'",
                notes: [unsafe String(cString: strerror(errno))])
        }
        said = run.errors.split(separator: "\n").suffix(20).map(String.init)
        guard run.status == 0 else {
            throw error("Inventory script returned non-zero exit code \(run.status)")
        }
        guard let text = run.output else {
            throw error(
                "Inventory script result contained characters that cannot be interpreted as UTF-8")
        }
        return text
    }

    private mutating func readAll() throws(Diagnostic) {
        let text = try output(["--list"])
        guard let value = try? Value(json: text) else {
            throw error(
                "Unable to get JSON decoder for inventory script result. Value could not be parsed as JSON")
        }
        let groups = try checked(value)
        guard Self.isWellFormed(value, isTop: true) else {
            throw error("Inventory script result could not be parsed as JSON")
        }
        if options.showsScriptErrors, !said.isEmpty {
            warnings.append(
                Diagnostic("the inventory script '\(source.name)' says:", notes: said, severity: .warning))
        }
        var metaVariables: Dict?
        var hosts: OrderedSet<Int> = []
        for (key, data) in groups {
            guard let name = key.text else { continue }
            guard name == "_meta" else {
                try readGroup(name, data, &hosts)
                continue
            }
            if let given = data["hostvars"] {
                guard let dict = given.dict else {
                    throw error("Value contains '_meta.hostvars' which is '\(given.typeName)' instead of 'dict'")
                }
                metaVariables = dict
            }
        }
        for id in hosts {
            let name = graph.hosts[id].name
            let given = if let metaVariables { metaVariables[name] } else { try variables(ofHost: name) }
            guard let given else { continue }
            guard let variables = given.dict else {
                throw error("Invalid data from file, expected dictionary and got: \(given.pythonText)")
            }
            for (key, value) in variables { graph.set(key, try trusted(value), ofHost: id) }
        }
    }

    private mutating func variables(ofHost name: String) throws(Diagnostic) -> Value? {
        let text = try output(["--host", name])
        if text.allSatisfy(\.isWhitespace) { return nil }
        do { return try Value(json: text) } catch {
            throw self.error(
                "Inventory script result for host '\(name)' could not be parsed as JSON: \(error)")
        }
    }

    /// The mapping of groups, with what it says of itself (`_meta.profile`) understood.
    private func checked(_ value: Value) throws(Diagnostic) -> Dict {
        func refused(_ why: String) -> Diagnostic {
            error("Unable to get JSON decoder for inventory script result. \(why)")
        }
        guard let groups = value.dict else { throw refused("Value is '\(value.typeName)' instead of 'dict'") }
        guard let meta = groups["_meta"] else { return groups }
        guard meta.dict != nil else {
            throw refused("Value contains '_meta' which is '\(meta.typeName)' instead of 'dict'")
        }
        guard let given = meta["profile"] else { return groups }
        guard let profile = given.text else {
            throw refused("Value contains '_meta.profile' which is '\(given.typeName)' instead of 'str'")
        }
        guard profile.hasPrefix("inventory_") else {
            throw refused("Non-inventory profile '\(profile)' is not allowed.")
        }
        guard profile == "inventory_legacy" else { throw refused("Unknown profile name '\(profile)'") }
        return groups
    }

    private mutating func readGroup(
        _ name: String, _ data: Value, _ hosts: inout OrderedSet<Int>
    ) throws(Diagnostic) {
        let group = graph.addGroup(name)
        var isTrusted = true
        var data = data
        if data.dict == nil {
            warn("Group '\(name)' was converted to 'dict' from '\(data.typeName)'")
            data = ["hosts": data]
        } else if data["hosts"] == nil, data["vars"] == nil, data["children"] == nil {
            // The oldest form: a host's name with its variables.
            warn("Treating malformed group '\(name)' as the sole host of that group")
            data = ["hosts": .list([.string(name)]), "vars": data]
            isTrusted = false
        }
        for host in try names("hosts", of: name, data) {
            let id = graph.addHost(host, source: source)
            graph.put(host: id, into: group)
            hosts.append(id)
        }
        if let given = data["vars"] {
            guard let variables = given.dict else {
                throw error("Value contains '\(name).vars' which is '\(given.typeName)' instead of 'dict'")
            }
            for (key, value) in variables {
                graph.set(key, isTrusted ? try trusted(value) : try untrusted(value), ofGroup: group)
            }
        }
        for child in try names("children", of: name, data) {
            guard graph.put(group: graph.addGroup(child), into: group) != nil else {
                throw error("the group '\(child)' would be inside of itself")
            }
        }
    }

    private mutating func warn(_ message: String) {
        var warning = error(message, notes: ["the output of a script is an object of groups with 'hosts' and 'vars'"])
        warning.severity = .warning
        warnings.append(warning)
    }

    private func names(_ key: String, of group: String, _ data: Value) throws(Diagnostic) -> [String] {
        guard let given = data[key] else { return [] }
        guard let list = given.list else {
            throw error("Value contains '\(group).\(key)' which is '\(given.typeName)' instead of 'list'")
        }
        return list.map(\.pythonText)
    }

    private func untrusted(_ value: Value) throws(Diagnostic) -> Value {
        try trusted(value).mapText { $0.isSealed ? $0 : $0.unsafe }
    }

    /// What marks a text as encrypted or unsafe has a text in it, and is none of the groups.
    private static func isWellFormed(_ value: Value, isTop: Bool = false) -> Bool {
        switch value {
        case .list(let list): return list.allSatisfy { isWellFormed($0) }
        case .dict(let dict):
            let marks = ["__ansible_unsafe", "__ansible_vault"].compactMap { dict[$0] }
            return marks.isEmpty
                ? dict.values.allSatisfy { isWellFormed($0) } : !isTop && marks.allSatisfy { $0.text != nil }
        default: return true
        }
    }

    /// A script is trusted as an inventory file is; `__ansible_vault` and `__ansible_unsafe` mark what is not plain.
    private func trusted(_ value: Value) throws(Diagnostic) -> Value {
        let place = Place(file: file, line: 1, column: 1)
        switch value {
        case .string(let text):
            guard text.string.hasTemplateSyntax else { return value }
            return .string(Text(text.string, mark: Mark(place: place, isTemplate: true)))
        case .list(let list):
            var items: [Value] = []
            for item in list { items.append(try trusted(item)) }
            return .list(items)
        case .dict(let dict):
            if dict.count == 1, let unsafe = dict["__ansible_unsafe"] { return unsafe.mapText(\.unsafe) }
            if dict.count == 1, let vaulted = dict["__ansible_vault"]?.text {
                return .string(Text(vaulted, mark: Mark(place: place, seal: .closed)))
            }
            var result = Dict(minimumCapacity: dict.count)
            for (key, item) in dict { result[key] = try trusted(item) }
            return .dict(result)
        default: return value
        }
    }
}
