import Templates
import Values
import Wire

/// What the engine does itself, because it acts on the play and not on the machine.
enum Directives {
    typealias Body = @Sendable (TaskRun, Dict) throws(Interruption) -> TaskResult

    static let all: [String: Body] = [
        "set_fact": setFact, "debug": debug, "assert": assert, "fail": fail, "include_vars": includeVars,
        "add_host": addHost, "group_by": groupBy, "pause": pause, "set_stats": setStats,
        "validate_argument_spec": validateArgumentSpec, "wait_for_connection": waitForConnection,
    ]

    /// Their arguments are expressions or names, and rendered where they are used.
    static let rendersItself: Set<String> = ["debug", "assert"]

    /// What is wrong with their arguments they say in words of their own.
    static let checksItself: Set<String> = ["pause", "wait_for_connection"]

    static func result(_ values: Dict, changed: Bool = false) -> TaskResult {
        var result = values
        result["changed"] = .bool(changed)
        return TaskResult(status: changed ? .changed : .ok, result: result)
    }

    static func setFact(_ task: TaskRun, _ arguments: Dict) throws(Interruption) -> TaskResult {
        var facts = Dict()
        for (key, value) in arguments where key.text != "cacheable" {
            let name = try task.render(key)
            guard name.text.map(isVariableName) ?? false else { throw .failed(refusal(of: name, at: key.place, task)) }
            facts[name] = value.untrusted
            if let warning = reservedNameWarning(name.pythonText, at: key.place ?? task.task.place) {
                task.run.coordinator.tell(.message(warning))
            }
        }
        guard !facts.isEmpty else {
            throw .failed(
                TaskFailure("No key/value pairs provided, at least one is required for this action to succeed"))
        }
        if let delegate = task.scope.delegate, delegate != task.run.plan.host, try task.flag("delegate_facts") {
            _ = try task.run.coordinator.ask(.delegateFacts(host: delegate, facts, isAssigned: true))
            return result(["ansible_facts": .dict(facts)])
        }
        for (key, value) in facts { task.run.state.assigned[key] = value }
        if arguments["cacheable"]?.asBool ?? false { task.run.state.learn(facts) }
        return result(["ansible_facts": .dict(facts)])
    }

    static func refusal(of name: Value, at place: Place?, _ task: TaskRun) -> TaskFailure {
        let type = name.text == nil ? " of type '\(name.typeName)'" : ""
        let message = "Invalid variable name '\(name.pythonText)'\(type)."
        let rule = "Variable names must be strings starting with a letter or underscore character, and contain only "
            + "letters, numbers and underscores."
        let diagnostic = Diagnostic(message, at: place ?? task.task.place, hint: rule)
        return TaskFailure(diagnostic, told: "Task failed: " + message)
    }

    /// What Python takes for words of its own is no name.
    private static let reserved: Set<String> = [
        "true", "false", "none", "True", "False", "None", "and", "as", "assert", "async", "await", "break", "class",
        "continue", "def", "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in",
        "is", "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
    ]

    static func isVariableName(_ name: String) -> Bool {
        if reserved.contains(name) { return false }
        guard let first = name.unicodeScalars.first, first == "_" || first.properties.isAlphabetic else { return false }
        return name.unicodeScalars.allSatisfy { $0 == "_" || $0.properties.isAlphabetic || ("0"..."9").contains($0) }
    }

    static func debug(_ task: TaskRun, _ arguments: Dict) throws(Interruption) -> TaskResult {
        let verbosity = try arguments["verbosity"].map { value throws(Interruption) in try task.render(value) }
        let wanted = verbosity.flatMap { $0.int ?? Int($0.pythonText) } ?? 0
        guard wanted <= task.run.plan.settings.verbosity else {
            return TaskResult(
                status: .skipped,
                result: ["changed": false, "skipped": true, "skipped_reason": "Verbosity threshold not met."])
        }
        if arguments["var"] != nil, arguments["msg"] != nil {
            throw .failed(TaskFailure("parameters are mutually exclusive: msg|var"))
        }
        if let variable = arguments["var"] { return try show(variable, task) }
        let message = try arguments["msg"].map { value throws(Interruption) in
            try task.render(argument: "msg", value)
        }
        return result(["_ansible_verbose_always": true, "msg": message ?? "Hello world!"])
    }

