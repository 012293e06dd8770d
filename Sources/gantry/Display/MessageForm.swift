import Playbooks
import Values

/// How errors and warnings are laid out: as `gantry` does, or, where a person calls it by an Ansible program's name,
/// as that program does. What people's scripts look for is in the words; the layout follows the name.
enum MessageForm: String {
    case gantry, ansible

    static let current: MessageForm = {
        let program = CommandLine.arguments.first?.split(separator: "/").last ?? ""
        return program == "ansible" || program.hasPrefix("ansible-") ? .ansible : .gantry
    }()
}

extension Diagnostic {
    /// The whole text in the form of the moment.
    var shown: String {
        switch MessageForm.current {
        case .gantry: rendered
        case .ansible:
            switch severity {
            case .error: "[ERROR]: \(ansibleText)"
            case .warning: "[WARNING]: \(ansibleText)"
            case .deprecation: "[DEPRECATION WARNING]: \(ansibleText)"
            }
        }
    }

    /// The same with the host that it is about, where the layout has room for one.
    func shown(on host: String?) -> String {
        guard let host, MessageForm.current == .gantry else { return shown }
        return "\(host): \(rendered)"
    }

    /// The message, where it comes from with two lines before it, and the ways out. Ends with an empty line where it
    /// has several.
    var ansibleText: String {
        let help = ([hint] + notes.map { Optional($0) }).compactMap { $0 }
        guard let place else {
            if help.isEmpty { return message }
            if help.count == 1, !message.contains("\n") { return "\(message) \(help[0])" }
            return "\(message)\n\n\(help.joined(separator: "\n"))\n"
        }
        var lines = [message] + Self.origin(of: place)
        if !help.isEmpty { lines += [""] + help }
        return lines.joined(separator: "\n") + "\n"
    }

    /// `Origin: PATH:LINE:COLUMN` and the lines, a mark under the column.
    static func origin(of place: Place) -> [String] {
        let name = place.file.name
        let isFile = Disk.kind(name) == .file
        let path = isFile ? Disk.absolute(name) : name
        // No file has a name in angle brackets: there is no line to show.
        if !isFile, name.hasPrefix("<"), place.file.text == nil { return ["Origin: \(name)"] }
        var lines = ["Origin: \(path):\(place.line):\(place.column)", ""]
        var text = place.file.text
        if text == nil, isFile, let bytes = try? Disk.contents(path) { text = String(decoding: bytes, as: UTF8.self) }
        guard let text else { return Array(lines.dropLast()) }
        guard !text.hasPrefix("$ANSIBLE_VAULT;") else { return lines + ["(source not shown: content encrypted)"] }
        let all = text.split(separator: "\n", omittingEmptySubsequences: false)
        let number = Int(place.line)
        guard number >= 1, number <= all.count else { return lines + ["(source not shown: file truncated)"] }
        let width = String(number).count
        for line in max(1, number - 2)...number {
            let source = shortened(all[line - 1].map { $0 == "\t" ? " " : String($0) }.joined(), 119 - width)
            let label = String(line)
            let margin = String(repeating: " ", count: width - label.count)
            lines.append(margin + label + (source.isEmpty ? "" : " ") + source)
        }
        lines.append(String(repeating: " ", count: width + 1) + mark(Int(place.column), room: 119 - width))
        return lines
    }

    private static func shortened(_ line: String, _ room: Int) -> String {
        line.count > room ? line.prefix(room - 3) + "..." : line
    }

    private static func mark(_ column: Int, room: Int) -> String {
        let word = "column \(column)"
        let before = max(0, column - 1)
        if before + 2 + word.count > room {
            return String(repeating: " ", count: max(0, before - word.count - 1)) + word + " ^"
        }
        return String(repeating: " ", count: before) + "^ " + word
    }
}
