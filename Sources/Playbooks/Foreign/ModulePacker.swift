package import Values
package import Wire

/// Makes of a module's file what a node needs to run it: its style, and for Python all that it imports of
/// `ansible.module_utils` and of collections.
package final class ModulePacker {
    private let files: any ProjectFiles
    private let paths: ContentPaths
    /// What nodes may ask for, by digest.
    private var contents: [String: [UInt8]] = [:]
    private var packed: [String: ForeignModule] = [:]

    package init(files: any ProjectFiles, paths: ContentPaths) {
        self.files = files
        self.paths = paths
    }

    package func contents(of digest: String) -> [UInt8]? { contents[digest] }

    /// - Parameters:
    ///   - roles: folders of roles whose `module_utils` count.
    ///   - playFolder: the folder of the playbook.
    package func module(
        at path: String, roles: [String], playFolder: String
    ) throws(Diagnostic) -> ForeignModule {
        let key = ([path, playFolder] + roles).joined(separator: "\u{0}")
        if let known = packed[key] { return known }
        guard let bytes = try files.contents(of: path) else {
            throw Diagnostic("there is no file '\(files.shown(path))' of a module any more")
        }
        var utilities = ([folder(of: folder(of: path))] + roles + [playFolder]).map { joined($0, "module_utils") }
        utilities += paths.moduleUtilities
        let module = try described(path, bytes, utilities, playFolder)
        packed[key] = module
        return module
    }

    // MARK: Style

    private static let commonMark = "#<<INCLUDE_ANSIBLE_MODULE_COMMON>>"
    private static let argumentsMark = "<<INCLUDE_ANSIBLE_MODULE_JSON_ARGS>>"

    private func described(
        _ path: String, _ given: [UInt8], _ utilities: [String], _ playFolder: String
    ) throws(Diagnostic) -> ForeignModule {
        let (name, qualified) = Self.names(of: path)
        if Self.isBinary(given) {
            return ForeignModule(name: name, style: .binary, interpreter: [], parts: [part("module", given)])
        }
        var bytes = given
        var text = String(decoding: given, as: UTF8.self)
        if text.contains(Self.commonMark) {
            text = text.replacing(Self.commonMark, with: "from ansible.module_utils.basic import *")
            bytes = Array(text.utf8)
        }
        let interpreter = Self.interpreter(of: text)
        let imports = PythonImports.read(bytes)
        if imports.contains(where: Self.isModuleUtility) {
            return try python(name, qualified, path, bytes, interpreter, imports, utilities, playFolder)
        }
        if text.contains("#<<INCLUDE_POWERSHELL>>") || text.contains("#AnsibleRequires") {
            throw Diagnostic("'\(files.shown(path))' is a PowerShell module, and those run on Windows only")
        }
        guard !interpreter.isEmpty else {
            throw Diagnostic(
                "module '\(name)' does not say what runs it", notes: ["'\(files.shown(path))' needs a '#!' line"])
        }
        let style: ForeignModule.Style =
            text.contains(Self.argumentsMark) ? .inserted : text.contains("WANT_JSON") ? .json : .words
        var module = ForeignModule(name: name, style: style, interpreter: interpreter, parts: [part("module", bytes)])
        module.knowsCheckMode = text.contains("_ansible_check_mode")
        return module
    }

    /// What people call it, and what Python does.
    static func names(of path: String) -> (name: String, qualified: String) {
        let file = lastPart(of: path)
        let stem = file.split(separator: ".").first.map(String.init) ?? file
        if let range = path.firstRange(of: "/ansible_collections/") {
            let parts = path[range.upperBound...].split(separator: "/").map(String.init)
            if parts.count >= 5, parts[2] == "plugins" {
                let inner = parts[4..<(parts.count - 1)] + [stem]
                return (
                    ([parts[0], parts[1]] + inner).joined(separator: "."),
                    (["ansible_collections"] + parts[..<4] + inner).joined(separator: ".")
                )
            }
        }
        let isCore = path.hasSuffix("/ansible/modules/\(file)")
        return (stem, isCore ? "ansible.modules.\(stem)" : "ansible.legacy.\(stem)")
    }

    /// Bytes that no text has, near the beginning.
    private static func isBinary(_ bytes: [UInt8]) -> Bool {
        bytes.prefix(1024).contains { byte in
            byte == 0x7f || (byte < 0x20 && ![7, 8, 9, 10, 12, 13, 27].contains(byte))
        }
    }

    private static func interpreter(of text: String) -> [String] {
        guard text.hasPrefix("#!") else { return [] }
        let line = text.dropFirst(2).prefix { !$0.isNewline }
        return line.split(whereSeparator: \.isWhitespace).map(String.init)
    }

    private static func isModuleUtility(_ statement: PythonImport) -> Bool {
        if statement.level >= 2 { return statement.module.first == "module_utils" }
        let module = statement.module
        if module.count >= 2, module[0] == "ansible", module[1] == "module_utils" { return true }
        return module.count >= 5 && module[0] == "ansible_collections" && module[4] == "module_utils"
    }

    // MARK: Python

    private func python(
        _ name: String, _ qualified: String, _ path: String, _ bytes: [UInt8], _ interpreter: [String],
        _ imports: [PythonImport], _ utilities: [String], _ playFolder: String
    ) throws(Diagnostic) -> ForeignModule {
        guard let core = paths.core else {
            throw Diagnostic(
                "module '\(name)' imports 'ansible.module_utils', and there is no ansible-core here to take it from",
                notes: [
                    "install it on the controller ('pip install ansible-core'), or name its folder in "
                        + "GANTRY_ANSIBLE_CORE",
                    "searched: " + paths.searchedForCore.joined(separator: ", "),
                ])
        }
        var pack = PythonPack(
            files: files, core: core, utilities: utilities + ["\(core)/module_utils"],
            collectionFolder: { [files, paths] namespace, collection in
                paths.collectionFolders(namespace, collection, besides: playFolder).first {
                    files.kind(of: $0) == .folder
                }
            })
        try pack.add(module: qualified, bytes, imports)
        var module = ForeignModule(
            name: name, style: .python, interpreter: interpreter.isEmpty ? ["/usr/bin/python"] : interpreter,
            parts: pack.found.sorted { $0.key < $1.key }.map { part($0.key, $0.value) })
        module.qualifiedName = qualified
        module.release = pack.release
        module.internals = pack.internals
        module.knowsCheckMode = true
        return module
    }

    private func part(_ path: String, _ bytes: [UInt8]) -> ModulePart {
        if bytes.isEmpty { return ModulePart(path: path, digest: "") }
        let digest = files.digest(of: bytes)
        contents[digest] = bytes
        return ModulePart(path: path, digest: digest)
    }
}
