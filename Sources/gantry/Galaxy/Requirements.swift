import Playbooks
import Values

/// A file that names roles and collections to install.
struct Requirements {
    private(set) var sources: [GalaxySource] = []

    /// The old form is a list of roles; entries may include further files.
    init(_ path: String) throws(CommandFailure) {
        do throws(Diagnostic) { try read(path, depth: 0) } catch { throw CommandFailure(error, status: 1) }
    }

    private mutating func read(_ path: String, depth: Int) throws(Diagnostic) {
        let path = Disk.absolute(path)
        guard Disk.kind(path) == .file else { throw Diagnostic("The requirements file '\(path)' does not exist.") }
        guard let value = try GalaxySource.mapping(path), !value.isNull else {
            throw Diagnostic("No requirements found in file '\(path)'")
        }
        if let list = value.list { return try add(roles: list, path, depth) }
        guard let dict = value.dict else {
            throw Diagnostic("the requirements file '\(path)' holds neither a list nor a mapping")
        }
        let strange = dict.map(\.key.pythonText).filter { $0 != "roles" && $0 != "collections" }
        guard strange.isEmpty else {
            throw Diagnostic(
                "Expecting only 'roles' and/or 'collections' as base keys in the requirements file. Found: "
                    + strange.sorted().joined(separator: ", "))
        }
        try add(roles: list("roles", dict, path), path, depth)
        sources += try list("collections", dict, path).map { GalaxySource($0, .collection) }
    }

    private func list(_ key: String, _ dict: Dict, _ path: String) throws(Diagnostic) -> [Value] {
        guard let value = dict[key], !value.isNull else { return [] }
        guard let list = value.list else { throw Diagnostic("'\(key)' in '\(path)' has to be a list") }
        return list
    }

    private mutating func add(roles: [Value], _ path: String, _ depth: Int) throws(Diagnostic) {
        for entry in roles {
            guard case .dict(let dict) = entry, let included = dict["include"]?.text else {
                sources.append(GalaxySource(entry, .role))
                continue
            }
            guard depth < 8 else { throw Diagnostic("'\(path)' includes files that include each other") }
            let beside = "\(Disk.folder(of: path))/\(included)"
            try read(included.hasPrefix("/") || Disk.kind(included) != nil ? included : beside, depth: depth + 1)
        }
    }
}
