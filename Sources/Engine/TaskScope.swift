import Templates
import Values
import Wire

/// What names mean to one task on this host: the levels of precedence, highest first.
final class TaskScope: Scope {
    unowned let run: PlayRun
    let task: TaskPlan
    let basis: SearchBasis
    /// Loop variables, `ansible_loop`, a result under judgement: over everything but the magic ones.
    var local = Dict()
    /// Include parameters (level 21).
    let includeParameters: Dict
    /// Role of the task, and of the roles around it: innermost first.
    let role: RolePlan?
    private let taskVariables: Dict

    init(_ run: PlayRun, _ task: TaskPlan, frame: Frame) {
        self.run = run
        self.task = task
        basis = frame.bases.indices.contains(task.basis) ? frame.bases[task.basis] : frame.fallbackBasis
        role = task.role.flatMap { frame.roles.indices.contains($0) ? frame.roles[$0] : nil } ?? frame.role
        includeParameters = frame.parameters
        taskVariables = task.keywords["vars"]?.dict ?? Dict()
    }

    func value(of name: String) throws(TemplateError) -> Value? {
        if run.plan.settings.mergesHashes { return try merged(name) }
        if let value = run.plan.extra[name] { return value }
        if let value = try magic(name) { return value }
        if let value = local[name] { return value }
        if let value = includeParameters[name] { return value }
        if let value = role?.parameters[name] { return value }
        if let value = run.state.assigned[name] { return value }
        if let value = run.state.included[name] { return value }
        if let value = taskVariables[name] { return value }
        if let value = role?.variables[name] { return value }
        for other in run.publicRoles.reversed() { if let value = other.variables[name] { return value } }
        if let value = run.plan.variables[name] { return value }
        if let value = fact(name) { return value }
        if let value = run.plan.inventory[name] { return value }
        if let value = role?.defaults[name] { return value }
        for other in run.publicRoles.reversed() { if let value = other.defaults[name] { return value } }
        return nil
    }

    /// The same with mappings of several levels merged, until a level says something else.
    private func merged(_ name: String) throws(TemplateError) -> Value? {
        if let value = try magic(name) ?? local[name] { return run.plan.extra[name] ?? value }
        let others = run.publicRoles.reversed()
        var levels = [run.plan.extra[name], includeParameters[name], role?.parameters[name], run.state.assigned[name]]
        levels += [run.state.included[name], taskVariables[name], role?.variables[name]]
        levels += others.map { $0.variables[name] }
        levels += [run.plan.variables[name], fact(name), run.plan.inventory[name], role?.defaults[name]]
        levels += others.map { $0.defaults[name] }
        var result: Value?
        for level in levels {
            guard let level else { continue }
            guard case .dict(let upper)? = result else {
                guard result == nil, case .dict = level else { return result ?? level }
                result = level
                continue
            }
            guard case .dict(let lower) = level else { break }
            result = .dict(combined(lower, upper, merging: true))
        }
        return result
    }

    var names: [String] {
        var all = run.plan.extra.names + run.plan.magic.names + local.names + includeParameters.names
        all += run.state.assigned.names + run.state.included.names + taskVariables.names
        all += run.plan.variables.names + run.plan.inventory.names + run.state.facts.names.map { "ansible_" + $0 }
        for role in run.publicRoles + (role.map { [$0] } ?? []) {
            all += role.parameters.names + role.variables.names + role.defaults.names
        }
        return all
    }

    private func fact(_ name: String) -> Value? {
        guard name.hasPrefix("ansible_") else { return run.state.facts[name] }
        return run.state.facts[String(name.dropFirst(8))]
    }

    /// What changes while the play runs is asked for, where there is anyone who could have changed it.
    private func current(_ name: String) throws(TemplateError) -> Value? {
        let plan = run.plan
        switch name {
        case "groups", "group_names":
            guard plan.settings.changesInventory else { return plan.magic[name] }
        default: guard plan.magic[name]?.list?.count ?? 0 > 1 else { return plan.magic[name] }
        }
        return try run.hostVariable(plan.host, name) ?? plan.magic[name]
    }

    private func magic(_ name: String) throws(TemplateError) -> Value? {
        switch name {
        case "ansible_facts": return .dict(run.state.facts)
        case "role_path": return role.map { .string($0.path) }
        case "role_name": return role.map { .string($0.shortName) }
        case "ansible_role_name": return role.map { .string($0.name) }
        case "ansible_parent_role_names": return role.flatMap { $0.parents.isEmpty ? nil : .strings($0.parents) }
        case "ansible_parent_role_paths":
            return role.flatMap { $0.parents.isEmpty ? nil : .strings($0.parentPaths) }
        case "ansible_search_path": return .strings(basis.roles + [basis.taskFolder, basis.playFolder])
        case "environment", "vars", "hostvars": return nil
        case "groups", "group_names", "ansible_play_hosts", "play_hosts", "ansible_play_batch": return try current(name)
        default: return run.plan.magic[name]
        }
    }

    func object(named name: String) -> (any TemplateObject)? {
        switch name {
        case "hostvars": HostVariables(scope: self)
        case "vars": OwnVariables(scope: self)
        default: nil
        }
    }

    func lookup(_ plugin: String, _ terms: [Value], _ options: Dict) throws(TemplateError) -> [Value] {
        try Lookup(plugin, scope: self).results(terms, options)
    }

    func template(named name: String) throws(TemplateError) -> Text? {
        let request = FileRequest(kind: .templates, name: name, basis: basis)
        do throws(Interruption) {
            guard let entry = try run.file(request).entry else { return nil }
            return try run.text(of: entry)
        } catch { throw TemplateError(error.message) }
    }
}

extension Interruption {
    var message: String {
        switch self {
        case .failed(let failure): failure.result["msg"]?.pythonText ?? "the task failed"
        case .ended(let what): "the play ends here (\(what))"
        case .stopped(let reason): reason
        }
    }
}

/// `hostvars`: asked host by host, so that nothing of other hosts travels unless it is read.
private struct HostVariables: TemplateObject {
    let scope: TaskScope

    func member(_ key: Value) throws(TemplateError) -> Value? { nil }

    func object(_ key: Value) throws(TemplateError) -> (any TemplateObject)? {
        let host = key.pythonText
        if host == scope.run.plan.host { return OwnVariables(scope: scope) }
        guard scope.run.knownHosts.contains(host) else { return nil }
        return OtherHost(host: host, scope: scope)
    }

    var keys: [Value] { get throws(TemplateError) { scope.run.knownHosts.map { .string($0) } } }
}

/// `vars`, and `hostvars` of this host.
private struct OwnVariables: TemplateObject {
    let scope: TaskScope
    func member(_ key: Value) throws(TemplateError) -> Value? { try scope.value(of: key.pythonText) }
    var keys: [Value] { get throws(TemplateError) { Set(scope.names).sorted().map { .string($0) } } }
}

/// Another host's variables, one question each; asked once in a task.
private struct OtherHost: TemplateObject {
    let host: String
    let scope: TaskScope

    func member(_ key: Value) throws(TemplateError) -> Value? {
        try scope.run.hostVariable(host, key.pythonText)
    }
    var keys: [Value] {
        get throws(TemplateError) { try scope.run.hostVariable(host, nil)?.list ?? [] }
    }
}
