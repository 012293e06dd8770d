import Modules
import Templates
import Values
import Wire

/// Asks the person at the terminal what becomes of a task that has ended: `strategy: debug`, `debugger`.
struct TaskDebugger {
    enum Decision { case redo, proceed }

    private static let commands = [
        "EOF": "Quit", "c": "Continue to next result", "continue": "Continue to next result",
        "h": "List the commands, or say what one does: help COMMAND",
        "help": "List the commands, or say what one does: help COMMAND", "p": "Pretty Print", "pprint": "Pretty Print",
        "q": "Quit", "quit": "Quit", "r": "Run the task again", "redo": "Run the task again",
        "u": "Take the task as it is written, rendered with task_vars as they are now",
        "update_task": "Take the task as it is written, rendered with task_vars as they are now",
    ]

    private let task: TaskRun
    private var interpreter: Interpreter
    /// What `task_vars` and the fields were when the session began.
    private let variables: Dict
    private let fields: Dict

    init(_ task: TaskRun, about result: TaskResult) {
        self.task = task
        let secrets = Self.secrets(task)
        variables = Self.variables(task)
        fields = Self.fields(task)
        var arguments = task.isLoop ? nil : task.lastArguments
        if arguments != nil, Directives.rendersItself.contains(task.task.module) {
            arguments = (try? TaskItem(task, item: nil).arguments(rendersAll: true)) ?? arguments
        }
        interpreter = Interpreter(
            arguments: arguments ?? Self.written(task.task.arguments), fields: fields, variables: variables,
            subjects: Self.subjects(task, result), hidesArguments: (try? task.flag("no_log")) ?? true, secrets: secrets,
            templater: task.run.templater)
    }

    /// Asks until there is a decision.
    mutating func decision() throws(Interruption) -> Decision {
        let kind = task.isHandler ? "HANDLER" : "TASK"
        let prompt = "[\(task.run.plan.host)] \(kind): \(task.info.name) (debug)> "
        var last = ""
        while true {
            let shown = task.run.masking.masked(interpreter.takeOutput())
            let question = Question.line(showing: shown, prompt: prompt, task.position)
            var line: String
            switch try task.run.coordinator.ask(question) {
            case .input(let input, _): line = input.trimmed
            case .stop(let reason): throw .stopped(reason)
            default: throw .unexpectedAnswer
            }
            // An empty line says the last one again.
            if line.isEmpty { line = last }
            if line.isEmpty { continue }
            last = line
            let name = String(line.unicodeScalars.prefix { $0 == "_" || ($0.isASCII && $0.properties.isAlphabetic) })
            let rest = String(line.dropFirst(name.count)).trimmed
            switch name {
            case "c", "continue": return .proceed
            case "r", "redo": return .redo
            case "q", "quit", "EOF": try end()
            case "u", "update_task": update()
            case "h", "help": help(rest)
            case "" where line.hasPrefix("?"): help(String(line.dropFirst()).trimmed)
            default: say(name, rest, line)
            }
        }
    }

    /// Hands what was changed over to the task.
    func apply() {
        task.change { plan in
            plan.arguments = .dict(interpreter.arguments)
            for (key, value) in interpreter.fields where value != fields[key] {
                // Nothing that was typed is a template or a condition.
                let plain = value.mapText { $0.mark == nil ? $0.unsafe : $0 }
                if key.text == "name" { plan.name = Text(value.pythonText) } else { plan.keywords[key] = plain }
            }
        }
        applyVariables()
    }

    private func applyVariables() {
        let scope = task.scope
        for (key, value) in interpreter.variables where variables[key] != value {
            scope.overrides[key] = value
            scope.removed.remove(key)
        }
        for key in variables.keys where interpreter.variables[key] == nil {
            scope.overrides[key] = nil
            scope.removed.insert(key)
        }
    }

    // MARK: Commands

    private mutating func say(_ name: String, _ rest: String, _ line: String) {
        let masking = task.run.masking
        do throws(PythonError) {
            if name == "p" || name == "pprint" {
                try interpreter.print(rest) { masking.masked($0) }
            } else {
                try interpreter.run(line) { masking.masked($0) }
            }
        } catch { interpreter.add(error.text) }
    }

