package import OrderedCollections
import Synchronization
package import Values

/// The hosts of a run: which there are, in which groups, with which variables.
package struct Inventory: Sendable {
    var graph: Graph
    let options: InventoryOptions
    /// The sources that variables may stand beside, as absolute folders.
    let folders: [String]
    private let files: VariableFiles
    private var merged = MergedVariables()

    /// Reads the sources in order; later ones add to earlier ones and override their variables.
    ///
    /// A source that cannot be read gives a warning while another one can; when none can, that is an error
    /// (`InventoryOptions.unparsedIsFailed`). No sources at all make an inventory of the implicit localhost alone.
    package static func load(
        _ sources: [String], options: InventoryOptions = InventoryOptions()
    ) throws(Diagnostics) -> (inventory: Inventory, warnings: [Diagnostic]) {
        let files = VariableFiles(options)
        var loading = try SourceLoading(options, files)
        for source in sources { loading.read(source) }
        if !loading.failures.isEmpty,
            options.anyUnparsedIsFailed || (options.unparsedIsFailed && loading.readCount == 0)
        {
            throw Diagnostics(loading.failures)
        }
        var warnings = loading.warnings
        for var failure in loading.failures {
            failure.severity = .warning
            warnings.append(failure)
        }
        var graph = loading.graph
        graph.settle()
        warnings += Self.conflicts(graph, options)
        if loading.readCount == 0, options.warnsOfNone {
            warnings.append(
                Diagnostic("No inventory was parsed, only implicit localhost is available", severity: .warning))
        }
        let folders = sources.filter { !$0.isEmpty }.compactMap(Self.folder)
        return (Inventory(graph: graph, options: options, folders: folders, files: files), warnings)
    }

    private init(graph: Graph, options: InventoryOptions, folders: [String], files: VariableFiles) {
        self.graph = graph
        self.options = options
        self.folders = folders
        self.files = files
        refresh()
    }

    private static func folder(_ source: String) -> String? {
        if source.contains(","), Files.kind(source) == nil { return nil }
        let path = Files.absolute(source)
        return Files.kind(path) == .folder ? path : Files.parent(path)
    }

    private static func conflicts(_ graph: Graph, _ options: InventoryOptions) -> [Diagnostic] {
        var warnings: [Diagnostic] = []
        for group in graph.groups where graph.hostIDs[group.name] != nil {
            warnings.append(
                Diagnostic("Found both group and host with same name: \(group.name)", severity: .warning))
        }
        if let replaced = graph.replacedName, options.groupNames == .always {
            warnings.append(
                Diagnostic(
                    "Invalid characters were found in group names and automatically replaced: '\(replaced)'",
                    hint: "it is '\(GroupNames.safe(replaced))' here", severity: .warning))
        }
        let odd = graph.groups.lazy.map(\.name).first { !isIdentifier($0) }
        if let first = odd, options.groupNames == .never {
            warnings.append(
                Diagnostic(
                    "Invalid characters were found in group names but not replaced: '\(first)'",
                    hint: "templates reach such a group only as groups['\(first)']", severity: .warning))
        }
        return warnings
    }

    private static func isIdentifier(_ name: String) -> Bool {
        guard let first = name.unicodeScalars.first, first == "_" || first.properties.isAlphabetic else { return false }
        return name.unicodeScalars.allSatisfy { scalar in
            scalar == "_" || scalar.properties.isAlphabetic || scalar.properties.numericType != nil
        }
    }

    /// All hosts, as `all` lists them.
    package private(set) var hosts: [String] = []

    /// Each group with all its hosts, those of its children included, in Ansible's order.
    package private(set) var groups: OrderedDictionary<String, [String]> = [:]

    /// Whether there is such a host, or it is a name of this machine.
    package func contains(_ host: String) -> Bool { graph.hostIDs[host] != nil || Graph.localNames.contains(host) }

    private mutating func refresh() {
        merged = MergedVariables()
        groups = OrderedDictionary(minimumCapacity: graph.groups.count)
        for group in graph.groups { groups[group.name] = group.allHosts.map { graph.hosts[$0].name } }
        hosts = groups["all"] ?? []
    }

    /// The groups of a host without `all`, as `group_names` has them.
    package func groupNames(of host: String) -> [String] {
        guard let id = graph.hostIDs[host] else { return [] }
        return graph.groupsByPrecedence(ofHost: id).map { graph.groups[$0].name }.sorted { Value.precedes($0, $1) }
    }

    /// What the inventory source says of the host: `inventory_file` and `inventory_dir`; `nil` for a made-up one.
    package func source(of host: String) -> (file: String, folder: String)? {
        guard let id = graph.hostIDs[host], let file = graph.hosts[id].variables["inventory_file"]?.text,
            let folder = graph.hosts[id].variables["inventory_dir"]?.text
        else { return nil }
        return (file, folder)
    }

    /// Warnings of the `group_vars` and `host_vars` files read so far.
    package var variableWarnings: [Diagnostic] { files.warnings }
}

// MARK: Variables

/// Group variables of hosts that are in the same groups, merged once.
private final class MergedVariables: Sendable {
    struct Key: Hashable {
        let groups: [Int]
        let folders: [String]
    }

    let known = Mutex<[Key: Dict]>([:])
}

