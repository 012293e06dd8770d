import Machine
import Patterns
import Values

/// `lineinfile`: that a line is in a file, or is not.
struct EditLine: FileAction {
    enum State: String, CaseIterable, Choice { case present, absent }

    var common = FileArguments()
    var path: FilePath = ""
    var state = State.present
    var regexp: String?
    var searchString: String?
    var line: String?
    var insertAfter: String?
    var insertBefore: String?
    var backrefs = false
    var create = false
    var backup = false
    var firstMatch = false
    var validate: String?
    init() {}

    static let schema = Schema<EditLine>(
        "lineinfile", "Makes sure that a line is in a file, or that lines are not.",
        [
            Parameter("path", \.path, aliases: ["dest", "destfile", "name"], required: true, "The file to change."),
            Parameter("state", \.state, default: "present", "Whether the line is to be there."),
            Parameter(
                "regexp", \.regexp, aliases: ["regex"],
                "Which line to replace (the last that matches), or with absent which lines to remove."),
            Parameter("search_string", \.searchString, "The same by a text that the line holds."),
            Parameter("line", \.line, aliases: ["value"], "The line, without its end."),
            Parameter(
                "insertafter", \.insertAfter, default: "EOF",
                "A new line goes behind the last line that matches this; or EOF."),
            Parameter(
                "insertbefore", \.insertBefore, "A new line goes before the last line that matches this; or BOF."),
            Parameter("backrefs", \.backrefs, default: "false", "Groups of regexp may stand in the line: \\1."),
            Parameter("create", \.create, default: "false", "Make the file when it is missing."),
            Parameter("backup", \.backup, default: "false", "Keep a dated copy of the file before it changes."),
            Parameter("firstmatch", \.firstMatch, default: "false", "Take the first line that matches, not the last."),
            Parameter("validate", \.validate, "A command that may refuse the new content, with %s for its path."),
        ] + commonRows,
        options: SchemaOptions(
            mutuallyExclusive: [
                ["insertbefore", "insertafter"], ["regexp", "search_string"], ["backrefs", "search_string"],
            ],
            returns: [
                ("msg", "What was done: line added, line replaced, N line(s) removed."),
                ("backup", "The copy that was kept, or nothing."), ("found", "How many lines matched, with absent."),
            ],
            examples: """
                - name: No passwords over SSH
                  ansible.builtin.lineinfile:
                    path: /etc/ssh/sshd_config
                    regexp: '^#?PasswordAuthentication'
                    line: PasswordAuthentication no
                    validate: /usr/sbin/sshd -t -f %s
                """))

    func plan(on machine: some MachineReader, _ context: Context) throws(Failure) -> FilePlan {
        let path = try path.expanded(on: machine, context)
        let edit = try TextEdit(
            path, create: create || state == .absent, missing: "Destination \(path) does not exist !", on: machine,
            context)
        var plan =
            state == .present
            ? try present(edit, on: machine) : try absent(edit, on: machine)
        plan.backupKey = "backup"
        if regexp == "" || searchString == "" { plan.warnings.append(Self.emptyWarning(regexp == "")) }
        return plan
    }

    private static func emptyWarning(_ isExpression: Bool) -> String {
        "The \(isExpression ? "regular expression" : "search string") is an empty string, which will match every line "
            + "in the file. This may have unintended consequences, such as replacing the last line in the file rather "
            + "than appending."
            + (isExpression
                ? " If this is desired, use '^' to match every line in the file and avoid this warning." : "")
    }

    private func present(_ edit: TextEdit, on machine: some MachineReader) throws(Failure) -> FilePlan {
        if backrefs, regexp == nil { throw Failure("regexp is required with backrefs=true") }
        guard let line else { throw Failure("line is required with state=present") }
        if edit.bytes == nil, !create { return edit.needed }
        var text = LineText(lines: Modules.lines(of: edit.bytes ?? []), line: Array(line.utf8))
        let message = try place(&text)
        var plan = try edit.plan(
            text.bytes, message, isChanged: !message.isEmpty, common, backup: backup, validate: validate, on: machine)
        plan.result["backup"] = ""
        return plan
    }

    private func absent(_ edit: TextEdit, on machine: some MachineReader) throws(Failure) -> FilePlan {
        if regexp == nil, searchString == nil, line == nil {
            throw Failure("one of line, search_string, or regexp is required with state=absent")
        }
        guard let bytes = edit.bytes else {
            var plan = FilePlan()
            plan.result["msg"] = "file not present"
            return plan
        }
        let pattern = try regexp.map { (text) throws(Failure) in try expression(text, of: "regexp") }
        var kept: [UInt8] = []
        var count = 0
        for current in Modules.lines(of: bytes) {
            let isMatch: Bool
            if let pattern {
                isMatch = try pattern.found(in: current) != nil
            } else if let searchString {
                isMatch = current.contains([UInt8](searchString.utf8))
            } else {
                isMatch = withoutEnd(current) == Array((line ?? "").utf8)
            }
            if isMatch { count += 1 } else { kept += current }
        }
        var plan = try edit.plan(
            kept, count > 0 ? "\(count) line(s) removed" : "", isChanged: count > 0, common, backup: backup,
            validate: validate, on: machine)
        plan.result["found"] = .int(count)
        plan.result["backup"] = ""
        return plan
    }

