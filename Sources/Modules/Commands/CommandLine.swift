import Machine
import Values

/// What `command` and `shell` have in common: their parameters, and how they run and report.
struct CommandSettings: Sendable {
    var freeForm: String?
    var cmd: String?
    var argv: [String]?
    var chdir: String?
    var executable: String?
    var creates: String?
    var removes: String?
    var stdin: String?
    var stdinAddNewline = true
    var stripEmptyEnds = true
    var expandArgumentVars = true
}

/// A module whose parameters are a command line.
protocol CommandRunner: Module {
    var line: CommandSettings { get set }
}

extension CommandRunner {
    static var rows: [Parameter<Self>] {
        [
            Parameter("_raw_params", \.line.freeForm, "The command as one line, as written behind the module's name."),
            Parameter("cmd", \.line.cmd, "The command as one line."),
            Parameter("argv", \.line.argv, "The command as a list: program and arguments, never split again."),
            Parameter("chdir", \.line.chdir, "Change into this folder first."),
            Parameter("creates", \.line.creates, "A path or glob: when something matches, the command does not run."),
            Parameter("removes", \.line.removes, "A path or glob: when nothing matches, the command does not run."),
            Parameter("stdin", \.line.stdin, "Text for the command's standard input."),
            Parameter(
                "stdin_add_newline", \.line.stdinAddNewline, default: "true", "Append a newline to the stdin text."),
            Parameter(
                "strip_empty_ends", \.line.stripEmptyEnds, default: "true",
                "Strip line ends from the end of stdout and stderr."),
        ]
    }

    static func options(
        examples: String, notes: [String], refused: [String: String] = [:]
    ) -> SchemaOptions {
        var options = SchemaOptions(
            freeForm: "_raw_params", mutuallyExclusive: [["_raw_params", "cmd", "argv"]],
            requiredOneOf: [["_raw_params", "cmd", "argv"]], checkMode: "partial",
            returns: [
                ("cmd", "The command: a list, or a string for a shell."), ("rc", "Its exit status."),
                ("stdout", "Its output."), ("stdout_lines", "Its output as a list of lines."),
                ("stderr", "Its errors."), ("stderr_lines", "Its errors as a list of lines."),
                ("start", "When it started, local time."), ("end", "When it ended."), ("delta", "How long it took."),
                ("msg", "Why it failed or did not run."),
            ], examples: examples, notes: notes)
        options.refused = refused
        return options
    }
}

extension CommandSettings {
    /// Runs the command, or says why not; a status other than 0 is a failure that carries the outputs.
    func run(on machine: some MachineReader, _ context: Context, shell: Bool) throws(Failure) -> Outcome {
        let words = try words(shell: shell)
        var result: Dict = [
            "cmd": words.shown, "start": .null, "end": .null, "delta": .null, "rc": .null, "msg": "",
        ]
        result.setOutput("", "")
        let warnings = !shell && executable != nil ? [Self.executableWarning(executable ?? "")] : []
        let folder = try attempt { () throws(MachineError) in
            try chdir.map { (path) throws(MachineError) in try machine.expanded(path, context.environment) }
        }
        if let folder {
            let status = try attempt { () throws(MachineError) in
                try machine.status(of: folder, followingLinks: true)
            }
            guard status?.kind == .folder else {
                throw Failure("Unable to change directory before execution.", result: result)
            }
        }
        if let (reason, note) = try reasonToSkip(on: machine, context, folder) {
            result["rc"] = 0
            result["msg"] = .string("\(context.checkMode ? "Would" : "Did") not run command since \(reason)")
            result.setOutput("skipped, since \(note)", "")
            return Outcome(result, warnings: warnings)
        }
        guard let editor = try context.editor() else {
            result["rc"] = 0
            result["msg"] = "Command would have run if not in check mode"
            let isGuarded = creates != nil || removes != nil
            return Outcome(changed: isGuarded, result, warnings: warnings, skipped: !isGuarded)
        }
        var outcome = try execute(words, in: folder, on: editor, context, &result, shell: shell)
        outcome.warnings = warnings
        return outcome
    }

    private static func executableWarning(_ executable: String) -> String {
        "As of Ansible 2.4, the parameter 'executable' is no longer supported with the 'command' module. "
            + "Not using '\(executable)'."
    }

