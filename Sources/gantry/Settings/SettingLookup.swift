import Values

extension Configuration {
    /// What `lookup('config', NAME…)` gives: values of settings, each with where it came from if that is asked for.
    func looked(up terms: [Value], _ options: Dict) throws(Diagnostic) -> [Value] {
        let missing = options["on_missing"]?.pythonText ?? "error"
        guard ["error", "skip", "warn"].contains(missing) else {
            throw Diagnostic(
                "Invalid option for error handling, missing must be error, warn or skip, got: \(missing).")
        }
        guard options["plugin_type"] == nil, options["plugin_name"] == nil else {
            throw Diagnostic("lookup 'config' knows the settings of 'gantry config list', none of plugins")
        }
        var values: [Value] = []
        for term in terms {
            guard let name = term.text else {
                throw Diagnostic(
                    "Invalid setting identifier, \(term.pythonText) is not a str, its a \(term.typeName).")
            }
            guard let setting = Setting.all.first(where: { $0.name == name }) else {
                if missing != "error" { continue }
                throw Diagnostic(
                    "No config definition exists for '\(name)'.",
                    hint: suggestion(for: name, among: Setting.all.map(\.name)))
            }
            let (value, origin) = typed(setting)
            values.append(options["show_origin"]?.asBool ?? false ? .list([value, .string(origin)]) : value)
        }
        return values
    }
}
