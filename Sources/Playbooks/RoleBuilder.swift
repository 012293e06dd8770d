import Modules
import Templates
package import Values
package import Wire
import YAML

/// A role as something names it.
struct RoleUse {
    var name: String
    var place: Place?
    /// Keywords of the entry: `when`, `tags`, `become`, `vars`, …
    var keywords = Dict()
    /// Everything else in the entry: level 20.
    var parameters = Dict()
    var tasksFrom = "main"
    var varsFrom = "main"
    var defaultsFrom = "main"
    var handlersFrom = "main"
    /// `import_role` and `include_role` run a role as often as they are asked to.
    var allowsDuplicates = false
    var isPublic = true
}

extension PlayBuilder {
    // MARK: `roles:`

    func addRoles(_ node: Node?, _ surroundings: Surroundings, _ roleHandlers: inout [Step]) {
        guard let node else { return }
        guard case .sequence(let items) = node.content else {
            if case .scalar(.null) = node.content { return }
            loader.report(
                node.diagnostic(
                    "A malformed role declaration was encountered.", hint: "expected a list of roles"))
            return
        }
        for item in items {
            guard let use = roleUse(item) else { continue }
            guard let role = role(use, surroundings, parents: []) else { continue }
            steps += role.steps
            roleHandlers += role.handlers
        }
    }

    private func roleUse(_ node: Node) -> RoleUse? {
        switch node.content {
        case .scalar:
            guard let name = loader.value(node).flatMap(roleName) else { return nil }
            if name.contains(",") {
                loader.report(
                    node.diagnostic(
                        "Invalid old style role requirement: \(name)",
                        notes: ["write 'src', 'version' and 'name' into requirements.yml"]))
                return nil
            }
            return RoleUse(name: name, place: node.place)
        case .mapping(let entries):
            let named = entries.first { $0.name == "role" } ?? entries.first { $0.name == "name" }
            guard let named, let name = loader.value(named.value).flatMap(roleName) else {
                let near = entries.compactMap(\.name).compactMap { suggestion(for: $0, among: ["role", "name"]) }.first
                loader.report(Diagnostic("an entry of 'roles' needs 'role'", at: node.place, hint: near))
                return nil
            }
            var use = RoleUse(name: name, place: named.value.place)
            for entry in entries {
                guard let key = entry.name, key != "role", key != "name" else { continue }
                guard let value = loader.value(entry.value) else { continue }
                if Keywords.roleEntry.contains(key) {
                    use.keywords[key] = value
                } else {
                    use.parameters[.string(Text(key, mark: Mark(place: entry.key.place)))] = value
                }
            }
            KeywordValues(loader: loader).check(entries, Keywords.roleEntry)
            checkKeywords(use.keywords)
            for value in use.parameters.values { loader.checkTemplates(in: value) }
            return use
        case .sequence:
            loader.report(Diagnostic("an entry of 'roles' is a name or a mapping", at: node.place))
            return nil
        }
    }

    private func roleName(_ value: Value) -> String? {
        guard case .string(let text) = value else { return value.pythonText }
        return text.isTemplate ? loader.rendered(text) : text.string
    }

    // MARK: Finding

    /// The role's folder.
    func findRole(_ name: String, _ surroundings: Surroundings, at place: Place?) -> String? {
        let around = bases[surroundings.basis]
        var candidates: [String] = []
        if name.hasPrefix("/") || name.hasPrefix("./") || name.hasPrefix("../") {
            candidates = [joined(around.taskFolder, name), joined(play.folder, name), name]
        } else {
            candidates += collectionRoles(name)
            for role in around.roles { candidates.append(joined(folder(of: role), name)) }
            candidates.append(joined(joined(play.folder, "roles"), name))
            candidates += loader.options.rolePaths.map { joined($0, name) }
            candidates.append(joined(play.folder, name))
        }
        if let path = candidates.first(where: { loader.files.kind(of: $0) == .folder }) { return path }
        var seen: Set<String> = []
        let folders = candidates.map { folder(of: $0) }.filter { seen.insert($0).inserted }
        let others = folders.flatMap { loader.files.names(in: $0) }
        loader.report(
            Diagnostic(
                "there is no role '\(name)'", at: place, length: name.count,
                hint: suggestion(for: name, among: others),
                notes: [
                    loader.files.searched(folders),
                    "set 'roles_path' in ansible.cfg where your roles are elsewhere",
                ]))
        return nil
    }

