package import Values

/// One play for one host: everything the engine needs to run it, and of other hosts only what bundles hold.
package struct PlayPlan: Sendable {
    package var name: String
    package var place: Place?
    /// Position of the play in the run; the first part of every task's position.
    package var index: Int
    package var host: String
    package var settings: RunSettings
    /// Levels 3 to 10 of the precedence, merged, not rendered.
    package var inventory: Dict
    /// Play vars, prompts and vars_files (levels 12 to 14), merged.
    package var variables: Dict
    package var extra: Dict
    /// Facts known before the play begins, by the names that modules give them: from a cache, or from other hosts.
    package var facts: Dict
    /// `groups`, `group_names`, `playbook_dir`, `ansible_play_hosts`, …: computed, never templates.
    package var magic: Dict
    /// How the host is reached (`ansible_host`, `ansible_user`, …): what these names give where no variable says it.
    package var connection: Dict
    /// Rendered variables of other hosts that the plan names, by host: for pulls, where nobody can be asked.
    package var others: Dict
    package var roles: [RolePlan]
    package var bases: [SearchBasis]
    package var steps: [Step]
    package var handlers: [Step]
    /// Files resolved ahead, so that nothing needs to be asked for when nothing is to be done.
    package var files: [FileRequest: FileEntry]
    /// Task files that includes may name.
    package var taskFiles: [FileRequest: TaskFile]
    /// Roles that `include_role` may name, by the key that `RoleRequest.key` gives.
    package var dynamicRoles: [String: RoleFile]
    /// Where the previous run left handlers that were notified and did not run.
    package var pendingHandlers: [String]

    package init(name: String, place: Place?, index: Int, host: String, settings: RunSettings) {
        self.name = name
        self.place = place
        self.index = index
        self.host = host
        self.settings = settings
        inventory = Dict()
        variables = Dict()
        extra = Dict()
        facts = Dict()
        magic = Dict()
        connection = Dict()
        others = Dict()
        roles = []
        bases = []
        steps = []
        handlers = []
        files = [:]
        taskFiles = [:]
        dynamicRoles = [:]
        pendingHandlers = []
    }
}

extension PlayPlan {
    /// Everything in it that may hold templates, but for the contents of files.
    package var texts: [Value] {
        var values = [inventory, variables, extra, magic].map { Value.dict($0) }
        values += Self.texts(of: roles) + Self.texts(of: steps + handlers)
        for file in taskFiles.values { values += Self.texts(of: file.roles) + Self.texts(of: file.steps) }
        for role in dynamicRoles.values {
            values += Self.texts(of: role.roles) + Self.texts(of: role.steps + role.handlers)
        }
        return values
    }

    package static func texts(of roles: [RolePlan]) -> [Value] {
        roles.flatMap { [.dict($0.defaults), .dict($0.variables), .dict($0.parameters)] }
    }

    package static func texts(of steps: [Step]) -> [Value] {
        tasks(in: steps).flatMap { [$0.arguments, .dict($0.keywords), .dict($0.inherited)] }
    }

    package static func tasks(in steps: [Step]) -> [TaskPlan] {
        steps.flatMap { step -> [TaskPlan] in
            switch step {
            case .task(let task): [task]
            case .block(let block): tasks(in: block.block + block.rescue + block.always)
            }
        }
    }
}

