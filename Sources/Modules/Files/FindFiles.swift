import Crypto
import Machine
import Patterns
import Values

/// `find`: the files below folders that fit what is asked.
struct FindFiles: Action {
    enum Kind: String, CaseIterable, Choice { case any, directory, file, link }
    enum Stamp: String, CaseIterable, Choice { case atime, ctime, mtime }

    var paths: [FilePath] = []
    var patterns: [String] = []
    var excludes: [String] = []
    var contains: String?
    var readWholeFile = false
    var kind = Kind.file
    var age: String?
    var stamp = Stamp.mtime
    var size: String?
    var recurse = false
    var hidden = false
    var follow = false
    var getChecksum = false
    var algorithm = DigestAlgorithm.sha1
    var useRegex = false
    var depth: Int?
    var mode: FileMode?
    var exactMode = true
    var encoding: String?
    var limit: Int?
    init() {}

    static let schema = Schema<FindFiles>(
        "find", "Lists files by name, age, size, mode or content.",
        [
            Parameter("paths", \.paths, aliases: ["name", "path"], required: true, "The folders to look in."),
            Parameter("patterns", \.patterns, aliases: ["pattern"], default: "*", "Globs for names; one has to fit."),
            Parameter("excludes", \.excludes, aliases: ["exclude"], "Globs for names to leave out."),
            Parameter("use_regex", \.useRegex, default: "false", "Those are regular expressions instead."),
            Parameter("contains", \.contains, "A regular expression that the start of a line of the file matches."),
            Parameter("read_whole_file", \.readWholeFile, default: "false", "It is searched in the file as a whole."),
            Parameter("file_type", \.kind, default: "file", "What is looked for."),
            Parameter("age", \.age, "At least this old, or with a minus at most: 2d, -1h; units s, m, h, d, w."),
            Parameter("age_stamp", \.stamp, default: "mtime", "Which time that means."),
            Parameter("size", \.size, "At least this large, or with a minus at most: 10m; units b, k, m, g, t."),
            Parameter("recurse", \.recurse, default: "false", "Look in the folders below too."),
            Parameter("depth", \.depth, "How many levels down."),
            Parameter("hidden", \.hidden, default: "false", "Names that start with a dot count."),
            Parameter("follow", \.follow, default: "false", "Enter folders through links."),
            Parameter("get_checksum", \.getChecksum, default: "false", "Compute the digests of the files."),
            Parameter(
                "checksum_algorithm", \.algorithm, aliases: ["checksum", "checksum_algo"], default: "sha1",
                "Which digest."),
            Parameter("mode", \.mode, "Only files with this mode."),
            Parameter("exact_mode", \.exactMode, default: "true", "All of the mode, not any bit of it."),
            Parameter("encoding", \.encoding, "How files are read for contains; iconv reads what is not UTF-8."),
            Parameter("limit", \.limit, "End when this many are found."),
        ],
        options: SchemaOptions(
            returns: [
                ("files", "What was found, each as stat tells it."), ("matched", "How many."),
                ("examined", "How many were looked at."), ("skipped_paths", "What could not be looked at, and why."),
                ("msg", "Whether all paths were examined."),
            ],
            examples: """
                - name: Old logs
                  ansible.builtin.find:
                    paths: /var/log/app
                    patterns: "*.log"
                    age: 4w
                  register: old
                """, onlyReads: true))

    /// What is asked, ready to be compared.
    private struct Query {
        var patterns: [Pattern]
        var excludes: [Pattern]
        var contains: Pattern?
        var age: Double?
        var size: Double?
        var mode: UInt32?
    }

    private struct Found {
        var files: [Value] = []
        var examined = 0
        var skipped = Dict()
        var warnings: [String] = []
        var isFull = false
    }

