import Modules
import Templates
import Values
import Wire

extension TaskRun {
    /// What runs a module that is not built in, with what this host's variables say about its interpreter.
    ///
    /// - Parameter path: of the module's file on the controller.
    func foreignCall(_ path: String, delegate: String?) throws(Interruption) -> ForeignCall {
        let module = try foreignModule(path)
        let first = module.interpreter.first?.split(separator: "/").last.map(String.init) ?? ""
        let isPython = Self.isPython(module.interpreter)
        let name = "ansible_\(isPython ? "python" : first)_interpreter"
        var given = try hostVariable(name, delegate)?.pythonText
        if isPython { given = given ?? run.plan.magic["_interpreter_python"]?.text }
        let word = given?.trimmed ?? ""
        let isAutomatic = isPython && Self.automatic.contains(word)
        let candidates = try hostVariable("ansible_interpreter_python_fallback", delegate)?.list?.map(\.pythonText)
        return ForeignCall(
            module: module, interpreter: isAutomatic || word.isEmpty ? nil : word,
            isSilent: word.hasSuffix("_silent"), candidates: isAutomatic ? candidates ?? FactSource.pythons : [])
    }

    /// The Python that this host's variables name; `nil` where it is to be found out.
    func python(_ delegate: String?) throws(Interruption) -> String? {
        let given = try hostVariable("ansible_python_interpreter", delegate)?.pythonText
        let word = (given ?? run.plan.magic["_interpreter_python"]?.text ?? "").trimmed
        return Self.automatic.contains(word) ? nil : word
    }

    private static let automatic: Set<String> = ["", "auto", "auto_legacy", "auto_silent", "auto_legacy_silent"]

    /// `#!/usr/bin/python3`, `#!/usr/bin/env python`, …
    private static func isPython(_ words: [String]) -> Bool {
        guard let first = words.first?.split(separator: "/").last else { return false }
        if first == "env" { return words.count > 1 && words[1].hasPrefix("python") }
        return first.hasPrefix("python")
    }

    private func foreignModule(_ path: String) throws(Interruption) -> ForeignModule {
        if let known = run.foreignModules[path] { return known }
        switch try run.coordinator.ask(.module(path: path)) {
        case .module(let module):
            run.foreignModules[path] = module
            return module
        case .failure(var diagnostic):
            if diagnostic.place == nil { diagnostic.place = task.place }
            throw .failed(TaskFailure(diagnostic))
        case .stop(let reason): throw .stopped(reason)
        default: throw .unexpectedAnswer
        }
    }

    /// A variable of the host that the task runs on.
    private func hostVariable(_ name: String, _ delegate: String?) throws(Interruption) -> Value? {
        do throws(TemplateError) {
            let value: Value?
            if let own = task.keywords["vars"]?[name] {
                value = own
            } else if let delegate, delegate != run.plan.host {
                value = try run.delegateVariable(delegate, name)
            } else {
                value = try scope.value(of: name)
            }
            return try value.map { value throws(TemplateError) in try run.templater.render(value, in: scope) }
        } catch { throw interruption(error) }
    }
}
