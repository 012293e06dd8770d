import Templates
import Values

/// `plugin: constructed`: variables and groups computed from what is known of hosts.
struct Construction {
    /// An entry of `keyed_groups`.
    private struct Keyed {
        let key: Text
        let prefix: String
        let separator: String
        let parent: Text?
        /// Instead of what is empty.
        let fallback: String?
        let dropsTrailingSeparator: Bool
    }

    private let file: PluginFile
    private let options: InventoryOptions
    private let files: VariableFiles
    /// Folders whose `group_vars` and `host_vars` count, where asked for.
    private let folders: [String]
    private let compose: Dict
    private let groups: Dict
    private var keyed: [Keyed] = []
    private let isStrict: Bool
    private let usesExtra: Bool
    private let leadingSeparator: Bool
    private let templater = Templater()

    init(
        _ file: PluginFile, _ options: InventoryOptions, _ files: VariableFiles, folders: [String]
    ) throws(Diagnostic) {
        self.file = file
        self.options = options
        templater.unseal = options.decrypt
        self.files = files
        var seen: Set<String> = []
        self.folders = try file.flag("use_vars_plugins") ?? false ? folders.filter { seen.insert($0).inserted } : []
        compose = try Self.mapping("compose", file)
        groups = try Self.mapping("groups", file)
        isStrict = try file.flag("strict") ?? false
        usesExtra = try file.flag("use_extra_vars") ?? options.constructedUsesExtra
        leadingSeparator = try file.flag("leading_separator") ?? true
        guard let entries = (file["keyed_groups"] ?? .list([])).list else {
            throw file.error("'keyed_groups' is a list", at: "keyed_groups", hint: "begin each entry with '- key:'")
        }
        for entry in entries { keyed.append(try keyed(entry)) }
    }

    private static func mapping(_ key: String, _ file: PluginFile) throws(Diagnostic) -> Dict {
        guard let value = file[key] else { return Dict() }
        guard let dict = value.dict else {
            throw file.error("'\(key)' is a mapping of names to expressions", at: key)
        }
        return dict
    }

    private func keyed(_ entry: Value) throws(Diagnostic) -> Keyed {
        guard let entry = entry.dict, case .string(let key)? = entry["key"] else {
            throw file.error(
                "Invalid keyed group entry, it must be a dictionary: \(entry.pythonText)", at: "keyed_groups",
                hint: "an entry has 'key' with an expression")
        }
        let fallback = entry["default_value"].flatMap { $0.isNull ? nil : $0.pythonText }
        let trailing = entry["trailing_separator"].flatMap { $0.isNull ? nil : $0 }
        if fallback != nil, trailing != nil {
            throw file.error(
                "parameters are mutually exclusive for keyed groups: default_value|trailing_separator",
                at: "keyed_groups")
        }
        var parent: Text?
        if case .string(let text)? = entry["parent_group"] { parent = text }
        return Keyed(
            key: key, prefix: entry["prefix"]?.pythonText ?? "", separator: entry["separator"]?.pythonText ?? "_",
            parent: parent, fallback: fallback, dropsTrailingSeparator: trailing?.asBool == false)
    }

    /// Goes through all hosts that are known by now.
    func apply(to graph: inout Graph) throws(Diagnostic) {
        var changed = graph
        changed.rank()
        for id in changed.hosts.indices {
            let name = changed.hosts[id].name
            if !compose.isEmpty {
                let scope = try scope(id, changed, withExtra: usesExtra)
                for (variable, expression) in compose {
                    let what = "Could not set \(variable.pythonText) for host \(name)"
                    guard let value = try evaluate(expression, scope, what) else { continue }
                    // What was computed was written by nobody: it is no template where the listing is read again.
                    changed.set(variable, value.mapText { $0.place == nil ? $0.unsafe : $0 }, ofHost: id)
                }
            }
            let plain = try scope(id, changed, withExtra: false)
            for (group, condition) in groups {
                let what = "Could not add host \(name) to group \(group.pythonText)"
                guard try holds(condition, plain, what) else { continue }
                let made = changed.addGroup(GroupNames.safe(group.pythonText))
                changed.put(host: id, into: made)
            }
            let scope = usesExtra ? try scope(id, changed, withExtra: true) : plain
            for entry in keyed { try add(id, name, entry, scope, &changed) }
        }
        graph = changed
    }