    /// Where collections keep the role: beside the playbook, and in `collections_path`; by its full name, or by the
    /// play's `collections`.
    private func collectionRoles(_ name: String) -> [String] {
        let folders = [joined(play.folder, "collections")] + loader.options.collectionPaths
        let parts = name.split(separator: ".").map(String.init)
        var full = parts.count == 3 ? [parts] : []
        if parts.count == 1 {
            full = (play.keywords["collections"]?.list ?? []).map {
                $0.pythonText.split(separator: ".").map(String.init) + parts
            }.filter { $0.count == 3 }
        }
        return full.flatMap { parts in
            folders.map { joined($0, "ansible_collections/\(parts[0])/\(parts[1])/roles/\(parts[2])") }
        }
    }

    /// What names of imports may hang on: the play's variables, the role's around them, and the task's own.
    func known(_ own: Dict, _ surroundings: Surroundings) -> Dict {
        var known: Dict = ["playbook_dir": .string(play.folder)]
        let role = surroundings.role.map { roles[$0] }
        let layers = [
            role?.defaults, play.variables, role?.variables, surroundings.inherited["vars"]?.dict, own,
            role?.parameters,
        ]
        for layer in layers.compactMap({ $0 }) { for (name, value) in layer { known[name] = value } }
        if let role {
            known["role_path"] = .string(role.path)
            known["role_name"] = known["role_name"] ?? .string(role.name)
        }
        return known
    }

    /// `main.yml`, `main.yaml`, `main.json`, `main`, or a folder of that name, of one part of a role.
    private func part(_ role: String, _ kind: String, _ name: String) -> [String] {
        let base = joined(joined(role, kind), name)
        for suffix in ["", ".yml", ".yaml", ".json"] where loader.files.kind(of: base + suffix) == .file {
            return [base + suffix]
        }
        guard kind == "vars" || kind == "defaults", loader.files.kind(of: base) == .folder else { return [] }
        return loader.files.names(in: base).sorted().filter { name in
            [".yml", ".yaml", ".json"].contains { name.hasSuffix($0) }
        }.map { joined(base, $0) }
    }

    private func variables(_ role: String, _ kind: String, _ name: String, at place: Place?) -> Dict {
        var all = Dict()
        let paths = part(role, kind, name)
        if paths.isEmpty, name != "main" {
            loader.report(Diagnostic("role '\(lastPart(of: role))' has no \(kind)/\(name).yml", at: place))
        }
        for path in paths {
            guard let node = loader.document(path, what: "file of variables", from: place) else { continue }
            loader.warnOfReserved(in: node)
            for (key, value) in loader.mapping(node, "\(kind) of role '\(lastPart(of: role))'") { all[key] = value }
        }
        for value in all.values {
            note(value)
            loader.checkTemplates(in: value)
        }
        return all
    }

    // MARK: Expanding