    /// `var` is an expression; a name without a value is shown as such rather than refused.
    private static func show(_ variable: Value, _ task: TaskRun) throws(Interruption) -> TaskResult {
        guard case .string(let text) = variable else {
            throw .failed(
                TaskFailure(
                    "argument 'var' is of type \(variable.typeName) and we were unable to convert to "
                        + "_check_type_str_no_conversion: '\(variable.pythonText)' is not a string and conversion is "
                        + "not allowed"))
        }
        let context = "Error while resolving `var` expression: "
        var expression = text
        if text.isTemplate {
            guard case .string(let name) = try task.render(variable) else { return result(Dict()) }
            expression = name
        }
        guard expression.place != nil, !(expression.mark?.isDeclaredUnsafe ?? false) else {
            let message = context + "Encountered untrusted template or expression."
            let advice = "Templates and expressions must be defined by trusted sources such as playbooks or roles, "
                + "not untrusted sources such as module results."
            throw .failed(
                TaskFailure(
                    Diagnostic(message, at: text.place ?? task.task.place, notes: [advice]),
                    told: "Task failed: " + message))
        }
        var shown: Dict = ["_ansible_verbose_always": true]
        var warning: String?
        let key = Value.string(Text(expression.string))
        do throws(TemplateError) {
            let value = try task.run.templater.evaluate(expression: expression, in: task.scope)
            shown[key] = try task.run.templater.render(value, in: task.scope)
        } catch {
            guard error.undefinedName != nil else { throw task.interruption(error, context) }
            shown[key] = .string("<< error 1 - \(error.diagnostic.message) >>")
            warning = "Encountered 1 template error.\nerror 1 - \(error.diagnostic.message)"
        }
        if shown[key] == Templater.omit {
            shown[key] = "<<Omit>>"
            warning = "The result of the `var` expression could not be omitted; a placeholder was used instead."
        }
        var told = result(shown)
        if let warning {
            told.result["warnings"] = [.string(warning)]
            let place = text.place ?? task.task.place
            task.run.coordinator.tell(.message(Diagnostic(warning, at: place, severity: .warning)))
        }
        return told
    }

    static func assert(_ task: TaskRun, _ arguments: Dict) throws(Interruption) -> TaskResult {
        guard let that = arguments["that"] else {
            throw .failed(TaskFailure("missing required arguments: that"))
        }
        if that.isNull {
            let message = "Empty conditional expressions are not allowed."
            throw .failed(TaskFailure(Diagnostic(message, at: task.task.place), told: "Task failed: " + message))
        }
        func message(_ names: String..., fallback: String) throws(Interruption) -> Value {
            for name in names { if let value = arguments[name] { return try task.render(value) } }
            return .string(fallback)
        }
        for condition in try conditions(that, task) {
            guard let failed = try task.firstFalse(condition) else { continue }
            var failure: Dict = ["changed": false, "failed": true, "evaluated_to": false, "assertion": failed]
            failure["msg"] = try message("fail_msg", "msg", fallback: "Assertion failed")
            failure["_ansible_verbose_always"] = .bool(!(arguments["quiet"]?.asBool ?? false))
            throw .failed(TaskFailure(failure))
        }
        var shown: Dict = ["msg": try message("success_msg", fallback: "All assertions passed")]
        if !(arguments["quiet"]?.asBool ?? false) { shown["_ansible_verbose_always"] = true }
        return result(shown)
    }

    /// The conditions of `that`, which may be one template that gives a list of them.
    private static func conditions(_ that: Value, _ task: TaskRun) throws(Interruption) -> [Value] {
        if let list = that.list { return list }
        guard case .string(let text) = that, text.isTemplate, Templater.isWrapped(text.string) else { return [that] }
        do throws(TemplateError) {
            return try task.run.templater.container(text, in: task.scope)?.list ?? [that]
        } catch { throw task.interruption(error) }
    }

    static func fail(_ task: TaskRun, _ arguments: Dict) throws(Interruption) -> TaskResult {
        let message = arguments["msg"] ?? "Failed as requested from task"
        throw .failed(TaskFailure(["changed": false, "failed": true, "msg": message]))
    }
}