/// Settings of a run that the engine needs.
package struct RunSettings: Sendable, Hashable {
    package var checkMode = false
    package var diffMode = false
    package var verbosity = 0
    /// Empty: all.
    package var tags: [String] = []
    package var skipTags: [String] = []
    package var forceHandlers = false
    /// A notification that no handler answers to is no error.
    package var forgivesMissingHandlers = false
    /// `linear` waits before changes; `free` does not.
    package var isFree = false
    /// Other hosts' templates read this host's facts and results: report them.
    package var reportsVariables = false
    /// The coordinator keeps facts: report them.
    package var reportsFacts = false
    /// Facts are only in `ansible_facts` (`inject_facts_as_vars = false`).
    package var hidesFacts = false
    /// Facts are gathered only where there are none (`gathering = smart`).
    package var gathersOnce = false
    /// Mappings are merged (`hash_behaviour = merge`).
    package var mergesHashes = false
    /// A person is asked before each task.
    package var step = false
    /// A person is asked about tasks that failed, where no `debugger` says otherwise.
    package var debugs = false
    /// Nor about those whose failure is passed over.
    package var debuggerIgnoresErrors = true
    /// The play adds hosts or groups: `groups` is asked for where it is read.
    package var changesInventory = false
    /// The engine is not on the host: every module is sent there by the coordinator.
    package var isAway = false
    /// How the host is reached: `ssh`, `local`, ….
    package var connection = ""
    /// Conditions may give anything, and its truth counts: as before ansible-core 2.19.
    package var allowsBrokenConditions = false
    /// Halves of characters in JSON are no errors (`module_strict_utf8_response = false`).
    package var allowsSurrogates = false
    /// Texts that look like templates and are none are warned of.
    package var warnsOfUntrusted = false
    /// The controller's name, and its user's: templates may print them.
    package var controllerHost = "localhost"
    package var controllerUser = "root"
    /// The folder that places are told relative to.
    package var folder = ""
    package init() {}
}

/// A task or a block.
package enum Step: Sendable {
    case task(TaskPlan)
    indirect case block(BlockPlan)
}

package struct TaskPlan: Sendable {
    /// Position in its file: counts tasks in order of writing, those of blocks included.
    package var ordinal: Int
    package var place: Place
    package var name: Text?
    /// Short name of the module (`file`, `include_tasks`).
    package var module: String
    /// As written: a mapping, or one template that gives one.
    package var arguments: Value
    /// Every keyword, with what play, blocks, roles and static imports hand down already merged in.
    package var keywords: Dict
    /// What the surroundings hand down, without the task's own: for the children of dynamic includes.
    package var inherited: Dict
    /// Index into the roles of the plan or of the file it came with.
    package var role: Int?
    package var basis: Int
    /// Made by the loader (`Gathering Facts`, flushes), not written by the user.
    package var isImplicit: Bool

    package init(
        ordinal: Int, place: Place, name: Text?, module: String, arguments: Value, keywords: Dict, inherited: Dict,
        role: Int?, basis: Int, isImplicit: Bool = false
    ) {
        self.ordinal = ordinal
        self.place = place
        self.name = name
        self.module = module
        self.arguments = arguments
        self.keywords = keywords
        self.inherited = inherited
        self.role = role
        self.basis = basis
        self.isImplicit = isImplicit
    }
}

extension TaskPlan {
    package func isMeta(_ action: String) -> Bool {
        module == "meta" && arguments["_raw_params"]?.text == action
    }
}

package struct BlockPlan: Sendable {
    package var place: Place
    package var name: Text?
    package var role: Int?
    package var block: [Step]
    package var rescue: [Step]
    package var always: [Step]
    package init(place: Place, name: Text?, role: Int?, block: [Step], rescue: [Step], always: [Step]) {
        self.place = place
        self.name = name
        self.role = role
        self.block = block
        self.rescue = rescue
        self.always = always
    }
}