    /// The role's tasks and handlers, its dependencies' first.
    func role(_ use: RoleUse, _ surroundings: Surroundings, parents: [String]) -> (steps: [Step], handlers: [Step])? {
        guard let path = findRole(use.name, surroundings, at: use.place) else { return nil }
        if surroundings.chain.contains(path) {
            let chain = surroundings.chain.map { lastPart(of: $0) } + [use.name]
            loader.report(
                Diagnostic(
                    "role '\(use.name)' depends on itself", at: use.place,
                    notes: ["by way of " + chain.joined(separator: " > ")]))
            return nil
        }
        let meta = self.meta(of: path)
        if !use.allowsDuplicates, !(meta["allow_duplicates"]?.asBool ?? false) {
            let key = path + "\u{0}" + Value.dict(use.parameters).json() + Value.dict(use.keywords).json()
            guard seenRoles.insert(key).inserted else { return ([], []) }
        }
        loader.templater.plugins?.look(in: path)
        var inner = surroundings
        inner.chain.append(path)
        inner.inherited = inheriting(use.keywords, from: surroundings.inherited)
        for (key, value) in use.parameters { inner.parameters[.string(Text(key.pythonText))] = value }
        var plan = RolePlan(
            name: roleTitle(use.name), path: path,
            defaults: variables(path, "defaults", use.defaultsFrom, at: use.place),
            variables: variables(path, "vars", use.varsFrom, at: use.place),
            parameters: inner.parameters,
            parents: parents, isPublic: use.isPublic)
        warnOfKeywords(in: use.parameters, of: plan)
        var steps: [Step] = []
        var handlers: [Step] = []
        for dependency in meta["dependencies"]?.list ?? [] {
            guard let dependencyUse = self.dependency(dependency, of: path, at: use.place) else { continue }
            let first = roles.count
            if let made = role(dependencyUse, inner, parents: parents) {
                steps += made.steps
                handlers += made.handlers
            }
            for role in roles[first...].reversed() + (roles.count == first ? known(dependencyUse, inner) : []) {
                for name in [role.name] + role.dependencies where !plan.dependencies.contains(name) {
                    plan.dependencies.append(name)
                }
            }
        }
        roles.append(plan)
        if !roleNames.contains(plan.name) { roleNames.append(plan.name) }
        inner.role = roles.count - 1
        let around = bases[surroundings.basis]
        inner.basis = basis(
            SearchBasis(
                roles: [path] + around.roles.filter { $0 != path }, taskFolder: joined(path, "tasks"),
                playFolder: around.playFolder))
        steps += argumentSpec(path, use, inner)
        steps += mainTasks(path, use, inner)
        var own = inner
        own.isHandlers = true
        if let file = part(path, "handlers", use.handlersFrom).first {
            handlers += fileSteps(file, own, from: use.place)
        }
        return (steps, handlers)
    }

    /// A key that is no keyword is a parameter of the role; one that the role does not know may be a slip.
    private func warnOfKeywords(in parameters: Dict, of role: RolePlan) {
        for key in parameters.keys {
            let name = key.pythonText
            guard role.defaults[name] == nil, role.variables[name] == nil,
                let hint = suggestion(for: name, among: Keywords.roleEntry)
            else { continue }
            loader.report(
                Diagnostic(
                    "'\(name)' is taken for a variable of role '\(role.name)'", at: key.place, length: name.count,
                    hint: hint, severity: .warning))
        }
    }

    /// A role that ran before and does not run again.
    private func known(_ use: RoleUse, _ surroundings: Surroundings) -> [RolePlan] {
        roles.last { $0.name == roleTitle(use.name) }.map { [$0] } ?? []
    }

    private func roleTitle(_ name: String) -> String {
        ["/", "./", "../"].contains(where: name.hasPrefix) ? lastPart(of: name) : name
    }

    private func mainTasks(_ path: String, _ use: RoleUse, _ surroundings: Surroundings) -> [Step] {
        guard let file = part(path, "tasks", use.tasksFrom).first else {
            if use.tasksFrom != "main" {
                let known = loader.files.names(in: joined(path, "tasks"))
                loader.report(
                    Diagnostic(
                        "role '\(use.name)' has no tasks/\(use.tasksFrom).yml", at: use.place,
                        hint: suggestion(for: use.tasksFrom + ".yml", among: known)))
            }
            return []
        }
        return fileSteps(file, surroundings, from: use.place)
    }

    func meta(of path: String) -> Dict {
        guard let file = part(path, "meta", "main").first,
            let node = loader.document(file, what: "file", from: nil)
        else { return Dict() }
        return loader.mapping(node, "meta of role '\(lastPart(of: path))'")
    }

    private func dependency(_ value: Value, of path: String, at place: Place?) -> RoleUse? {
        if let name = roleName(value), value.dict == nil { return RoleUse(name: name, place: value.place ?? place) }
        guard let dict = value.dict, let named = dict["role"] ?? dict["name"], let name = roleName(named) else {
            loader.report(
                Diagnostic("a dependency of role '\(lastPart(of: path))' has no name", at: value.place ?? place))
            return nil
        }
        var use = RoleUse(name: name, place: named.place ?? place)
        for (key, value) in dict {
            let key = key.pythonText
            if ["role", "name", "src", "version", "scm"].contains(key) { continue }
            if Keywords.roleEntry.contains(key) { use.keywords[key] = value } else { use.parameters[key] = value }
        }
        return use
    }

