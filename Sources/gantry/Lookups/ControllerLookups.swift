import Crypto
import Glibc
import Machine
import Playbooks
import Values
import Wire

/// Lookup plugins that read the controller.
struct ControllerLookups: Sendable {
    let configuration: Configuration
    let files: DiskFiles
    let environment: [String: String]
    let home: String?

    func results(
        _ plugin: String, _ terms: [Value], _ options: Dict, _ basis: SearchBasis
    ) throws(Diagnostic) -> [Value] {
        switch plugin {
        case "env": return terms.map { environment[$0.pythonText].map { .string($0) } ?? options["default"] ?? "" }
        case "file", "unvault":
            return try each(terms) { (term) throws(Diagnostic) in try file(term, options, basis, plugin) }
        case "fileglob": return try each(terms) { (term) throws(Diagnostic) in glob(term, basis) }
        case "first_found": return try firstFound(terms, options, basis)
        case "pipe": return try each(terms) { (term) throws(Diagnostic) in [.string(try output(of: term, plugin))] }
        case "lines":
            return try each(terms) { (term) throws(Diagnostic) in
                try output(of: term, plugin).split(separator: "\n").map { .string(String($0)) }
            }
        case "password":
            return try each(terms) { (term) throws(Diagnostic) in
                [try PasswordLookup(files: files).password(term, options)]
            }
        case "ini", "csvfile":
            return try each(terms) { (term) throws(Diagnostic) in
                let isTable = plugin == "csvfile"
                let name = options["file"]?.pythonText ?? (isTable ? "ansible.csv" : "ansible.ini")
                guard let text = try text(name, options["encoding"]?.text, basis)?.text else {
                    let message = isTable ? "No such file or directory: '\(name)'" : "Invalid filename None."
                    throw missing(name, message, basis)
                }
                if isTable { return try TableLookup(options).rows(term, in: text) }
                return try INILookup(options).values(term, text)
            }
        case "url":
            let lookup = URLLookup(options, environment: environment)
            return try each(terms) { (term) throws(Diagnostic) in try lookup.values(term) }
        case "config":
            return try ConfigLookup(configuration: configuration, options: options).values(of: terms)
        default: throw Diagnostic("lookup '\(plugin)' is not available on the controller")
        }
    }

    private func each(
        _ terms: [Value], _ body: (String) throws(Diagnostic) -> [Value]
    ) throws(Diagnostic) -> [Value] {
        var results: [Value] = []
        for term in terms { results += try body(term.pythonText) }
        return results
    }

    private func find(_ name: String, _ kind: String, _ basis: SearchBasis) -> (path: String?, searched: [String]) {
        let candidates = files.candidates(
            for: SearchRequest(
                kind: kind, name: name, roles: basis.roles, taskFolder: basis.taskFolder,
                playFolder: basis.playFolder, home: home))
        return (candidates.first { files.kind(of: $0) != nil }, candidates)
    }

    private func missing(_ name: String, _ message: String, _ basis: SearchBasis) -> Diagnostic {
        Diagnostic(message, notes: ["searched: " + find(name, "files", basis).searched.joined(separator: ", ")])
    }

    /// - Parameter encoding: a name that Python knows; UTF-8 where there is none.
    private func text(
        _ name: String, _ encoding: String?, _ basis: SearchBasis
    ) throws(Diagnostic) -> (text: String, isSecret: Bool)? {
        guard let path = find(name, "files", basis).path, let bytes = try files.contents(of: path) else { return nil }
        guard let encoding else { return try files.opened(String(decoding: bytes, as: UTF8.self), path: path) }
        guard let known = TextEncoding(named: encoding) else { throw Diagnostic("unknown encoding: \(encoding)") }
        guard let text = known.text(of: bytes) else { throw Diagnostic("'\(path)' is not written in \(encoding)") }
        return try files.opened(text, path: path)
    }