    /// The lines, and the one to have among them.
    private struct LineText {
        var lines: [[UInt8]]
        let line: [UInt8]
        var bytes: [UInt8] { Array(lines.joined()) }

        /// The last line gets its end before another follows.
        mutating func endLast() {
            if let last = lines.last?.last, last != UInt8(ascii: "\n"), last != UInt8(ascii: "\r") {
                lines[lines.count - 1].append(UInt8(ascii: "\n"))
            }
        }
        /// `line added`, or nothing when the line beside the place is that line already.
        mutating func insert(at index: Int, unless neighbour: Int?) -> String {
            if let neighbour, lines.indices.contains(neighbour), withoutEnd(lines[neighbour]) == line { return "" }
            lines.insert(line + [UInt8(ascii: "\n")], at: min(index, lines.count))
            return "line added"
        }
    }

    /// Finds the line's place by Ansible's rules and puts it there. What was done; nothing when it was there already.
    private func place(_ text: inout LineText) throws(Failure) -> String {
        let after = insertAfter ?? (insertBefore == nil ? "EOF" : nil)
        let (index, match) = try replaced(text.lines)
        var position = -1
        var exact = index
        if match == nil, index == -1 { (exact, position) = try search(text, after) }
        if exact != -1 { return try replace(&text, at: exact, match) }
        if backrefs { return "" }
        if insertBefore == "BOF" || after == "BOF" { return text.insert(at: 0, unless: nil) }
        if after == "EOF" || position == -1 {
            text.endLast()
            return text.insert(at: text.lines.count, unless: nil)
        }
        if after != nil {
            if position == text.lines.count { text.endLast() }
            return text.insert(at: position, unless: position == text.lines.count ? position - 1 : position)
        }
        return text.insert(at: position, unless: nil)
    }

    /// The line that `regexp` or `search_string` picks, and the match whose groups the new line may use.
    private func replaced(_ lines: [[UInt8]]) throws(Failure) -> (Int, Match?) {
        var index = -1
        var match: Match?
        if let regexp {
            let pattern = try expression(regexp, of: "regexp")
            for (number, current) in lines.enumerated() {
                guard let found = try pattern.found(in: current) else { continue }
                (index, match) = (number, found)
                if firstMatch { break }
            }
        }
        if let searchString {
            let wanted = Array(searchString.utf8)
            let found = lines.indices.filter { lines[$0].contains(wanted) }
            index = (firstMatch ? found.first : found.last) ?? -1
        }
        return (index, match)
    }

    /// Where the line itself is, and where it would be inserted; -1 for neither.
    private func search(_ text: LineText, _ after: String?) throws(Failure) -> (Int, Int) {
        var exact = -1
        var position = -1
        let anchor: Pattern?
        if let after, after != "BOF", after != "EOF" {
            anchor = try expression(after, of: "insertafter")
        } else if let insertBefore, insertBefore != "BOF" {
            anchor = try expression(insertBefore, of: "insertbefore")
        } else {
            anchor = nil
        }
        for (number, current) in text.lines.enumerated() {
            if withoutEnd(current) == text.line {
                exact = number
            } else if let anchor, try anchor.found(in: current) != nil {
                position = after != nil ? number + 1 : number
                if firstMatch { break }
            }
        }
        return (exact, position)
    }

    private func replace(_ text: inout LineText, at index: Int, _ match: Match?) throws(Failure) -> String {
        var new = text.line
        if backrefs, let match, let regexp {
            new = try expanded(match, try expression(regexp, of: "regexp"))
        }
        if new.last != UInt8(ascii: "\n") { new.append(UInt8(ascii: "\n")) }
        if text.lines[index] == new { return "" }
        text.lines[index] = new
        return "line replaced"
    }

    /// The line with the groups of the match in it.
    private func expanded(_ match: Match, _ pattern: Pattern) throws(Failure) -> [UInt8] {
        // Only the match itself is handed over, so that the result is the template alone.
        do {
            let all = try pattern.substitute(match.subject, with: line ?? "", limit: 1).bytes
            let before = match.range.lowerBound
            let after = match.subject.count - match.range.upperBound
            return Array(all[before..<(all.count - after)])
        } catch { throw Failure("the groups in 'line' do not fit 'regexp': \(error)") }
    }
}
