import Playbooks
import Values
import YAML

/// Modules and plugins that are files: beside playbooks, in configured folders, in collections.
struct DocFiles {
    let configuration: Configuration
    /// As if a playbook were in it.
    let folder: String
    /// Folders of modules before all others.
    let modulePath: [String]

    private var collections: [String] { configuration.paths(.collectionsPath, separator: ":").map(Disk.absolute) }

    /// - Parameter collection: only what is in this collection, or in those of this namespace.
    func all(_ type: DocType, in collection: String? = nil) -> [DocEntry] {
        guard type.hasFiles else { return [] }
        var found: [DocEntry] = []
        var seen: Set<String> = []
        func take(_ folder: String, _ prefix: String) {
            for (name, path) in files(below: folder) where seen.insert(prefix + name).inserted {
                if let entry = entry(prefix + name, path, type) { found.append(entry) }
            }
        }
        if collection == nil { for folder in localFolders(type) { take(folder, "") } }
        for (name, path) in collectionFolders {
            if let collection, name != collection, !name.hasPrefix(collection + ".") { continue }
            take("\(path)/\(type.collectionFolder)", name + ".")
        }
        return found.sorted { $0.name < $1.name }
    }

    /// - Throws: when its documentation cannot be read.
    func entry(named name: String, _ type: DocType) throws(Diagnostic) -> DocEntry? {
        guard type.hasFiles else { return nil }
        let parts = name.split(separator: ".").map(String.init)
        var folders: [String] = []
        if parts.count < 3 {
            folders = localFolders(type)
        } else {
            let path = "ansible_collections/\(parts[0])/\(parts[1])/\(type.collectionFolder)"
            let below = parts[2...].joined(separator: "/")
            folders = collections.map { joined($0, "\(path)/\(below)") }.map(Disk.folder(of:))
        }
        for folder in folders {
            for (found, path) in files(in: folder) where found == parts.last {
                return try document(of: path, name, type).map { DocEntry(name, path: path, document: $0) }
            }
        }
        return nil
    }

    private func localFolders(_ type: DocType) -> [String] {
        let configured = type.setting.map { configuration.paths($0, separator: ":") } ?? []
        let given = type == .module ? modulePath.map(configuration.expanded) : []
        return (given + [joined(folder, type.localFolder)] + configured).map(Disk.absolute)
    }

    private var collectionFolders: [(name: String, path: String)] {
        collections.flatMap { root in
            Disk.names("\(root)/ansible_collections").sorted().flatMap { namespace in
                Disk.names("\(root)/ansible_collections/\(namespace)").sorted().map { name in
                    ("\(namespace).\(name)", "\(root)/ansible_collections/\(namespace)/\(name)")
                }
            }
        }
    }

    private func files(below folder: String, _ prefix: String = "", depth: Int = 0) -> [(name: String, path: String)] {
        var all = files(in: folder).map { (prefix + $0.name, $0.path) }
        guard depth < 4 else { return all }
        for name in Disk.names(folder).sorted() where Disk.kind("\(folder)/\(name)") == .folder && name.first != "_" {
            all += files(below: "\(folder)/\(name)", "\(prefix)\(name).", depth: depth + 1)
        }
        return all
    }

    private func files(in folder: String) -> [(name: String, path: String)] {
        Disk.names(folder).sorted().compactMap { file in
            guard let dot = file.lastIndex(of: "."), dot != file.startIndex, file != "__init__.py",
                ["py", "yml", "yaml", "ps1"].contains(file[file.index(after: dot)...]),
                Disk.kind("\(folder)/\(file)") == .file
            else { return nil }
            return (String(file[..<dot]), "\(folder)/\(file)")
        }
    }

    private func entry(_ name: String, _ path: String, _ type: DocType) -> DocEntry? {
        guard let document = try? document(of: path, name, type) else { return nil }
        return DocEntry(name, path: path, document: document)
    }

    // MARK: What a file says

    /// `nil` when it has no documentation.
    private func document(of path: String, _ name: String, _ type: DocType) throws(Diagnostic) -> Value? {
        guard let bytes = try Disk.contents(path) else { return nil }
        let text = String(decoding: bytes, as: UTF8.self)
        var parts: Value
        if path.hasSuffix(".py") {
            let literals = PythonLiterals(text)
            guard let written = literals["DOCUMENTATION"] else { return nil }
            let returns = try literals["RETURN"].map { (text) throws(Diagnostic) in
                try YAMLReader.value(text, name: path)
            }
            parts = [
                "doc": try YAMLReader.value(written, name: path),
                "examples": literals["EXAMPLES"].map { .string($0) } ?? .null, "return": returns ?? .null,
            ]
        } else {
            let all = try YAMLReader.value(text, name: path)
            guard all["DOCUMENTATION"] != nil else { return nil }
            parts = [
                "doc": all["DOCUMENTATION"] ?? .null, "examples": all["EXAMPLES"] ?? .null,
                "return": all["RETURN"] ?? .null,
            ]
        }
        guard var doc = parts["doc"]?.dict else {
            throw Diagnostic("the documentation in '\(path)' is no mapping")
        }
        try extend(&doc)
        doc["filename"] = .string(path)
        doc["collection"] = .string(Self.collection(of: path))
        doc["plugin_name"] = .string(name)
        if type == .module { doc["has_action"] = false }
        if doc["version_added"] != nil { doc["version_added_collection"] = doc["collection"] }
        return [
            "doc": .dict(doc), "examples": parts["examples"] ?? .null, "metadata": .null,
            "return": parts["return"] ?? .null,
        ]
    }

