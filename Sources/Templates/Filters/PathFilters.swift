import Values

/// Python's `os.path`.
enum Paths {
    static func split(_ path: String) -> (folder: String, name: String) {
        guard let slash = path.lastIndex(of: "/") else { return ("", path) }
        var folder = String(path[...slash])
        let name = String(path[path.index(after: slash)...])
        if folder.contains(where: { $0 != "/" }) { while folder.last == "/" { folder.removeLast() } }
        return (folder, name)
    }

    static func joined(_ parts: [String]) -> String {
        var out = parts.first ?? ""
        for part in parts.dropFirst() {
            if part.hasPrefix("/") { out = part } else if out.isEmpty || out.hasSuffix("/") { out += part } else {
                out += "/" + part
            }
        }
        return out
    }

    static func normalized(_ path: String) -> String {
        if path.isEmpty { return "." }
        let roots = path.prefix { $0 == "/" }.count
        let root = roots == 0 ? "" : roots == 2 ? "//" : "/"
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part != ".." || (root.isEmpty && parts.isEmpty) || parts.last == ".." {
                parts.append(part)
            } else if !parts.isEmpty {
                parts.removeLast()
            }
        }
        let result = root + parts.joined(separator: "/")
        return result.isEmpty ? "." : result
    }

    static func relative(_ path: String, to start: String, _ current: String) -> String {
        func absolute(_ path: String) -> [Substring] { normalized(joined([current, path])).split(separator: "/") }
        let from = absolute(start)
        let to = absolute(path)
        let common = zip(from, to).prefix { $0 == $1 }.count
        let parts = Array(repeating: Substring(".."), count: from.count - common) + to[common...]
        return parts.isEmpty ? "." : parts.joined(separator: "/")
    }

    static func extensionSplit(_ path: String) -> (String, String) {
        let name = path.lastIndex(of: "/").map { path[path.index(after: $0)...] } ?? path[...]
        let bare = name.drop { $0 == "." }
        guard let dot = bare.lastIndex(of: ".") else { return (path, "") }
        return (String(path[..<dot]), String(path[dot...]))
    }

    static func common(_ paths: [String]) throws(TemplateError) -> String {
        guard let first = paths.first else { throw TemplateError("commonpath() arg is an empty sequence") }
        let absolute = first.hasPrefix("/")
        guard paths.allSatisfy({ $0.hasPrefix("/") == absolute }) else {
            throw TemplateError("can't mix absolute and relative paths")
        }
        let lists = paths.map { $0.split(separator: "/").filter { $0 != "." } }
        var shared: [Substring] = []
        for (index, part) in (lists.first ?? []).enumerated() {
            guard lists.allSatisfy({ index < $0.count && $0[index] == part }) else { break }
            shared.append(part)
        }
        return (absolute ? "/" : "") + shared.joined(separator: "/")
    }

    /// Windows: drive, folder, name.
    static func windows(_ path: String) -> (drive: String, folder: String, name: String) {
        let characters = Array(path)
        var drive = ""
        if characters.count > 1, characters[1] == ":" {
            drive = String(characters.prefix(2))
        } else if path.hasPrefix("\\\\") {
            let parts = path.dropFirst(2).split(separator: "\\", maxSplits: 2, omittingEmptySubsequences: false)
            if parts.count > 1 { drive = "\\\\" + parts.prefix(2).joined(separator: "\\") }
        }
        let rest = path.dropFirst(drive.count)
        let name = rest.lastIndex { $0 == "\\" || $0 == "/" }.map { rest[rest.index(after: $0)...] } ?? rest
        var folder = String(rest.dropLast(name.count))
        if folder.contains(where: { $0 != "\\" && $0 != "/" }) {
            while let last = folder.last, last == "\\" || last == "/" { folder.removeLast() }
        }
        return (drive, drive + folder, String(name))
    }
}

