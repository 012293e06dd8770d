import Glibc
import Values
import YAML

/// Runs an executable inventory with `--list`, and with `--host` where it gives no `_meta`.
struct ScriptSource {
    private let source: InventorySource
    private let file: SourceFile
    private let options: InventoryOptions
    private var graph: Graph

    static func read(
        _ source: InventorySource, _ options: InventoryOptions, into graph: inout Graph
    ) throws(Diagnostic) {
        let file = SourceFile(name: source.name)
        var reader = ScriptSource(source: source, file: file, options: options, graph: graph)
        try reader.readAll()
        graph = reader.graph
    }

    private func error(_ message: String, notes: [String] = []) -> Diagnostic {
        Diagnostic("inventory script '\(source.name)': \(message)", notes: notes)
    }

    private func output(_ arguments: [String]) throws(Diagnostic) -> Value? {
        guard let run = ScriptRun(source.path, arguments) else {
            throw error("cannot be started: \(unsafe String(cString: strerror(errno)))")
        }
        let said = run.errors.split(separator: "\n").suffix(5).map(String.init)
        guard run.status == 0 else { throw error("exited with \(run.status)", notes: said) }
        if run.output.allSatisfy(\.isWhitespace) { return nil }
        do { return try Value(json: run.output) } catch {
            throw self.error("its output is not JSON: \(error)", notes: said)
        }
    }

    private mutating func readAll() throws(Diagnostic) {
        guard let groups = try output(["--list"])?.dict else {
            throw error("its output is not a JSON object of groups")
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
                guard let dict = given.dict else { throw error("'_meta.hostvars' is a \(given.typeName), not a dict") }
                metaVariables = dict
            }
        }
        for id in hosts {
            let name = graph.hosts[id].name
            let given =
                if let metaVariables { metaVariables[name] } else { try output(["--host", name]) }
            guard let given, !given.isNull else { continue }
            guard let variables = given.dict else { throw error("the variables of '\(name)' are not a dict") }
            for (key, value) in variables { graph.set(key, try trusted(value), ofHost: id) }
        }
    }

    private mutating func readGroup(
        _ name: String, _ data: Value, _ hosts: inout OrderedSet<Int>
    ) throws(Diagnostic) {
        let group = graph.addGroup(name)
        var data = data.dict ?? ["hosts": data]
        if data["hosts"] == nil, data["vars"] == nil, data["children"] == nil {
            // The oldest form: a host's name with its variables.
            data = ["hosts": .strings([name]), "vars": .dict(data)]
        }
        for host in try names("hosts", of: name, data) {
            let id = graph.addHost(host, source: source)
            graph.put(host: id, into: group)
            hosts.append(id)
        }
        if let given = data["vars"] {
            guard let variables = given.dict else { throw error("'\(name).vars' is a \(given.typeName), not a dict") }
            for (key, value) in variables { graph.set(key, try trusted(value), ofGroup: group) }
        }
        for child in try names("children", of: name, data) {
            guard graph.put(group: graph.addGroup(child), into: group) != nil else {
                throw error("the group '\(child)' would be inside of itself")
            }
        }
    }

    private func names(_ key: String, of group: String, _ data: Dict) throws(Diagnostic) -> [String] {
        guard let given = data[key], !given.isNull else { return [] }
        guard let list = given.list else { throw error("'\(group).\(key)' is a \(given.typeName), not a list") }
        return list.map(\.pythonText)
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
            if dict.count == 1, let unsafe = dict["__ansible_unsafe"] { return unsafe }
            if dict.count == 1, let vaulted = dict["__ansible_vault"]?.text {
                guard let decrypt = options.decrypt else { throw error("a value is encrypted, without vault password") }
                return .string(try decrypt(Text(vaulted, mark: Mark(place: place))).secret)
            }
            var result = Dict(minimumCapacity: dict.count)
            for (key, item) in dict { result[key] = try trusted(item) }
            return .dict(result)
        default: return value
        }
    }
}
