import Glibc
import Playbooks
import Values

/// The settings of a run: from the environment, else from one `ansible.cfg`, else the defaults.
struct Configuration: Sendable {
    /// The file that was read; `nil` when there is none.
    let path: String?
    let environment: [String: String]
    private(set) var warnings: [Diagnostic] = []
    /// `section.key` → value.
    private var entries: [String: String] = [:]
    private var places: [String: Place] = [:]

    /// Looks for `ansible.cfg` as Ansible does: `ANSIBLE_CONFIG`, here, at home, in `/etc/ansible`.
    ///
    /// One in a folder that anybody may write to is passed over with a warning: it could come from anybody.
    ///
    /// - Parameter file: read this one instead.
    init(environment: [String: String], file: String? = nil) throws(Diagnostic) {
        self.environment = environment
        let here = Disk.currentFolder
        var candidates = ["\(here)/ansible.cfg", "/etc/ansible/ansible.cfg"]
        if let home = environment["HOME"] { candidates.insert("\(home)/.ansible.cfg", at: 1) }
        if let given = environment["ANSIBLE_CONFIG"], !given.isEmpty {
            let name = Disk.absolute(expandedPath(given, environment))
            candidates.insert(Disk.kind(name) == .folder ? "\(name)/ansible.cfg" : name, at: 0)
        }
        if let file { candidates = [Disk.absolute(expandedPath(file, environment))] }
        var found: String?
        for candidate in candidates where Disk.kind(candidate) == .file && Disk.isAccessible(candidate, R_OK) {
            if file == nil, candidate == "\(here)/ansible.cfg", Disk.isWorldWritable(here) {
                warnings.append(
                    Diagnostic(
                        "Ansible is being run in a world writable directory (\(here)), ignoring it as an ansible.cfg "
                            + "source. For more information see https://docs.ansible.com/ansible/devel/reference_"
                            + "appendices/config.html#cfg-in-world-writable-dir",
                        notes: ["chmod o-w ., or name the file in ANSIBLE_CONFIG"], severity: .warning))
                continue
            }
            found = candidate
            break
        }
        path = found
        if let given = environment["ANSIBLE_CONFIG"], !given.isEmpty, Disk.kind(given) == nil, file == nil {
            warnings.append(
                Diagnostic("ANSIBLE_CONFIG names '\(given)', and no file is there", severity: .warning))
        }
        if let found, let bytes = try Disk.contents(found) {
            let text = String(decoding: bytes, as: UTF8.self)
            try read(text, SourceFile(name: found == "\(here)/ansible.cfg" ? "ansible.cfg" : found, text: text))
        }
        try check()
    }

    /// Values that are not what their settings take, and keys that look misspelt.
    private mutating func check() throws(Diagnostic) {
        for setting in Setting.all {
            let (value, origin) = origin(setting)
            guard origin != "default", let expected = setting.expectation(of: value) else { continue }
            let message = "Config '\(setting.name)' from '\(origin)' has an invalid value: '\(value)'"
            let key = setting.keys.first { entries[$0] != nil } ?? setting.name
            let word = key.split(separator: ".").last ?? ""
            throw Diagnostic(
                message, at: origin.hasPrefix("env:") ? nil : places[key], length: word.count,
                hint: "expected \(expected)")
        }
        let known = Set(Setting.all.flatMap(\.keys))
        for (key, place) in places.sorted(by: { $0.value.line < $1.value.line }) where !known.contains(key) {
            let parts = key.split(separator: ".", maxSplits: 1).map(String.init)
            let others = known.filter { $0.hasPrefix(parts[0] + ".") }.map { String($0.dropFirst(parts[0].count + 1)) }
            guard parts.count == 2, let hint = suggestion(for: parts[1], among: others) else { continue }
            warnings.append(
                Diagnostic(
                    "there is no setting '\(parts[1])' in [\(parts[0])]", at: place, length: parts[1].count, hint: hint,
                    severity: .warning))
        }
    }