    func run(on machine: some MachineReader, _ context: Context) throws(Failure) -> Outcome {
        if let limit, limit <= 0 { throw Failure("limit cannot be \(limit) (use None for unlimited)") }
        let query = try query()
        var found = Found()
        for path in paths {
            let folder = try path.expanded(on: machine, context)
            let status = folder.isEmpty ? nil
                : try attempt { () throws(MachineError) in try machine.status(of: folder, followingLinks: true) }
            guard status?.kind == .folder else {
                let reason = "'\(folder)' is not a directory"
                found.skipped[folder] = .string(reason)
                found.warnings.append("Skipped '\(folder)' path due to this access issue: \(reason)\n")
                continue
            }
            do throws(Failure) { try look(in: folder, level: 1, query, &found, on: machine) } catch {
                // A file that cannot be searched ends the look at this path.
                guard error.result["skipped_path"] != nil else { throw error }
                found.skipped[folder] = .string(error.message)
                found.warnings.append("Skipped '\(folder)' path due to this access issue: \(error.message)\n")
            }
        }
        let message =
            !found.warnings.isEmpty
            ? "Not all paths examined, check warnings for details"
            : found.isFull ? "Limit of matches reached" : "All paths examined"
        return Outcome(
            [
                "files": .list(found.files), "msg": .string(message), "matched": .int(found.files.count),
                "examined": .int(found.examined), "skipped_paths": .dict(found.skipped),
            ], warnings: found.warnings)
    }