    private static func collection(of path: String) -> String {
        guard let range = path.firstRange(of: "/ansible_collections/") else { return "" }
        return path[range.upperBound...].split(separator: "/").prefix(2).joined(separator: ".")
    }

    /// Puts in what several share: `extends_documentation_fragment`.
    private func extend(_ doc: inout Dict) throws(Diagnostic) {
        guard let named = doc.removeValue(forKey: "extends_documentation_fragment") else { return }
        for name in named.list?.map(\.pythonText) ?? named.pythonText.split(separator: ",").map(\.trimmed) {
            guard let fragment = try fragment(name)?.dict else { continue }
            for (key, value) in fragment {
                if let more = value.dict {
                    var all = more
                    for (key, value) in doc[key]?.dict ?? Dict() { all[key] = value }
                    doc[key] = .dict(all)
                } else if let more = value.list {
                    doc[key] = .list((doc[key]?.list ?? []) + more)
                } else if doc[key] == nil {
                    doc[key] = value
                }
            }
        }
    }

    /// - Parameter name: `NAME`, `NAME.VARIANT`, or these behind a collection.
    private func fragment(_ name: String) throws(Diagnostic) -> Value? {
        var parts = name.split(separator: ".").map(String.init)
        var folders: [String]
        if parts.count > 2 {
            let path = "ansible_collections/\(parts[0])/\(parts[1])/plugins/doc_fragments"
            folders = collections.map { joined($0, path) }
            parts.removeFirst(2)
        } else {
            let setting = Setting.all.first { $0.name == "DOC_FRAGMENT_PLUGIN_PATH" }
            folders = [joined(folder, "doc_fragments")]
            if let setting { folders += configuration.paths(setting, separator: ":") }
            if let core = configuration.contentPaths.core { folders.append("\(core)/plugins/doc_fragments") }
        }
        let variable = parts.count > 1 ? parts[1].uppercased() : "DOCUMENTATION"
        for folder in folders {
            let path = "\(folder)/\(parts[0]).py"
            guard let bytes = try Disk.contents(path) else { continue }
            let text = PythonLiterals(String(decoding: bytes, as: UTF8.self))[variable]
            return try text.map { (text) throws(Diagnostic) in try YAMLReader.value(text, name: path) }
        }
        return nil
    }
}

/// The texts that a Python file gives names to.
struct PythonLiterals {
    private var found: [String: String] = [:]

    init(_ text: String) {
        var rest = text[...]
        while !rest.isEmpty {
            let line = rest.prefix { !$0.isNewline }
            let after = rest[line.endIndex...].dropFirst()
            guard let (name, quote, isRaw, start) = Self.beginning(line), let end = rest[start...].firstRange(of: quote)
            else {
                rest = after
                continue
            }
            let body = rest[start..<end.lowerBound]
            found[name] = isRaw ? String(body) : Self.unescaped(body)
            rest = rest[end.upperBound...].drop { !$0.isNewline }.dropFirst()
        }
    }

    subscript(_ name: String) -> String? { found[name] }

    /// `NAME = r'''`, and where the text begins.
    private static func beginning(
        _ line: Substring
    ) -> (name: String, quote: String, isRaw: Bool, start: Substring.Index)? {
        guard let equals = line.firstIndex(of: "=") else { return nil }
        let name = line[..<equals].trimmed
        guard !name.isEmpty, name.allSatisfy({ $0.isUppercase || $0 == "_" || $0.isNumber }) else { return nil }
        var rest = line[line.index(after: equals)...].drop { $0 == " " }
        let prefix = rest.prefix { "rRuUbB".contains($0) }
        rest = rest[prefix.endIndex...]
        for quote in ["\"\"\"", "'''", "\"", "'"] where rest.hasPrefix(quote) {
            return (
                name, quote, prefix.contains { "rR".contains($0) }, rest.index(rest.startIndex, offsetBy: quote.count)
            )
        }
        return nil
    }

    private static func unescaped(_ text: Substring) -> String {
        var out = ""
        var rest = text
        while let character = rest.popFirst() {
            guard character == "\\", let next = rest.popFirst() else {
                out.append(character)
                continue
            }
            switch next {
            case "n": out.append("\n")
            case "t": out.append("\t")
            case "\n": break
            case "\\", "'", "\"": out.append(next)
            default: out += "\\\(next)"
            }
        }
        return out
    }
}
