import Values

/// Hosts and groups, and which belongs to which. Ids are indices and never change; nothing is removed.
struct Graph: Sendable {
    struct Host: Sendable {
        let name: String
        /// Its own variables of the inventory source, `inventory_file` and `inventory_dir` included.
        var variables = Dict()
        /// The groups it was put into, without theirs.
        var groups: [Int] = []
    }

    struct Group: Sendable {
        let name: String
        var variables = Dict()
        var hosts: [Int] = []
        var children: [Int] = []
        var parents: [Int] = []
        /// How many levels below `all`.
        var depth = 0
        /// `ansible_group_priority`.
        var priority = 1
        /// Parents, theirs, and so on.
        var ancestors: Set<Int> = []
        /// Its hosts and those of its descendants, in Ansible's order.
        var allHosts: [Int] = []
    }

    static let all = 0
    static let ungrouped = 1
    static let localNames = ["localhost", "127.0.0.1", "::1"]

    private(set) var hosts: [Host] = []
    private(set) var groups: [Group] = []
    private(set) var hostIDs: [String: Int] = [:]
    private(set) var groupIDs: [String: Int] = [:]
    /// The first group whose name was changed.
    private(set) var replacedName: String?
    let mergesHashes: Bool
    private let groupNames: GroupNames

    init(mergesHashes: Bool, groupNames: GroupNames = .never) {
        self.mergesHashes = mergesHashes
        self.groupNames = groupNames
        _ = addGroup("all")
        _ = addGroup("ungrouped")
        groups[Self.all].children = [Self.ungrouped]
        groups[Self.ungrouped].parents = [Self.all]
    }

    /// The group of that name, made if there is none.
    mutating func addGroup(_ name: String) -> Int {
        if let id = groupIDs[name] { return id }
        var safe = name
        if groupNames.replaces {
            safe = GroupNames.safe(name)
            if safe != name { replacedName = replacedName ?? name }
            if let id = groupIDs[safe] {
                groupIDs[name] = id
                return id
            }
        }
        groups.append(Group(name: safe))
        groupIDs[safe] = groups.count - 1
        // The name as it was written finds the group, too.
        groupIDs[name] = groups.count - 1
        return groups.count - 1
    }

    /// The host of that name, made if there is none; `source` is what it was first named in.
    mutating func addHost(_ name: String, port: Int? = nil, source: InventorySource? = nil) -> Int {
        if let id = hostIDs[name] { return id }
        var host = Host(name: name)
        if let port { host.variables["ansible_port"] = .int(port) }
        host.variables["inventory_file"] = source.map { .string($0.path) } ?? .null
        host.variables["inventory_dir"] = source.map { .string($0.folder) } ?? .null
        hosts.append(host)
        hostIDs[name] = hosts.count - 1
        return hosts.count - 1
    }

    /// - Returns: whether it was not yet in it.
    @discardableResult
    mutating func put(host: Int, into group: Int) -> Bool {
        if hosts[host].groups.contains(group) { return false }
        hosts[host].groups.append(group)
        groups[group].hosts.append(host)
        return true
    }

    /// Makes one group a child of another.
    /// - Returns: whether it was not yet; `nil` when that would put a group into itself.
    mutating func put(group child: Int, into parent: Int) -> Bool? {
        if groups[parent].children.contains(child) { return false }
        if child == parent || reaches(from: child, parent) { return nil }
        groups[parent].children.append(child)
        groups[child].parents.append(parent)
        return true
    }

    private func reaches(from start: Int, _ goal: Int) -> Bool {
        var seen: Set<Int> = []
        var open = [start]
        while let next = open.popLast() {
            if next == goal { return true }
            for child in groups[next].children where seen.insert(child).inserted { open.append(child) }
        }
        return false
    }

    mutating func set(_ key: Value, _ value: Value, ofHost id: Int) {
        Self.set(key, value, in: &hosts[id].variables, mergesHashes)
    }

    mutating func set(_ key: Value, _ value: Value, ofGroup id: Int) {
        if key.text == "ansible_group_priority" {
            if let priority = value.int ?? value.text.flatMap({ Int($0) }) { groups[id].priority = priority }
        } else {
            Self.set(key, value, in: &groups[id].variables, mergesHashes)
        }
    }

    private static func set(_ key: Value, _ value: Value, in variables: inout Dict, _ merges: Bool) {
        if merges, case .dict(let old)? = variables[key], case .dict(let new) = value {
            variables[key] = .dict(combined(old, new, merging: true))
        } else {
            variables[key] = value
        }
    }

    /// Applies the rules every inventory obeys: each group is below `all`, and a host in no other group is in
    /// `ungrouped`, and only such a host. Then computes depths, ancestors and members.
    mutating func settle() {
        for id in groups.indices where id != Self.all && groups[id].parents.isEmpty {
            _ = put(group: id, into: Self.all)
        }
        settleUngrouped()
        rank()
        for id in groups.indices { groups[id].allHosts = members(of: id) }
    }

    /// Computes depths and ancestors.
    mutating func rank() {
        for id in groups.indices {
            groups[id].ancestors = []
            groups[id].depth = 0
        }
        for id in parentsFirst() {
            for parent in groups[id].parents {
                groups[id].depth = max(groups[id].depth, groups[parent].depth + 1)
                groups[id].ancestors.formUnion(groups[parent].ancestors)
                groups[id].ancestors.insert(parent)
            }
        }
    }

    private mutating func settleUngrouped() {
        var changed = false
        for id in hosts.indices {
            let own = hosts[id].groups
            let grouped = own.contains { $0 != Self.all && $0 != Self.ungrouped }
            if grouped, own.contains(Self.ungrouped) {
                hosts[id].groups.removeAll { $0 == Self.ungrouped }
                changed = true
            } else if !grouped {
                put(host: id, into: Self.ungrouped)
            }
        }
        if changed { groups[Self.ungrouped].hosts.removeAll { !hosts[$0].groups.contains(Self.ungrouped) } }
    }

    private func parentsFirst() -> [Int] {
        var waiting = groups.map(\.parents.count)
        var order = groups.indices.filter { waiting[$0] == 0 }
        var at = 0
        while at < order.count {
            for child in groups[order[at]].children {
                waiting[child] -= 1
                if waiting[child] == 0 { order.append(child) }
            }
            at += 1
        }
        return order
    }

    /// Level by level downwards, each host once.
    private func members(of id: Int) -> [Int] {
        var seenGroups: Set<Int> = [id]
        var seen = Set<Int>()
        var members: [Int] = []
        var level = [id]
        while !level.isEmpty {
            var next: [Int] = []
            for group in level {
                for host in groups[group].hosts where seen.insert(host).inserted { members.append(host) }
                for child in groups[group].children where seenGroups.insert(child).inserted { next.append(child) }
            }
            level = next
        }
        return members
    }

    /// All groups of a host but `all`, in the order in which their variables are applied.
    func groupsByPrecedence(ofHost id: Int) -> [Int] {
        var ids = Set(hosts[id].groups)
        for group in hosts[id].groups { ids.formUnion(groups[group].ancestors) }
        ids.remove(Self.all)
        return ids.sorted { left, right in
            let (a, b) = (groups[left], groups[right])
            if a.depth != b.depth { return a.depth < b.depth }
            if a.priority != b.priority { return a.priority < b.priority }
            return Value.precedes(a.name, b.name)
        }
    }
}
