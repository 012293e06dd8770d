package import Values

/// What `ansible-inventory` shows, as values and text.
extension Inventory {
    /// Settings of a listing, named as the options of `ansible-inventory`.
    package struct Listing: Sendable {
        /// Variables where they are defined, instead of all of them at each host.
        package var export: Bool
        package var limit: String?
        package var playbookFolders: [String]
        /// Vaulted texts stay what they are, for YAML.
        package var keepsSeals: Bool
        /// What the command line gives to every host.
        package var extra: Dict

        package init(
            export: Bool = false, limit: String? = nil, playbookFolders: [String] = [], keepsSeals: Bool = false,
            extra: Dict = Dict()
        ) {
            self.extra = extra
            self.keepsSeals = keepsSeals
            self.export = export
            self.limit = limit
            self.playbookFolders = playbookFolders
        }
    }

    /// `--list`: print it with sorted keys and an indent of 4.
    package func list(_ listing: Listing = Listing()) throws(Diagnostics) -> Value {
        let shown = try select("all", limit: listing.limit).hosts
        var result = Dict()
        var seen: Set<Int> = []
        try listGroup(Graph.all, Set(shown), listing, &seen, &result)
        var hostVariables = Dict()
        for host in shown {
            let variables = try variables(of: host, listing)
            if !variables.isEmpty { hostVariables[host] = Self.declared(.dict(variables)) }
        }
        result["_meta"] = ["hostvars": .dict(hostVariables), "profile": "inventory_legacy"]
        return .dict(result)
    }

    private func listGroup(
        _ id: Int, _ shown: Set<String>, _ listing: Listing, _ seen: inout Set<Int>, _ result: inout Dict
    ) throws(Diagnostics) {
        let group = graph.groups[id]
        var entry = Dict()
        let hosts = group.hosts.map { graph.hosts[$0].name }.filter(shown.contains)
        if id != Graph.all, !hosts.isEmpty { entry["hosts"] = .strings(hosts) }
        if !group.children.isEmpty { entry["children"] = .strings(group.children.map { graph.groups[$0].name }) }
        for child in group.children where !seen.contains(child) {
            try listGroup(child, shown, listing, &seen, &result)
            seen.insert(child)
        }
        if listing.export {
            let variables = try variables(ofGroup: id, listing)
            if !variables.isEmpty { entry["vars"] = Self.declared(.dict(variables)) }
        }
        if !entry.isEmpty { result[group.name] = .dict(entry) }
    }

    /// What is not to be evaluated, so that it is not when the listing is read as a script's output.
    private static func declared(_ value: Value) -> Value {
        switch value {
        case .string(let text):
            text.mark?.isDeclaredUnsafe ?? false ? ["__ansible_unsafe": value] : sealed(value)
        case .list(let list): .list(list.map(declared))
        case .dict(let dict): .dict(dict.mapValues(declared))
        default: value
        }
    }

    /// With vaulted texts as JSON has them.
    private static func sealed(_ value: Value) -> Value {
        switch value {
        case .string(let text): text.isSealed ? ["__ansible_vault": .string(text.string)] : value
        case .list(let list): .list(list.map(sealed))
        case .dict(let dict): .dict(dict.mapValues(sealed))
        default: value
        }
    }

    /// `--list --toml`: one table a group.
    package func tables(_ listing: Listing = Listing()) throws(Diagnostics) -> Dict {
        let shown = Set(try select("all", limit: listing.limit).hosts)
        var seen: Set<Int> = []
        var result = Dict()
        try tableGroup(Graph.all, shown, listing, &seen, &result)
        return result
    }

    private func tableGroup(
        _ id: Int, _ shown: Set<String>, _ listing: Listing, _ seen: inout Set<Int>, _ result: inout Dict
    ) throws(Diagnostics) {
        let group = graph.groups[id]
        var entry = Dict()
        let children = group.children.filter { $0 != Graph.ungrouped || !graph.groups[$0].hosts.isEmpty }
        if id != Graph.all, !children.isEmpty { entry["children"] = .strings(children.map { graph.groups[$0].name }) }
        // Its place in the order is before its children's.
        result[group.name] = .null
        for child in children { try tableGroup(child, shown, listing, &seen, &result) }
        var hosts = Dict()
        for host in id == Graph.all ? [] : group.hosts where shown.contains(graph.hosts[host].name) {
            let name = graph.hosts[host].name
            let isNew = seen.insert(host).inserted
            hosts[name] = .dict(isNew ? try variables(of: name, listing) : Dict())
        }
        if !hosts.isEmpty { entry["hosts"] = .dict(hosts) }
        if listing.export {
            let variables = try variables(ofGroup: id, listing)
            if !variables.isEmpty { entry["vars"] = .dict(variables) }
        }
        result[group.name] = entry.isEmpty ? nil : .dict(entry)
    }

    /// `--list --yaml`: groups inside of groups.
    package func tree(_ listing: Listing = Listing()) throws(Diagnostics) -> Value {
        let shown = Set(try select("all", limit: listing.limit).hosts)
        var seenGroups: Set<Int> = []
        var seenHosts: Set<Int> = []
        return .dict(try treeGroup(Graph.all, shown, listing, &seenGroups, &seenHosts))
    }

