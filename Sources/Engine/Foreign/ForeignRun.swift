import Machine
import Modules
import Values
import Wire

/// Runs a module that is not built in: a program with its arguments as Ansible gives them.
struct ForeignRun {
    let call: ModuleCall
    let foreign: ForeignCall
    let machine: any MachineEditor
    let trees: PythonTrees
    let courier: CallCourier
    private var module: ForeignModule { foreign.module }

    func result() -> CallResult {
        do throws(Failure) { return try run() } catch { return failed(error) }
    }

    private func run() throws(Failure) -> CallResult {
        if call.checkMode, !module.knowsCheckMode {
            return CallResult(result: [
                "changed": false, "skipped": true,
                "msg": .string("remote module (\(module.name)) does not support check mode"),
            ])
        }
        var words = module.interpreter
        var found: String?
        if module.style != .binary { (words, found) = try interpreter() }
        // Nobody knows what it will do: it waits for its turn as what changes something does.
        if !call.checkMode { try courier.willChange() }
        let folder = try attempt { () throws(MachineError) in
            try machine.makeTemporary(folder: true, in: nil, prefix: "gantry-", suffix: "")
        }
        defer { try? machine.remove(folder) }
        let done = module.style == .python ? try runPython(words, folder) : try runProgram(words, folder)
        if done.timedOut {
            let limit = call.timeout
            let shown: Value = Double(Int(limit)) == limit ? .int(Int(limit)) : .double(limit)
            throw Failure(
                "Task failed: Timed out after \(shown.pythonText) second(s).", result: ["timedout": ["period": shown]])
        }
        var result = ForeignOutput(done, module: module).result()
        if !call.diffMode { result.diff = [] }
        if call.job != nil, !done.errorText.isEmpty { result.result["stderr"] = .string(done.errorText) }
        if let found {
            if !foreign.isSilent, !trees.hasTold(found) { result.warnings.append(Self.warning(found)) }
            var facts = result.result["ansible_facts"]?.dict ?? Dict()
            facts["discovered_interpreter_python"] = .string(found)
            result.result["ansible_facts"] = .dict(facts)
        }
        return result
    }

    private static func warning(_ python: String) -> String {
        "this host is using the discovered Python interpreter at '\(python)', but future installation of another "
            + "Python interpreter could cause a different interpreter to be discovered"
    }

    // MARK: The interpreter

    /// The words that start the module, and the Python that was discovered, if one was looked for.
    private func interpreter() throws(Failure) -> (words: [String], found: String?) {
        if let given = foreign.interpreter {
            let words = given.split(separator: " ").map(String.init)
            let isEnvironment = module.interpreter.first?.hasSuffix("/env") ?? false
            return (words + module.interpreter.dropFirst(isEnvironment ? 2 : 1), nil)
        }
        if foreign.candidates.isEmpty { return (module.interpreter, nil) }
        let known = foreign.candidates.lazy.compactMap { name -> String? in
            guard name.hasPrefix("/") else { return machine.program(name) }
            return machine.access(name).contains(.execute) ? name : nil
        }
        guard let python = known.first else {
            throw Failure(
                "module '\(module.name)' is written in Python, and there is none on this host (tried "
                    + foreign.candidates.joined(separator: ", ")
                    + "); install it, for instance by a 'raw' task 'apt-get install -y python3-minimal', "
                    + "or name one in 'ansible_python_interpreter'")
        }
        let isEnvironment = module.interpreter.first?.hasSuffix("/env") ?? false
        return ([python] + module.interpreter.dropFirst(isEnvironment ? 2 : 1), python)
    }

    // MARK: Running

    private var environment: [String: String] {
        var environment: [String: String] = [:]
        for (key, value) in call.environment { environment[key.pythonText] = value.pythonText }
        return environment
    }