package struct RolePlan: Sendable {
    package var name: String
    package var path: String
    package var defaults: Dict
    package var variables: Dict
    /// Role parameters (level 20).
    package var parameters: Dict
    /// Names of the roles that included or imported it, innermost first.
    package var parents: [String]
    /// Their folders.
    package var parentPaths: [String]
    /// Defaults and vars are seen by the other tasks of the play, too.
    package var isPublic: Bool
    /// Equal for two uses of a role that come to the same: the second one does not run where the first one did.
    package var key: String
    /// It runs as often as it is named.
    package var allowsDuplicates: Bool
    package init(
        name: String, path: String, defaults: Dict, variables: Dict, parameters: Dict, parents: [String],
        parentPaths: [String] = [], isPublic: Bool, key: String = "", allowsDuplicates: Bool = false
    ) {
        self.name = name
        self.path = path
        self.defaults = defaults
        self.variables = variables
        self.parameters = parameters
        self.parents = parents
        self.parentPaths = parentPaths
        self.isPublic = isPublic
        self.key = key
        self.allowsDuplicates = allowsDuplicates
    }

    /// Without its collection.
    package var shortName: String { name.split(separator: ".").dropFirst(2).last.map(String.init) ?? name }
}

/// Where relative file names of a task are looked for, in order: the role's folders, those of its parents, the folder
/// of the task file, the play's.
package struct SearchBasis: Sendable, Hashable {
    package var roles: [String]
    package var taskFolder: String
    package var playFolder: String
    package init(roles: [String], taskFolder: String, playFolder: String) {
        self.roles = roles
        self.taskFolder = taskFolder
        self.playFolder = playFolder
    }
}

/// A file of the controller by the name that a task used.
package struct FileRequest: Sendable, Hashable {
    /// `handlers` is for tasks that a handler includes.
    package enum Kind: String, Sendable, Hashable { case files, templates, vars, tasks, handlers }
    package var kind: Kind
    package var name: String
    package var basis: SearchBasis
    /// As it lies on the controller: what is in a vault stays in it.
    package var isSealed: Bool
    package init(kind: Kind, name: String, basis: SearchBasis, isSealed: Bool = false) {
        self.kind = kind
        self.name = name
        self.basis = basis
        self.isSealed = isSealed
    }
}

/// What is known of a controller file. Small files that will be needed travel along.
package struct FileEntry: Sendable, Hashable {
    package var path: String
    /// SHA-256 in hex; empty for a folder.
    package var digest: String
    package var size: Int
    package var mode: Int
    package var contents: [UInt8]?
    /// Came out of a vault: its text is secret.
    package var isSecret: Bool
    /// For a folder.
    package var children: [FileEntry]?
    /// For a file of variables: what is in its values under `!vault`, by the vaults' texts.
    package var opened = Dict()
    /// Where it points, as written, when the path itself is a link. One that leads to nothing has no digest.
    package var target: String?
    /// Why nobody gets its content, which has no digest then: no password opens its vault.
    package var problem: String?
    /// Of a template that asks: when it was written last, in local time (`2026-11-29 20:41:00.000000`).
    package var modified: String?
    /// Of a template that asks: whose it is.
    package var owner: String?
    package init(
        path: String, digest: String, size: Int, mode: Int, contents: [UInt8]? = nil, isSecret: Bool = false,
        children: [FileEntry]? = nil, target: String? = nil
    ) {
        self.target = target
        self.path = path
        self.digest = digest
        self.size = size
        self.mode = mode
        self.contents = contents
        self.isSecret = isSecret
        self.children = children
    }
}

/// A file of tasks that a dynamic include names.
package struct TaskFile: Sendable {
    package var path: String
    package var steps: [Step]
    /// Roles and bases that its static imports brought; the tasks' indices count from there.
    package var roles: [RolePlan]
    package var bases: [SearchBasis]
    package init(path: String, steps: [Step], roles: [RolePlan], bases: [SearchBasis]) {
        self.path = path
        self.steps = steps
        self.roles = roles
        self.bases = bases
    }
}

/// A role that `include_role` names, with its dependencies in front.
package struct RoleFile: Sendable {
    package var steps: [Step]
    package var handlers: [Step]
    package var roles: [RolePlan]
    package var bases: [SearchBasis]
    package init(steps: [Step], handlers: [Step], roles: [RolePlan], bases: [SearchBasis]) {
        self.steps = steps
        self.handlers = handlers
        self.roles = roles
        self.bases = bases
    }
}

