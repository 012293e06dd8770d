import Values
import Machine

/// A tree of files in memory: names point to nodes, so that hard links are what they are on a real one.
struct FakeFiles: Sendable {
    struct Node: Sendable {
        var status: FileStatus
        var contents: [UInt8] = []
        var target: String?
    }

    private var nodes: [UInt64: Node] = [:]
    /// By path: absolute, without `.`, `..` or a slash at the end.
    private var names: [String: UInt64] = [:]
    private var lastInode: UInt64 = 0

    init() { insert("/", Node(status: FileStatus(kind: .folder, mode: 0o755))) }

    private mutating func insert(_ path: String, _ node: Node) {
        lastInode += 1
        var node = node
        node.status.inode = lastInode
        nodes[lastInode] = node
        names[path] = lastInode
    }

    /// Without `.`, empty parts and, as far as no links are concerned, `..`.
    private static func plain(_ path: String) -> String {
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }

    /// The path with the links in it resolved, its own name only when asked to; `nil` when a parent is missing.
    private func place(_ path: String, following: Bool, depth: Int = 0) -> String? {
        if depth > 40 || path.isEmpty { return nil }
        var at = ""
        let parts = Self.plain(path).split(separator: "/")
        for (index, part) in parts.enumerated() {
            let isLast = index == parts.count - 1
            let next = at + "/" + part
            if !isLast || following, let target = names[next].flatMap({ nodes[$0]?.target }) {
                let rest = parts[(index + 1)...].joined(separator: "/")
                let start = target.hasPrefix("/") ? target : at + "/" + target
                return place(rest.isEmpty ? start : start + "/" + rest, following: following, depth: depth + 1)
            }
            if !isLast, names[next].flatMap({ nodes[$0]?.status.kind }) != .folder { return nil }
            at = next
        }
        return at.isEmpty ? "/" : at
    }

    func resolved(_ path: String) -> String? {
        guard let found = place(path, following: true), names[found] != nil else { return nil }
        return found
    }

    func node(_ path: String, following: Bool) -> Node? {
        guard let found = place(path, following: following || path.hasSuffix("/")), let inode = names[found],
            var node = nodes[inode]
        else { return nil }
        node.status.size = Int64(node.target?.utf8.count ?? node.contents.count)
        node.status.links = UInt64(names.values.count { $0 == inode })
        return node
    }

    func names(in folder: String) throws(MachineError) -> [String]? {
        guard let found = place(folder, following: true), let inode = names[found] else { return nil }
        if nodes[inode]?.status.kind != .folder { throw error("list", folder, "Not a directory", 20) }
        let prefix = found == "/" ? "/" : found + "/"
        return names.keys.filter { $0.hasPrefix(prefix) && $0 != "/" && !$0.dropFirst(prefix.count).contains("/") }
            .map { String($0.dropFirst(prefix.count)) }.sorted()
    }

    var snapshot: [String] {
        names.keys.sorted().map { path in
            guard let node = node(path, following: false) else { return path }
            let status = node.status
            let content = node.target.map { "-> \($0)" } ?? String(decoding: node.contents, as: UTF8.self)
            let mode = String(status.mode, radix: 8)
            return
                "\(path) \(status.kind) \(mode) \(status.owner):\(status.group) \(status.modificationTime) \(content)"
        }
    }

    private func error(_ verb: String, _ path: String, _ text: String, _ code: Int32) -> MachineError {
        MachineError("cannot \(verb) \(path): \(text)", code: code)
    }

    /// Where a new name may be made.
    private func newPlace(_ path: String, _ verb: String) throws(MachineError) -> String {
        let (folder, name) = splitPath(path)
        guard let parent = place(folder, following: true), let inode = names[parent],
            nodes[inode]?.status.kind == .folder
        else { throw error(verb, path, "No such file or directory", 2) }
        return parent == "/" ? "/" + name : parent + "/" + name
    }

    mutating func makeParents(of path: String, _ time: Double) {
        let parts = Self.plain(path).split(separator: "/").dropLast()
        var at = ""
        for part in parts {
            at += "/" + part
            if names[at] == nil { insert(at, Node(status: Self.fresh(.folder, 0o755, time))) }
        }
    }

