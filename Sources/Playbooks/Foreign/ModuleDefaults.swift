import Modules
import Values
import YAML

/// `module_defaults`: which entries are meant for a task. Names are compared as ansible-core resolves them: where they
/// lead, not as they are written.
struct ModuleDefaults {
    let loader: Loader
    let scope: ContentScope

    /// The values that the task's arguments lie over, the weakest first.
    ///
    /// - Parameter module: the task's module as it is written.
    func values(_ defaults: Dict, for module: String) -> [Value] {
        // It gives what it gets to 'setup'.
        let first = Registry.shortName(module) == "gather_facts" ? values(defaults, named: "ansible.builtin.setup") : []
        guard let name = loader.foreign.taskName(module, scope) else { return first }
        return first + values(defaults, named: name)
    }

    private func values(_ defaults: Dict, named name: String) -> [Value] {
        var groups: [Value] = []
        var own: Value?
        for (key, value) in defaults {
            let written = key.pythonText
            if written.hasPrefix("group/") {
                let group = String(written.dropFirst("group/".count))
                if members(of: group, at: key.place)?.contains(name) ?? false { groups.append(value) }
            } else if names(of: written).contains(name) {
                own = value
            }
        }
        return groups + (own.map { [$0] } ?? [])
    }

    /// What an entry is meant for: one without a collection for `ansible.legacy` and for `ansible.builtin`.
    private func names(of written: String) -> [String] {
        var own = scope
        own.collections = []
        let isLegacy = written.split(separator: ".").count < 3 || written.hasPrefix("ansible.legacy.")
        let found = loader.foreign.defaultsName(written, own)
        guard isLegacy else { return found.map { [$0] } ?? [] }
        let builtin = loader.foreign.defaultsName("ansible.builtin." + Registry.shortName(written), own)
        return [found, builtin].compactMap { $0 }
    }

    /// The actions of a group, in a collection's `meta/runtime.yml`; `nil` where there is none of that name.
    private func members(of group: String, at place: Place?) -> Set<String>? {
        var own = scope
        own.collections = []
        let full = group.split(separator: ".").count < 3 ? "ansible.builtin." + group : group
        if let known = loader.foreign.groups[full] { return known }
        let found = loader.foreign.actions(of: full, own) { message in
            loader.report(Diagnostic(message, at: place, severity: .warning))
        }
        if found == nil, loader.foreign.missingGroups.insert(full).inserted {
            let isCore = full.hasPrefix("ansible.builtin.") && !loader.foreign.hasCore
            var diagnostic = Diagnostic(
                "Error loading module_defaults: could not resolve the module_defaults group \(full)", at: place)
            if isCore {
                diagnostic.severity = .warning
                diagnostic.notes = ["groups without a collection's name are those of an ansible-core; none was found"]
            }
            loader.report(diagnostic)
        }
        return found
    }
}

extension ForeignModules {
    var hasCore: Bool { paths.core != nil }

    /// The full name of what a task of this name runs: an action, else a module.
    func taskName(_ name: String, _ scope: ContentScope) -> String? {
        actionName(name, scope) ?? moduleName(name, scope)?.name
    }

    /// The full name that an entry of `module_defaults` stands for.
    func defaultsName(_ name: String, _ scope: ContentScope) -> String? {
        guard let module = moduleName(name, scope) else { return actionName(name, scope) }
        return module.action != nil ? module.name : actionName(name, scope) ?? module.name
    }

    /// The actions of a group, those of the groups that it extends included.
    ///
    /// - Parameter warn: told of what is odd in it.
    func actions(of group: String, _ scope: ContentScope, _ warn: (String) -> Void) -> Set<String>? {
        if let known = groups[group] { return known }
        let words = group.split(separator: ".").map(String.init)
        let collection = words[0] + "." + words[1]
        let short = words[2...].joined(separator: ".")
        guard let all = metadata(of: collection, scope)?.actionGroups,
            let members = (all[group] ?? all[short])?.list
        else { return nil }
        func full(_ name: String) -> String { name.split(separator: ".").count < 3 ? "\(collection).\(name)" : name }
        var found = Set(members.compactMap(\.text).compactMap { defaultsName(full($0), scope) })
        // Groups may extend each other.
        groups[group] = found
        var hasMetadata = false
        var extended: [String] = []
        for member in members where member.text == nil {
            if paths.checksActionGroups {
                let problems = Self.problems(member, hasMetadata)
                if !problems.isEmpty {
                    let start = "Invalid metadata was found for action_group \(group) while loading module_defaults."
                    warn(([start] + problems).joined(separator: " "))
                }
            }
            guard let metadata = member["metadata"]?.dict else { continue }
            hasMetadata = true
            extended = metadata["extend_group"].map { $0.list ?? [$0] }?.compactMap(\.text) ?? []
        }
        for name in extended { found.formUnion(actions(of: full(name), scope, warn) ?? []) }
        groups[group] = found
        return found
    }

