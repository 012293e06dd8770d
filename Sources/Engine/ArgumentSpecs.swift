import Modules
import Templates
import Values
import Wire

extension Directives {
    /// Checks a role's variables against its `meta/argument_specs.yml`.
    static func validateArgumentSpec(_ task: TaskRun, _ arguments: Dict) throws(Interruption) -> TaskResult {
        let specs = arguments["argument_spec"]?.dict ?? Dict()
        var given = Dict()
        for name in specs.names { if let value = try variable(name, task) { given[name] = value } }
        let provided = arguments["provided_arguments"]?.dict ?? task.scope.role?.parameters ?? Dict()
        for (key, value) in provided where specs[key.pythonText] != nil || arguments["_role"] == nil {
            given[key] = try task.render(value)
        }
        var check = SpecificationCheck()
        check.level(specs, &given, [])
        let errors = check.all
        var context = arguments["validate_args_context"]?.dict ?? Dict()
        if let role = arguments["_role"] {
            context = [
                "type": "role", "name": role, "argument_spec_name": arguments["_spec_name"] ?? "main",
                "path": arguments["_path"] ?? "",
            ]
        }
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

    private static func variable(_ name: String, _ task: TaskRun) throws(Interruption) -> Value? {
        do throws(TemplateError) {
            guard let value = try task.scope.value(of: name) else { return nil }
            return try task.run.templater.render(value, in: task.scope)
        } catch { throw task.interruption(error) }
    }
}

/// Arguments against their specification, level by level, with ansible-core's messages in its order.
private struct SpecificationCheck {
    private var errors: [String] = []
    private var unknown: [String] = []
    private var supported = ""

    /// What is not supported is told last.
    var all: [String] {
        unknown.isEmpty ? errors
            : errors + ["\(unknown.sorted().joined(separator: ", ")). Supported parameters include: \(supported)."]
    }

    /// - Parameter context: the options around these, outermost first.
    mutating func level(_ specs: Dict, _ given: inout Dict, _ context: [String], _ rules: Dict = Dict()) {
        takeAliases(specs, &given)
        let strangers = given.names.filter { specs[$0] == nil }
        if !strangers.isEmpty {
            unknown += strangers.map { (context + [$0]).joined(separator: ".") }
            supported = specs.names.sorted().joined(separator: ", ")
        }
        let place = context.isEmpty ? "" : " found in \(context.joined(separator: " -> "))"
        exclusive(rules, given, place)
        for (key, spec) in specs {
            let standard = spec["default"] ?? .null
            if given[key] == nil, !standard.isNull { given[key] = standard }
        }
        let missing = specs.filter { ($0.value["required"]?.asBool ?? false) && given[$0.key] == nil }.names.sorted()
        if !missing.isEmpty { errors.append("missing required arguments: \(missing.joined(separator: ", "))\(place)") }
        types(specs, &given, context)
        for (key, spec) in specs { choices(key.pythonText, spec, given[key], place) }
        together(rules, given, place)
        nested(specs, &given, context)
    }

    private func takeAliases(_ specs: Dict, _ given: inout Dict) {
        for (key, spec) in specs {
            for alias in spec["aliases"]?.list ?? [] {
                guard let value = given[alias] else { continue }
                given[alias] = nil
                given[key] = value
            }
        }
    }

    // MARK: Types and values

    private mutating func types(_ specs: Dict, _ given: inout Dict, _ context: [String]) {
        let place = context.isEmpty ? "" : " found in '\(context.joined(separator: " -> "))'"
        for (key, spec) in specs {
            guard let value = given[key] else { continue }
            let isRequired = spec["required"]?.asBool ?? false
            if value.isNull, !isRequired, spec["default"]?.isNull ?? true { continue }
            let type = spec["type"]?.text ?? "str"
            do throws(Refusal) {
                let converted = try Self.converted(value, to: type)
                given[key] = converted
                guard let wanted = spec["elements"]?.text, let items = converted.list else { continue }
                given[key] = .list(elements(items, wanted, key.pythonText, place))
            } catch {
                let dot = place.isEmpty ? "" : "."
                errors.append(
                    "argument '\(key.pythonText)' is of type \(value.typeName)\(place)\(dot) and we were unable to "
                        + "convert to \(type): \(error.message)")
            }
        }
    }

    private mutating func elements(_ items: [Value], _ type: String, _ name: String, _ place: String) -> [Value] {
        items.compactMap { item in
            do throws(Refusal) { return try Self.converted(item, to: type) } catch {
                errors.append(
                    "Elements value for option '\(name)'\(place) is of type \(item.typeName) and we were unable to "
                        + "convert to \(type): \(error.message)")
                return nil
            }
        }
    }

    private struct Refusal: Error {
        var message: String
        init(_ message: String) { self.message = message }
        init(_ value: Value, _ what: String) {
            let name: String
            switch value {
            case .null: name = "NoneType"
            case .bool: name = "bool"
            default:
                let type = value.typeName
                let tagged = type.prefix(1).uppercased() + type.dropFirst()
                name = "ansible.module_utils._internal._datatag._AnsibleTagged\(tagged)"
            }
            message = "<class '\(name)'> cannot be converted to a\(what)"
        }
    }

