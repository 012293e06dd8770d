import Crypto
import Glibc
import Machine
import Playbooks
import Values
import Wire

/// Lookup plugins that read the controller.
struct ControllerLookups: Sendable {
    let files: DiskFiles
    let environment: [String: String]
    let home: String?

    func results(
        _ plugin: String, _ terms: [Value], _ options: Dict, _ basis: SearchBasis
    ) throws(Diagnostic) -> [Value] {
        switch plugin {
        case "env": return terms.map { .string(environment[$0.pythonText] ?? options["default"]?.pythonText ?? "") }
        case "file", "unvault": return try each(terms) { (term) throws(Diagnostic) in try file(term, options, basis) }
        case "fileglob": return try each(terms) { (term) throws(Diagnostic) in glob(term, basis) }
        case "first_found": return try firstFound(terms, options, basis)
        case "pipe": return try each(terms) { (term) throws(Diagnostic) in [.string(try output(of: term))] }
        case "lines":
            return try each(terms) { (term) throws(Diagnostic) in
                try output(of: term).split(separator: "\n").map { .string(String($0)) }
            }
        case "password": return try each(terms) { (term) throws(Diagnostic) in [try password(term, options)] }
        case "ini": return try each(terms) { (term) throws(Diagnostic) in try ini(term, options, basis) }
        case "csvfile": return try each(terms) { (term) throws(Diagnostic) in try csv(term, options, basis) }
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

    private func text(_ name: String, _ basis: SearchBasis) throws(Diagnostic) -> (text: String, isSecret: Bool) {
        let (path, searched) = find(name, "files", basis)
        guard let path, let bytes = try files.contents(of: path) else {
            throw Diagnostic(
                "there is no file '\(name)' on the controller",
                notes: ["searched: " + searched.joined(separator: ", ")])
        }
        return try files.opened(String(decoding: bytes, as: UTF8.self), path: path)
    }

    private func file(_ name: String, _ options: Dict, _ basis: SearchBasis) throws(Diagnostic) -> [Value] {
        var (text, isSecret) = try self.text(name, basis)
        if options["lstrip"]?.asBool ?? false { text = String(text.drop { $0.isWhitespace }) }
        if options["rstrip"]?.asBool ?? true { while text.last?.isWhitespace ?? false { text.removeLast() } }
        return [.string(Text(text, mark: isSecret ? Mark(isSecret: true) : nil))]
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

    private func firstFound(_ terms: [Value], _ options: Dict, _ basis: SearchBasis) throws(Diagnostic) -> [Value] {
        var names: [String] = []
        var paths: [String] = []
        var skips = options["skip"]?.asBool ?? false || options["errors"]?.text == "ignore"
        func add(_ value: Value) {
            switch value {
            case .dict(let dict):
                for part in dict["files"].map({ $0.list ?? [$0] }) ?? [] { names.append(part.pythonText) }
                for part in dict["paths"].map({ $0.list ?? [$0] }) ?? [] { paths.append(part.pythonText) }
                skips = skips || dict["skip"]?.asBool ?? false
            case .list(let list): for item in list { add(item) }
            default: names.append(value.pythonText)
            }
        }
        for term in terms { add(term) }
        add(.dict(options.filter { ["files", "paths"].contains($0.key.text) }))
        let candidates = paths.isEmpty ? names : names.flatMap { name in paths.map { joined($0, name) } }
        var searched: [String] = []
        for name in candidates {
            for kind in ["files", "templates", "vars", "tasks"] {
                let (path, places) = find(name, kind, basis)
                searched += places
                if let path, files.kind(of: path) == .file { return [.string(path)] }
            }
        }
        if skips { return [] }
        throw Diagnostic(
            "none of the files was found: \(candidates.joined(separator: ", "))",
            notes: ["searched: " + Array(Set(searched)).sorted().joined(separator: ", ")])
    }

    /// The user's own line for a shell: `pipe` and `lines` are there to run one.
    private func output(of line: String) throws(Diagnostic) -> String {
        do throws(MachineError) {
            let result = try LinuxMachine().run(Command(["/bin/sh", "-c", line]))
            guard result.status == 0 else {
                throw MachineError("it ended with status \(result.status): \(result.errorText.trimmingBlanks)")
            }
            var text = result.outputText
            while text.last?.isNewline ?? false { text.removeLast() }
            return text
        } catch { throw Diagnostic("the command of a lookup failed: \(error.message)") }
    }

    // MARK: password

    /// `PATH length=20 chars=ascii_letters,digits`: the password kept in PATH, made when it is not there.
    private func password(_ term: String, _ given: Dict) throws(Diagnostic) -> Value {
        var options = given
        var words: [String] = []
        for word in term.split(separator: " ") {
            let halves = word.split(separator: "=", maxSplits: 1).map(String.init)
            if halves.count == 2, ["length", "chars", "encrypt", "ident", "seed"].contains(halves[0]) {
                options[halves[0]] = .string(halves[1])
            } else {
                words.append(String(word))
            }
        }
        let path = words.joined(separator: " ")
        if path != "/dev/null", let bytes = try files.contents(of: path) {
            let line = String(decoding: bytes, as: UTF8.self).split(separator: "\n").first.map(String.init) ?? ""
            let password = line.firstRange(of: " salt=").map { String(line[..<$0.lowerBound]) } ?? line
            return .string(Text(password, mark: Mark(isSecret: true)))
        }
        let length = options["length"].flatMap { $0.int ?? Int($0.pythonText) } ?? 20
        let alphabet = Array(characters(options["chars"]))
        guard !alphabet.isEmpty, (1...4096).contains(length) else {
            throw Diagnostic("lookup 'password' needs a length from 1 to 4096 and characters to choose from")
        }
        var generator = SystemRandomNumberGenerator()
        let password = String((0..<length).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &generator)] })
        if path != "/dev/null" {
            do throws(CommandFailure) { try Output.write(password + "\n", to: path, mode: 0o600) } catch {
                throw error.diagnostics.first ?? Diagnostic("cannot write '\(path)'")
            }
        }
        return .string(Text(password, mark: Mark(isSecret: true)))
    }

