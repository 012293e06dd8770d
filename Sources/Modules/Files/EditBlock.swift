import Machine
import Patterns
import Values

/// `blockinfile`: that a block of lines between two marker lines is in a file, or is not.
struct EditBlock: FileAction {
    enum State: String, CaseIterable, Choice { case present, absent }

    var common = FileArguments()
    var path: FilePath = ""
    var state = State.present
    var marker = "# {mark} ANSIBLE MANAGED BLOCK"
    var markerBegin = "BEGIN"
    var markerEnd = "END"
    var block = ""
    var insertAfter: String?
    var insertBefore: String?
    var create = false
    var backup = false
    var validate: String?
    var appendNewline = false
    var prependNewline = false
    init() {}

    static let schema = Schema<EditBlock>(
        "blockinfile", "Keeps a block of lines between two marker lines in a file.",
        [
            Parameter("path", \.path, aliases: ["dest", "destfile", "name"], required: true, "The file to change."),
            Parameter("state", \.state, default: "present", "Whether the block is to be there."),
            Parameter("block", \.block, aliases: ["content"], default: "", "The lines; none removes the block."),
            Parameter(
                "marker", \.marker, default: "# {mark} ANSIBLE MANAGED BLOCK",
                "The marker line; {mark} becomes marker_begin or marker_end."),
            Parameter("marker_begin", \.markerBegin, default: "BEGIN", "What {mark} is above the block."),
            Parameter("marker_end", \.markerEnd, default: "END", "What {mark} is below it."),
            Parameter(
                "insertafter", \.insertAfter, default: "EOF",
                "A new block goes behind the last line that matches; or EOF."),
            Parameter("insertbefore", \.insertBefore, "A new block goes before the last line that matches; or BOF."),
            Parameter("create", \.create, default: "false", "Make the file when it is missing."),
            Parameter("backup", \.backup, default: "false", "Keep a dated copy of the file before it changes."),
            Parameter("validate", \.validate, "A command that may refuse the new content, with %s for its path."),
            Parameter("append_newline", \.appendNewline, default: "false", "An empty line below the block."),
            Parameter("prepend_newline", \.prependNewline, default: "false", "An empty line above the block."),
        ] + commonRows,
        options: SchemaOptions(
            mutuallyExclusive: [["insertbefore", "insertafter"]],
            returns: [
                ("msg", "What was done: File created, Block inserted, Block removed."),
                ("backup_file", "The copy that was kept."),
            ],
            examples: """
                - name: Names of the cluster
                  ansible.builtin.blockinfile:
                    path: /etc/hosts
                    block: |
                      10.0.0.11 registry.example
                      10.0.0.12 mesos-1.example
                """))

    func plan(on machine: some MachineReader, _ context: Context) throws(Failure) -> FilePlan {
        let path = try path.expanded(on: machine, context)
        let edit = try TextEdit(
            path, create: create, missing: "Path \(path) does not exist !", on: machine, context)
        if edit.bytes == nil, state == .absent {
            var plan = FilePlan()
            plan.result["msg"] = .string("File \(path) not present")
            return plan
        }
        if edit.bytes == nil, !create { return edit.needed }
        let old = edit.bytes ?? []
        let new = try edited(old)
        let message =
            edit.bytes == nil
            ? "File created"
            : new == old ? "" : state == .present && !block.isEmpty ? "Block inserted" : "Block removed"
        return try edit.plan(
            new, message, isChanged: !message.isEmpty, common, backup: backup, validate: validate, on: machine)
    }

    private var newline: [UInt8] { [UInt8(ascii: "\n")] }

    private func edited(_ old: [UInt8]) throws(Failure) -> [UInt8] {
        var lines = Self.splitLines(old)
        let begin = Array(marker.replacing("{mark}", with: markerBegin).utf8) + newline
        let end = Array(marker.replacing("{mark}", with: markerEnd).utf8) + newline
        var added: [[UInt8]] = []
        if state == .present, !block.isEmpty {
            let text = Array((block.utf8.last == UInt8(ascii: "\n") ? block : block + "\n").utf8)
            added = [begin] + Self.splitLines(text) + [end]
        }
        var position: Int
        if let first = lines.lastIndex(of: begin), let last = lines.lastIndex(of: end) {
            position = min(first, last)
            lines.removeSubrange(position...max(first, last))
        } else {
            position = try place(in: lines, old)
        }
        if position > 0, lines[position - 1].last != newline[0] { lines[position - 1] += newline }
        if prependNewline, state == .present, position != 0, lines[position - 1] != newline {
            lines.insert(newline, at: position)
            position += 1
        }
        lines.insert(contentsOf: added, at: position)
        let below = position + added.count
        if appendNewline, state == .present, below < lines.count, lines[below] != newline {
            lines.insert(newline, at: below)
        }
        return Array(lines.joined())
    }

    /// Where a block goes that is not there yet.
    private func place(in lines: [[UInt8]], _ old: [UInt8]) throws(Failure) -> Int {
        let after = insertAfter ?? (insertBefore == nil ? "EOF" : nil)
        let name = after != nil ? "insertafter" : "insertbefore"
        let anchor = after ?? insertBefore ?? "EOF"
        if after == nil, anchor == "BOF" { return 0 }
        if after != nil, anchor == "EOF" { return lines.count }
        let pattern = try expression(anchor, of: name)
        // A pattern of several lines is looked for in the text as a whole.
        let flags = anchor.hasPrefix("(?") ? anchor.dropFirst(2).prefix { "aiLmsux".contains($0) } : ""
        if flags.contains("m"), anchor.dropFirst(2 + flags.count).first == ")" {
            guard let match = try pattern.found(in: old) else { return lines.count }
            let edge = after != nil ? match.range.upperBound : match.range.lowerBound
            return old[..<edge].count { $0 == newline[0] } + (after != nil ? 1 : 0)
        }
        var found: Int?
        for (number, line) in lines.enumerated() where try pattern.found(in: line) != nil { found = number }
        guard let found else { return lines.count }
        return after != nil ? found + 1 : found
    }

    /// Python's `splitlines` for bytes: `\n`, `\r` and `\r\n` end lines.
    private static func splitLines(_ bytes: [UInt8]) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        var start = 0
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            if byte == UInt8(ascii: "\r"), index < bytes.count, bytes[index] == UInt8(ascii: "\n") { index += 1 }
            if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") {
                lines.append(Array(bytes[start..<index]))
                start = index
            }
        }
        if start < bytes.count { lines.append(Array(bytes[start...])) }
        return lines
    }
}
