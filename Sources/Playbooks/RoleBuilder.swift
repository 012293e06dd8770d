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
    /// What the role's own `meta` says, where this is `nil`.
    var allowsDuplicates: Bool?
    var isIncluded = false
    /// Its arguments are checked.
    var isChecked = true
    /// As the settings say, where this is `nil`.
    var isPublic: Bool?

    /// What makes two uses of one role the same: the second does not run again.
    func key(_ path: String) -> String {
        var parts: [Value] = [tasksFrom, varsFrom, defaultsFrom, handlersFrom].map { .string($0) }
        parts += ["when", "tags", "vars"].map { keywords[$0] ?? .null }
        parts += [.dict(parameters), .bool(isIncluded)]
        return path + "\u{0}" + Value.list(parts).json()
    }
}

/// What a use of a role comes to.
struct RoleParts {
    var steps: [Step] = []
    var handlers: [Step] = []
    /// Its variables and defaults with those of what it depends on: seen by what depends on it.
    var variables = Dict()
    var defaults = Dict()
    var names: [String] = []
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
            guard let role = role(use, surroundings) else { continue }
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
        case .mapping(let written):
            let entries = loader.modern(written)
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
            loader.checkVariables(use.parameters)
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
        let candidates = roleCandidates(name, bases[surroundings.basis])
        if let path = candidates.first(where: { loader.files.kind(of: $0) == .folder }) { return normalized(path) }
        var seen: Set<String> = []
        let folders = candidates.map { folder(of: $0) }.filter { seen.insert($0).inserted }
        guard place != nil else {
            // While the play runs, the error is one of the task, in Ansible's words.
            let all = folders.joined(separator: ":")
            loader.report(Diagnostic("the role '\(name)' was not found in \(all)"))
            return nil
        }
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

    /// Where the role's folder may be.
    private func roleCandidates(_ name: String, _ around: SearchBasis) -> [String] {
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
        return candidates
    }

