import Machine
import Patterns
import Values

/// `replace`: every match of a regular expression in a file, replaced.
struct ReplaceText: FileAction {
    var common = FileArguments()
    var path: FilePath = ""
    var regexp = ""
    var replacement = ""
    var after: String?
    var before: String?
    var backup = false
    var validate: String?
    var encoding = "utf-8"
    init() {}

    static let schema = Schema<ReplaceText>(
        "replace", "Replaces all matches of a regular expression in a file.",
        [
            Parameter("path", \.path, aliases: ["dest", "destfile", "name"], required: true, "The file to change."),
            Parameter("regexp", \.regexp, required: true, "What to look for; ^ and $ match at every line."),
            Parameter("replace", \.replacement, default: "", "What to put there; groups as \\1 or \\g<name>."),
            Parameter("after", \.after, "Only what is behind the first match of this; a dot matches line ends too."),
            Parameter("before", \.before, "Only what is before the first match of this."),
            Parameter("backup", \.backup, default: "false", "Keep a dated copy of the file before it changes."),
            Parameter("validate", \.validate, "A command that may refuse the new content, with %s for its path."),
            Parameter("encoding", \.encoding, default: "utf-8", "How the file is written; utf-8 is known."),
        ] + commonRows,
        options: SchemaOptions(
            returns: [("msg", "How many replacements were made."), ("backup_file", "The copy that was kept.")],
            examples: """
                - name: The old name is gone
                  ansible.builtin.replace:
                    path: /etc/app/app.conf
                    regexp: '\\bold\\.example\\b'
                    replace: new.example
                """, notes: ["A replacement that its own expression matches again changes the file on every run."]))

    func plan(on machine: some MachineReader, _ context: Context) throws(Failure) -> FilePlan {
        let path = try path.expanded(on: machine, context)
        let edit = try TextEdit(
            path, create: false, missing: "Path \(path) does not exist !", on: machine, context)
        guard let old = edit.bytes else { return edit.needed }
        guard ["utf-8", "utf8", "ascii"].contains(encoding.lowercased()), String(validating: old, as: UTF8.self) != nil
        else { throw Failure("\(path) is not \(encoding), or \(encoding) is not known here: utf-8 is") }
        var section = 0..<old.count
        if let limits {
            guard let found = try part(limits, old) else {
                var plan = FilePlan()
                plan.result["msg"] = .string("Pattern for before/after params did not match the given file: \(limits)")
                return plan
            }
            section = found
        }
        let pattern = try expression(regexp, of: "regexp", [.multiline])
        let current = Array(old[section])
        let new: (bytes: [UInt8], count: Int)
        do { new = try pattern.substitute(current, with: replacement) } catch {
            throw Failure("Unable to process replace due to error: \(error)")
        }
        let isChanged = new.count > 0 && new.bytes != current
        let text = Array(old[..<section.lowerBound]) + new.bytes + Array(old[section.upperBound...])
        var plan = try edit.plan(
            text, isChanged ? "\(new.count) replacements made" : "", isChanged: isChanged, common, backup: backup,
            validate: validate, on: machine)
        plan.result["rc"] = 0
        // Ansible has no attributes in this module's diff, and the bare path as its header.
        plan.result["diff"] = nil
        plan.diff = isChanged ? Array(plan.diff.prefix(1)) : []
        for index in plan.diff.indices {
            plan.diff[index].beforeHeader = path
            plan.diff[index].afterHeader = path
        }
        return plan
    }

    /// The expression for the part of the file to work on.
    private var limits: String? {
        switch (after ?? "", before ?? "") {
        case ("", ""): nil
        case (let after, ""): after + "(?P<subsection>.*)"
        case ("", let before): "(?P<subsection>.*)" + before
        case (let after, let before): after + "(?P<subsection>.*?)" + before
        }
    }

    private func part(_ limits: String, _ bytes: [UInt8]) throws(Failure) -> Range<Int>? {
        let pattern = try expression(limits, of: after != nil ? "after" : "before", [.dotAll])
        guard let match = try pattern.found(in: bytes), let number = pattern.groupNames["subsection"] else {
            return nil
        }
        return match.ranges[number]
    }
}