    private mutating func read(_ text: String, _ file: SourceFile) throws(Diagnostic) {
        var section = ""
        var last: String?
        for (index, raw) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let line = raw.hasSuffix("\r") ? raw.dropLast() : raw
            let trimmed = line.trimmed
            if trimmed.isEmpty || trimmed.hasPrefix("#") || trimmed.hasPrefix(";") { continue }
            if line.first?.isWhitespace ?? false, let key = last {
                entries[key, default: ""] += "\n" + trimmed
                continue
            }
            if trimmed.hasPrefix("["), trimmed.hasSuffix("]") {
                section = String(trimmed.dropFirst().dropLast())
                last = nil
                continue
            }
            guard let split = trimmed.firstIndex(where: { $0 == "=" || $0 == ":" }) else {
                throw Diagnostic(
                    "a line of ansible.cfg is 'key = value' or '[section]'",
                    at: Place(file: file, line: index + 1, column: 1), length: trimmed.count)
            }
            let key = "\(section).\(trimmed[..<split].trimmed.lowercased())"
            entries[key] = withoutComment(trimmed[trimmed.index(after: split)...].trimmed)
            places[key] = Place(file: file, line: index + 1, column: 1 + line.prefix { $0.isWhitespace }.count)
            last = key
        }
    }

    /// `;` behind a blank begins a comment; `#` does not.
    private func withoutComment(_ value: String) -> String {
        guard let cut = value.indices.first(where: { index in
            value[index] == ";" && index > value.startIndex && value[value.index(before: index)].isWhitespace
        }) else { return value }
        return value[..<cut].trimmed
    }

    /// The value and where it came from: `env: NAME`, the file, or `default`. An empty variable is as good as none.
    func origin(_ setting: Setting) -> (value: String, origin: String) {
        for variable in setting.variables {
            if let value = environment[variable], !value.isEmpty || setting.name == Setting.noColour.name {
                return (value, "env: \(variable)")
            }
        }
        for key in setting.keys {
            if let value = entries[key] {
                let isList = setting.type == .list || setting.type == .pathList
                return (isList ? value : Self.unquoted(value), path ?? "ansible.cfg")
            }
        }
        guard setting.fallback.contains("~/.ansible"), setting.name != Setting.home.name,
            let home = environment["ANSIBLE_HOME"] ?? entries["defaults.home"], !home.isEmpty
        else { return (setting.fallback, "default") }
        let parts = setting.fallback.split(separator: "~/.ansible", omittingEmptySubsequences: false)
        return (parts.joined(separator: home), "default")
    }

    private static func unquoted(_ value: String) -> String {
        guard value.utf8.count > 1, let first = value.first, first == "'" || first == "\"", value.last == first else {
            return value
        }
        return String(value.dropFirst().dropLast())
    }

    /// What the file sets, in its order.
    var keys: [String] { places.sorted { $0.value.line < $1.value.line }.map(\.key) }

    func string(_ setting: Setting) -> String { origin(setting).value }
    func optional(_ setting: Setting) -> String? {
        let value = string(setting)
        return value.isEmpty ? nil : value
    }
    func flag(_ setting: Setting) -> Bool { Value.string(string(setting)).asBool ?? false }
    func number(_ setting: Setting) -> Int? { Int(string(setting).trimmed) }
    func list(_ setting: Setting, separator: Character = ",") -> [String] {
        string(setting).split(separator: separator).map { expanded(Self.unquoted($0.trimmed)) }
            .filter { !$0.isEmpty }
    }

    /// `~` and variables of the environment are filled in.
    func expanded(_ path: String) -> String { expandedPath(path, environment) }

    /// A setting that names one file: from the root, relative to `ansible.cfg` where it came from there.
    func file(_ setting: Setting) -> String? {
        paths(setting, separator: "\n").first { !$0.isEmpty }.map(Disk.absolute)
    }

    /// A setting that names files, relative to `ansible.cfg` where it came from there.
    func paths(_ setting: Setting, separator: Character) -> [String] {
        let (value, origin) = origin(setting)
        let base = origin == path ? path.map { Disk.folder(of: $0) } : nil
        return value.split(separator: separator).map { part in
            let word = Self.unquoted(part.trimmed)
            let here = word.split(separator: "{{CWD}}", omittingEmptySubsequences: false).joined(separator: ".")
            let name = expanded(here)
            guard let base, base != Disk.currentFolder, !name.hasPrefix("/"), !name.isEmpty else { return name }
            return "\(base)/\(name)"
        }
    }

    /// The value as Ansible's lists of settings have it: numbers, lists and truth values of their type.
    func typed(_ setting: Setting) -> (value: Value, origin: String) {
        let (text, origin) = origin(setting)
        switch setting.type {
        case .flag: return (text.isEmpty ? .null : .bool(Value.string(text).asBool ?? false), origin)
        case .number: return (number(setting).map { .int($0) } ?? .null, origin)
        case .list: return (.strings(list(setting)), origin)
        case .pathList: return (.strings(paths(setting, separator: ",").map(Disk.absolute)), origin)
        case .pathSpec: return (.strings(paths(setting, separator: ":").map(Disk.absolute)), origin)
        case .path: return (file(setting).map { .string($0) } ?? .null, origin)
        case .text, .choice: return (text.isEmpty ? .null : .string(text), origin)
        }
    }

    /// Ansible's own switch for whoever looks for results that were meant as templates; it has no entry in a file.
    var warnsOfUntrusted: Bool { environment["_ANSIBLE_TEMPLAR_UNTRUSTED_TEMPLATE_BEHAVIOR"] == "warning" }

    static func processEnvironment() -> [String: String] {
        var found: [String: String] = [:]
        var next = unsafe environ
        while let entry = unsafe next.pointee {
            let text = unsafe String(cString: entry)
            if let equals = text.firstIndex(of: "=") {
                found[String(text[..<equals])] = String(text[text.index(after: equals)...])
            }
            unsafe next += 1
        }
        return found
    }
}
