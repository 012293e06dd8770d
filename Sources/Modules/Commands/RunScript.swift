import Machine
import Values

/// `script`: a file of the controller, run on the node.
struct RunScript: Action {
    var line: String?
    var cmd: String?
    var chdir: String?
    var creates: String?
    var removes: String?
    var executable: String?
    var decrypt = true
    init() {}

    static let schema = Schema<RunScript>(
        "script", "Runs a script of the controller on the node.",
        [
            Parameter("_raw_params", \.line, "Path of the script, and its arguments."),
            Parameter("cmd", \.cmd, "Path of the script, and its arguments."),
            Parameter("chdir", \.chdir, "Change into this folder first: an absolute path."),
            Parameter("creates", \.creates, "When this path exists, the script does not run."),
            Parameter("removes", \.removes, "When this path does not exist, the script does not run."),
            Parameter("executable", \.executable, "Program to run the script with; without it, its first line says."),
            Parameter("decrypt", \.decrypt, default: "true", "Decrypt a vaulted script."),
        ],
        options: SchemaOptions(
            freeForm: "_raw_params", mutuallyExclusive: [["_raw_params", "cmd"]],
            requiredOneOf: [["_raw_params", "cmd"]], checkMode: "partial",
            returns: [
                ("rc", "The exit status."), ("stdout", "The output."),
                ("stdout_lines", "The output as a list of lines."),
                ("stderr", "The errors."), ("stderr_lines", "The errors as a list of lines."),
            ],
            examples: """
                - name: Run a script with arguments
                  ansible.builtin.script: setup.sh --fast "two words"
                  args:
                    creates: /var/lib/app/ready
                """))

    func run(on machine: some MachineReader, _ context: Context) throws(Failure) -> Outcome {
        for (path, wanted, text) in [
            (creates, true, "exists, matching creates option"),
            (removes, false, "does not exist, matching removes option"),
        ] {
            guard let path else { continue }
            let found = try attempt { () throws(MachineError) in
                try machine.exists(machine.expanded(path, context.environment))
            }
            if found == wanted { return .skipping("\(path) \(text)") }
        }
        if let chdir, !chdir.hasPrefix("/") {
            throw Failure("chdir \(chdir) must be an absolute path for a Unix-aware remote node")
        }
        let text = (line ?? cmd ?? "").trimmed
        let words: [String]
        do { words = try ShellWords.split(text) } catch { throw Failure("\(error.message) in the script's line") }
        guard let name = words.first else { throw Failure("no script given") }
        let file = try context.courier.file(name, kind: .file, isSealed: !decrypt)
        guard file.children == nil else { throw Failure("'\(file.path)' is a folder, a script was expected") }
        guard let editor = try context.editor() else {
            if creates != nil || removes != nil { return Outcome(changed: true) }
            return .skipping("Check mode is not supported for this task.")
        }
        return try execute(file, text, name, on: editor, context)
    }

    private func execute(
        _ file: ControllerFile, _ text: String, _ name: String, on editor: any MachineEditor, _ context: Context
    ) throws(Failure) -> Outcome {
        let contents = try context.courier.contents(of: file)
        let base = file.path.split(separator: "/").last.map(String.init) ?? "script"
        let done = try attempt { () throws(MachineError) in
            let folder = try editor.makeTemporary(folder: true, in: nil, prefix: "gantry-", suffix: "")
            defer { try? editor.remove(folder) }
            let path = folder + "/" + base
            try editor.replace(path, with: contents, attributes: Attributes(mode: 0o700))
            let target = replacing(name, in: text, by: ShellWords.quote(path))
            let line = executable.map { "\($0) \(target)" } ?? target
            return try editor.run(Command(["/bin/sh", "-c", line], folder: chdir, environment: context.environment))
        }
        return try finished(done)
    }

    /// The line with the script's name replaced by the path on the node; quoting of the arguments stays as written.
    private func replacing(_ name: String, in text: String, by path: String) -> String {
        for form in ["'\(name)'", "\"\(name)\"", name] where text.hasPrefix(form) {
            return path + text.dropFirst(form.count)
        }
        let words = (try? ShellWords.split(text)) ?? []
        return ([path] + words.dropFirst().map(ShellWords.quote)).joined(separator: " ")
    }
}