extension Inventory {
    /// The variables of levels 3 to 10: of groups in the inventory, in `group_vars` beside inventory and playbooks,
    /// and of the host in the same three places. Strings are not rendered.
    package func variables(of host: String, playbookFolders: [String] = []) throws(Diagnostics) -> Dict {
        let id = graph.hostIDs[host]
        let groups = id.map { graph.groupsByPrecedence(ofHost: $0) } ?? []
        do throws(Diagnostic) {
            var result = try groupVariables(groups, playbookFolders)
            let isLocal = Graph.localNames.contains(host)
            let own: Dict = id.map { graph.hosts[$0].variables } ?? (isLocal ? implicitHost : Dict())
            result = combined(result, own, merging: options.mergesHashes)
            for folder in folders + playbookFolders {
                let found = try files.variables(of: host, "host_vars", beside: folder)
                result = combined(result, found, merging: options.mergesHashes)
            }
            return result
        } catch { throw Diagnostics([error]) }
    }

    /// This machine, where no source names it.
    private var implicitHost: Dict {
        var own: Dict = ["ansible_connection": "local"]
        if let python = options.python { own["ansible_python_interpreter"] = .string(python) }
        return own
    }

    private func groupVariables(_ groups: [Int], _ playbookFolders: [String]) throws(Diagnostic) -> Dict {
        let key = MergedVariables.Key(groups: groups, folders: playbookFolders)
        if let known = merged.known.withLock({ $0[key] }) { return known }
        var result = Dict()
        for level in options.precedence {
            let ids = level.rawValue.hasPrefix("all") ? [Graph.all] : groups
            let places: [String]
            switch level {
            case .allInventory, .groupsInventory:
                for id in ids {
                    result = combined(result, graph.groups[id].variables, merging: options.mergesHashes)
                }
                continue
            case .allFilesBesideInventory, .groupFilesBesideInventory: places = folders
            case .allFilesBesidePlaybook, .groupFilesBesidePlaybook: places = playbookFolders
            }
            for folder in places {
                for id in ids {
                    let found = try files.variables(of: graph.groups[id].name, "group_vars", beside: folder)
                    result = combined(result, found, merging: options.mergesHashes)
                }
            }
        }
        let done = result
        merged.known.withLock { $0[key] = done }
        return done
    }

    /// What a group itself says: in the inventory and in `group_vars`.
    func ownVariables(ofGroup id: Int, _ playbookFolders: [String]) throws(Diagnostic) -> Dict {
        var result = graph.groups[id].variables
        for folder in folders + playbookFolders {
            let found = try files.variables(of: graph.groups[id].name, "group_vars", beside: folder)
            result = combined(result, found, merging: options.mergesHashes)
        }
        if graph.groups[id].priority != 1 { result["ansible_group_priority"] = .int(graph.groups[id].priority) }
        return result
    }

    /// What a host itself says: in the inventory and in `host_vars`.
    func ownVariables(ofHost id: Int, _ playbookFolders: [String]) throws(Diagnostic) -> Dict {
        var result = graph.hosts[id].variables
        for folder in folders + playbookFolders {
            let found = try files.variables(of: graph.hosts[id].name, "host_vars", beside: folder)
            result = combined(result, found, merging: options.mergesHashes)
        }
        return result
    }
}

// MARK: Additions during a run

extension Inventory {
    /// Adds a host (`add_host`), or groups and variables to one that is there.
    /// - Returns: whether that changed anything.
    @discardableResult
    package mutating func add(host: String, groups: [String] = [], variables: Dict = Dict()) -> Bool {
        let changed = addUnsettled(host: host, groups: groups, variables: variables)
        if changed { settle() }
        return changed
    }

    private mutating func addUnsettled(host: String, groups: [String], variables: Dict) -> Bool {
        var changed = graph.hostIDs[host] == nil
        let id = graph.addHost(host)
        // As if it were written right under 'all': it comes before those that only groups name.
        if changed { graph.put(host: id, into: Graph.all) }
        for (key, value) in variables where graph.hosts[id].variables[key] != value {
            graph.set(key, value, ofHost: id)
            changed = true
        }
        for name in groups {
            if graph.groupIDs[name] == nil { changed = true }
            if graph.put(host: id, into: graph.addGroup(name)) { changed = true }
        }
        return changed
    }

    /// A host or a group that a play adds.
    package enum Addition: Sendable {
        case host(String, groups: [String], variables: Dict)
        case group(String, parents: [String], host: String)
    }

    /// Adds many at once: what follows from them is computed once.
    package mutating func add(_ additions: [Addition]) {
        var changed = false
        for addition in additions {
            switch addition {
            case .host(let name, let groups, let variables):
                if addUnsettled(host: name, groups: groups, variables: variables) { changed = true }
            case .group(let name, let parents, let host):
                if addUnsettled(group: name, parents: parents, host: host) { changed = true }
            }
        }
        if changed { settle() }
    }

    /// Adds a group (`group_by`) below its parents, and a host to it.
    /// - Returns: whether that changed anything.
    @discardableResult
    package mutating func add(group name: String, parents: [String] = [], host: String? = nil) -> Bool {
        let changed = addUnsettled(group: name, parents: parents, host: host)
        if changed { settle() }
        return changed
    }

    private mutating func addUnsettled(group name: String, parents: [String], host: String?) -> Bool {
        var changed = graph.groupIDs[name] == nil
        let group = graph.addGroup(name)
        for parent in parents {
            if graph.groupIDs[parent] == nil { changed = true }
            if graph.put(group: group, into: graph.addGroup(parent)) == true { changed = true }
        }
        if let host, graph.put(host: graph.addHost(host), into: group) { changed = true }
        return changed
    }

    private mutating func settle() {
        graph.settle()
        refresh()
    }
}