    private func treeGroup(
        _ id: Int, _ shown: Set<String>, _ listing: Listing, _ seenGroups: inout Set<Int>, _ seenHosts: inout Set<Int>
    ) throws(Diagnostics) -> Dict {
        let group = graph.groups[id]
        var children = Dict()
        for child in group.children {
            if seenGroups.contains(child) {
                children[graph.groups[child].name] = .dict(Dict())
            } else {
                let entry = try treeGroup(child, shown, listing, &seenGroups, &seenHosts)
                children.merge(entry) { $1 }
                seenGroups.insert(child)
            }
        }
        var hosts = Dict()
        for host in id == Graph.all ? [] : group.hosts where shown.contains(graph.hosts[host].name) {
            let name = graph.hosts[host].name
            let isNew = seenHosts.insert(host).inserted
            hosts[name] = .dict(isNew ? try variables(of: name, listing) : Dict())
        }
        var entry = Dict()
        if !children.isEmpty { entry["children"] = .dict(children) }
        if !hosts.isEmpty { entry["hosts"] = .dict(hosts) }
        if listing.export {
            let variables = try variables(ofGroup: id, listing)
            if !variables.isEmpty { entry["vars"] = .dict(variables) }
        }
        return entry.isEmpty ? Dict() : [.string(group.name): .dict(entry)]
    }

    /// `--host NAME`: the variables of one host.
    package func show(host: String, _ listing: Listing = Listing()) throws(Diagnostics) -> Value {
        let found = try select(host).hosts
        guard found.count == 1 else {
            var problem = Diagnostic(
                "You must pass a single valid host to --host parameter", hint: suggestion(for: host, among: hosts))
            problem.notes = found.isEmpty
                ? ["Could not match supplied host pattern, ignoring: \(host)"]
                : ["'\(host)' names \(found.count) hosts"]
            throw Diagnostics([problem])
        }
        let variables = Value.dict(try variables(of: found[0], listing))
        return listing.keepsSeals ? variables : Self.sealed(variables)
    }

    /// `--graph [GROUP]`, with variables where asked for.
    package func graphText(
        _ group: String = "all", showVariables: Bool = false, _ listing: Listing = Listing()
    ) throws(Diagnostics) -> String {
        guard let id = graph.groupIDs[group] else {
            throw Diagnostics([
                Diagnostic(
                    "Pattern must be valid group name when using --graph: there is no '\(group)'",
                    hint: suggestion(for: group, among: graph.groupIDs.keys))
            ])
        }
        var lines: [String] = []
        try graphGroup(id, 0, showVariables, listing, &lines)
        return lines.joined(separator: "\n")
    }

    private func graphGroup(
        _ id: Int, _ depth: Int, _ showVariables: Bool, _ listing: Listing, _ lines: inout [String]
    ) throws(Diagnostics) {
        func line(_ text: String, _ depth: Int) -> String {
            depth == 0 ? text : String(repeating: "  |", count: depth) + "--" + text
        }
        func rows(_ variables: Dict, _ depth: Int) -> [String] {
            let sorted = variables.sorted { Value.precedes($0.key.pythonText, $1.key.pythonText) }
            return sorted.map { entry in
                let shown = entry.value.mapText { $0.isSealed ? Text("(hidden)") : $0 }
                return line("{\(entry.key.pythonText) = \(shown.pythonText)}", depth)
            }
        }
        let group = graph.groups[id]
        lines.append(line("@\(group.name):", depth))
        for child in group.children { try graphGroup(child, depth + 1, showVariables, listing, &lines) }
        for host in id == Graph.all ? [] : group.hosts {
            let name = graph.hosts[host].name
            lines.append(line(name, depth + 1))
            if showVariables { lines += rows(try variables(of: name, listing), depth + 2) }
        }
        if showVariables { lines += rows(try variables(ofGroup: id, listing), depth + 1) }
    }

    /// Without what Ansible sets itself.
    private func variables(of host: String, _ listing: Listing) throws(Diagnostics) -> Dict {
        let variables: Dict
        if listing.export, let id = graph.hostIDs[host] {
            do { variables = try ownVariables(ofHost: id, listing.playbookFolders) } catch {
                throw Diagnostics([error])
            }
        } else {
            let own = try self.variables(of: host, playbookFolders: listing.playbookFolders)
            let facts = options.cachedFacts?(host) ?? Dict()
            let known = combined(own, facts, merging: options.mergesHashes)
            variables = combined(known, listing.extra, merging: options.mergesHashes)
        }
        return Self.withoutInternals(variables)
    }

    private static func withoutInternals(_ variables: Dict) -> Dict {
        var shown = variables
        for key in variables.keys where internalNames.contains(key) { shown[key] = nil }
        return shown
    }

    private func variables(ofGroup id: Int, _ listing: Listing) throws(Diagnostics) -> Dict {
        do throws(Diagnostic) {
            return Self.withoutInternals(try ownVariables(ofGroup: id, listing.playbookFolders))
        } catch { throw Diagnostics([error]) }
    }

    private static let internalNames: Set<Value> = [
        "_ansible_facts_gathered",
        "ansible_async_path", "ansible_collection_name", "ansible_config_file", "ansible_dependent_role_names",
        "ansible_diff_mode", "ansible_facts", "ansible_forks", "ansible_inventory_sources", "ansible_limit",
        "ansible_play_batch", "ansible_play_hosts", "ansible_play_hosts_all", "ansible_play_role_names",
        "ansible_playbook_python", "ansible_role_name", "ansible_role_names", "ansible_run_tags", "ansible_skip_tags",
        "ansible_verbosity", "ansible_version", "inventory_dir", "inventory_file", "inventory_hostname",
        "inventory_hostname_short", "groups", "group_names", "hostvars", "playbook_dir", "play_hosts", "role_name",
        "role_names", "role_path", "role_uuid",
    ]
}