    private func characters(_ given: Value?) -> String {
        let letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
        let sets = [
            "ascii_letters": letters, "digits": "0123456789", "punctuation": "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
            "ascii_lowercase": String(letters.prefix(26)), "ascii_uppercase": String(letters.suffix(26)),
            "hexdigits": "0123456789abcdefABCDEF",
        ]
        let names = given.map { $0.list?.map(\.pythonText) ?? $0.pythonText.split(separator: ",").map(String.init) }
            ?? ["ascii_letters", "digits", ".,:-_"]
        return names.map { sets[$0] ?? $0 }.joined()
    }

    // MARK: ini and csv

    private func ini(_ term: String, _ options: Dict, _ basis: SearchBasis) throws(Diagnostic) -> [Value] {
        let words = term.split(separator: " ").map(String.init)
        let wanted = words.first ?? term
        var options = options
        for word in words.dropFirst() {
            let halves = word.split(separator: "=", maxSplits: 1).map(String.init)
            if halves.count == 2 { options[halves[0]] = .string(halves[1]) }
        }
        let section = options["section"]?.pythonText ?? "global"
        let source = try text(options["file"]?.pythonText ?? "ansible.ini", basis).text
        let isProperties = options["type"]?.text == "properties"
        var current = isProperties ? section : ""
        for raw in source.split(separator: "\n") {
            let line = raw.trimmingBlanks
            if line.hasPrefix("["), line.hasSuffix("]") {
                current = String(line.dropFirst().dropLast())
            } else if current == section, let split = line.firstIndex(where: { $0 == "=" || $0 == ":" }),
                line[..<split].trimmingBlanks.lowercased() == wanted.lowercased()
            {
                return [.string(line[line.index(after: split)...].trimmingBlanks)]
            }
        }
        return [.string(options["default"]?.pythonText ?? "")]
    }

    private func csv(_ term: String, _ options: Dict, _ basis: SearchBasis) throws(Diagnostic) -> [Value] {
        var settings = options
        var key = ""
        for word in term.split(separator: " ") {
            let halves = word.split(separator: "=", maxSplits: 1).map(String.init)
            if halves.count == 2 { settings[halves[0]] = .string(halves[1]) } else if key.isEmpty { key = String(word) }
        }
        let mark = settings["delimiter"]?.pythonText ?? "TAB"
        let delimiter: Character = mark == "TAB" || mark == "\\t" ? "\t" : mark.first ?? ","
        let column = settings["col"].flatMap { $0.int ?? Int($0.pythonText) } ?? 1
        let keyColumn = settings["keycol"].flatMap { $0.int ?? Int($0.pythonText) } ?? 0
        for line in try text(settings["file"]?.pythonText ?? "ansible.csv", basis).text.split(separator: "\n") {
            let fields = line.split(separator: delimiter, omittingEmptySubsequences: false).map {
                OneLine.unquoted($0.trimmingBlanks)
            }
            guard fields.indices.contains(keyColumn), fields[keyColumn] == key else { continue }
            return fields.indices.contains(column) ? [.string(fields[column])] : []
        }
        return settings["default"].map { [$0] } ?? []
    }
}
