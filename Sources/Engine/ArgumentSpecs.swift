import Modules
import Templates
import Values
import Wire

extension Directives {
    /// Checks a role's variables against its `meta/argument_specs.yml`.
    static func validateArgumentSpec(_ task: TaskRun, _ arguments: Dict) throws(Interruption) -> TaskResult {
        let specs = arguments["argument_spec"]?.dict ?? Dict()
        let provided = arguments["provided_arguments"]?.dict
        var errors: [String] = []
        for (key, spec) in specs {
            let name = key.pythonText
            let given: Value?
            if let provided {
                given = provided[name]
            } else {
                given = try roleVariable(name, task)
            }
            check(given, name, spec.dict ?? Dict(), into: &errors)
        }
        let context: Dict = [
            "type": "role", "name": arguments["_role"] ?? "",
            "argument_spec_name": arguments["_spec_name"] ?? "main", "path": arguments["_path"] ?? "",
        ]
        guard errors.isEmpty else {
            throw .failed(
                TaskFailure([
                    "failed": true, "changed": false, "argument_errors": .strings(errors),
                    "argument_spec_data": .dict(specs), "validate_args_context": .dict(context),
                    "msg": .string("Validation of arguments failed:\n" + errors.joined(separator: "\n")),
                ]))
        }
        return result([
            "msg": "The arg spec validation passed", "validate_args_context": .dict(context),
        ])
    }

    private static func roleVariable(_ name: String, _ task: TaskRun) throws(Interruption) -> Value? {
        do throws(TemplateError) {
            guard let value = try task.scope.value(of: name) else { return nil }
            return try task.run.templater.render(value, in: task.scope)
        } catch {
            // A variable that hangs on something not known yet is the role's own affair.
            if error.undefinedName != nil { return .null }
            throw task.interruption(error)
        }
    }

    private static func check(_ given: Value?, _ name: String, _ spec: Dict, into errors: inout [String]) {
        guard let given else {
            if spec["required"]?.asBool ?? false { errors.append("missing required arguments: \(name)") }
            return
        }
        if given.isNull { return }
        let type = spec["type"]?.text ?? "str"
        guard fits(given, type) else {
            let shown = given.holdsSecretText ? "(hidden)" : given.pythonText
            let message = "argument '\(name)' is of type \(given.typeName) and we were unable to convert to \(type)"
            errors.append("\(message): '\(shown)' is no \(type)")
            return
        }
        checkChoices(given, name, spec, into: &errors)
        let elements = spec["elements"]?.text
        for item in (type == "list" ? given.list : nil) ?? [] {
            if let elements, !fits(item, elements) {
                errors.append("Elements value for option '\(name)' is of type \(item.typeName), expected \(elements)")
            }
            if let options = spec["options"]?.dict { checkOptions(item, name, options, into: &errors) }
        }
        if type == "dict", let options = spec["options"]?.dict { checkOptions(given, name, options, into: &errors) }
    }

    private static func checkOptions(_ given: Value, _ path: String, _ options: Dict, into errors: inout [String]) {
        guard let dict = given.dict else { return }
        for (key, inner) in options {
            check(dict[key], "\(path).\(key.pythonText)", inner.dict ?? Dict(), into: &errors)
        }
        let unknown = dict.names.filter { options[$0] == nil }
        if !unknown.isEmpty {
            let known = options.names.sorted().joined(separator: ", ")
            errors.append(
                "\(unknown.joined(separator: ", ")). Supported parameters include: \(known) (found in \(path))")
        }
    }

    private static func checkChoices(_ given: Value, _ name: String, _ spec: Dict, into errors: inout [String]) {
        guard let choices = spec["choices"]?.list else { return }
        for value in given.list ?? [given] where !choices.contains(value) {
            let words = choices.map(\.pythonText).joined(separator: ", ")
            errors.append("value of \(name) must be one of: \(words), got: \(value.pythonText)")
        }
    }

    private static func fits(_ value: Value, _ type: String) -> Bool {
        switch type {
        case "bool": value.asBool != nil
        case "int": (try? Int(parameter: value)) != nil
        case "float": (try? Double(parameter: value)) != nil
        case "dict": (try? Dict(parameter: value)) != nil
        case "list": value.dict == nil
        case "str", "path": value.list == nil && value.dict == nil || type == "str"
        default: true
        }
    }
}
