import Modules
import Values
import Wire

/// Where a task stands, for names of modules.
struct ContentScope {
    /// Folders of roles, nearest first.
    var roles: [String]
    var playFolder: String
    /// The `collections` keyword.
    var collections: [String]
}

/// Finds modules and action plugins that are files: beside playbooks and roles, in configured folders, in collections.
package final class ForeignModules {
    enum Found {
        /// A file that runs on the node.
        case file(path: String, name: String)
        /// The name moved to a module that is built in.
        case native(String)
        /// A plugin in Python that runs on the controller, and the task's module by its full name.
        case action(path: String, name: String)
        case missing(notes: [String], candidates: [String])
    }

    let files: any ProjectFiles
    let paths: ContentPaths
    /// Groups of actions by their full names, as far as somebody asked for them.
    var groups: [String: Set<String>] = [:]
    /// Those that there are not.
    var missingGroups: Set<String> = []
    private var routings: [String: CollectionRouting] = [:]
    private var listings: [String: [String]] = [:]
    /// Action plugins are passed over.
    private var modulesOnly = false

    init(files: any ProjectFiles, paths: ContentPaths) {
        self.files = files
        self.paths = paths
    }

    /// Modules that Ansible runs by an action plugin of its own: a file of that name does not replace it.
    static let actions: Set<String> = [
        "add_host", "assemble", "assert", "async_status", "command", "copy", "debug", "dnf", "fail", "fetch",
        "gather_facts", "group_by", "import_playbook", "import_role", "import_tasks", "include", "include_role",
        "include_tasks", "include_vars", "meta", "package", "pause", "raw", "reboot", "script", "service", "set_fact",
        "set_stats", "shell", "template", "unarchive", "uri", "validate_argument_spec", "wait_for_connection", "yum",
    ]

    /// A file that takes the place of a built-in module, as Ansible lets it.
    func override(of name: String, _ scope: ContentScope) -> String? {
        guard !name.contains("."), !Self.actions.contains(name) else { return nil }
        return local(name, "library", paths.modules, scope)
    }

    /// An action plugin that takes the place of a built-in action or module.
    func actionOverride(of name: String, _ scope: ContentScope) -> String? {
        name.contains(".") ? nil : local(name, "action_plugins", paths.actions, scope)
    }

    func find(_ name: String, _ scope: ContentScope, depth: Int = 0) -> Found {
        let short = Registry.shortName(name)
        if short.contains(".") { return inCollection(short, scope, depth) }
        if !modulesOnly, let path = local(short, "action_plugins", paths.actions, scope) {
            return .action(path: path, name: short)
        }
        if let path = local(short, "library", paths.modules, scope) { return .file(path: path, name: short) }
        for collection in scope.collections + ownCollections(scope) {
            let found = inCollection("\(collection).\(short)", scope, depth)
            switch found {
            case .file, .action: return found
            case .native, .missing: continue
            }
        }
        guard let core = paths.core else { return .missing(notes: [], candidates: []) }
        let routing = routing("\(core)/config/ansible_builtin_runtime.yml")
        let target = routing.redirect("modules", short) ?? routing.redirect("action", short)
        if let target, depth < 8 { return moved(to: target, scope, depth) }
        if !modulesOnly, files.kind(of: "\(core)/plugins/action/\(short).py") == .file {
            return .action(path: "\(core)/plugins/action/\(short).py", name: short)
        }
        let path = "\(core)/modules/\(short).py"
        if files.kind(of: path) == .file { return .file(path: path, name: short) }
        return .missing(notes: [], candidates: [])
    }

    /// The file of a module, for a task that no playbook holds.
    package static func file(
        of name: String, files: any ProjectFiles, paths: ContentPaths, roles: [String] = [], playFolder: String
    ) -> (path: String, name: String)? {
        let scope = ContentScope(roles: roles, playFolder: playFolder, collections: [])
        let modules = ForeignModules(files: files, paths: paths)
        modules.modulesOnly = true
        guard case .file(let path, let name) = modules.find(name, scope) else { return nil }
        return (path, name)
    }

    private func moved(to target: String, _ scope: ContentScope, _ depth: Int) -> Found {
        if Registry.entry(target) != nil { return .native(Registry.shortName(target)) }
        return find(target, scope, depth: depth + 1)
    }

    /// A role of a collection finds what its collection has.
    private func ownCollections(_ scope: ContentScope) -> [String] {
        scope.roles.compactMap { role in
            guard let range = role.firstRange(of: "/ansible_collections/") else { return nil }
            let parts = role[range.upperBound...].split(separator: "/")
            return parts.count >= 2 ? "\(parts[0]).\(parts[1])" : nil
        }
    }

    // MARK: Folders

    func local(_ name: String, _ kind: String, _ configured: [String], _ scope: ContentScope) -> String? {
        let folders = scope.roles.map { joined($0, kind) } + [joined(scope.playFolder, kind)] + configured
        for folder in folders { if let path = file(name, in: folder) { return path } }
        return nil
    }

    /// Endings that are no programs.
    private static let passedOver: Set<String> = [
        "pyc", "pyo", "yml", "yaml", "md", "rst", "txt", "ini", "json", "ps1", "psm1", "swp", "bak", "orig", "rpm",
        "cfg", "retry",
    ]

    /// The file of that name, with whatever ending a program may have.
    func file(_ name: String, in folder: String) -> String? {
        let names = listings[folder] ?? files.names(in: folder)
        listings[folder] = names
        if names.contains(name + ".py") { return joined(folder, name + ".py") }
        for candidate in names where candidate == name || candidate.hasPrefix(name + ".") {
            let ending = candidate.dropFirst(name.count + 1)
            if ending.contains(".") || ending.hasSuffix("~") || Self.passedOver.contains(String(ending)) { continue }
            if files.kind(of: joined(folder, candidate)) == .file { return joined(folder, candidate) }
        }
        return nil
    }

    // MARK: Collections

    func routing(_ path: String) -> CollectionRouting {
        if let known = routings[path] { return known }
        let routing = CollectionRouting(path, files: files)
        routings[path] = routing
        return routing
    }

    private func inCollection(_ name: String, _ scope: ContentScope, _ depth: Int) -> Found {
        let parts = name.split(separator: ".").map(String.init)
        guard parts.count >= 3 else { return .missing(notes: [], candidates: []) }
        let places = paths.collectionFolders(parts[0], parts[1], besides: scope.playFolder)
        guard let folder = places.first(where: { files.kind(of: $0) == .folder }) else {
            return .missing(
                notes: [
                    "collection '\(parts[0]).\(parts[1])' is not installed",
                    files.searched(places),
                ], candidates: [])
        }
        let rest = parts[2...].joined(separator: ".")
        let routing = routing("\(folder)/meta/runtime.yml")
        if !modulesOnly, depth < 8 {
            // The plugin that the module's own collection names for it, else where the action has moved to.
            let targets = [moduleName(name, scope)?.action, routing.redirect("action", rest)].compactMap { $0 }
            for target in targets {
                switch moved(to: target, scope, depth) {
                case .action(let path, _): return .action(path: path, name: name)
                case .native(let module): return .native(module)
                case .file, .missing: continue
                }
            }
        }
        if depth < 8, let target = routing.redirect("modules", rest) { return moved(to: target, scope, depth) }
        if let reason = routing.tombstone("modules", rest) {
            return .missing(notes: ["'\(name)' is gone: \(reason)"], candidates: [])
        }
        let inner = parts[2...].joined(separator: "/")
        let actions = joined("\(folder)/plugins/action", parent(inner))
        if !modulesOnly, let path = file(lastPart(of: inner), in: actions) { return .action(path: path, name: name) }
        if let path = file(lastPart(of: inner), in: joined("\(folder)/plugins/modules", parent(inner))) {
            return .file(path: path, name: name)
        }
        let known = files.names(in: "\(folder)/plugins/modules").compactMap { file in
            file.hasSuffix(".py") ? "\(parts[0]).\(parts[1]).\(file.dropLast(3))" : nil
        }
        return .missing(
            notes: ["collection '\(parts[0]).\(parts[1])' in '\(files.shown(folder))' has no such module"],
            candidates: known)
    }

    private func parent(_ path: String) -> String {
        let folder = Playbooks.folder(of: path)
        return folder == "." ? "" : folder
    }
}