    /// The implicit task that checks the role's variables, tagged `always` as in Ansible.
    private func argumentSpec(_ path: String, _ use: RoleUse, _ surroundings: Surroundings) -> [Step] {
        var specs: Value?
        if let file = part(path, "meta", "argument_specs").first,
            let node = loader.document(file, what: "file", from: use.place)
        {
            specs = loader.mapping(node, "argument_specs")["argument_specs"]
        }
        specs = specs ?? meta(of: path)["argument_specs"]
        guard let spec = specs?[use.tasksFrom]?.dict, let options = spec["options"]?.dict else { return [] }
        var keywords = surroundings.inherited
        keywords["tags"] = .list((keywords["tags"]?.list ?? keywords["tags"].map { [$0] } ?? []) + ["always"])
        let summary = spec["short_description"]?.pythonText
        let title = "Validating arguments against arg spec '\(use.tasksFrom)'" + (summary.map { " - \($0)" } ?? "")
        let place = use.place ?? play.place
        let arguments: Dict = [
            "argument_spec": .dict(options), "_spec_name": .string(use.tasksFrom),
            "_role": .string(roleTitle(use.name)), "_path": .string(path),
        ]
        return [
            .task(
                TaskPlan(
                    ordinal: nextOrdinal(surroundings), place: place, name: Text(title),
                    module: "validate_argument_spec", arguments: .dict(arguments), keywords: keywords,
                    inherited: Dict(), role: surroundings.role, basis: surroundings.basis))
        ]
    }

    // MARK: `import_role`, and what `include_role` will name

    func importRole(_ arguments: Value, _ own: Dict, _ surroundings: Surroundings, at place: Place) -> [Step] {
        let known = self.known(own["vars"]?.dict ?? Dict(), surroundings)
        guard var use = roleUse(arguments, at: place, known) else { return [] }
        use.allowsDuplicates = arguments["allow_duplicates"]?.asBool ?? true
        for (key, value) in own where Keywords.inherited.contains(key.pythonText) {
            use.keywords[key.pythonText] = value
        }
        let parents = surroundings.role.map { [roles[$0].name] + roles[$0].parents } ?? []
        guard let made = role(use, surroundings, parents: parents) else { return [] }
        handlers += made.handlers
        return made.steps
    }

    /// - Parameter known: what names may hang on, where they must be known now; without it they may hang on the host.
    private func roleUse(_ arguments: Value, at place: Place, _ known: Dict?) -> RoleUse? {
        let isStatic = known != nil
        for name in ["tasks_from", "vars_from", "defaults_from", "handlers_from"] {
            guard let value = arguments[name], value.text == nil else { continue }
            loader.report(
                Diagnostic(
                    "Expected a string for \(name) but got \(value.pythonText) instead", at: value.place ?? place,
                    hint: "name one file of the role"))
            return nil
        }
        func text(_ name: String) -> String?? {
            guard let value = arguments[name] else { return .some(nil) }
            guard case .string(let text) = value, text.isTemplate else { return value.pythonText }
            return known.map { known in loader.rendered(text, known).map { .some($0) } ?? .none } ?? .none
        }
        guard let named = text("name") ?? nil ?? (text("role") ?? nil) else {
            if isStatic, arguments["name"] == nil, arguments["role"] == nil {
                loader.report(Diagnostic("a role's name is missing: parameter 'name'", at: place))
            }
            return nil
        }
        var use = RoleUse(name: named, place: arguments["name"]?.place ?? place)
        func set(_ name: String, _ path: WritableKeyPath<RoleUse, String>) -> Bool {
            guard let value = text(name) else { return false }
            if let value { use[keyPath: path] = withoutSuffix(value) }
            return true
        }
        guard set("tasks_from", \.tasksFrom), set("vars_from", \.varsFrom), set("defaults_from", \.defaultsFrom),
            set("handlers_from", \.handlersFrom)
        else { return nil }
        return use
    }

    private func withoutSuffix(_ name: String) -> String {
        for suffix in [".yml", ".yaml"] where name.hasSuffix(suffix) { return String(name.dropLast(suffix.count)) }
        return name
    }