    private static func converted(_ value: Value, to type: String) throws(Refusal) -> Value {
        switch type {
        case "int":
            if case .bool = value { return value }
            if let int = try? Int(parameter: value) { return .int(int) }
            let shown = value.holdsSecretText ? "(hidden)" : value.pythonRepr
            throw Refusal("\"\(shown)\" cannot be converted to an int")
        case "float":
            guard let double = try? Double(parameter: value) else { throw Refusal(value, " float") }
            return .double(double)
        case "bool":
            if let bool = value.asBool { return .bool(bool) }
            if value.dict != nil || value.list != nil || value.isNull { throw Refusal(value, " bool") }
            let shown = value.holdsSecretText ? "(hidden)" : value.pythonRepr
            throw Refusal("The value \(shown) is not a valid boolean.")
        case "list":
            if value.dict != nil || value.isNull { throw Refusal(value, " list") }
            if let list = value.list { return .list(list) }
            return .list((value.text.map { $0.split(separator: ",").map(String.init) } ?? [value.pythonText]).map {
                .string($0)
            })
        case "dict": return try mapping(value)
        case "bytes", "bits":
            guard let number = try? Double(parameter: value) else {
                throw Refusal(value, type == "bits" ? " Bit value" : " Byte value")
            }
            return .double(number)
        case "str", "path": return value.text != nil ? value : .string(value.isNull ? "" : value.pythonText)
        default: return value
        }
    }

    private static func mapping(_ value: Value) throws(Refusal) -> Value {
        if value.dict != nil { return value }
        guard let text = value.text else { throw Refusal(value, " dict") }
        if let dict = try? Dict(parameter: value) { return .dict(dict) }
        if text.hasPrefix("{") { throw Refusal("unable to evaluate string as dictionary") }
        guard text.contains("=") else { throw Refusal("dictionary requested, could not parse JSON or key=value") }
        throw Refusal("unable to evaluate string in the \"key=value\" format as dictionary")
    }

    private mutating func choices(_ name: String, _ spec: Value, _ given: Value?, _ place: String) {
        guard let choices = spec["choices"]?.list, let given else { return }
        let words = choices.map(\.pythonText).joined(separator: ", ")
        if let list = given.list {
            let others = list.filter { !choices.contains($0) }.map(\.pythonText)
            guard !others.isEmpty else { return }
            let shown = others.joined(separator: ", ")
            errors.append("value of \(name) must be one or more of: \(words). Got no match for: \(shown)\(place)")
        } else if !choices.contains(given) {
            let shown = given.holdsSecretText ? "(hidden)" : given.pythonText
            errors.append("value of \(name) must be one of: \(words), got: \(shown)\(place)")
        }
    }

    // MARK: Options of options

    private mutating func nested(_ specs: Dict, _ given: inout Dict, _ context: [String]) {
        for (key, spec) in specs {
            let isList = spec["type"]?.text == "list" && spec["elements"]?.text == "dict"
            guard isList || spec["type"]?.text == "dict", let options = spec["options"]?.dict else { continue }
            if given[key]?.isNull ?? true {
                guard spec["apply_defaults"]?.asBool ?? false else { continue }
                given[key] = .dict(Dict())
            }
            guard let value = given[key] else { continue }
            var inner: [Value] = []
            for item in value.list ?? [value] {
                guard var dict = item.dict else {
                    errors.append("value of '\(key.pythonText)' must be of type dict or list of dicts")
                    continue
                }
                level(options, &dict, context + [key.pythonText], spec.dict ?? Dict())
                inner.append(.dict(dict))
            }
            given[key] = value.list != nil ? .list(inner) : inner.first ?? value
        }
    }

    // MARK: Arguments that hang on each other

    private static func names(_ value: Value) -> [String] { (value.list ?? [value]).map(\.pythonText) }

    /// One list of names, or a list of such lists.
    private static func groups(_ value: Value?) -> [[String]] {
        guard let list = value?.list else { return [] }
        return list.contains { $0.list != nil } ? list.map(names) : [names(.list(list))]
    }

    private mutating func exclusive(_ rules: Dict, _ given: Dict, _ place: String) {
        let clashes = Self.groups(rules["mutually_exclusive"]).map { group in group.filter { given[$0] != nil } }
            .filter { $0.count > 1 }
        guard !clashes.isEmpty else { return }
        let shown = clashes.map { $0.joined(separator: "|") }.joined(separator: ", ")
        errors.append("parameters are mutually exclusive: \(shown)\(place)")
    }

    private mutating func together(_ rules: Dict, _ given: Dict, _ place: String) {
        func isGiven(_ name: String) -> Bool { !(given[name]?.isNull ?? true) }
        for group in Self.groups(rules["required_together"]) where group.contains(where: isGiven) {
            if group.allSatisfy(isGiven) { continue }
            errors.append("parameters are required together: \(group.joined(separator: ", "))\(place)")
        }
        for group in Self.groups(rules["required_one_of"]) where !group.contains(where: isGiven) {
            errors.append("one of the following is required: \(group.joined(separator: ", "))\(place)")
        }
        for rule in rules["required_if"]?.list?.compactMap(\.list) ?? [] where rule.count >= 3 {
            guard given[rule[0].pythonText] == rule[1] else { continue }
            let needed = Self.names(rule[2])
            let missing = needed.filter { !isGiven($0) }
            let takesAny = rule.count > 3 && rule[3].isTrue
            if missing.isEmpty || (takesAny && missing.count < needed.count) { continue }
            errors.append(
                "\(rule[0].pythonText) is \(rule[1].pythonText) but \(takesAny ? "any" : "all") of the following are "
                    + "missing: \(missing.joined(separator: ", "))\(place)")
        }
        for (key, needed) in rules["required_by"]?.dict ?? Dict() where isGiven(key.pythonText) {
            let missing = Self.names(needed).filter { !isGiven($0) }
            if missing.isEmpty { continue }
            errors.append(
                "missing parameter(s) required by '\(key.pythonText)': \(missing.joined(separator: ", "))\(place)")
        }
    }
}
