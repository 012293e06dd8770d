import Values

/// A module with everything that it imports of `ansible.module_utils` and of collections' `module_utils`, and what
/// these import.
struct PythonPack {
    let files: any ProjectFiles
    let core: String
    /// Folders that are `ansible.module_utils`, the nearest first.
    let utilities: [String]
    let collectionFolder: (String, String) -> String?
    /// Path in the tree → content.
    private(set) var found: [String: [UInt8]] = [:]
    private var done: Set<[String]> = []
    private var routings: [String: CollectionRouting] = [:]
    private var queue: [Entry] = []

    /// A name that some file imports: of a module, or of something in one.
    private struct Entry {
        var parts: [String]
        var isOptional: Bool
        var importer: String
    }

    init(
        files: any ProjectFiles, core: String, utilities: [String],
        collectionFolder: @escaping (String, String) -> String?
    ) {
        self.files = files
        self.core = core
        self.utilities = utilities
        self.collectionFolder = collectionFolder
    }

    var release: String {
        let text = (try? files.contents(of: "\(core)/release.py")).flatMap { $0 } ?? []
        for line in String(decoding: text, as: UTF8.self).split(separator: "\n") where line.hasPrefix("__version__") {
            return line.split(separator: "=").last.map { $0.filter { !" '\"".contains($0) } } ?? ""
        }
        return ""
    }

    /// Internal arguments that came with later releases: an earlier one refuses what it does not know.
    var internals: [String] {
        let path = "\(core)/module_utils/common/parameters.py"
        let text = String(decoding: (try? files.contents(of: path)).flatMap { $0 } ?? [], as: UTF8.self)
        return ["target_log_info", "ignore_unknown_opts", "tracebacks_for"].filter { text.contains("'\($0)'") }
    }

    mutating func add(
        module name: String, _ bytes: [UInt8], _ imports: [PythonImport]
    ) throws(Diagnostic) {
        let parts = name.split(separator: ".").map(String.init)
        found["ansible/__init__.py"] = Array("__version__ = '\(release)'\n__author__ = 'Ansible, Inc.'\n".utf8)
        found["ansible/module_utils/__init__.py"] = []
        found[parts.joined(separator: "/") + ".py"] = bytes
        addPackages(above: parts)
        enqueue(imports, of: parts, isPackage: false)
        for always in [
            "basic", "_internal._ansiballz._loader", "_internal._json._profiles._module_legacy_c2m",
            "_internal._json._profiles._module_legacy_m2c",
        ] {
            let words = always.split(separator: ".").map(String.init)
            queue.append(
                Entry(parts: ["ansible", "module_utils"] + words, isOptional: always != "basic", importer: name))
        }
        while let entry = queue.popLast() { try resolve(entry) }
    }

    /// Empty packages on the way down, where none was found.
    private mutating func addPackages(above parts: [String]) {
        for count in 1..<max(1, parts.count) {
            let path = parts[..<count].joined(separator: "/") + "/__init__.py"
            if found[path] == nil { found[path] = [] }
        }
    }

    /// - Parameter parts: the importing module, for imports relative to it.
    private mutating func enqueue(_ imports: [PythonImport], of parts: [String], isPackage: Bool) {
        for statement in imports {
            var module = statement.module
            if statement.level > 0 {
                let up = isPackage ? statement.level - 1 : statement.level
                guard up <= parts.count else { continue }
                module = parts[..<(parts.count - up)] + statement.module
            }
            guard Self.isUtility(module) || (statement.names.isEmpty && Self.isBelow(module)) else { continue }
            let targets = statement.names.isEmpty ? [module] : statement.names.map { module + [$0] }
            for target in targets {
                queue.append(
                    Entry(parts: target, isOptional: statement.isOptional, importer: parts.joined(separator: ".")))
            }
        }
    }

    private static func isUtility(_ module: [String]) -> Bool {
        if module.count >= 2, module[0] == "ansible" { return module[1] == "module_utils" }
        return module.count >= 5 && module[0] == "ansible_collections" && module[4] == "module_utils"
    }