    private func file(
        _ name: String, _ options: Dict, _ basis: SearchBasis, _ plugin: String
    ) throws(Diagnostic) -> [Value] {
        guard let found = try text(name, nil, basis) else {
            throw missing(
                name, plugin == "unvault" ? "Unable to find file matching \"\(name)\""
                    : "Unable to access the file '\(name)': File not found. Use -vvvvv to see paths searched.", basis)
        }
        var text = found.text
        if options["lstrip"]?.asBool ?? false { text = String(text.drop { $0.isWhitespace }) }
        if options["rstrip"]?.asBool ?? (plugin == "file") {
            while text.last?.isWhitespace ?? false { text.removeLast() }
        }
        return [.string(Text(text, mark: found.isSecret ? Mark(isSecret: true) : nil))]
    }

    private func glob(_ pattern: String, _ basis: SearchBasis) -> [Value] {
        let folder = Playbooks.folder(of: pattern)
        let name = lastPart(of: pattern)
        let candidates =
            pattern.hasPrefix("/")
            ? [folder]
            : files.candidates(
                for: SearchRequest(
                    kind: "files", name: folder == "." ? "" : folder, roles: basis.roles,
                    taskFolder: basis.taskFolder, playFolder: basis.playFolder, home: home))
        for candidate in candidates where files.kind(of: candidate) == .folder {
            let found = files.names(in: candidate).filter { matches($0, name) }
                .map { joined(candidate.hasSuffix("/") ? String(candidate.dropLast()) : candidate, $0) }
                .filter { files.kind(of: $0) == .file }
            if !found.isEmpty { return found.sorted().map { .string($0) } }
        }
        return []
    }

    private func matches(_ name: String, _ pattern: String) -> Bool { unsafe fnmatch(pattern, name, 0) == 0 }

    /// The first of the files that exists; `with_first_found` looks where the task's module would.
    private func firstFound(_ terms: [Value], _ options: Dict, _ basis: SearchBasis) throws(Diagnostic) -> [Value] {
        var candidates: [String] = []
        var skips = options["skip"]?.asBool ?? false || options["errors"]?.text == "ignore"
        func parts(_ value: Value?, _ separators: String) -> [String] {
            (value.map { $0.list ?? [$0] } ?? []).flatMap {
                $0.pythonText.split(whereSeparator: separators.contains).map(String.init)
            }
        }
        func add(_ value: Value) throws(Diagnostic) {
            switch value {
            case .dict(let dict):
                skips = dict["skip"]?.asBool ?? skips
                let paths = parts(dict["paths"] ?? options["paths"], ",:;")
                let names = parts(dict["files"] ?? options["files"], ",;")
                candidates += paths.isEmpty ? names : paths.flatMap { path in names.map { joined(path, $0) } }
            case .list(let list): for item in list { try add(item) }
            case .string: try add(.dict(["files": value]))
            default:
                throw Diagnostic(
                    "Invalid term supplied. A string, dict or list is required, not '\(value.typeName)').")
            }
        }
        for term in terms { try add(term) }
        if terms.isEmpty { try add(.dict(Dict())) }
        let kind = options["_kind"]?.text
        var searched: [String] = []
        for name in candidates {
            let (path, places) = find(name, kind ?? "", basis)
            searched += places
            if let path { return [.string(path)] }
        }
        if skips { return [] }
        throw Diagnostic(
            "No file was found when using first_found.",
            notes: ["searched: " + Array(Set(searched)).sorted().joined(separator: ", ")])
    }

    /// The user's own line for a shell: `pipe` and `lines` are there to run one.
    private func output(of line: String, _ plugin: String) throws(Diagnostic) -> String {
        let result: CommandResult
        do throws(MachineError) { result = try LinuxMachine().run(Command(["/bin/sh", "-c", line])) } catch {
            throw Diagnostic("the command of a lookup failed: \(error.message)")
        }
        guard result.status == 0 else {
            let errors = result.errorText.trimmed
            throw Diagnostic(
                "lookup_plugin.\(plugin)(\(line)) returned \(result.status)", notes: errors.isEmpty ? [] : [errors])
        }
        var text = result.outputText
        while text.last?.isNewline ?? false { text.removeLast() }
        return text
    }
}