    private func runPython(_ words: [String], _ folder: String) throws(Failure) -> CommandResult {
        let courier = courier
        let place = try trees.place(for: module, on: machine) { (digests) throws(Failure) in
            try courier.parts(digests)
        }
        let arguments = Array(Value.dict(["ANSIBLE_MODULE_ARGS": .dict(self.arguments(folder))]).json().utf8)
        let header: Value = [
            "module": .string(module.qualifiedName), "arguments": .int(arguments.count),
            "files": .list(place.missing.map { .list([.string($0.path), .int($0.bytes.count)]) }),
        ]
        var input = Array((header.json() + "\n").utf8)
        for file in place.missing { input += file.bytes }
        let done = try execute(words + ["\(place.root)/\(PythonBootstrap.name)"], input: input + arguments)
        if done.status != PythonBootstrap.cannotWrite { trees.filled(place, for: module) }
        return done
    }

    private func runProgram(_ words: [String], _ folder: String) throws(Failure) -> CommandResult {
        guard let part = module.parts.first, var bytes = try courier.parts([part.digest]).first else {
            throw Failure("module '\(module.name)' has no file")
        }
        let arguments = self.arguments(folder)
        let json = Value.dict(arguments).json()
        if module.style == .inserted {
            let text = String(decoding: bytes, as: UTF8.self)
            bytes = Array(text.replacing("<<INCLUDE_ANSIBLE_MODULE_JSON_ARGS>>", with: json).utf8)
        }
        let program = "\(folder)/module"
        let file = "\(folder)/args"
        let text = module.style == .words ? Self.words(arguments) : json
        try attempt { () throws(MachineError) in
            try machine.replace(program, with: bytes, attributes: Attributes(mode: 0o700))
            if module.style != .inserted {
                try machine.replace(file, with: Array(text.utf8), attributes: Attributes(mode: 0o600))
            }
        }
        let command = (module.style == .binary ? [] : words) + [program]
        return try execute(command + (module.style == .inserted ? [] : [file]), input: [])
    }

    private func execute(_ words: [String], input: [UInt8]) throws(Failure) -> CommandResult {
        try attempt { () throws(MachineError) in
            try machine.run(
                Command(
                    words, input: input, environment: environment, timeout: call.timeout > 0 ? call.timeout : nil))
        }
    }

    private func attempt<T>(_ body: () throws(MachineError) -> T) throws(Failure) -> T {
        do throws(MachineError) { return try body() } catch { throw Failure(error) }
    }

    // MARK: Arguments

    /// What the task gives, and what every module is told beside it.
    private func arguments(_ folder: String) -> Dict {
        var all = call.arguments
        func tell(_ name: String, _ value: Value) { all["_ansible_" + name] = value }
        tell("check_mode", .bool(call.checkMode))
        tell("no_log", .bool(call.isHidden))
        tell("debug", false)
        tell("diff", .bool(call.diffMode))
        tell("verbosity", .int(call.verbosity))
        tell("version", .string(module.release.isEmpty ? "2.19.0" : module.release))
        tell("module_name", .string(module.name))
        tell("syslog_facility", "LOG_USER")
        tell("selinux_special_fs", ["fuse", "nfs", "vboxsf", "ramfs", "9p", "vfat"])
        tell("socket", .null)
        tell("shell_executable", "/bin/sh")
        tell("keep_remote_files", false)
        tell("tmpdir", .string(folder))
        tell("remote_tmp", "~/.ansible/tmp")
        let later: Dict = ["target_log_info": .null, "ignore_unknown_opts": false, "tracebacks_for": []]
        for (name, value) in later where module.style != .python || module.internals.contains(name.pythonText) {
            tell(name.pythonText, value)
        }
        return all
    }

    /// `key=value` words for modules of the old kind.
    private static func words(_ arguments: Dict) -> String {
        arguments.map { "\($0.key.pythonText)=\(quoted($0.value.pythonText)) " }.joined()
    }

    /// As Python's `shlex.quote`.
    private static func quoted(_ text: String) -> String {
        let plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./-_"
        if !text.isEmpty, text.allSatisfy({ plain.contains($0) }) { return text }
        return "'" + text.replacing("'", with: "'\"'\"'") + "'"
    }
}
