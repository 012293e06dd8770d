import Glibc

/// A case: files, and commands with what they print and how they end.
///
///     # why the case is there
///     needs sshd
///     >>> site.yml
///     - hosts: all
///     $ gantry apply -i web-01, site.yml
///     | a line on standard output
///     ! a line on standard error
///     = 4
///
/// Words like `@PORT@` stand for what differs from run to run; see `Scene`.
struct Transcript: Equatable {
    struct Command: Equatable {
        var line: String
        var output = ""
        var errors = ""
        var status: Int32 = 0
    }

    var head: [String] = []
    var needs: Set<String> = []
    var files: [(name: String, text: String)] = []
    var commands: [Command] = []

    init(_ text: String) {
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
            if line.hasPrefix("$ ") {
                commands.append(Command(line: String(line.dropFirst(2))))
            } else if let last = commands.indices.last {
                expect(line, last)
            } else if line.hasPrefix(">>> ") {
                files.append((String(line.dropFirst(4)), ""))
            } else if let last = files.indices.last {
                files[last].text += line + "\n"
            } else {
                head.append(line)
                if line.hasPrefix("needs ") { needs.formUnion(line.split(separator: " ").dropFirst().map(String.init)) }
            }
        }
    }

    private mutating func expect(_ line: String, _ index: Int) {
        let text = String(line.dropFirst(2)) + "\n"
        switch line.first {
        case "|": commands[index].output += text
        case "!": commands[index].errors += text
        case "=": commands[index].status = Int32(line.dropFirst(2)) ?? -1
        default: break
        }
    }

    /// The case as it is written.
    var text: String {
        var out = head.map { $0 + "\n" }.joined()
        for file in files { out += ">>> \(file.name)\n\(file.text)" }
        for command in commands {
            out += "$ \(command.line)\n"
            out += Self.marked("|", command.output) + Self.marked("!", command.errors)
            out += "= \(command.status)\n"
        }
        return out
    }

    private static func marked(_ mark: String, _ text: String) -> String {
        guard !text.isEmpty else { return "" }
        let body = text.hasSuffix("\n") ? text.dropLast() : text[...]
        return body.split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.isEmpty ? "\(mark)\n" : "\(mark) \($0)\n" }.joined()
    }

    static func == (left: Self, right: Self) -> Bool { left.text == right.text }
}