    private static func isBelow(_ module: [String]) -> Bool { module.first == "ansible_collections" }

    private mutating func resolve(_ entry: Entry) throws(Diagnostic) {
        var names = entry.parts
        // `six` makes its submodules while it runs.
        if names.count > 3, names[0] == "ansible", names[2] == "six" { names = Array(names[..<3]) }
        let start = names[0] == "ansible" ? 2 : 5
        guard names.count > start else { return }
        let candidates = names.count > start + 1 ? [names, Array(names.dropLast())] : [names]
        for candidate in candidates {
            if done.contains(candidate) { return }
            if try take(candidate) { return }
        }
        if names[0] == "ansible" {
            let path = "\(core)/config/ansible_builtin_runtime.yml"
            for candidate in candidates { if takeRedirect(candidate, path) { return } }
        }
        if entry.isOptional { return }
        // A star, or a name that is made while the module runs.
        if names.last == "*" || done.contains(Array(names.dropLast())) { return }
        throw Diagnostic(
            "'\(entry.importer)' imports '\(names.joined(separator: "."))', which is not there",
            notes: [
                "searched: " + (names[0] == "ansible" ? utilities : [names[..<3].joined(separator: ".")])
                    .joined(separator: ", ")
            ])
    }

    /// Takes the file of a module, and what it imports.
    private mutating func take(_ parts: [String]) throws(Diagnostic) -> Bool {
        let isCore = parts[0] == "ansible"
        let inner = parts[(isCore ? 2 : 5)...].joined(separator: "/")
        var folders = utilities
        if !isCore {
            guard let folder = collectionFolder(parts[1], parts[2]) else { return false }
            folders = ["\(folder)/plugins/module_utils"]
            if takeRedirect(parts, "\(folder)/meta/runtime.yml") { return true }
        }
        for folder in folders {
            for (path, isPackage) in [("\(folder)/\(inner)/__init__.py", true), ("\(folder)/\(inner).py", false)] {
                guard files.kind(of: path) == .file, let bytes = try files.contents(of: path) else { continue }
                done.insert(parts)
                found[parts.joined(separator: "/") + (isPackage ? "/__init__.py" : ".py")] = bytes
                try takePackages(above: parts)
                enqueue(PythonImports.read(bytes), of: parts, isPackage: isPackage)
                return true
            }
        }
        return false
    }

    /// Packages on the way down are run when something in them is imported: they go along with what they import.
    private mutating func takePackages(above parts: [String]) throws(Diagnostic) {
        let start = parts[0] == "ansible" ? 2 : 5
        for count in (start + 1)..<max(start + 1, parts.count) {
            let package = Array(parts[..<count])
            if done.contains(package) || found[package.joined(separator: "/") + "/__init__.py"] != nil { continue }
            _ = try take(package)
        }
        addPackages(above: parts)
    }

    /// A module that moved: a file that puts the new one in its place.
    private mutating func takeRedirect(_ parts: [String], _ path: String) -> Bool {
        let routing = routings[path] ?? CollectionRouting(path, files: files)
        routings[path] = routing
        let inner = parts[(parts[0] == "ansible" ? 2 : 5)...].joined(separator: ".")
        guard var target = routing.redirect("module_utils", inner) else { return false }
        if !target.hasPrefix("ansible_collections.") {
            let words = target.split(separator: ".").map(String.init)
            guard words.count >= 3 else { return false }
            target = (["ansible_collections", words[0], words[1], "plugins", "module_utils"] + words[2...])
                .joined(separator: ".")
        }
        done.insert(parts)
        let name = parts.joined(separator: ".")
        found[parts.joined(separator: "/") + "/__init__.py"] = Array(
            "import importlib\nimport sys\nsys.modules['\(name)'] = importlib.import_module('\(target)')\n".utf8)
        addPackages(above: parts)
        queue.append(
            Entry(parts: target.split(separator: ".").map(String.init), isOptional: false, importer: name))
        return true
    }
}