/// What `include_role` asks for.
package struct RoleRequest: Sendable, Hashable {
    package var name: String
    package var tasksFrom: String
    package var varsFrom: String
    package var defaultsFrom: String
    package var handlersFrom: String
    package var basis: SearchBasis
    package var allowsDuplicates = true
    /// Its arguments are checked against what it declares.
    package var isChecked = true
    package init(
        name: String, tasksFrom: String = "main", varsFrom: String = "main", defaultsFrom: String = "main",
        handlersFrom: String = "main", basis: SearchBasis
    ) {
        self.name = name
        self.tasksFrom = tasksFrom
        self.varsFrom = varsFrom
        self.defaultsFrom = defaultsFrom
        self.handlersFrom = handlersFrom
        self.basis = basis
    }
    package var key: String {
        [name, tasksFrom, varsFrom, defaultsFrom, handlersFrom, basis.playFolder, "\(allowsDuplicates)\(isChecked)"]
            .joined(separator: "\u{0}")
    }
}

/// Whether a task with these tags runs under `--tags` (empty: all) and `--skip-tags`, as Ansible decides it.
package func isSelected(tags given: Set<String>, run: [String], skip: [String]) -> Bool {
    let untagged: Set<String> = ["untagged"]
    let tags = given.isEmpty ? untagged : given
    let wanted = run.isEmpty ? ["all"] : Set(run)
    let isWanted =
        tags.contains("always") || (wanted.contains("all") && !tags.contains("never"))
        || !tags.isDisjoint(with: wanted)
        || (wanted.contains("tagged") && tags != untagged && !tags.contains("never"))
    guard isWanted else { return false }
    let unwanted = Set(skip)
    if unwanted.contains("all") { return tags.contains("always") && !unwanted.contains("always") }
    return tags.isDisjoint(with: unwanted) && !(unwanted.contains("tagged") && tags != untagged)
}

/// What is said of a notification that no handler answers to: Ansible's words.
package func missingHandler(_ name: String) -> String {
    "The requested handler '\(name)' was not found in either the main handlers list nor in the listening handlers list"
}

/// A handler's name behind its role's: the role as it was named, and without its collection.
package func qualified(_ name: String, in role: String) -> [String] {
    let parts = role.split(separator: ".")
    return parts.count >= 3 ? ["\(role) : \(name)", "\(parts[parts.count - 1]) : \(name)"] : ["\(role) : \(name)"]
}

/// A path as a person is told it: relative to the folder, where it is in there.
package func shown(_ path: String, in folder: String) -> String {
    if path == folder { return "." }
    guard !folder.isEmpty, path.hasPrefix(folder), path.dropFirst(folder.count).first == "/" else { return path }
    return String(path.dropFirst(folder.count + 1))
}

/// Keywords of a task under those of its surroundings: conditions, tags and environments add up, variables merge, and
/// of the rest the nearest wins.
package func inheriting(_ own: Dict, from outer: Dict) -> Dict {
    var merged = own
    // A list of mappings is one, too: of two that have the same key the later one counts.
    if let layers = own["module_defaults"]?.list?.compactMap(\.dict) {
        merged["module_defaults"] = .dict(layers.reduce(Dict()) { all, next in all.merging(next) { $1 } })
    }
    for (key, value) in outer {
        switch key.text {
        case "when", "tags", "environment", "notify":
            let outerList = value.list ?? [value]
            let ownList = own[key].map { $0.list ?? [$0] } ?? []
            merged[key] = .list(outerList + ownList.filter { key.text != "tags" || !outerList.contains($0) })
        case "vars", "module_defaults":
            var base = value.dict ?? Dict()
            for (name, inner) in merged[key]?.dict ?? Dict() { base[name] = inner }
            merged[key] = .dict(base)
        default: if own[key] == nil { merged[key] = value }
        }
    }
    return merged
}
