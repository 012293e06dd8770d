import Synchronization
import Values
import YAML

/// `group_vars` and `host_vars`: files and trees beside inventories and playbooks, each read once.
final class VariableFiles: Sendable {
    private struct Cache {
        /// What is in a folder; empty where there is none.
        var names: [String: Set<String>] = [:]
        var files: [String: Dict] = [:]
        var warnings: [Diagnostic] = []
    }

    private let endings: [String]
    private let cache = Mutex(Cache())
    private let options: InventoryOptions

    init(_ options: InventoryOptions) {
        self.options = options
        endings = [""] + options.variableEndings
    }

    /// Warnings (duplicate keys) of all files read so far.
    var warnings: [Diagnostic] { cache.withLock { $0.warnings } }

    /// The variables of one group or host beside `folder`.
    /// - Parameter kind: `group_vars` or `host_vars`.
    func variables(of name: String, _ kind: String, beside folder: String) throws(Diagnostic) -> Dict {
        // Names of chroots are paths, and no files belong to them.
        if name.hasPrefix("/") { return Dict() }
        let path = folder.hasSuffix("/") ? folder + kind : folder + "/" + kind
        let names = names(in: path)
        if names.isEmpty { return Dict() }
        guard let ending = endings.first(where: { names.contains(name + $0) }) else { return Dict() }
        let found = path + "/" + name + ending
        var variables = Dict()
        for file in Files.kind(found) == .folder ? tree(found) : [found] {
            variables = combined(variables, try contents(file), merging: options.mergesHashes)
        }
        return variables
    }

    private func names(in folder: String) -> Set<String> {
        if let names = cache.withLock({ $0.names[folder] }) { return names }
        let names = Set(Files.names(in: folder) ?? [])
        cache.withLock { $0.names[folder] = names }
        return names
    }

    private func tree(_ folder: String) -> [String] {
        var found: [String] = []
        for name in Files.names(in: folder) ?? [] where !name.hasPrefix(".") && !name.hasSuffix("~") {
            let dot = name.lastIndex(of: ".")
            let ending = dot.map { String(name[$0...]) } ?? ""
            let path = folder + "/" + name
            if Files.kind(path) == .folder {
                if ending.isEmpty { found += tree(path) }
            } else if endings.contains(ending) {
                found.append(path)
            }
        }
        return found
    }

    private func contents(_ path: String) throws(Diagnostic) -> Dict {
        if let known = cache.withLock({ $0.files[path] }) { return known }
        let text = try SourceText(path: path, name: Self.shown(path), options: options)
        let (node, warnings) = try YAMLReader.document(text.text, file: text.file)
        var dict = Dict()
        if let node, !node.isNull {
            guard node.entries != nil else {
                throw node.diagnostic(
                    "a file of variables is a mapping, not a \(node.kindName)", hint: "write 'name: value'")
            }
            let value = text.marked(try node.value())
            dict = value.dict ?? Dict()
        }
        cache.withLock {
            $0.files[path] = dict
            $0.warnings += warnings
        }
        return dict
    }

    /// Relative to where the run was started, when it is below.
    private static func shown(_ path: String) -> String {
        let base = Files.workingFolder + "/"
        return path.hasPrefix(base) ? String(path.dropFirst(base.count)) : path
    }
}
