import Machine
import Values

/// `group`: a group of users.
struct GroupAccount: Action {
    enum State: String, CaseIterable, Choice { case absent, present }

    var name = ""
    var state = State.present
    var gid: Int?
    var system = false
    var local = false
    var force = false
    var nonUnique = false
    var gidMin: Int?
    var gidMax: Int?
    init() {}

    static let schema = Schema<GroupAccount>(
        "group", "Manages groups of users.",
        [
            Parameter("name", \.name, required: true, "The group."),
            Parameter("state", \.state, default: "present", "Whether it is there."),
            Parameter("gid", \.gid, "Its number; unset takes the next free one."),
            Parameter("system", \.system, default: "false", "Take a number of the system's range."),
            Parameter("local", \.local, default: "false", "Look only into /etc/group, whatever a directory says."),
            Parameter("force", \.force, default: "false", "Remove it even when it is a user's own group."),
            Parameter("non_unique", \.nonUnique, default: "false", "Allow a number that another group has."),
            Parameter("gid_min", \.gidMin, "Lowest number to take."),
            Parameter("gid_max", \.gidMax, "Highest number to take."),
        ],
        options: SchemaOptions(
            returns: [("gid", "The group's number."), ("name", "Its name."), ("state", "The state asked for."),
                ("system", "Whether a number of the system's range was asked for.")],
            examples: """
                - name: A group for the application
                  ansible.builtin.group:
                    name: app
                    system: true
                """))

    func run(on machine: some MachineReader, _ context: Context) throws(Failure) -> Outcome {
        if nonUnique, gid == nil { throw Failure("non_unique is True but all of the following are missing: gid") }
        if force, local {
            throw Failure("force is not a valid option for local, force=True and local=True are mutually exclusive")
        }
        if local {
            if gidMin != nil { throw Failure("'gid_min' can not be used with 'local'") }
            if gidMax != nil { throw Failure("'gid_max' can not be used with 'local'") }
        }
        let before = try current(on: machine)
        var result: Dict = ["name": .string(name), "state": .string(state.rawValue)]
        guard let command = command(before) else { return Outcome(described(before, &result)) }
        let diff = context.diffMode ? [Diff(before: text(before), after: wanted(before))] : []
        guard let editor = try context.editor() else {
            return Outcome(changed: true, state == .absent ? result : described(before, &result), diff: diff)
        }
        let done = try runAccountTool(command, on: editor, context, name: name)
        let after = try current(on: editor)
        guard self.command(after) == nil else { throw Failure("the change of group '\(name)' did not hold") }
        if !done.output.isEmpty { result.setStdout(done.outputText) }
        if !done.errors.isEmpty { result.setStderr(done.errorText) }
        return Outcome(changed: true, described(after, &result), diff: diff)
    }

    private func current(on machine: some MachineReader) throws(Failure) -> Group? {
        try attempt { () throws(MachineError) in
            if local, try !machine.lists(name, in: "/etc/group") { return nil }
            return try machine.group(named: name)
        }
    }

    /// What has to be run; `nil` when all is as wanted.
    private func command(_ current: Group?) -> [String]? {
        let number = gid.map { ["-g", String($0)] + (nonUnique ? ["-o"] : []) } ?? []
        switch (state, current) {
        case (.absent, nil): return nil
        case (.absent, _): return ["groupdel"] + (force ? ["-f"] : []) + [name]
        case (.present, nil):
            var command = ["groupadd"] + number + (system ? ["-r"] : [])
            if let gidMin { command += ["-K", "GID_MIN=\(gidMin)"] }
            if let gidMax { command += ["-K", "GID_MAX=\(gidMax)"] }
            return command + [name]
        case (.present, .some(let group)):
            guard let gid, Int(group.id) != gid else { return nil }
            return ["groupmod"] + number + [name]
        }
    }

    private func described(_ group: Group?, _ result: inout Dict) -> Dict {
        if let group {
            result["gid"] = .int(Int(group.id))
            result["system"] = .bool(system)
        }
        return result
    }

    private func text(_ group: Group?) -> String { group.map { "\($0.name), gid \($0.id)\n" } ?? "" }

    private func wanted(_ before: Group?) -> String {
        if state == .absent { return "" }
        return name + (gid.map { ", gid \($0)" } ?? "") + "\n"
    }
}

extension Dict {
    mutating func setStdout(_ text: String) {
        self["stdout"] = .string(text)
        self["stdout_lines"] = .strings(text.pythonLines)
    }
    mutating func setStderr(_ text: String) {
        self["stderr"] = .string(text)
        self["stderr_lines"] = .strings(text.pythonLines)
    }
}