    private static func fresh(_ kind: FileKind, _ mode: UInt32, _ time: Double) -> FileStatus {
        FileStatus(kind: kind, mode: mode, device: 1, accessTime: time, modificationTime: time, changeTime: time)
    }

    mutating func put(_ path: String, _ contents: [UInt8], _ time: Double) {
        makeParents(of: path, time)
        insert(Self.plain(path), Node(status: Self.fresh(.file, 0o644, time), contents: contents))
    }

    mutating func write(
        _ path: String, _ contents: [UInt8], _ attributes: Attributes, like model: String, _ time: Double
    ) throws(MachineError) {
        if node(model, following: false)?.status.kind == .folder { throw error("write", model, "Is a directory", 21) }
        let found = try newPlace(path, "write")
        let old = node(model, following: false).flatMap { $0.status.kind == .file ? $0.status : nil }
        var status = Self.fresh(.file, attributes.mode ?? old?.mode ?? 0o644, time)
        status.owner = attributes.owner ?? old?.owner ?? 0
        status.group = attributes.group ?? old?.group ?? 0
        insert(found, Node(status: status, contents: contents))
    }

    mutating func overwrite(_ path: String, _ contents: [UInt8], _ time: Double) throws(MachineError) {
        guard let found = resolved(path), let inode = names[found] else {
            throw error("write", path, "No such file or directory", 2)
        }
        nodes[inode]?.contents = contents
        nodes[inode]?.status.modificationTime = time
    }

    mutating func makeFolder(_ path: String, _ mode: UInt32, _ time: Double) throws(MachineError) {
        let found = try newPlace(path, "make the folder")
        if names[found] != nil { throw error("make the folder", path, "File exists", 17) }
        insert(found, Node(status: Self.fresh(.folder, mode, time)))
    }

    mutating func makeLink(_ path: String, _ target: String, _ time: Double) throws(MachineError) {
        let found = try newPlace(path, "make the link")
        if names[found] != nil { throw error("make the link", path, "File exists", 17) }
        insert(found, Node(status: Self.fresh(.link, 0o777, time), target: target))
    }

    mutating func makeHardLink(_ path: String, _ existing: String) throws(MachineError) {
        let found = try newPlace(path, "link \(existing) to")
        guard let source = place(existing, following: false), let inode = names[source] else {
            throw error("link \(existing) to", path, "No such file or directory", 2)
        }
        if names[found] != nil { throw error("link \(existing) to", path, "File exists", 17) }
        names[found] = inode
    }

    mutating func remove(_ path: String) {
        guard let found = place(path, following: false) else { return }
        names = names.filter { $0.key != found && !$0.key.hasPrefix(found + "/") }
    }

    mutating func rename(_ path: String, to new: String) throws(MachineError) {
        let target = try newPlace(new, "rename \(path) to")
        guard let source = place(path, following: false), names[source] != nil else {
            throw error("rename \(path) to", new, "No such file or directory", 2)
        }
        remove(new)
        for (name, inode) in names where name == source || name.hasPrefix(source + "/") {
            names[name] = nil
            names[target + name.dropFirst(source.count)] = inode
        }
    }

    mutating func setAttributes(
        _ path: String, _ attributes: Attributes, following: Bool
    ) throws(MachineError) {
        guard let found = place(path, following: following), let inode = names[found] else {
            throw error("set the mode of", path, "No such file or directory", 2)
        }
        if let owner = attributes.owner { nodes[inode]?.status.owner = owner }
        if let group = attributes.group { nodes[inode]?.status.group = group }
        if let mode = attributes.mode, nodes[inode]?.target == nil { nodes[inode]?.status.mode = mode }
    }

    mutating func setTimes(_ path: String, _ access: Double?, _ modification: Double?) throws(MachineError) {
        guard let found = resolved(path), let inode = names[found] else {
            throw error("set the times of", path, "No such file or directory", 2)
        }
        if let access { nodes[inode]?.status.accessTime = access }
        if let modification { nodes[inode]?.status.modificationTime = modification }
    }
}