extension Filters {
    static func addPaths(_ table: inout FilterTable) {
        table.add("basename") { (c) throws(TemplateError) in .string(Paths.split(try c.strictString()).name) }
        table.add("dirname") { (c) throws(TemplateError) in .string(Paths.split(try c.strictString()).folder) }
        table.add("normpath") { (c) throws(TemplateError) in .string(Paths.normalized(try c.strictString())) }
        table.add("splitext") { (c) throws(TemplateError) in
            let (stem, suffix) = Paths.extensionSplit(try c.strictString())
            return .tuple([.string(stem), .string(suffix)])
        }
        table.add("realpath") { (c) throws(TemplateError) in
            let world = c.evaluator.scope.world
            return .string(world.realPath(Paths.joined([world.currentFolder(), try c.strictString()])))
        }
        table.add("relpath", parameters: ["start"]) { (c) throws(TemplateError) in
            let start = try c.text(0) ?? "."
            let path = try c.strictString()
            if path.isEmpty { throw TemplateError("no path specified") }
            return .string(
                Paths.relative(path, to: start, c.evaluator.scope.world.currentFolder()))
        }
        table.add("expanduser") { (c) throws(TemplateError) in
            let path = try c.strictString()
            guard path == "~" || path.hasPrefix("~/"), let home = c.evaluator.scope.world.environment("HOME") else {
                return .string(path)
            }
            return .string((home == "/" ? "" : home) + path.dropFirst())
        }
        table.add("expandvars") { (c) throws(TemplateError) in
            .string(try expanded(try c.strictString(), c.evaluator))
        }
        table.add("path_join") { (c) throws(TemplateError) in
            if case .string = c.value { return c.value }
            guard c.value.isSequence else {
                throw TemplateError("|path_join expects string or sequence, got \(c.value.typeName) instead")
            }
            let parts = try c.strictStrings()
            if parts.isEmpty { throw TemplateError("|path_join expects at least one part, got none") }
            return .string(Paths.joined(parts))
        }
        table.add("commonpath") { (c) throws(TemplateError) in
            guard c.value.isSequence else {
                throw TemplateError("|commonpath expects sequence, got \(c.value.typeName) instead")
            }
            return .string(try Paths.common(try c.strictStrings()))
        }
        table.add("fileglob") { (c) throws(TemplateError) in
            let world = c.evaluator.scope.world
            return .strings(world.glob(try c.strictString()).filter { world.status($0, true)?.kind == .file })
        }
        table.add("win_basename") { (c) throws(TemplateError) in .string(Paths.windows(try c.strictString()).name) }
        table.add("win_dirname") { (c) throws(TemplateError) in .string(Paths.windows(try c.strictString()).folder) }
        table.add("win_splitdrive") { (c) throws(TemplateError) in
            let path = try c.strictString()
            let drive = Paths.windows(path).drive
            return .tuple([.string(drive), .string(String(path.dropFirst(drive.count)))])
        }
    }

    private static func expanded(_ text: String, _ evaluator: Evaluator) throws(TemplateError) -> String {
        let characters = Array(text)
        var out = ""
        var at = 0
        while at < characters.count {
            guard characters[at] == "$", at + 1 < characters.count else {
                out.append(characters[at])
                at += 1
                continue
            }
            var end = at + 1
            let braced = characters[end] == "{"
            if braced { end += 1 }
            let start = end
            func isWord(_ character: Character) -> Bool {
                character.isASCII && (character.isLetter || character.isNumber || character == "_")
            }
            while end < characters.count, isWord(characters[end]) { end += 1 }
            let name = String(characters[start..<end])
            if braced, end < characters.count, characters[end] == "}" { end += 1 }
            if !name.isEmpty, let value = evaluator.scope.world.environment(name) { out += value } else {
                out += String(characters[at..<end])
            }
            at = max(end, at + 1)
        }
        return out
    }

    static func addDates(_ table: inout FilterTable) {
        table.add("strftime", parameters: ["second", "utc"]) { (c) throws(TemplateError) in
            var seconds = c.evaluator.scope.world.now().seconds
            if let given = c[0], !given.isNull {
                guard let number = parsed(try c.evaluator.text(given)) else {
                    let shown = try c.evaluator.text(given)
                    throw TemplateError(
                        "'strftime' takes seconds since 1970, got '\(shown)'",
                        words: "Invalid value for epoch value (\(shown))")
                }
                guard let whole = Int(exactly: number.rounded(.down)), abs(whole) < 1 << 55 else {
                    throw TemplateError("timestamp out of range for platform time_t")
                }
                seconds = whole
            }
            let zone = try c.flag(1) ? (offset: 0, name: "GMT") : TimeZone.local(at: seconds)
            guard case .string(let format) = c.value else {
                throw TemplateError("strftime() argument 1 must be str, not \(c.value.pythonName)")
            }
            // The years that datetime knows, and a million times as many: microseconds fit.
            guard abs(seconds) < 1 << 42 else { throw TemplateError("timestamp out of range for platform time_t") }
            let date = DateTime(microseconds: (seconds + zone.offset) * 1_000_000)
            return .string(date.formatted(format.string, zone: zone, epoch: seconds))
        }
        table.add("to_datetime", parameters: ["format"]) { (c) throws(TemplateError) in
            guard case .string(let text) = c.value else {
                throw TemplateError("strptime() argument 1 must be str, not \(c.value.pythonName)")
            }
            if let given = c[0], given.text == nil {
                throw TemplateError("strptime() argument 2 must be str, not \(given.pythonName)")
            }
            return .object(try DateTime.parsed(text.string, try c.text(0) ?? "%Y-%m-%d %H:%M:%S"))
        }
    }
}
