import ArgumentParser
import Values

/// Command lines as Python's `argparse` reads them, rewritten as our parser reads them: long names may be shortened,
/// values may stand at once behind a short name (`-vvilist`) and may begin with a dash.
struct PythonArguments {
    private var options: [String: Bool] = [:]
    private var nested: [any ParsableCommand.Type]
    /// The long name to write for each name.
    private var preferred: [String: String] = [:]

    /// - Parameter commands: the command, with those it is part of before it.
    init(commands: [any ParsableCommand.Type]) {
        let type = commands[commands.count - 1]
        nested = type.configuration.subcommands
        let dump = (try? Value(json: type._dumpHelp()))?.dict
        for argument in dump?["command"]?.dict?["arguments"]?.list ?? [] {
            guard let row = argument.dict, let names = row["names"]?.list else { continue }
            let takesValue = row["kind"]?.text == "option"
            let spelt = names.compactMap { Self.spelling($0.dict) }
            let long = spelt.first { $0.hasPrefix("--") } ?? spelt.first
            for name in spelt {
                options[name] = takesValue
                preferred[name] = long
            }
        }
        for name in ["--help", "-h"] where options[name] == nil {
            options[name] = false
            preferred[name] = "--help"
        }
    }

    private static func spelling(_ name: Dict?) -> String? {
        guard let word = name?["name"]?.text, let kind = name?["kind"]?.text else { return nil }
        return kind == "long" ? "--\(word)" : "-\(word)"
    }

    func rewritten(_ arguments: [String]) -> [String] {
        var out: [String] = []
        var rest = arguments[...]
        while let word = rest.popFirst() {
            if word == "--" { return out + [word] + rest }
            if let type = nested.first(where: { $0._commandName == word }) {
                return out + [word] + PythonArguments(commands: [type]).rewritten(Array(rest))
            }
            if word.hasPrefix("--") {
                out += long(word, &rest)
            } else if word.hasPrefix("-"), word.count > 1 {
                out += short(word, &rest)
            } else {
                out.append(word)
            }
        }
        return out
    }

    private func long(_ word: String, _ rest: inout ArraySlice<String>) -> [String] {
        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard let name = fullName(parts[0]) else { return [word] }
        guard options[name] ?? false else { return [preferred[name] ?? name] + (parts.count > 1 ? [word] : []) }
        if parts.count > 1 { return valued(name, parts[1]) }
        return valued(name, rest.popFirst())
    }

    /// The name itself, or the one that it is the beginning of.
    private func fullName(_ start: String) -> String? {
        if options[start] != nil { return start }
        let longer = options.keys.filter { $0.hasPrefix(start) && $0.hasPrefix("--") }
        let different = Set(longer.map { preferred[$0] ?? $0 })
        return different.count == 1 ? longer.first : nil
    }

    private func short(_ word: String, _ rest: inout ArraySlice<String>) -> [String] {
        var out: [String] = []
        var letters = word.dropFirst()
        while let letter = letters.popFirst() {
            let name = "-\(letter)"
            guard let takesValue = options[name] else { return out + ["-\(letter)\(letters)"] }
            guard takesValue else {
                out.append(preferred[name] ?? name)
                continue
            }
            if letters.isEmpty { return out + valued(name, rest.popFirst()) }
            return out + valued(name, String(letters.first == "=" ? letters.dropFirst() : letters))
        }
        return out
    }

    private func valued(_ name: String, _ value: String?) -> [String] {
        let written = preferred[name] ?? name
        guard let value else { return [written] }
        if value.isEmpty { return [written, value] }
        return written.hasPrefix("--") ? ["\(written)=\(value)"] : [written, value]
    }
}
