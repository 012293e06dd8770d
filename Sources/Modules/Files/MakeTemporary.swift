import Machine
import Values

/// `tempfile`: a new empty file or folder that only this user can reach.
struct MakeTemporary: Action {
    enum State: String, CaseIterable, Choice { case file, directory }

    var state = State.file
    var path: FilePath?
    var prefix = "ansible."
    var suffix = ""
    init() {}

    static let schema = Schema<MakeTemporary>(
        "tempfile", "Makes a temporary file or folder.",
        [
            Parameter("state", \.state, default: "file", "Whether it is a file or a directory."),
            Parameter("path", \.path, "The folder to make it in; the system's own without it."),
            Parameter("prefix", \.prefix, default: "ansible.", "How its name starts."),
            Parameter("suffix", \.suffix, default: "", "How its name ends."),
        ],
        options: SchemaOptions(
            checkMode: "none", returns: [("path", "The path made.")],
            examples: """
                - name: A place to build in
                  ansible.builtin.tempfile:
                    state: directory
                    suffix: .build
                  register: place
                """, notes: ["Whoever makes it removes it: nothing does so at the end of the play."]))

    func run(on machine: some MachineReader, _ context: Context) throws(Failure) -> Outcome {
        for (name, text) in [("prefix", prefix), ("suffix", suffix)] where text.contains("/") {
            throw Failure("\(name) must be a valid file name component, got \(Value.string(text).pythonRepr)")
        }
        guard let editor = try context.editor() else { return .withoutCheckMode("tempfile") }
        let parent = try path.map { (path) throws(Failure) in try path.expanded(on: machine, context) }
        let made = try attempt { () throws(MachineError) in
            try editor.makeTemporary(folder: state == .directory, in: parent, prefix: prefix, suffix: suffix)
        }
        var values: Dict = ["path": .string(made)]
        let status = try attempt { () throws(MachineError) in try editor.status(of: made) }
        values["mode"] = .string(octal(status?.mode ?? 0))
        values["state"] = .string(stateName(status))
        values["uid"] = .int(Int(status?.owner ?? 0))
        values["gid"] = .int(Int(status?.group ?? 0))
        values["size"] = .int(Int(status?.size ?? 0))
        return Outcome(changed: true, values)
    }
}