    private static func problems(_ member: Value, _ hasMetadata: Bool) -> [String] {
        let keys = member.dict?.names ?? []
        guard keys == ["metadata"], let metadata = member["metadata"] else {
            return ["The only expected key is metadata, but got keys: \(keys.sorted().joined(separator: ", "))"]
        }
        var problems = hasMetadata ? ["The group contains multiple metadata entries."] : []
        guard let dict = metadata.dict else {
            return problems + ["The metadata is not a dictionary. Got \(metadata.pythonText)"]
        }
        let unknown = dict.names.filter { $0 != "extend_group" }
        if !unknown.isEmpty {
            problems.append("The metadata contains unexpected keys: \(unknown.joined(separator: ", "))")
        }
        if let groups = dict["extend_group"], groups.list == nil, groups.text == nil {
            problems.append(
                "The metadata contains unexpected key types: extend_group is \(groups.pythonText) (expected type list)")
        }
        return problems
    }

    // MARK: Names

    /// Where the name of an action leads; `nil` where there is no such action plugin.
    private func actionName(_ name: String, _ scope: ContentScope, _ depth: Int = 0) -> String? {
        resolve(name, scope, depth) { (place, short) in
            switch place {
            case .local:
                return local(short, "action_plugins", paths.actions, scope).map { _ in "ansible.legacy.\(short)" }
            case .builtin:
                if let target = builtinRouting?.redirect("action", short), depth < 8 {
                    return actionName(target, scope, depth + 1)
                }
                return Self.actions.contains(short) || isCore("plugins/action", short)
                    ? "ansible.builtin.\(short)" : nil
            case .collection(let folder, let collection):
                if let target = routing("\(folder)/meta/runtime.yml").redirect("action", short), depth < 8 {
                    return actionName(target, scope, depth + 1)
                }
                return file(short, in: "\(folder)/plugins/action").map { _ in "\(collection).\(short)" }
            }
        }
    }

    /// Where the name of a module leads, and the action plugin that its collection names for it.
    func moduleName(_ name: String, _ scope: ContentScope, _ depth: Int = 0) -> (name: String, action: String?)? {
        resolve(name, scope, depth) { (place, short) in
            switch place {
            case .local:
                return local(short, "library", paths.modules, scope).map { _ in ("ansible.legacy.\(short)", nil) }
            case .builtin:
                let isKnown = Registry.entry(short) != nil
                if !isKnown, depth < 8, let target = builtinRouting?.redirect("modules", short) {
                    return moduleName(target, scope, depth + 1)
                }
                return isKnown || isCore("modules", short) ? ("ansible.builtin.\(short)", nil) : nil
            case .collection(let folder, let collection):
                let routing = routing("\(folder)/meta/runtime.yml")
                if let target = routing.redirect("modules", short), depth < 8 {
                    return moduleName(target, scope, depth + 1)
                }
                guard file(short, in: "\(folder)/plugins/modules") != nil else { return nil }
                return ("\(collection).\(short)", routing.action(of: short))
            }
        }
    }

    private enum NamePlace { case local, builtin, collection(folder: String, name: String) }

    /// Tries the places that a name may mean, in order.
    private func resolve<Found>(
        _ name: String, _ scope: ContentScope, _ depth: Int, _ look: (NamePlace, String) -> Found?
    ) -> Found? {
        let words = name.split(separator: ".").map(String.init)
        let short = words.count < 3 ? name : words[2...].joined(separator: "/")
        func inCollection(_ collection: String) -> Found? {
            let words = collection.split(separator: ".").map(String.init)
            guard words.count == 2 else { return nil }
            let folders = paths.collectionFolders(words[0], words[1], besides: scope.playFolder)
            guard let folder = folders.first(where: { files.kind(of: $0) == .folder }) else { return nil }
            return look(.collection(folder: folder, name: collection), short)
        }
        if words.count >= 3 {
            switch words[0] + "." + words[1] {
            case "ansible.builtin": return look(.builtin, short)
            case "ansible.legacy": return look(.local, short) ?? look(.builtin, short)
            case let collection: return inCollection(collection)
            }
        }
        if let found = look(.local, short) { return found }
        if Registry.entry(short) == nil {
            for collection in scope.collections { if let found = inCollection(collection) { return found } }
        }
        return look(.builtin, short)
    }

    private var builtinRouting: CollectionRouting? {
        paths.core.map { routing("\($0)/config/ansible_builtin_runtime.yml") }
    }

    private func isCore(_ folder: String, _ name: String) -> Bool {
        guard let core = paths.core else { return false }
        return files.kind(of: "\(core)/\(folder)/\(name).py") == .file
    }

    private func metadata(of collection: String, _ scope: ContentScope) -> CollectionRouting? {
        if collection == "ansible.builtin" { return builtinRouting }
        let words = collection.split(separator: ".").map(String.init)
        let folders = paths.collectionFolders(words[0], words[1], besides: scope.playFolder)
        guard let folder = folders.first(where: { files.kind(of: $0) == .folder }) else { return nil }
        return routing("\(folder)/meta/runtime.yml")
    }
}
