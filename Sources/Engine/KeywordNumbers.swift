import Modules
import Values
import Wire

extension TaskRun {
    /// Keywords that are numbers or flags whatever the module, with what Ansible calls them and their types.
    private static let typed: [(name: String, shown: String, type: String)] = [
        ("retries", "retries", "int"), ("delay", "delay", "float"), ("async", "async_val", "int"),
        ("poll", "poll", "int"), ("timeout", "timeout", "int"),
    ]

    /// Fails where a template gives something else.
    func checkNumbers() throws(Interruption) {
        for (name, shown, type) in Self.typed where task.keywords[name] != nil {
            guard let value = try keyword(name), !value.isNull, value.asBool == nil else { continue }
            if type == "int" ? (try? Int(parameter: value)) != nil : (try? Double(parameter: value)) != nil { continue }
            let message = "Error processing keyword '\(shown)': "
                + "The value '\(value.pythonText)' could not be converted to '\(type)'."
            throw .failed(
                TaskFailure(
                    Diagnostic(message, at: task.keywords[name]?.place ?? task.place), told: "Task failed: " + message))
        }
        _ = try flag("delegate_facts")
    }
}
