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
    /// Where the template file stands that is rendered just now.
    private var templateFolder: (path: String, isFirst: Bool)?
    /// Include parameters (level 21).
    let includeParameters: Dict
    /// Role of the task, and of the roles around it: innermost first.
    let role: RolePlan?
    private let taskVariables: Dict
    /// The host that the task is delegated to.
    var delegate: String?
    /// Another host whose variables stand in place of this host's, while that is set: how a delegate is reached is
    /// said in its terms.
    private var viewpoint: String?
    /// Only what is known of the host itself, as `hostvars` has it: nothing of play, roles and task.
    private var isBare = false
    /// Variables that a person gave other values, or took away, while the task was debugged.
    var overrides = Dict()
    var removed: Set<Value> = []

    init(_ run: PlayRun, _ task: TaskPlan, frame: Frame) {
        self.run = run
        self.task = task
        basis = frame.bases.indices.contains(task.basis) ? frame.bases[task.basis] : frame.fallbackBasis
        role = task.role.flatMap { frame.roles.indices.contains($0) ? frame.roles[$0] : nil } ?? frame.role
        includeParameters = frame.parameters
        taskVariables = task.keywords["vars"]?.dict ?? Dict()
    }

    func value(of name: String) throws(TemplateError) -> Value? {
        guard run.plan.settings.mergesHashes else {
            var found: Value?
            try search(name) { value in
                found = value
                return true
            }
            return found
        }
        return try merged(name)
    }

    /// `hash_behaviour=merge`: mappings of all levels over each other, down to the first that is none.
    private func merged(_ name: String) throws(TemplateError) -> Value? {
        var layers: [Dict] = []
        var other: Value?
        try search(name) { value in
            if case .dict(let dict) = value {
                layers.append(dict)
                return false
            }
            other = value
            return true
        }
        guard let weakest = layers.last else { return other }
        return .dict(layers.dropLast().reversed().reduce(weakest) { combined($0, $1, merging: true) })
    }

    /// Every level that has the name, the strongest first, until the caller has enough.
    private func search(_ name: String, _ isEnough: (Value) -> Bool) throws(TemplateError) {
        func take(_ value: Value?) -> Bool { value.map(isEnough) ?? false }
        if !overrides.isEmpty || !removed.isEmpty {
            if take(local[name]) || take(overrides[name]) || removed.contains(.string(name)) { return }
        }
        if take(run.plan.extra[name]) { return }
        if isBare {
            if isHostsMagic(name), name == "ansible_facts" || run.plan.magic[name] != nil, take(try magic(name)) {
                return
            }
            if take(run.state.assigned[name]) || take(run.state.included[name]) || take(fact(name)) { return }
            _ = take(try run.inventory(name))
            return
        }
        if take(try magic(name)) || take(local[name]) { return }
        if take(includeParameters[name]) || take(role?.parameters[name]) { return }
        if viewpoint == nil, take(run.state.assigned[name]) || take(run.state.included[name]) { return }
        if take(taskVariables[name]) || take(role?.variables[name]) { return }
        for other in run.publicRoles.reversed() { if take(other.variables[name]) { return } }
        if take(run.fileVariables[name]) || take(run.plan.variables[name]) { return }
        if let viewpoint {
            if take(try run.hostVariable(viewpoint, name)) { return }
        } else {
            if take(fact(name)) { return }
            if take(try run.inventory(name)) { return }
        }
        if take(role?.defaults[name]) { return }
        for other in run.publicRoles.reversed() { if take(other.defaults[name]) { return } }
        if viewpoint == nil { _ = take(try connection(name)) }
    }

    /// Evaluates with another host's variables in place of this host's; those of play, roles and task stay.
    func seen<T>(from host: String?, _ body: () throws(Interruption) -> T) throws(Interruption) -> T {
        let before = viewpoint
        defer { viewpoint = before }
        viewpoint = host
        return try body()
    }

    /// A variable of this host itself, from wherever it is seen.
    fileprivate func ownValue(of name: String) throws(TemplateError) -> Value? {
        let before = isBare
        defer { isBare = before }
        isBare = true
        return try value(of: name)
    }

    fileprivate var ownNames: [String] {
        var all = run.plan.extra.names + run.plan.magic.names.filter(isHostsMagic) + ["ansible_facts"]
        all += run.state.assigned.names + run.state.included.names + run.plan.inventory.names
        return run.plan.settings.hidesFacts ? all : all + run.state.facts.names
    }

    /// What play, roles and task say, whichever host is asked about.
    fileprivate func common(_ name: String) -> Value? {
        taskVariables[name] ?? role?.variables[name] ?? run.fileVariables[name] ?? run.plan.variables[name]
            ?? role?.defaults[name]
    }

    /// How the host is reached, or the delegate, by the names of the variables that could have said so.
    private func connection(_ name: String) throws(TemplateError) -> Value? {
        if let delegate, delegate != run.plan.host, Self.ownOfDelegates.contains(name) {
            let names = Self.bothNames(name)
            for name in names { if let value = try run.delegateVariable(delegate, name) { return value } }
            if names[0] == "ansible_host" { return .string(delegate) }
        }
        let user = ["ansible_user", "ansible_ssh_user"].contains(name) ? task.keywords["remote_user"]?.text : nil
        if let user, !Templater.looksLikeTemplate(user) { return .string(user) }
        return run.plan.connection[name]
    }

    private static let ownOfDelegates: Set<String> = [
        "ansible_host", "ansible_user", "ansible_port", "ansible_connection", "ansible_ssh_host", "ansible_ssh_user",
        "ansible_ssh_port",
    ]

    /// A variable's newer name, and its older one.
    private static func bothNames(_ name: String) -> [String] {
        let word = name.split(separator: "_").last ?? ""
        return ["ansible_\(word)", "ansible_ssh_\(word)"]
    }

    /// What a delegate's variables say by the name that its own do not say by either.
    fileprivate func implied(_ name: String, ofDelegate host: String) throws(TemplateError) -> Value? {
        guard ["ansible_host", "ansible_user"].contains(name) else { return nil }
        for name in Self.bothNames(name) where try run.delegateVariable(host, name) != nil { return nil }
        return name == "ansible_host" ? .string(host) : run.plan.connection[name]
    }

    var names: [String] {
        var all = overrides.names + run.plan.extra.names + run.plan.magic.names + local.names + includeParameters.names
        all += taskVariables.names + run.fileVariables.names + run.plan.variables.names
        if viewpoint == nil {
            all += run.state.assigned.names + run.state.included.names
            all += run.plan.inventory.names + run.plan.connection.names
            if !run.plan.settings.hidesFacts { all += run.state.facts.names }
        }
        for role in run.publicRoles + (role.map { [$0] } ?? []) {
            all += role.parameters.names + role.variables.names + role.defaults.names
        }
        return all
    }

    private func fact(_ name: String) -> Value? {
        run.plan.settings.hidesFacts && name != "ansible_local" ? nil : run.state.facts[name]
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

    /// The groups and their hosts, as they are now.
    func groups() throws(TemplateError) -> Dict { try current("groups")?.dict ?? Dict() }

    private func magic(_ name: String) throws(TemplateError) -> Value? {
        switch name {
        case "ansible_facts": return .dict(run.state.namedFacts)
        case "role_path": return role.map { .string($0.path) }
        case "role_name": return role.map { .string($0.shortName) }
        case "ansible_role_name": return role.map { .string($0.name) }
        case "ansible_parent_role_names": return role.flatMap { $0.parents.isEmpty ? nil : .strings($0.parents) }
        case "ansible_parent_role_paths":
            return role.flatMap { $0.parents.isEmpty ? nil : .strings($0.parentPaths) }
        case "ansible_search_path": return .strings(basis.roles + [basis.taskFolder, basis.playFolder])
        case "environment", "vars", "hostvars", "ansible_managed": return nil
        case "groups", "group_names", "ansible_play_hosts", "play_hosts", "ansible_play_batch": return try current(name)
        default: return run.plan.magic[name]
        }
    }

    func object(named name: String) -> (any TemplateObject)? {
        switch name {
        case "hostvars": HostVariables(scope: self)
        case "vars": OwnVariables(scope: self, isWhole: true)
        case "ansible_delegated_vars": delegate.map { DelegateVariables(host: $0, scope: self) }
        default: nil
        }
    }

    func lookup(_ plugin: String, _ terms: [Value], _ options: Dict) throws(TemplateError) -> [Value] {
        try Lookup(plugin, scope: self).results(terms, options)
    }

    func acceptsUndefined(lookup: String) -> Bool { Lookup(lookup, scope: self).acceptsUndefined }

    /// What a template includes stands where tasks' templates do, or beside the one that is rendered.
    func template(named name: String) throws(TemplateError) -> Text? {
        var names = [name]
        if let near = templateFolder, !name.hasPrefix("/") {
            let beside = ["\(near.path)/templates/\(name)", "\(near.path)/\(name)"]
            names = near.isFirst ? beside.suffix(1) + names : names + beside
        }
        for name in names {
            if let entry = try file(named: name, .templates) { return try text(of: entry) }
        }
        return nil
    }

    /// Renders a template file: what it sees of itself is there as long as this takes.
    ///
    /// - Parameter looksBesideFirst: for what it includes, as in lookups.
    func rendering<Result>(
        _ entry: FileEntry, looksBesideFirst: Bool = false, with variables: Dict,
        _ body: () throws(TemplateError) -> Result
    ) throws(TemplateError) -> Result {
        let (local, folder) = (local, templateFolder)
        defer { (self.local, templateFolder) = (local, folder) }
        templateFolder = (self.folder(of: entry.path), looksBesideFirst)
        for (key, value) in try templateVariables(entry) { self.local[key] = value }
        for (key, value) in variables { self.local[key] = value }
        return try body()
    }

    private func folder(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    }

    func file(named name: String, _ kind: FileRequest.Kind) throws(TemplateError) -> FileEntry? {
        do throws(Interruption) {
            return try run.file(FileRequest(kind: kind, name: name, basis: basis)).entry
        } catch { throw TemplateError(error.message) }
    }

    /// What templates see of themselves; `ansible_managed` only where nothing else says what it is.
    private func templateVariables(_ entry: FileEntry) throws(TemplateError) -> Dict {
        var variables: Dict = [
            "template_path": .string(entry.path), "template_fullpath": .string(entry.path), "template_destpath": .null,
            "template_host": .string(run.plan.settings.controllerHost),
            "template_uid": .string(entry.owner ?? run.plan.settings.controllerUser),
            "template_run_date": .string(Text("{{ now() }}", mark: Mark(isTemplate: true))),
        ]
        if let modified = entry.modified {
            let date = "{{ '\(modified)' | to_datetime('%Y-%m-%d %H:%M:%S.%f') }}"
            variables["template_mtime"] = .string(Text(date, mark: Mark(isTemplate: true)))
        }
        if try value(of: "ansible_managed") == nil {
            let setting = run.plan.magic["ansible_managed"]?.text ?? "Ansible managed"
            variables["ansible_managed"] = try managed(setting, entry.modified)
        }
        return variables
    }

    /// The setting `ansible_managed`: a format with `{file}`, `{uid}` and `{host}`, of the template's time, that gives
    /// a template.
    private func managed(_ setting: String, _ modified: String?) throws(TemplateError) -> Value {
        guard setting.contains("%") || setting.contains("{") else { return .string(Text(setting)) }
        var text = [("{file}", "template_path"), ("{uid}", "template_uid"), ("{host}", "template_host")]
            .reduce(setting) { $0.replacing($1.0, with: "{{{{ \($1.1) }}}}") }
        text = text.replacing("{{", with: "{").replacing("}}", with: "}")
        if text.contains("%"), let modified {
            let date = "('\(modified)' | to_datetime('%Y-%m-%d %H:%M:%S.%f'))"
            let printed = "\(date).strftime(\(Value.string(text).pythonRepr))"
            text = try run.templater.evaluate(expression: Text(printed), in: self).pythonText
        }
        return .string(Text(text, mark: Mark(isTemplate: true)))
    }

    func text(of entry: FileEntry) throws(TemplateError) -> Text {
        do throws(Interruption) { return try run.text(of: entry) } catch { throw TemplateError(error.message) }
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
        // This machine is known under its names, whether it is in the inventory or not.
        let isLocal = ["localhost", "127.0.0.1", "::1"].contains(host)
        let isKnown = try isLocal ? true : hosts().contains(host)
        guard isKnown else { return nil }
        return OtherHost(host: host, scope: scope)
    }

    var keys: [Value] { get throws(TemplateError) { try hosts().map { .string($0) } } }

    private func hosts() throws(TemplateError) -> [String] {
        guard scope.run.plan.settings.changesInventory else { return scope.run.knownHosts }
        var seen: Set<String> = []
        return try scope.groups().values.flatMap { $0.list ?? [] }.compactMap(\.text).filter {
            seen.insert($0).inserted
        }
    }
}