    /// Where collections keep the role: beside the playbook, and in `collections_path`; by its full name, or by the
    /// play's `collections`.
    private func collectionRoles(_ name: String) -> [String] {
        let parts = name.split(separator: ".").map(String.init)
        // Folders below 'roles' are parts of the name, too.
        var full = parts.count >= 3 ? [parts] : []
        if parts.count == 1 {
            full = (play.keywords["collections"]?.list ?? []).map {
                $0.pythonText.split(separator: ".").map(String.init) + parts
            }.filter { $0.count >= 3 }
        }
        return full.flatMap { parts in
            loader.options.content.collectionFolders(parts[0], parts[1], besides: play.folder).map {
                joined($0, "roles/" + parts[2...].joined(separator: "/"))
            }
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
    private func part(_ role: String, _ kind: String, _ name: String, at place: Place? = nil) -> [String] {
        let base = joined(joined(role, kind), name)
        let folder = joined(role, kind)
        guard normalized(base).hasPrefix(normalized(folder) + "/") else {
            let message = "Failed loading '\(base)' for role (\(lastPart(of: role))) as it is not inside the expected "
                + "role path: '\(folder)'"
            loader.report(Diagnostic(message, at: place))
            return []
        }
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
        let paths = part(role, kind, name, at: place)
        if paths.isEmpty, name != "main" {
            loader.report(Diagnostic("role '\(lastPart(of: role))' has no \(kind)/\(name).yml", at: place))
        }
        for path in paths {
            guard let node = loader.document(path, what: "file of variables", from: place) else { continue }
            loader.warnOfReserved(in: node)
            for (key, value) in loader.mapping(node, "\(kind) of role '\(lastPart(of: role))'") { all[key] = value }
        }
        for value in all.values { note(value) }
        loader.checkVariables(all)
        return all
    }

    // MARK: Expanding

    /// The role's tasks and handlers, its dependencies' first.
    ///
    /// - Parameters:
    ///   - dependent: the role that depends on it; without it, the role of the task that names it.
    ///   - isImport: a task names it: that task's role is its parent.
    func role(
        _ use: RoleUse, _ surroundings: Surroundings, dependent: RolePlan? = nil, isImport: Bool = false
    ) -> RoleParts? {
        guard let path = findRole(use.name, surroundings, at: use.place) else { return nil }
        let link = path + "\u{0}" + use.tasksFrom
        if surroundings.chain.contains(link) {
            reportRecursion(use, surroundings)
            return nil
        }
        let meta = self.meta(of: path)
        loader.templater.plugins?.look(in: path)
        let outer = dependent ?? surroundings.role.map { roles[$0] }
        var inner = surroundings
        inner.chain.append(link)
        inner.inherited = inheriting(use.keywords, from: surroundings.inherited)
        var plan = RolePlan(
            name: roleTitle(use.name, path), path: path,
            defaults: outer?.defaults ?? Dict(), variables: outer?.variables ?? Dict(),
            parameters: outer?.parameters ?? Dict(), parents: outer?.parents ?? [],
            parentPaths: outer?.parentPaths ?? [],
            isPublic: use.isPublic ?? !(loader.options.hidesRoleVariables ?? false), key: use.key(path),
            allowsDuplicates: use.allowsDuplicates ?? meta["allow_duplicates"]?.asBool ?? false)
        if isImport, let outer {
            plan.parents.insert(outer.name, at: 0)
            plan.parentPaths.insert(outer.path, at: 0)
        }
        for (name, value) in use.parameters { plan.parameters[name.pythonText] = value }
        let defaults = variables(path, "defaults", use.defaultsFrom, at: use.place)
        let variables = variables(path, "vars", use.varsFrom, at: use.place)
        warnOfKeywords(in: use.parameters, of: plan.name, known: [defaults, variables])
        var parts = RoleParts()
        for dependency in meta["dependencies"]?.list ?? [] {
            guard let used = self.dependency(dependency, of: path, at: use.place) else { continue }
            var around = plan
            for (name, value) in defaults { around.defaults[name] = value }
            for (name, value) in variables { around.variables[name] = value }
            guard let made = role(used, inner, dependent: around) else { continue }
            parts.steps += made.steps
            parts.handlers += made.handlers
            parts.names += made.names.filter { !parts.names.contains($0) }
            for (name, value) in made.defaults { parts.defaults[name] = value }
            for (name, value) in made.variables { parts.variables[name] = value }
        }
        dependencyNames += parts.names.filter { !dependencyNames.contains($0) }
        parts.names.append(plan.name)
        if dependent == nil { roleNames.append(plan.name) }
        for (name, value) in defaults { parts.defaults[name] = value }
        for (name, value) in variables { parts.variables[name] = value }
        for (name, value) in parts.defaults { plan.defaults[name] = value }
        for (name, value) in parts.variables { plan.variables[name] = value }
        addOwn(plan, use, inner, to: &parts)
        return parts
    }

    private func reportRecursion(_ use: RoleUse, _ surroundings: Surroundings) {
        let names = surroundings.chain.map { lastPart(of: String($0.prefix { $0 != "\u{0}" })) } + [use.name]
        loader.report(
            Diagnostic(
                "role '\(use.name)' depends on itself", at: use.place,
                notes: ["by way of " + names.joined(separator: " > ")]))
    }

    /// The role's own tasks and handlers, and what says that it is complete.
    private func addOwn(_ plan: RolePlan, _ use: RoleUse, _ surroundings: Surroundings, to parts: inout RoleParts) {
        var inner = surroundings
        roles.append(plan)
        inner.role = roles.count - 1
        inner.collections = nil
        let around = bases[surroundings.basis]
        inner.basis = basis(
            SearchBasis(
                roles: [plan.path] + around.roles.filter { $0 != plan.path }, taskFolder: joined(plan.path, "tasks"),
                playFolder: around.playFolder))
        if use.isChecked { parts.steps += argumentSpec(plan.path, use, inner) }
        parts.steps += mainTasks(plan.path, use, inner)
        parts.steps.append(
            .task(
                TaskPlan(
                    ordinal: nextOrdinal(inner), place: use.place ?? play.place, name: nil, module: "meta",
                    arguments: ["_raw_params": "role_complete"], keywords: Dict(), inherited: Dict(), role: inner.role,
                    basis: inner.basis, isImplicit: true)))
        inner.isHandlers = true
        if let file = part(plan.path, "handlers", use.handlersFrom, at: use.place).first {
            parts.handlers += fileSteps(file, inner, from: use.place)
        }
    }

    /// A key that is no keyword is a parameter of the role; one that the role does not know may be a slip.
    private func warnOfKeywords(in parameters: Dict, of role: String, known: [Dict]) {
        for key in parameters.keys {
            let name = key.pythonText
            guard known.allSatisfy({ $0[name] == nil }),
                let hint = suggestion(for: name, among: Keywords.roleEntry)
            else { continue }
            loader.report(
                Diagnostic(
                    "'\(name)' is taken for a variable of role '\(role)'", at: key.place, length: name.count,
                    hint: hint, severity: .warning))
        }
    }

    /// The name that a role is shown by: that of a collection's role is its full one.
    private func roleTitle(_ name: String, _ path: String) -> String {
        if let range = path.firstRange(of: "/ansible_collections/") {
            let parts = path[range.upperBound...].split(separator: "/")
            if parts.count >= 4, parts[2] == "roles" {
                return parts[..<2].joined(separator: ".") + "." + parts[3...].joined(separator: ".")
            }
        }
        return ["/", "./", "../"].contains(where: name.hasPrefix) ? lastPart(of: name) : name
    }

    private func mainTasks(_ path: String, _ use: RoleUse, _ surroundings: Surroundings) -> [Step] {
        let known = loader.diagnostics.count
        guard let file = part(path, "tasks", use.tasksFrom, at: use.place).first else {
            if use.tasksFrom != "main", loader.diagnostics.count == known {
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
            "_role": .string(lastPart(of: path)), "_path": .string(path),
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
        /// A flag of the import, whose template may hang on what names may hang on.
        func flag(_ name: String) -> Bool? {
            guard case .string(let text)? = arguments[name], text.isTemplate else { return arguments[name]?.asBool }
            return loader.rendered(text, known).flatMap { Value.string($0).asBool }
        }
        use.allowsDuplicates = flag("allow_duplicates") ?? true
        use.isIncluded = true
        use.isPublic = flag("public")
        use.isChecked = flag("rolespec_validate") ?? true
        for (key, value) in own where Keywords.inherited.contains(key.pythonText) {
            use.keywords[key.pythonText] = value
        }
        guard let made = role(use, surroundings, isImport: true) else { return [] }
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
        guard let named = (text("name") ?? nil) ?? (text("role") ?? nil) else {
            if isStatic, arguments["name"] == nil, arguments["role"] == nil {
                loader.report(Diagnostic("a role's name is missing: parameter 'name'", at: place))
            }
            return nil
        }
        var use = RoleUse(name: named, place: (arguments["name"] ?? arguments["role"])?.place ?? place)
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
        let (known, missed) = (loader.diagnostics, loader.missedFiles)
        let (files, roles) = (taskFiles, dynamicRoles)
        preloadNow(task, surroundings)
        // By the names of Ansible's programs, what is not there fails the task that needs it.
        let isLeft = loader.options.leavesConditionalErrors && loader.missedFiles > missed
        guard task.keywords["when"] ?? task.inherited["when"] != nil || isLeft,
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
            // One that is not there may never be come to, or be made by then: the task fails that needs it.
            guard roleCandidates(use.name, basis).contains(where: { loader.files.kind(of: $0) == .folder }) else {
                return
            }
            var request = RoleRequest(
                name: use.name, tasksFrom: use.tasksFrom, varsFrom: use.varsFrom, defaultsFrom: use.defaultsFrom,
                handlersFrom: use.handlersFrom, basis: basis)
            for (name, path) in [
                ("allow_duplicates", \RoleRequest.allowsDuplicates), ("rolespec_validate", \.isChecked),
            ] {
                guard let given = task.arguments[name] else { continue }
                guard let flag = given.asBool else { return }
                request[keyPath: path] = flag
            }
            guard dynamicRoles[request.key] == nil, preloading.insert(request.key).inserted else { return }
            let file = loader.leaving { Inclusion(self).role(request, at: task.place) }
            if let file { dynamicRoles[request.key] = file }
            return
        }
        guard case .string(let text)? = task.arguments["_raw_params"] ?? task.arguments["file"], !text.isTemplate else {
            return
        }
        let kind: FileRequest.Kind = surroundings.isHandlers ? .handlers : .tasks
        let request = FileRequest(kind: kind, name: text.string, basis: bases[task.basis])
        guard taskFiles[request] == nil, preloading.insert("tasks\u{0}\(request.hashValue)").inserted else { return }
        let path = find(request.name, kind, surroundings).path
        // A file that is no list of tasks is an error when the task that includes it runs.
        if let path, let node = loader.leaving({ loader.document(path, what: "file of tasks", from: text.place) }),
            node.items == nil, !node.isNull
        {
            return
        }
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
        var surroundings = Surroundings(inherited: Dict(), role: nil, basis: builder.basis(request.basis), chain: [])
        surroundings.isHandlers = request.kind == .handlers
        surroundings.isNested = surroundings.isHandlers
        surroundings.isIncluded = true
        let (path, searched) = builder.find(request.name, request.kind, surroundings)
        guard let path else {
            loader.reportMissing(tasks: request.name, searched, at: place)
            return nil
        }
        let steps = builder.fileSteps(path, surroundings, from: place)
        takeBack(builder)
        return TaskFile(path: normalized(path), steps: steps, roles: builder.roles, bases: builder.bases)
    }

    package func role(_ request: RoleRequest, at place: Place?) -> RoleFile? {
        let builder = inner()
        let surroundings = Surroundings(inherited: Dict(), role: nil, basis: builder.basis(request.basis), chain: [])
        var use = RoleUse(name: request.name, place: place)
        use.tasksFrom = request.tasksFrom
        use.varsFrom = request.varsFrom
        use.defaultsFrom = request.defaultsFrom
        use.handlersFrom = request.handlersFrom
        use.allowsDuplicates = request.allowsDuplicates
        use.isChecked = request.isChecked
        use.isIncluded = true
        use.isPublic = false
        guard let made = builder.role(use, surroundings) else { return nil }
        takeBack(builder)
        return RoleFile(
            steps: made.steps, handlers: PlayBuilder.inOrder(builder.handlers + made.handlers), roles: builder.roles,
            bases: builder.bases)
    }
}