    private mutating func help(_ command: String) {
        if command.isEmpty {
            let names = Self.commands.keys.sorted().joined(separator: "  ")
            let title = "Documented commands (type help <topic>):"
            interpreter.add("\n\(title)\n\(String(repeating: "=", count: title.count))\n\(names)\n")
        } else {
            interpreter.add(Self.commands[command] ?? "*** No help on \(command)")
        }
    }

    private func end() throws(Interruption) -> Never {
        _ = try task.run.coordinator.ask(.debugged(showing: "User interrupted execution\n", ends: true))
        throw .stopped("the debugger was left")
    }

    /// The task as it is written, its arguments rendered with the variables as they are now.
    private mutating func update() {
        task.restore()
        applyVariables()
        do throws(Interruption) {
            interpreter.arguments = try task.isLoop
                ? Self.written(task.task.arguments) : TaskItem(task, item: nil).arguments(rendersAll: true)
            interpreter.fields = Self.fields(task)
        } catch { interpreter.add(PythonError("AnsibleError", error.message).text) }
    }

    // MARK: What there is to see

    private static func written(_ arguments: Value) -> Dict {
        switch arguments {
        case .dict(let dict): dict
        case .string(let text): ["_variable_params": .string(text)]
        default: Dict()
        }
    }

    /// Names of arguments that modules keep to themselves.
    private static func secrets(_ task: TaskRun) -> Set<String> {
        let parameters = Registry.entry(task.task.module)?.parameters ?? []
        let names = Set(parameters.filter(\.isSecret).flatMap { [$0.name] + $0.aliases })
        let arguments = task.lastArguments ?? task.task.arguments.dict ?? Dict()
        for name in names { if let text = arguments[name]?.text { task.run.masking.learn(text) } }
        return names
    }

    private static func variables(_ task: TaskRun) -> Dict {
        let scope = task.scope
        var all = Dict()
        for name in Set(scope.names + ["ansible_facts"]).sorted() where !name.hasPrefix("_") {
            if let value = try? scope.value(of: name) { all[name] = value }
        }
        return all
    }

    private static func fields(_ task: TaskRun) -> Dict {
        var all = task.task.keywords.filter { !$0.key.pythonText.hasPrefix("_") }
        for name in ["changed_when", "failed_when", "notify", "tags", "until", "when"] {
            if let value = all[name], value.list == nil { all[name] = [value] }
        }
        all["name"] = task.task.name.map { .string($0) } ?? ""
        all["action"] = .string(task.task.module)
        all["register"] = task.task.keywords["register"] ?? .null
        return Dict(uniqueKeysWithValues: all.elements)
    }

    private static func subjects(_ task: TaskRun, _ result: TaskResult) -> [String: Interpreter.Subject] {
        let host = task.run.plan.host
        let name = (task.isHandler ? "HANDLER: " : "TASK: ") + task.info.name
        let shown = Value.dict(task.presented(result).result)
        let members: Dict = [
            "_result": shown, "_return_data": shown, "task_name": .string(task.info.name), "_host": .string(host),
            "host": .string(host), "task": .string(name), "is_failed": .bool(result.status == .failed),
            "is_unreachable": .bool(result.status == .unreachable), "is_skipped": .bool(result.status == .skipped),
            "is_changed": .bool(result.result["changed"]?.isTrue ?? false),
        ]
        let plan = task.run.plan
        func keyword(_ name: String) -> Value { ((try? task.keyword(name)) ?? nil) ?? .null }
        let context: Dict = [
            "become": .bool(keyword("become").asBool ?? false), "become_method": keyword("become_method"),
            "become_user": keyword("become_user"), "check_mode": .bool(plan.settings.checkMode),
            "connection": .string(plan.settings.connection), "diff": .bool(plan.settings.diffMode),
            "port": plan.connection["ansible_port"] ?? .null,
            "remote_addr": plan.connection["ansible_host"] ?? .string(host),
            "remote_user": keyword("remote_user").isNull
                ? plan.connection["ansible_user"] ?? .null : keyword("remote_user"),
            "verbosity": .int(plan.settings.verbosity),
        ]
        return [
            "task": Interpreter.Subject(text: name, members: ["get_name": .string(task.info.name)]),
            "host": Interpreter.Subject(
                text: host, members: ["name": .string(host), "get_name": .string(host), "vars": .dict(plan.inventory)]),
            "result": Interpreter.Subject(text: "<result of \(name) on \(host)>", members: members),
            "play_context": Interpreter.Subject(text: "<play context of \(host)>", members: context),
        ]
    }
}
