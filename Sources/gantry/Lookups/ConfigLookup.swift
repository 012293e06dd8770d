import Values

/// `config`: settings, and those of the plugins that have something in their place here.
struct ConfigLookup {
    let configuration: Configuration
    let options: Dict

    private var kind: String? { options["plugin_type"].flatMap { $0.isNull ? nil : $0.pythonText } }
    private var name: String? { options["plugin_name"].flatMap { $0.isNull ? nil : $0.pythonText } }

    func values(of terms: [Value]) throws(Diagnostic) -> [Value] {
        let missing = options["on_missing"]?.pythonText ?? "error"
        guard ["error", "skip", "warn"].contains(missing) else {
            throw Diagnostic(
                "Invalid value '\(missing)' for config 'on_missing' for 'config' lookup plugin.",
                hint: "one of: error, skip, warn")
        }
        guard (kind == nil) == (name == nil) else {
            throw Diagnostic("Both plugin_type and plugin_name are required, cannot use one without the other.")
        }
        var values: [Value] = []
        for term in terms {
            guard let wanted = term.text else {
                throw Diagnostic(
                    "Invalid setting identifier, \(term.pythonText) is not a <class 'str'>, its a "
                        + "<class '\(term.typeName)'>.")
            }
            if let (value, origin) = try setting(wanted) {
                values.append(options["show_origin"]?.asBool ?? false ? .list([value, .string(origin)]) : value)
            } else if missing != "skip" {
                let problem = unknown(wanted)
                if missing == "error" { throw problem }
                let warning = Diagnostic("Skipping \(wanted): \(problem.message)", severity: .warning)
                Output.printError(warning.shown)
            }
        }
        return values
    }

    private func unknown(_ wanted: String) -> Diagnostic {
        let message = "No config definition exists for '\(wanted)'"
        if let kind, let name {
            let known = Self.plugins["\(kind) \(short(name))"]?.keys.compactMap(\.text) ?? []
            return Diagnostic(
                "\(message) for '\(name)' \(kind) plugin.", hint: suggestion(for: wanted, among: known))
        }
        return Diagnostic(message + ".", hint: suggestion(for: wanted, among: Setting.all.map(\.name)))
    }

    private func short(_ name: String) -> String { name.split(separator: ".").last.map(String.init) ?? name }

    private func setting(_ term: String) throws(Diagnostic) -> (Value, String)? {
        guard let kind, let name else {
            return Setting.all.first { $0.name == term }.map { configuration.typed($0) }
        }
        guard let defaults = Self.plugins["\(kind) \(short(name))"] else {
            throw Diagnostic("Unable to load \(kind) plugin '\(name)'.")
        }
        let given = Setting.all.first { setting in
            setting.keys.contains { $0.hasSuffix(".\(term)") } && configuration.origin(setting).origin != "default"
        }
        if let given { return configuration.typed(given) }
        return defaults[term].map { ($0, "default") }
    }

    /// What these plugins of ansible-core have where nothing is set.
    private static let plugins: [String: Dict] = [
        "become sudo": [
            "become_user": "root", "become_exe": "sudo", "become_flags": "-H -S -n", "become_pass": .null,
            "sudo_chdir": .null,
        ],
        "become su": [
            "become_user": "root", "become_exe": "su", "become_flags": "", "become_pass": .null,
        ],
        "connection local": ["pipelining": false, "become_success_timeout": 10, "become_strip_preamble": true],
        "connection ssh": [
            "host_key_checking": true, "port": .null, "ssh_transfer_method": "smart", "reconnection_retries": 0,
            "ssh_args": "-C -o ControlMaster=auto -o ControlPersist=60s", "timeout": 10, "pipelining": false,
            "private_key_file": .null, "remote_user": .null, "ssh_executable": "ssh", "use_tty": true,
        ],
        "shell sh": ["remote_tmp": "~/.ansible/tmp", "system_tmpdirs": ["/var/tmp", "/tmp"], "admin_users": ["root"]],
    ]
}
