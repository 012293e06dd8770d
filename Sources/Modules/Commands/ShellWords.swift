import Values
package import Machine
import Patterns

/// Words of a command line, as Python's `shlex` and `os.path` read and write them.
package enum ShellWords {
    /// What is wrong with a line: `No closing quotation`.
    package struct LineError: Error, Hashable {
        package let message: String
    }

    /// Splits a line into words as `shlex.split` does: quotes group, a backslash takes the next character.
    package static func split(_ line: String) throws(LineError) -> [String] {
        var words: [String] = []
        var word = String.UnicodeScalarView()
        var open = false
        var scalars = Array(line.unicodeScalars)[...]
        while let scalar = scalars.popFirst() {
            switch scalar {
            case " ", "\t", "\r", "\n":
                if open { words.append(String(word)) }
                word = String.UnicodeScalarView()
                open = false
            case "\\":
                guard let next = scalars.popFirst() else { throw LineError(message: "No escaped character") }
                word.append(next)
                open = true
            case "'", "\"":
                try quoted(by: scalar, &scalars, into: &word)
                open = true
            default:
                word.append(scalar)
                open = true
            }
        }
        if open { words.append(String(word)) }
        return words
    }

    /// Takes what is up to the closing quote; within `"` a backslash escapes only itself and the quote.
    private static func quoted(
        by quote: Unicode.Scalar, _ scalars: inout ArraySlice<Unicode.Scalar>, into word: inout String.UnicodeScalarView
    ) throws(LineError) {
        while let scalar = scalars.popFirst() {
            if scalar == quote { return }
            guard scalar == "\\", quote == "\"" else {
                word.append(scalar)
                continue
            }
            guard let next = scalars.popFirst() else { throw LineError(message: "No escaped character") }
            if next != "\\" && next != "\"" { word.append("\\") }
            word.append(next)
        }
        throw LineError(message: "No closing quotation")
    }

    /// The word as a shell reads it back, as `shlex.quote` writes it.
    static func quote(_ word: String) -> String {
        let isPlain = word.unicodeScalars.allSatisfy { scalar in
            ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || ("0"..."9").contains(scalar)
                || "@%+=:,./-_".unicodeScalars.contains(scalar)
        }
        if isPlain && !word.isEmpty { return word }
        return "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\"'\"'") + "'"
    }

    /// `$NAME` and `${NAME}` replaced by the environment's values; unknown names stay, as in `os.path.expandvars`.
    static func expandVariables(_ text: String, _ environment: [String: String]) -> String {
        guard text.contains("$") else { return text }
        var out = ""
        var rest = text[...]
        while let dollar = rest.firstIndex(of: "$") {
            out += rest[..<dollar]
            let after = rest[rest.index(after: dollar)...]
            let name: Substring
            let tail: Substring
            if after.first == "{", let end = after.firstIndex(of: "}") {
                name = after.dropFirst()[..<end]
                tail = after[after.index(after: end)...]
            } else {
                name = after.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
                tail = after.dropFirst(name.count)
            }
            out += environment[String(name)] ?? String(rest[dollar..<tail.startIndex])
            rest = tail
        }
        return out + rest
    }
}

extension MachineReader {
    /// A path as parameters of type `path` mean it: variables and a leading `~` or `~user` replaced.
    package func expanded(_ path: String, _ environment: [String: String] = [:]) throws(MachineError) -> String {
        let all = self.environment.merging(environment) { $1 }
        return try expandedUser(ShellWords.expandVariables(path, all), all)
    }

    /// A leading `~` or `~user` replaced by the home folder; unknown users stay as written.
    func expandedUser(_ path: String, _ environment: [String: String]) throws(MachineError) -> String {
        guard path.hasPrefix("~") else { return path }
        let name = path.dropFirst().prefix { $0 != "/" }
        let rest = path.dropFirst(1 + name.count)
        let home: String?
        if !name.isEmpty {
            home = try user(named: String(name))?.home
        } else if let set = environment["HOME"] {
            home = set
        } else {
            home = try user(id: identity.userID)?.home
        }
        guard var home else { return path }
        while home.count > 1, home.hasSuffix("/") { home.removeLast() }
        return home == "/" && rest.hasPrefix("/") ? String(rest) : home + rest
    }

    /// Paths that match a glob, as Python's `glob.glob`: sorted; names with a leading dot only when the pattern has it.
    func paths(matching glob: String, from folder: String? = nil) throws(MachineError) -> [String] {
        let absolute = glob.hasPrefix("/")
        let parts = glob.split(separator: "/").map(String.init)
        guard !parts.isEmpty else { return absolute ? ["/"] : [] }
        var found = [absolute ? "/" : ""]
        for (index, part) in parts.enumerated() {
            var next: [String] = []
            for parent in found {
                let base = absolute ? parent : (folder.map { $0 + "/" } ?? "") + parent
                for name in try names(matching: part, in: base.isEmpty ? "." : base) {
                    next.append(parent + name + (index < parts.count - 1 ? "/" : ""))
                }
            }
            found = next
        }
        return found
    }

    private func names(matching part: String, in folder: String) throws(MachineError) -> [String] {
        let path = folder.hasSuffix("/") ? folder + part : folder + "/" + part
        guard part.contains(where: { "*?[".contains($0) }) else {
            return try status(of: path, followingLinks: false) != nil ? [part] : []
        }
        guard let pattern = try? Pattern(glob: part), let all = try? names(in: folder) else { return [] }
        return all.filter { name in
            (!name.hasPrefix(".") || part.hasPrefix(".")) && (try? pattern.matchesWhole(name)) == true
        }
    }
}