    private func query() throws(Failure) -> Query {
        func compiled(_ list: [String], _ name: String) throws(Failure) -> [Pattern] {
            var all: [Pattern] = []
            for text in list {
                do { all.append(useRegex ? try Pattern(text) : try Pattern(glob: text)) } catch {
                    throw Failure("'\(text)' in '\(name)' is not a pattern: \(error)")
                }
            }
            return all
        }
        var query = Query(
            patterns: try compiled(patterns.isEmpty ? [useRegex ? ".*" : "*"] : patterns, "patterns"),
            excludes: try compiled(excludes, "excludes"))
        query.contains = try contains.map { (text) throws(Failure) in try expression(text, of: "contains") }
        query.age = try Self.amount(age, "age", ["s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604_800])
        query.size = try Self.amount(
            size, "size", ["b": 1, "k": 1024, "m": 1_048_576, "g": 1_073_741_824, "t": 1_099_511_627_776])
        query.mode = mode?.bits(from: 0, isFolder: false, mask: 0)
        return query
    }

    /// A number with a unit: `-2d`.
    private static func amount(_ text: String?, _ name: String, _ units: [Character: Double]) throws(Failure) -> Double?
    {
        guard let text else { return nil }
        var digits = text.lowercased()
        var unit = 1.0
        if let last = digits.last, let known = units[last] {
            unit = known
            digits.removeLast()
        }
        guard let number = Int(digits), !digits.hasPrefix("+") else {
            throw Failure("failed to process \(name)", result: [.string(name): .string(text)])
        }
        return Double(number) * unit
    }

    private func look(
        in folder: String, level: Int, _ query: Query, _ found: inout Found, on machine: some MachineReader
    ) throws(Failure) {
        // A folder that is too deep is looked into, to count what is in it.
        if let depth, level > depth {
            found.examined += ((try? machine.names(in: folder)) ?? [])?.count ?? 0
            return
        }
        // A link in the tree can lead back to a folder above it.
        if level > 200 { return }
        let names: [String]
        do throws(MachineError) { names = try machine.names(in: folder) ?? [] } catch {
            if error.isStop { throw Failure(error) }
            found.skipped[folder] = .string(error.message)
            return
        }
        found.examined += names.count
        var folders: [String] = []
        for name in names {
            let path = joinPath(folder, name)
            guard let status = try? machine.status(of: path) else { continue }
            let target = status.kind == .link && follow ? try? machine.status(of: path, followingLinks: true) : status
            if target?.kind == .folder { folders.append(path) }
            if name.hasPrefix("."), !hidden { continue }
            guard try fits(name, path, status, query, on: machine) else { continue }
            found.files.append(.dict(try described(path, status, on: machine)))
            if found.files.count == limit {
                found.isFull = true
                return
            }
        }
        guard recurse else { return }
        for path in folders where !found.isFull { try look(in: path, level: level + 1, query, &found, on: machine) }
    }

    private func described(_ path: String, _ status: FileStatus, on machine: some MachineReader) throws(Failure) -> Dict
    {
        var all: Dict = ["path": .string(path)]
        all.merge(ReadStatus.common(status)) { $1 }
        let (user, group) = try attempt { () throws(MachineError) in
            (try machine.user(id: status.owner)?.name, try machine.group(id: status.group)?.name)
        }
        all["pw_name"] = .string(user ?? "")
        all["gr_name"] = .string(group ?? "")
        if getChecksum, status.kind == .file {
            all["checksum"] = .optional(try digest(algorithm, of: path, on: machine))
        }
        return all
    }

    private func fits(
        _ name: String, _ path: String, _ status: FileStatus, _ query: Query, on machine: some MachineReader
    ) throws(Failure) -> Bool {
        let isKind =
            switch kind {
            case .any: true
            case .directory: status.kind == .folder
            case .file: status.kind == .file
            case .link: status.kind == .link
            }
        guard isKind else { return false }
        guard try isNamed(name, query.patterns), try !isNamed(name, query.excludes) else { return false }
        if let age = query.age {
            let time =
                switch stamp {
                case .atime: status.accessTime
                case .ctime: status.changeTime
                case .mtime: status.modificationTime
                }
            let passed = machine.now - time
            if age >= 0 ? passed < age : passed > -age { return false }
        }
        if let size = query.size, status.kind == .file {
            if size >= 0 ? Double(status.size) < size : Double(status.size) > -size { return false }
        }
        if let mode = query.mode, exactMode ? status.mode != mode : status.mode & mode == 0 { return false }
        guard let contains = query.contains, kind == .file else { return true }
        return try holds(path, contains, on: machine)
    }

    private func isNamed(_ name: String, _ patterns: [Pattern]) throws(Failure) -> Bool {
        for pattern in patterns {
            do {
                if useRegex ? try pattern.match(name) != nil : try pattern.matchesWhole(name) { return true }
            } catch { throw Failure("pattern '\(pattern.source)': \(error)") }
        }
        return false
    }

    /// As UTF-8; what is written otherwise is read by `iconv`, since the tables are not in a static program.
    private func decoded(_ bytes: [UInt8], _ path: String, on machine: some MachineReader) throws(Failure) -> [UInt8] {
        let name = encoding ?? "utf-8"
        func skip(_ reason: String) -> Failure { Failure(reason, result: ["skipped_path": true]) }
        let shown = encoding ?? "None (default determined by the Python built-in function \"open\")"
        let unreadable = skip("Failed to read the file \(path) due to an encoding error. current encoding: \(shown)")
        if ["utf-8", "utf8", "utf_8"].contains(name.lowercased()) {
            if String(validating: bytes, as: UTF8.self) == nil { throw unreadable }
            return bytes
        }
        guard let program = machine.program("iconv") else {
            throw skip("encoding \(name) needs the program iconv, which is not on this node")
        }
        let done = try attempt { () throws(MachineError) in
            try machine.inspect(Command([program, "-f", name, "-t", "UTF-8"], input: bytes))
        }
        if done.status == 0 { return done.output }
        // iconv says one of these of a name that it does not know, before it has read anything.
        let isUnknown = ["not supported", "failed to start conversion"].contains { done.errorText.contains($0) }
        throw isUnknown ? skip("unknown encoding: \(name)") : unreadable
    }

    /// Files that cannot be read do not hold it.
    private func holds(_ path: String, _ pattern: Pattern, on machine: some MachineReader) throws(Failure) -> Bool {
        guard let raw = try? machine.contents(of: path) else { return false }
        let bytes = try decoded(raw, path, on: machine)
        if readWholeFile { return try pattern.found(in: bytes) != nil }
        for line in lines(of: bytes) {
            do { if try pattern.firstMatch(in: line, .start) != nil { return true } } catch {
                throw Failure("pattern '\(pattern.source)': \(error)")
            }
        }
        return false
    }
}