    private enum Words {
        case line(String)
        case list([String])
        var shown: Value {
            switch self {
            case .line(let line): .string(line)
            case .list(let list): .strings(list)
            }
        }
    }

    private func words(shell: Bool) throws(Failure) -> Words {
        guard let text = freeForm ?? cmd, !text.isEmpty else {
            guard let argv, !argv.isEmpty else { throw Failure("no command given", result: ["rc": 256]) }
            return .list(argv)
        }
        if shell { return .line(text) }
        let words: [String]
        do { words = try ShellWords.split(text) } catch {
            throw Failure("\(error.message) in the command line", result: ["rc": 257])
        }
        guard !words.isEmpty else { throw Failure("no command given", result: ["rc": 256]) }
        return .list(words)
    }

    /// `creates` and `removes`: the reason for `msg`, and the older wording for `stdout`.
    private func reasonToSkip(
        on machine: some MachineReader, _ context: Context, _ folder: String?
    ) throws(Failure) -> (String, String)? {
        try attempt { () throws(MachineError) in
            if let creates {
                let glob = try machine.expanded(creates, context.environment)
                if try !machine.paths(matching: glob, from: folder).isEmpty {
                    return ("'\(glob)' exists", "\(glob) exists")
                }
            }
            if let removes {
                let glob = try machine.expanded(removes, context.environment)
                if try machine.paths(matching: glob, from: folder).isEmpty {
                    return ("'\(glob)' does not exist", "\(glob) does not exist")
                }
            }
            return nil
        }
    }

    private func arguments(
        _ words: Words, on machine: some MachineReader, _ context: Context, shell: Bool
    ) throws(Failure) -> [String] {
        switch words {
        case .line(let line): return [executable ?? "/bin/sh", "-c", line]
        case .list(let list) where shell:
            return [executable ?? "/bin/sh", "-c", list.map(ShellWords.quote).joined(separator: " ")]
        case .list(let list):
            guard expandArgumentVars else { return list }
            let all = machine.environment.merging(context.environment) { $1 }
            return try attempt { () throws(MachineError) in
                var out: [String] = []
                for word in list {
                    out.append(ShellWords.expandVariables(try machine.expandedUser(word, all), all))
                }
                return out
            }
        }
    }

    private func execute(
        _ words: Words, in folder: String?, on editor: some MachineEditor, _ context: Context, _ result: inout Dict,
        shell: Bool
    ) throws(Failure) -> Outcome {
        let arguments = try arguments(words, on: editor, context, shell: shell)
        var input = stdin ?? ""
        if stdinAddNewline, !input.isEmpty { input += "\n" }
        let command = Command(arguments, input: Array(input.utf8), folder: folder, environment: context.environment,
            timeout: context.timeout)
        let start = editor.now
        let done: CommandResult
        do throws(MachineError) { done = try editor.run(command) } catch {
            if error.isStop || error.code == 0 { throw Failure(error) }
            let program = "b" + Value.string(arguments[0]).pythonRepr
            var failed: Dict = ["cmd": .string(arguments.joined(separator: " ")), "rc": .int(Int(error.code))]
            failed.setOutput("", "")
            throw Failure(
                "Error executing command: [Errno \(error.code)] \(errorName(error.code)): \(program)", result: failed)
        }
        try done.checkTime(context)
        let end = editor.now
        result["rc"] = .int(Int(done.status))
        result["start"] = .string(LocalTime(start).timestamp)
        result["end"] = .string(LocalTime(end).timestamp)
        result["delta"] = .string(LocalTime.duration(max(0, end - start)))
        let outputs = [done.outputText, done.errorText].map { stripEmptyEnds ? $0.withoutLineEnds : $0 }
        result.setOutput(outputs[0], outputs[1])
        guard done.status == 0 else {
            result["changed"] = true
            result["msg"] = "non-zero return code"
            throw Failure("non-zero return code", result: result)
        }
        return Outcome(changed: true, result)
    }
}

extension CommandResult {
    /// A command that was ended because the task's `timeout` was over is a failure that says so.
    func checkTime(_ context: Context) throws(Failure) {
        guard timedOut, let limit = context.timeout else { return }
        let shown: Value = Double(Int(limit)) == limit ? .int(Int(limit)) : .double(limit)
        throw Failure(
            "Task failed: Timed out after \(shown.pythonText) second(s).", result: ["timedout": ["period": shown]])
    }
}