    private func scope(_ id: Int, _ graph: Graph, withExtra: Bool) throws(Diagnostic) -> DictScope {
        let host = graph.hosts[id]
        let groups = graph.groupsByPrecedence(ofHost: id)
        let merging = options.mergesHashes
        var known = graph.groups[Graph.all].variables
        for group in groups { known = combined(known, graph.groups[group].variables, merging: merging) }
        for group in folders.isEmpty ? [] : [Graph.all] + groups {
            for folder in folders {
                let found = try files.variables(of: graph.groups[group].name, "group_vars", beside: folder)
                known = combined(known, found, merging: merging)
            }
        }
        known = combined(known, host.variables, merging: merging)
        for folder in folders {
            known = combined(known, try files.variables(of: host.name, "host_vars", beside: folder), merging: merging)
        }
        known["inventory_hostname"] = .string(host.name)
        known["inventory_hostname_short"] = .string(host.name.split(separator: ".").first.map(String.init) ?? host.name)
        known["group_names"] = .strings(groups.map { graph.groups[$0].name }.sorted { Value.precedes($0, $1) })
        if let facts = options.cachedFacts?(host.name) { known = combined(known, facts, merging: merging) }
        if withExtra { known = combined(known, options.extra, merging: merging) }
        return DictScope(known)
    }

    /// - Returns: `nil` for what cannot be evaluated, unless that is an error (`strict`).
    private func evaluate(_ expression: Value, _ scope: DictScope, _ what: String) throws(Diagnostic) -> Value? {
        do throws(TemplateError) {
            guard case .string(let text) = expression else {
                throw TemplateError("'\(expression.pythonText)' is no expression")
            }
            return try templater.evaluate(expression: text, in: scope)
        } catch {
            guard isStrict else { return nil }
            throw failure(what, error)
        }
    }

    private func holds(_ condition: Value, _ scope: DictScope, _ what: String) throws(Diagnostic) -> Bool {
        guard case .string(let text) = condition else { return condition.isTrue }
        do throws(TemplateError) { return try templater.condition(text, in: scope) } catch {
            guard isStrict else { return false }
            throw failure(what, error)
        }
    }

    private func failure(_ what: String, _ error: TemplateError) -> Diagnostic {
        var diagnostic = error.diagnostic
        diagnostic.message = "\(what): \(diagnostic.message)"
        return diagnostic
    }

    private func add(
        _ host: Int, _ name: String, _ entry: Keyed, _ scope: DictScope, _ graph: inout Graph
    ) throws(Diagnostic) {
        let what = "Could not generate group for host \(name) from \(entry.key.string) entry"
        guard let key = try evaluate(.string(entry.key), scope, what) else { return }
        guard key.isTrue || (Self.isMissing(key) && entry.fallback != nil) else {
            if isStrict, key.list == nil, key.dict == nil {
                throw file.error(
                    "No key or key resulted empty for \(entry.key.string) in host \(name), invalid entry",
                    at: "keyed_groups")
            }
            return
        }
        var parent: Int?
        if let text = entry.parent {
            let what = "Could not generate parent group '\(text.string)' for group '\(key.pythonText)'"
            do throws(TemplateError) {
                let rendered = try templater.render(text, in: scope)
                if rendered.isTrue { parent = graph.addGroup(GroupNames.safe(rendered.pythonText)) }
            } catch {
                guard isStrict else { return }
                throw failure(what, error)
            }
        }
        let separator = entry.prefix.isEmpty && !leadingSeparator ? "" : entry.separator
        for part in try names(key, entry) {
            let group = graph.addGroup(GroupNames.safe(entry.prefix + separator + part))
            graph.put(host: host, into: group)
            guard let parent, graph.put(group: group, into: parent) == nil else { continue }
            throw file.error("the group '\(graph.groups[group].name)' would be inside of itself", at: "keyed_groups")
        }
    }

    private static func isMissing(_ value: Value) -> Bool { value.isNull || value.text == "" }

    /// The names that a key stands for, without prefix.
    private func names(_ key: Value, _ entry: Keyed) throws(Diagnostic) -> [String] {
        if Self.isMissing(key), let fallback = entry.fallback { return [fallback] }
        switch key {
        case .string(let text): return [text.string]
        case .list(let items):
            return items.map { item in
                if Self.isMissing(item), let fallback = entry.fallback { return fallback }
                return item.pythonText
            }
        case .dict(let dict):
            return dict.map { name, value in
                if Self.isMissing(value) {
                    if let fallback = entry.fallback { return name.pythonText + entry.separator + fallback }
                    if entry.dropsTrailingSeparator { return name.pythonText }
                }
                return name.pythonText + entry.separator + value.pythonText
            }
        default:
            throw file.error(
                "Invalid group name format, expected a string or a list of them or dictionary, got: \(key.typeName)",
                at: "keyed_groups", hint: "'\(entry.key.string) | string' makes a string of it")
        }
    }
}
