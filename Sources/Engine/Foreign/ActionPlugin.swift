import Modules
import Templates
import Values
import Wire

extension TaskItem {
    /// Runs the task's action plugin, which is written in Python; its modules and commands run where the task's would.
    ///
    /// What it does itself cannot be told from outside: it has its turn before it begins.
    func plugin(
        _ path: String, _ arguments: Dict, _ isHidden: Bool, _ delegate: String?, _ way: Way
    ) throws(Interruption) -> CallResult {
        let coordinator = task.run.coordinator
        coordinator.tell(.started(task.position, task.info))
        if !task.run.plan.settings.isFree || way.throttle > 0 {
            try coordinator.awaitTurn(task.position, task.info, way.throttle)
        }
        let fields = try fields(isHidden, delegate)
        var plugin = PluginRun(scope: task.scope)
        plugin.act = { (what, ask) throws(Interruption) in
            try self.answer(what, ask, isHidden, delegate, way)
        }
        let reply: Value
        do throws(Interruption) {
            reply = try plugin.reply([
                "kind": "action", "path": .string(path), "name": .string(task.task.module),
                "arguments": .dict(arguments), "task": .dict(fields),
            ])
        } catch {
            guard case .failed(let failure) = error, let diagnostic = failure.diagnostic else { throw error }
            var told = diagnostic
            told.place = told.place ?? task.task.place
            throw .failed(TaskFailure(told, told: "Task failed: " + diagnostic.message))
        }
        let result = (reply["result"]?.dict ?? Dict()).mapValues(\.untrusted)
        if reply["raised"]?.isTrue ?? false, result["failed"]?.isTrue ?? false {
            // An error of its own, not one of a module that it ran.
            let message = result["msg"]?.pythonText ?? "it failed"
            throw .failed(TaskFailure(result, diagnostic: Diagnostic(message, at: task.task.place)))
        }
        return CallResult(result: result, warnings: reply["warnings"]?.list?.map(\.pythonText) ?? [])
    }

    /// What the plugin reads of its task.
    private func fields(_ isHidden: Bool, _ delegate: String?) throws(Interruption) -> Dict {
        let call = try call("", Dict(), isHidden)
        return [
            "action": .string(task.task.module), "name": .string(task.info.name), "no_log": .bool(isHidden),
            "check_mode": .bool(call.checkMode), "diff": .bool(call.diffMode), "verbosity": .int(call.verbosity),
            "async_val": .int((try task.keyword("async")).flatMap { try? Int(parameter: $0) } ?? 0),
            "environment": .list([.dict(call.environment)]), "delegate_to": delegate.map { .string($0) } ?? .null,
            "connection": try task.keyword("connection") ?? "ssh", "remote_addr": .string(delegate ?? run.plan.host),
            "become": .bool(call.become != nil), "become_user": call.become.map { .string($0.user) } ?? .null,
            "become_method": call.become.map { .string($0.method) } ?? .null,
        ]
    }

    private func answer(
        _ what: String, _ ask: Value, _ isHidden: Bool, _ delegate: String?, _ way: Way
    ) throws(Interruption) -> Value {
        var module = Registry.shortName(ask["name"]?.text ?? "")
        var arguments = ask["arguments"]?.dict ?? Dict()
        if what == "command" {
            module = "shell"
            arguments = [
                "_raw_params": ask["command"] ?? "", "strip_empty_ends": false, "stdin_add_newline": false,
            ]
            if let input = ask["input"], !input.isNull { arguments["stdin"] = input }
            if let program = ask["executable"], !program.isNull { arguments["executable"] = program }
        }
        if module == "command", arguments["_uses_shell"]?.isTrue ?? false { module = "shell" }
        // The plugin has put the source there itself.
        if module == "copy", arguments["content"] == nil { arguments["remote_src"] = true }
        for key in arguments.keys where key.pythonText.hasPrefix("_") && key.text != "_raw_params" {
            arguments[key] = nil
        }
        if ask["lenient"]?.isTrue ?? false, ask["path"]?.text == nil, let entry = Registry.entry(module) {
            // Modules of other systems take more under the same name.
            let known = Set(entry.parameters.flatMap { [$0.name] + $0.aliases })
            for key in arguments.keys where !known.contains(key.pythonText) { arguments[key] = nil }
        }
        var call = try ready(module, ask["path"]?.text, arguments, isHidden, delegate)
        if what == "command" { call.checkMode = false }
        let called = try send(call, way)
        var result = called.result
        if !called.diff.isEmpty, result["diff"] == nil { result["diff"] = .list(called.diff) }
        for (text, lines) in [("stdout", "stdout_lines"), ("stderr", "stderr_lines")] {
            if let text = result[text]?.text, result[lines] == nil { result[lines] = .strings(pythonLines(text)) }
        }
        if what == "command" {
            return [
                "rc": result["rc"] ?? 1, "stdout": result["stdout"] ?? "",
                "stderr": result["stderr"] ?? result["msg"] ?? "",
            ]
        }
        return .dict(result)
    }

    /// A plugin's arguments may be one template beside others (`echo: "{{ more }} a=1"`): its mapping lies under them.
    func split(_ rendered: Dict, _ written: Dict) throws(Interruption) -> Dict {
        guard keywords["_plugin"] != nil, keywords["_takes_raw"] == nil, let raw = rendered["_raw_params"],
            let given = written["_raw_params"], case .string(let text) = given, text.isTemplate,
            Templater.looksLikeTemplate(text.string)
        else { return rendered }
        guard var all = raw.dict else { throw notAMapping(raw, given) }
        for (key, value) in rendered where key.text != "_raw_params" { all[key] = value }
        // What was left out by `omit` does not come back from below.
        for key in written.keys where rendered[key] == nil { all[key] = nil }
        return all
    }

    private func notAMapping(_ value: Value, _ source: Value) -> Interruption {
        let message = "Task args must resolve to a 'dict' not '\(value.typeName)'."
        return .failed(
            TaskFailure(
                Diagnostic(message, at: source.place ?? task.task.place),
                told: "Task failed: Finalization of task args for '\(task.task.module)' failed: " + message))
    }
}
