import Glibc
package import Values

/// Where hosts come from.
struct InventorySource: Sendable {
    /// Absolute, what `inventory_file` says; of a list of hosts, the list.
    let path: String
    /// As the user would write it, for messages.
    let name: String

    var folder: String {
        if path.contains(","), Files.kind(path) == nil { return Files.workingFolder }
        return Files.parent(path)
    }
}

/// The little that inventories need of a file system.
enum Files {
    enum Kind { case file, folder }

    static func kind(_ path: String) -> Kind? {
        var info = stat()
        guard unsafe stat(path, &info) == 0 else { return nil }
        return info.st_mode & S_IFMT == S_IFDIR ? .folder : .file
    }

    static func isExecutable(_ path: String) -> Bool { unsafe access(path, X_OK) == 0 }

    static func parent(_ path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    static var workingFolder: String {
        guard let buffer = unsafe getcwd(nil, 0) else { return "." }
        defer { unsafe free(buffer) }
        return unsafe String(cString: buffer)
    }

    /// Absolute, `~` replaced, without `.` and `..`; links are left alone.
    static func absolute(_ path: String) -> String {
        var path = path
        if path == "~" || path.hasPrefix("~/"), let home = unsafe getenv("HOME") {
            path = unsafe String(cString: home) + path.dropFirst()
        }
        if !path.hasPrefix("/") { path = workingFolder + "/" + path }
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }

    /// The names in a folder, in order of their code points; `nil` where it cannot be read.
    static func names(in folder: String) -> [String]? {
        guard let directory = unsafe opendir(folder) else { return nil }
        defer { unsafe closedir(directory) }
        var names: [String] = []
        while let entry = unsafe readdir(directory) {
            let name = unsafe withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted { Value.precedes($0, $1) }
    }

    /// The text of a file; what is not UTF-8 is an error.
    static func text(_ path: String, name: String) throws(Diagnostic) -> String {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw Diagnostic("'\(name)' cannot be read: \(reason(errno))") }
        defer { close(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe read(file, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Diagnostic("'\(name)' cannot be read: \(reason(errno))") }
            if count == 0 { break }
            bytes += buffer.prefix(count)
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw Diagnostic("'\(name)' is not UTF-8 text")
        }
        return text
    }

    private static func reason(_ code: Int32) -> String { unsafe String(cString: strerror(code)) }
}

/// A file's text, decrypted where all of it is vaulted.
struct SourceText {
    let text: String
    let file: SourceFile
    /// All of it came out of a vault.
    let isSecret: Bool

    init(path: String, name: String, options: InventoryOptions) throws(Diagnostic) {
        let text = try Files.text(path, name: name)
        guard text.utf8.starts(with: "$ANSIBLE_VAULT".utf8) else {
            self.text = text
            file = SourceFile(name: name, text: text)
            isSecret = false
            return
        }
        // Without its text, so that no message shows an excerpt.
        file = SourceFile(name: name)
        isSecret = true
        guard let decrypt = options.decrypt else {
            throw Diagnostic(
                "'\(name)' is encrypted and there is no vault password",
                hint: "give one with --vault-password-file or --ask-vault-pass")
        }
        let place = Place(file: file, line: 1, column: 1)
        self.text = try decrypt(Text(text, mark: Mark(place: place))).string
    }

    func marked(_ value: Value) -> Value { isSecret ? value.mapText(\.secret) : value }
}

/// Settings of inventories, named as in `ansible.cfg` where they are there.
package struct InventoryOptions: Sendable {
    /// Turns vaulted text (`$ANSIBLE_VAULT;…`) into plain text.
    package var decrypt: (@Sendable (Text) throws(Diagnostic) -> Text)?
    /// `hash_behaviour = merge`.
    package var mergesHashes = false
    /// The forms that are tried, in this order (`enable_plugins`).
    package var forms = InventoryForm.usual
    /// What is done about odd characters in names of groups (`force_valid_group_names`).
    package var groupNames = GroupNames.never
    /// It is an error when no source can be read (`unparsed_is_failed`), otherwise a warning.
    package var unparsedIsFailed = false
    /// An inventory without hosts gets a warning (`inventory_unparsed_warning`).
    package var warnsOfNone = true
    /// It is an error when one source cannot be read (`any_unparsed_is_failed`).
    package var anyUnparsedIsFailed = false
    /// Files in inventory folders that are passed over, by the end of their names.
    package var ignoredEndings = [
        ".pyc", ".pyo", ".swp", ".bak", "~", ".rpm", ".md", ".txt", ".rst", ".orig", ".cfg", ".retry",
    ]
    /// Files in inventory folders that are passed over, by regular expressions.
    package var ignoredPatterns: [String] = []
    /// `precedence`: in which order variables of groups are applied.
    package var precedence = VariableLevel.allCases
    /// The end of file names that hold variables (`yaml_valid_extensions`).
    package var variableEndings = [".yml", ".yaml", ".json"]
    /// Variables of the command line, for `constructed` where it wants them (`use_extra_vars`).
    package var extra = Dict()
    /// What `use_extra_vars` is where a file says nothing.
    package var constructedUsesExtra = false
    /// What scripts write to their standard error is shown (`always_show_stderr`).
    package var showsScriptErrors = true
    /// The Python of this machine, for modules that need one.
    package var python: String?
    /// What a fact cache knows of a host.
    package var cachedFacts: (@Sendable (String) -> Dict?)?

    package init() {}
}

/// Levels of group variables, weakest first; the raw value is the word of `ansible.cfg`.
package enum VariableLevel: String, Sendable, CaseIterable {
    case allInventory = "all_inventory"
    case groupsInventory = "groups_inventory"
    case allFilesBesideInventory = "all_plugins_inventory"
    case allFilesBesidePlaybook = "all_plugins_play"
    case groupFilesBesideInventory = "groups_plugins_inventory"
    case groupFilesBesidePlaybook = "groups_plugins_play"
}
