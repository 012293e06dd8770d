import Machine
import Values

/// `raw`: a line for a shell, with nothing added.
struct RunRaw: Action {
    var line: String?
    var executable: String?
    init() {}

    static let schema = Schema<RunRaw>(
        "raw", "Runs a line in a shell on the node, with nothing around it.",
        [
            Parameter("_raw_params", \.line, required: true, "The line."),
            Parameter("executable", \.executable, default: "/bin/sh", "The shell: an absolute path."),
        ],
        options: SchemaOptions(
            freeForm: "_raw_params", checkMode: "none",
            returns: [
                ("rc", "The exit status."), ("stdout", "The output."),
                ("stdout_lines", "The output as a list of lines."),
                ("stderr", "The errors."), ("stderr_lines", "The errors as a list of lines."),
            ],
            examples: """
                - name: Install Python where there is none
                  ansible.builtin.raw: test -e /usr/bin/python3 || apt-get -y install python3-minimal
                """,
            notes: ["The task's environment is not applied."]))

    func run(on machine: some MachineReader, _ context: Context) throws(Failure) -> Outcome {
        guard let editor = try context.editor() else { return Outcome(skipped: true) }
        let done = try attempt { () throws(MachineError) in
            try editor.run(Command([executable ?? "/bin/sh", "-c", line ?? ""], timeout: context.timeout))
        }
        try done.checkTime(context)
        var outcome = try finished(done)
        if !context.environment.isEmpty {
            outcome.warnings.append("raw module does not support the environment keyword")
        }
        return outcome
    }
}

/// The result of `raw` and `script`: outputs as they came, a status other than 0 is a failure.
func finished(_ done: CommandResult) throws(Failure) -> Outcome {
    var result: Dict = ["rc": .int(Int(done.status))]
    result.setOutput(done.outputText, done.errorText)
    guard done.status == 0 else {
        result["changed"] = true
        throw Failure("non-zero return code", result: result)
    }
    return Outcome(changed: true, result)
}
