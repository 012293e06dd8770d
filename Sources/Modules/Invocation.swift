package import Values

extension ModuleEntry {
    /// What a module was given, with the defaults of the rest: the `module_args` that modules in Python return.
    package func invocation(_ given: Dict) -> Dict {
        var all = Dict()
        for parameter in parameters {
            let names = ([parameter.name] + parameter.aliases).filter { given[$0] != nil }
            all[parameter.name] = parameter.value(names.last.flatMap { given[$0] })
            if options.untold.contains(parameter.name) { all[parameter.name] = .null }
            // Ansible keeps what came by another name under that name, too.
            for name in names { all[name] = all[parameter.name] }
        }
        return all
    }
}

extension ParameterInfo {
    /// The value as the module takes it.
    fileprivate func value(_ given: Value?) -> Value {
        let value = given ?? defaultText.map { .string($0) } ?? .null
        if value.isNull { return value }
        if isSecret { return "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER" }
        if type.hasPrefix("list of ") { return (try? [Value](parameter: value)).map { .list($0) } ?? value }
        switch type {
        case "bool": return value.asBool.map { .bool($0) } ?? value
        case "int": return (try? Int(parameter: value)).map { .int($0) } ?? value
        case "float": return (try? Double(parameter: value)).map { .double($0) } ?? value
        case "str": return (try? String(parameter: value)).map { .string($0) } ?? value
        default: return value
        }
    }
}
