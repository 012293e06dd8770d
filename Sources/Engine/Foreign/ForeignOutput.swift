import Machine
import Values
import Wire

/// What a program printed, as the result of its task.
struct ForeignOutput {
    private let done: CommandResult
    private let module: ForeignModule

    init(_ done: CommandResult, module: ForeignModule) {
        self.done = done
        self.module = module
    }

    func result() -> CallResult {
        let (text, junk) = Self.object(in: done.outputText)
        guard let text else { return garbled("No start of json char found") }
        guard !text.isEmpty else { return garbled("No end of json char found") }
        guard let dict = (try? Value(json: text))?.dict else { return garbled("what it printed is no JSON") }
        var warnings = junk
        var result = Dict()
        for (key, value) in dict {
            let name = key.pythonText
            if name.hasPrefix("_ansible_"), name != "_ansible_no_log" { continue }
            result[key] = Self.cleaned(value.untrusted)
        }
        explain(&result)
        if let results = result["results"], results.list == nil {
            result["results"] = nil
            result["ansible_module_results"] = results
            warnings.append("Found internal 'results' key in module return, renamed to 'ansible_module_results'.")
        }
        if result["failed"] == nil, let status = result["rc"], status != 0, status.text != "0" {
            result["failed"] = true
        }
        warnings += result["warnings"]?.list?.map { $0["event"]?["msg"]?.pythonText ?? $0.pythonText } ?? []
        if !warnings.isEmpty { result["warnings"] = .strings(warnings) }
        let announced = result["deprecations"]?.list?.map(Self.plainDeprecation) ?? []
        if !announced.isEmpty { result["deprecations"] = .list(announced) }
        if result["failed"]?.isTrue ?? false, result["msg"] == nil {
            result["msg"] = "Task failed: Module failed: Unknown error."
        }
        let diff = result["diff"].map { $0.list ?? [$0] } ?? []
        return CallResult(result: result, diff: diff, warnings: warnings)
    }

    /// What was for the module alone is in no result, at any depth.
    private static func cleaned(_ value: Value) -> Value {
        switch value {
        case .list(let list): return .list(list.map(cleaned))
        case .dict(let dict):
            var kept = Dict()
            for (key, item) in dict where !key.pythonText.hasPrefix("_ansible_") { kept[key] = cleaned(item) }
            return .dict(kept)
        default: return value
        }
    }

    /// An exception comes as what it was; people are told its message.
    private func explain(_ result: inout Dict) {
        guard let exception = result["exception"], case .dict = exception else { return }
        result["exception"] = nil
        if result["msg"] == nil, let message = exception["event"]?["msg"]?.text {
            result["msg"] = .string("Task failed: Module failed: \(message)")
        }
    }

    /// Later releases tell of it in objects of their own; what is registered is the older, flat form.
    private static func plainDeprecation(_ value: Value) -> Value {
        guard let message = value["event"]?["msg"] else { return value }
        var plain: Dict = ["msg": message]
        if let help = value["event"]?["help_text"], !help.isNull { plain["help_text"] = help }
        for name in ["version", "date"] { if let given = value[name], !given.isNull { plain[name] = given } }
        if let name = value["deprecator"]?["resolved_name"]?.text {
            let type = value["deprecator"]?["type"]
            plain["deprecator"] = ["resolved_name": .string(name), "type": type?["value"] ?? type ?? .null]
            plain["collection_name"] = .string(name.split(separator: ".").prefix(2).joined(separator: "."))
        }
        return .dict(plain)
    }

    private func garbled(_ reason: String) -> CallResult {
        let interpreter = module.interpreter.first ?? ""
        let isMissing = done.status == 127 && done.errorText.contains("not found")
        let message = isMissing
            ? "The module interpreter '\(interpreter)' was not found."
            : "Module result deserialization failed: \(reason)"
        return CallResult(result: [
            "changed": false, "failed": true, "msg": .string(message), "rc": .int(Int(done.status)),
            "module_stdout": .string(done.outputText), "module_stderr": .string(done.errorText),
        ])
    }

    /// From the first line that begins with a brace to the last that ends with one; what follows is told. Without an
    /// end it is empty.
    static func object(in output: String) -> (text: String?, junk: [String]) {
        let lines = output.split(whereSeparator: \.isNewline).map(String.init)
        guard let start = lines.firstIndex(where: { $0.trimmed.hasPrefix("{") }) else { return (nil, []) }
        guard let end = lines.lastIndex(where: { $0.trimmed.hasSuffix("}") }), end >= start else { return ("", []) }
        let rest = lines[(end + 1)...]
        let junk = rest.contains { !$0.trimmed.isEmpty }
            ? ["Module invocation had junk after the JSON data: \(rest.joined(separator: "\n"))"] : []
        return (lines[start...end].joined(separator: "\n"), junk)
    }
}