    /// Reads ahead what a dynamic include names, where its name is literal: errors show before the run, and the node
    /// needs to ask for nothing. An include that a condition may leave out is left to the run when it cannot be read.
    func preload(_ task: TaskPlan, _ surroundings: Surroundings) {
        let known = loader.diagnostics
        let (files, roles) = (taskFiles, dynamicRoles)
        preloadNow(task, surroundings)
        guard task.keywords["when"] != nil || task.inherited["when"] != nil,
            loader.diagnostics.dropFirst(known.count).contains(where: { $0.severity == .error })
        else { return }
        loader.diagnostics = known
        taskFiles = files
        dynamicRoles = roles
    }

    private func preloadNow(_ task: TaskPlan, _ surroundings: Surroundings) {
        if task.module == "include_role" {
            guard var use = roleUse(task.arguments, at: task.place, nil) else { return }
            use.isPublic = false
            let basis = bases[task.basis]
            let request = RoleRequest(
                name: use.name, tasksFrom: use.tasksFrom, varsFrom: use.varsFrom, defaultsFrom: use.defaultsFrom,
                handlersFrom: use.handlersFrom, basis: basis)
            guard dynamicRoles[request.key] == nil, preloading.insert(request.key).inserted else { return }
            let file = loader.leaving { Inclusion(self).role(request, at: task.place) }
            if let file { dynamicRoles[request.key] = file }
            return
        }
        guard case .string(let text)? = task.arguments["_raw_params"] ?? task.arguments["file"], !text.isTemplate else {
            return
        }
        let request = FileRequest(kind: .tasks, name: text.string, basis: bases[task.basis])
        guard taskFiles[request] == nil, preloading.insert("tasks\u{0}\(request.hashValue)").inserted else { return }
        let file = loader.leaving { Inclusion(self).tasks(request, at: text.place ?? task.place) }
        if let file { taskFiles[request] = file }
    }
}

/// Builds what a dynamic include brings: tasks of their own count, with roles and bases of their own.
package struct Inclusion {
    private let loader: Loader
    private let outer: PlayBuilder

    init(_ builder: PlayBuilder) {
        outer = builder
        loader = builder.loader
    }

    /// For includes whose names come up while the play runs.
    package init(_ loader: Loader, play: Play) {
        self.loader = loader
        outer = PlayBuilder(loader, play: play)
    }

    private func inner() -> PlayBuilder {
        let builder = PlayBuilder(loader, play: outer.play)
        builder.preloading = outer.preloading
        return builder
    }

    private func takeBack(_ builder: PlayBuilder) {
        outer.preloading = builder.preloading
        outer.taskFiles.merge(builder.taskFiles) { old, _ in old }
        outer.dynamicRoles.merge(builder.dynamicRoles) { old, _ in old }
        outer.changesInventory = outer.changesInventory || builder.changesInventory
        outer.readsHostVariables = outer.readsHostVariables || builder.readsHostVariables
    }

    package func tasks(_ request: FileRequest, at place: Place?) -> TaskFile? {
        let builder = inner()
        let surroundings = Surroundings(inherited: Dict(), role: nil, basis: builder.basis(request.basis), chain: [])
        let (path, searched) = builder.find(request.name, .tasks, surroundings)
        guard let path else {
            loader.report(
                Diagnostic(
                    "there is no file of tasks '\(request.name)'", at: place,
                    notes: [loader.files.searched(searched)]))
            return nil
        }
        let steps = builder.fileSteps(path, surroundings, from: place)
        takeBack(builder)
        return TaskFile(path: path, steps: steps, roles: builder.roles, bases: builder.bases)
    }

    package func role(_ request: RoleRequest, at place: Place?) -> RoleFile? {
        let builder = inner()
        let surroundings = Surroundings(inherited: Dict(), role: nil, basis: builder.basis(request.basis), chain: [])
        var use = RoleUse(name: request.name, place: place)
        use.tasksFrom = request.tasksFrom
        use.varsFrom = request.varsFrom
        use.defaultsFrom = request.defaultsFrom
        use.handlersFrom = request.handlersFrom
        use.allowsDuplicates = true
        use.isPublic = false
        guard let made = builder.role(use, surroundings, parents: []) else { return nil }
        takeBack(builder)
        return RoleFile(
            steps: made.steps, handlers: builder.handlers + made.handlers, roles: builder.roles, bases: builder.bases)
    }
}