/// `vars`, and `hostvars` of this host.
private struct OwnVariables: TemplateObject {
    let scope: TaskScope
    /// With other hosts' variables among them.
    var isWhole = false
    func member(_ key: Value) throws(TemplateError) -> Value? {
        isWhole ? try scope.value(of: key.pythonText) : try scope.ownValue(of: key.pythonText)
    }
    func object(_ key: Value) throws(TemplateError) -> (any TemplateObject)? {
        isWhole && key.text == "hostvars" ? HostVariables(scope: scope) : nil
    }
    var keys: [Value] {
        get throws(TemplateError) {
            let names = isWhole ? scope.names + ["ansible_facts", "hostvars"] : scope.ownNames
            let internals = scope.run.plan.magic.names.filter { $0.hasPrefix("_") }
            return Set(names).subtracting(internals).sorted().map { .string($0) }
        }
    }
}

/// `ansible_delegated_vars`: the delegate's variables, under its name.
private struct DelegateVariables: TemplateObject {
    let host: String
    let scope: TaskScope
    func member(_ key: Value) throws(TemplateError) -> Value? { nil }
    func object(_ key: Value) throws(TemplateError) -> (any TemplateObject)? {
        key.text == host ? OtherHost(host: host, scope: scope, isDelegate: true) : nil
    }
    var keys: [Value] { get throws(TemplateError) { [.string(host)] } }
}

/// Another host's variables, one question each; asked once in a task.
private struct OtherHost: TemplateObject {
    let host: String
    let scope: TaskScope
    /// The task is delegated to it, and stays this host's task.
    var isDelegate = false

    func member(_ key: Value) throws(TemplateError) -> Value? {
        if isDelegate, key.text == "inventory_hostname" { return .string(scope.run.plan.host) }
        guard isDelegate else { return try scope.run.hostVariable(host, key.pythonText) }
        if let value = scope.common(key.pythonText) { return value }
        if let value = try scope.run.delegateVariable(host, key.pythonText) { return value }
        return try scope.implied(key.pythonText, ofDelegate: host)
    }
    var keys: [Value] {
        get throws(TemplateError) { try scope.run.hostVariable(host, nil)?.list ?? [] }
    }
}
