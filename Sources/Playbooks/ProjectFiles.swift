package import Values
import Wire

/// The files that playbooks are made of. The controller reads the disk; tests keep them in memory.
package protocol ProjectFiles: AnyObject, Sendable {
    func kind(of path: String) -> ProjectFileKind?
    func contents(of path: String) throws(Diagnostic) -> [UInt8]?
    func names(in folder: String) -> [String]
    /// Where a link points, as written; `nil` for what is no link.
    func target(of path: String) -> String?
    /// The path without links.
    func realPath(of path: String) -> String
    /// Permission bits.
    func mode(of path: String) -> Int
    /// When a file was written last, in local time with microseconds, and whose it is; `nil` where that is not known.
    func origin(of path: String) -> (modified: String, owner: String)?
    /// Whether there is a password for vaults at all.
    var hasVaultSecrets: Bool { get }
    /// Opens a vault; text that is not vaulted comes back as it is.
    func opened(_ text: String, path: String) throws(Diagnostic) -> (text: String, isSecret: Bool)
    /// Opens an inline `!vault` value.
    func decrypted(_ text: Text) throws(Diagnostic) -> Text
    /// SHA-256 in hex.
    func digest(of contents: [UInt8]) -> String
    /// The folder that places are told relative to; empty where paths are told as they are.
    var folder: String { get }
}

extension ProjectFiles {
    package var folder: String { "" }
    package var hasVaultSecrets: Bool { true }
    package func target(of path: String) -> String? { nil }
    package func realPath(of path: String) -> String { normalized(path) }
    package func origin(of path: String) -> (modified: String, owner: String)? { nil }
    /// A path as a person is told it.
    func shown(_ path: String) -> String { Wire.shown(path, in: folder) }
    func searched(_ paths: [String]) -> String { "searched: " + paths.map(shown).joined(separator: ", ") }
}

package enum ProjectFileKind: Sendable { case file, folder }

/// `a/b` from `a` and `b`; an absolute second part stands alone.
package func joined(_ folder: String, _ name: String) -> String {
    if name.hasPrefix("/") || folder.isEmpty || folder == "." { return name }
    return folder.hasSuffix("/") ? folder + name : folder + "/" + name
}

package func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
}

package func lastPart(of path: String) -> String {
    var rest = path[...]
    while rest.count > 1, rest.last == "/" { rest.removeLast() }
    return rest.lastIndex(of: "/").map { String(rest[rest.index(after: $0)...]) } ?? String(rest)
}

/// The path without `.`, `..` and doubled slashes.
package func normalized(_ path: String) -> String {
    var parts: [Substring] = []
    for part in path.split(separator: "/") where part != "." {
        if part == "..", let last = parts.last, last != ".." { parts.removeLast() } else { parts.append(part) }
    }
    let text = parts.joined(separator: "/")
    return path.hasPrefix("/") ? "/" + text : text.isEmpty ? "." : text
}

extension ProjectFiles {
    /// The candidates for a name that a task uses, in the order in which Ansible looks: roles from the inside out, the
    /// folder of the task file, the play's; each with the kind's folder first.
    package func candidates(for request: SearchRequest) -> [String] {
        if request.name.hasPrefix("/") { return [request.name] }
        if request.name.hasPrefix("~/"), let home = request.home { return [home + request.name.dropFirst(1)] }
        var paths: [String] = []
        func add(_ path: String) { if !paths.contains(path) { paths.append(path) } }
        // Without a kind, only the folders themselves.
        func part(_ folder: String) -> String { request.kind.isEmpty ? folder : joined(folder, request.kind) }
        for role in request.roles {
            add(joined(part(role), request.name))
            // What a role's handler includes may be among its tasks.
            if request.kind == "handlers" { add(joined(joined(role, "tasks"), request.name)) }
            add(joined(role, request.name))
        }
        for folder in [request.taskFolder, request.playFolder] {
            if request.kind == "tasks" {
                add(joined(folder, request.name))
            } else {
                add(joined(part(folder), request.name))
                add(joined(folder, request.name))
            }
        }
        return paths
    }
}

/// A search for a controller file.
package struct SearchRequest: Sendable {
    package var kind: String
    package var name: String
    package var roles: [String]
    package var taskFolder: String
    package var playFolder: String
    package var home: String?
    package init(
        kind: String, name: String, roles: [String], taskFolder: String, playFolder: String, home: String? = nil
    ) {
        self.kind = kind
        self.name = name
        self.roles = roles
        self.taskFolder = taskFolder
        self.playFolder = playFolder
        self.home = home
    }
}
