import Templates
import Values
import Wire

/// Directives that act on what all hosts share: the inventory in memory, and the figures of the run.
extension Directives {
    static func addHost(_ task: TaskRun, _ arguments: Dict) throws(Interruption) -> TaskResult {
        guard let given = ["name", "hostname", "host"].lazy.compactMap({ arguments[$0] }).first?.pythonText else {
            throw .failed(TaskFailure(Diagnostic("'add_host' needs parameter 'name'", at: task.task.place)))
        }
        let names: Set<String> = ["name", "hostname", "host", "groups", "groupname", "group"]
        var variables = arguments.filter { !names.contains($0.key.pythonText) }
        let (name, port) = address(given)
        if let port { variables["ansible_ssh_port"] = .int(port) }
        let wanted = ["groups", "groupname", "group"].lazy.compactMap { arguments[$0] }.first
        let groups = wanted.map { $0.list?.map(\.pythonText) ?? words($0.pythonText) } ?? []
        let isNew = try isNews(name, groups, Dict(uniqueKeysWithValues: variables.elements), task)
        let plain = Dict(uniqueKeysWithValues: variables.elements)
        task.run.coordinator.tell(.addHost(name: name, groups: groups, variables: plain))
        task.run.inventoryChanged()
        let added: Dict = ["host_name": .string(name), "groups": .strings(groups), "host_vars": .dict(plain)]
        return result(["add_host": .dict(added)], changed: isNew)
    }

    /// `HOST:PORT`, or `[ADDRESS]:PORT` where the address itself has colons.
    private static func address(_ text: String) -> (name: String, port: Int?) {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]) else {
            return (text, nil)
        }
        let host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { return (String(host.dropFirst().dropLast()), port) }
        return host.contains(":") || host.isEmpty ? (text, nil) : (String(host), port)
    }

    /// Whether the inventory does not know this of the host yet.
    private static func isNews(
        _ host: String, _ groups: [String], _ variables: Dict, _ task: TaskRun
    ) throws(Interruption) -> Bool {
        do throws(TemplateError) {
            let known = try task.scope.groups()
            guard known.values.contains(where: { $0.list?.contains(.string(host)) ?? false }) else { return true }
            for group in groups {
                guard let members = known[group]?.list, members.contains(.string(host)) else { return true }
            }
            for (name, value) in variables {
                if try task.run.hostVariable(host, name.pythonText) != value { return true }
            }
            return false
        } catch { throw task.interruption(error) }
    }

    private static func words(_ text: String) -> [String] {
        text.split(separator: ",").map { String($0).trimmed }.filter { !$0.isEmpty }
    }

    static func groupBy(_ task: TaskRun, _ arguments: Dict) throws(Interruption) -> TaskResult {
        guard let key = arguments["key"]?.pythonText else {
            throw .failed(TaskFailure(Diagnostic("'group_by' needs parameter 'key'", at: task.task.place)))
        }
        let group = key.split(separator: " ", omittingEmptySubsequences: false).joined(separator: "-")
        let given = arguments["parents"].map { $0.list?.map(\.pythonText) ?? words($0.pythonText) } ?? ["all"]
        let parents = given.map { String($0.map { $0 == " " ? "-" : $0 }) }
        let isMember: Bool
        do throws(TemplateError) {
            isMember = try task.scope.groups()[group]?.list?.contains(.string(task.run.plan.host)) ?? false
        } catch { throw task.interruption(error) }
        task.run.coordinator.tell(.groupBy(group: group, parents: parents))
        task.run.inventoryChanged()
        return result(["add_group": .string(group), "parent_groups": .strings(parents)], changed: !isMember)
    }

    static func setStats(_ task: TaskRun, _ arguments: Dict) throws(Interruption) -> TaskResult {
        var data = Dict()
        if let given = arguments["data"] {
            guard let dict = given.dict else {
                throw .failed(TaskFailure("The 'data' option needs to be a dictionary/hash"))
            }
            for (key, value) in dict {
                let name = try task.render(key)
                guard name.text.map(isVariableName) ?? false else {
                    throw .failed(refusal(of: name, at: key.place, task))
                }
                data[name] = value
            }
        }
        let perHost = arguments["per_host"]?.asBool ?? false
        let aggregate = arguments["aggregate"].map { $0.asBool ?? false } ?? true
        task.run.coordinator.tell(.stats(data, perHost: perHost, aggregate: aggregate))
        return result([
            "ansible_stats": ["data": .dict(data), "per_host": .bool(perHost), "aggregate": .bool(aggregate)]
        ])
    }
}
