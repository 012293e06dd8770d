import Modules
import Templates
import Values
import Wire

/// Waiting: for time to pass, for a person, for a connection.
extension Directives {
    static func pause(_ task: TaskRun, _ arguments: Dict) throws(Interruption) -> TaskResult {
        let known = ["echo", "minutes", "prompt", "seconds"]
        let unknown = arguments.names.filter { !known.contains($0) }
        if !unknown.isEmpty {
            let all = known.joined(separator: ", ")
            throw refused(
                "Unsupported parameters for (pause) module: \(unknown.joined(separator: ", ")). "
                    + "Supported parameters include: \(all).")
        }
        let minutes = try whole("minutes", arguments)
        let given = try whole("seconds", arguments)
        if minutes != nil, given != nil {
            throw refused("parameters are mutually exclusive: minutes|seconds")
        }
        let echo = try echo(arguments)
        let seconds = (minutes.map { $0 * 60 } ?? given).map { max(1, $0) }
        let (start, begin) = (presentMoment(), steadySeconds())
        task.run.coordinator.tell(.started(task.position, task.info))
        let input = try answer(task, prompt(task, arguments, seconds: seconds, echo: echo), seconds, echo)
        let passed = steadySeconds() - begin
        let shown = minutes == nil ? passed : passed / 60
        let rounded = Value.double((shown * 100).rounded(.toNearestOrEven) / 100).pythonText
        return result([
            "rc": 0, "stderr": "", "stdout": .string("Paused for \(rounded) \(given == nil ? "minutes" : "seconds")"),
            "start": .string(start), "stop": .string(presentMoment()), "delta": .int(Int(passed)),
            "echo": .bool(echo), "user_input": .string(input),
        ])
    }

    private static func refused(_ message: String) -> Interruption { .failed(TaskFailure(Diagnostic(message))) }

    /// The lines that the person reads.
    private static func prompt(_ task: TaskRun, _ arguments: Dict, seconds: Int?, echo: Bool) -> String {
        let hidden = echo ? "" : " (output is hidden)"
        let own = arguments["prompt"].flatMap { $0.isNull || $0.pythonText.isEmpty ? nil : $0.pythonText }
        let question = own ?? "Press enter to continue, Ctrl+C to interrupt"
        let asked = "[\(task.info.name)]\n\(question)\(hidden):"
        guard let seconds else { return asked }
        let wait = "Pausing for \(seconds) seconds\(hidden)\n"
            + "(ctrl+C then 'C' = continue early, ctrl+C then 'A' = abort)\r"
        return own == nil ? wait : "\(wait)\n\(asked)"
    }

    private static func answer(
        _ task: TaskRun, _ prompt: String, _ seconds: Int?, _ echo: Bool
    ) throws(Interruption) -> String {
        let question = Question.pause(prompt: prompt, seconds: seconds.map(Double.init), echo: echo, task.position)
        switch try task.run.coordinator.ask(question) {
        case .input(_, interrupted: true): throw .failed(TaskFailure("user requested abort!"))
        case .input(let input, _): return input
        case .stop(let reason): throw .stopped(reason)
        default: throw .unexpectedAnswer
        }
    }

    /// A number as Python's `int` reads it; parts of one are cut off.
    private static func whole(_ name: String, _ arguments: Dict) throws(Interruption) -> Int? {
        guard let value = arguments[name], !value.isNull else { return nil }
        if let number = value.number, abs(number) < 1e9 { return Int(number) }
        if let number = Int(value.pythonText.trimmed) { return number }
        throw refused(
            "argument '\(name)' is of type \(value.typeName) and we were unable to convert to int: "
                + "invalid literal for int() with base 10: \(value.pythonRepr)")
    }

    private static func echo(_ arguments: Dict) throws(Interruption) -> Bool {
        guard let value = arguments["echo"], !value.isNull else { return true }
        if let flag = value.asBool { return flag }
        throw refused(
            "argument 'echo' is of type \(value.typeName) and we were unable to convert to bool: "
                + "The value '\(value.pythonText)' is not a valid boolean.")
    }

    // MARK: Connections

    /// Where the agent runs on the host itself there is nothing to wait for; else the host is tried again and again.
    static func waitForConnection(_ task: TaskRun, _ arguments: Dict) throws(Interruption) -> TaskResult {
        let known = ["connect_timeout", "delay", "sleep", "timeout"]
        let unknown = arguments.names.filter { !known.contains($0) }
        if !unknown.isEmpty {
            throw refused("Invalid options for wait_for_connection: \(unknown.joined(separator: ","))")
        }
        let delay = try whole("delay", arguments) ?? 0
        let sleep = try whole("sleep", arguments) ?? 1
        let limit = try whole("timeout", arguments) ?? 600
        let begin = steadySeconds()
        func elapsed() -> Int { Int(steadySeconds() - begin) }
        if delay > 0 { try task.pause(seconds: Double(delay)) }
        let delegate = try task.keyword("delegate_to")?.pythonText
        let host = delegate ?? task.run.plan.host
        var problem: String?
        while task.run.plan.settings.isAway || host != task.run.plan.host {
            problem = try unreachability(of: host, task)
            guard problem != nil, elapsed() < limit else { break }
            try task.pause(seconds: Double(max(1, sleep)))
        }
        if let problem {
            let message = "timed out waiting for ping module test: \(problem)"
            throw .failed(TaskFailure(["failed": true, "msg": .string(message), "elapsed": .int(elapsed())]))
        }
        return result(["elapsed": .int(elapsed())])
    }

    /// Why a host cannot be used; `nil` when it can.
    private static func unreachability(of host: String, _ task: TaskRun) throws(Interruption) -> String? {
        let call = ModuleCall(
            module: "ping", arguments: Dict(), checkMode: false, diffMode: false, environment: Dict(), verbosity: 0,
            become: nil, isHidden: false, basis: task.scope.basis)
        let question = Question.delegate(host: host, call, variables: Dict(), task.position, throttle: 0)
        switch try task.run.coordinator.ask(question) {
        case .call(let called):
            let isBad = called.result["unreachable"]?.isTrue ?? called.result["failed"]?.isTrue ?? false
            return isBad ? called.result["msg"]?.pythonText ?? "no answer" : nil
        case .failure(let diagnostic): return diagnostic.message
        case .stop(let reason): throw .stopped(reason)
        default: throw .unexpectedAnswer
        }
    }
}
