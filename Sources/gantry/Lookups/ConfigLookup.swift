import Values

/// `config`: settings, and those of the plugins that have something in their place here.
struct ConfigLookup {
    let configuration: Configuration
    let options: Dict

    private var kind: String? { options["plugin_type"].flatMap { $0.isNull ? nil : $0.pythonText } }
    private var name: String? { options["plugin_name"].flatMap { $0.isNull ? nil : $0.pythonText } }

    func values(of term: String) throws(Diagnostic) -> [Value] {
        guard (kind == nil) == (name == nil) else {
            throw Diagnostic("Both plugin_type and plugin_name are required, cannot use one without the other.")
        }
        if let (value, origin) = try setting(term) {
            return [options["show_origin"]?.asBool ?? false ? .list([value, .string(origin)]) : value]
        }
        let plugin = kind.flatMap { kind in name.map { "plugin_type: \(kind) plugin: \($0) " } } ?? ""
        let message = "Requested entry (\(plugin)setting: \(term) ) was not defined in configuration."
        switch options["on_missing"]?.pythonText ?? "error" {
        case "skip": return []
        case "warn":
            Output.printError(Diagnostic("Skipping, did not find setting \(term)", severity: .warning).shown)
            return []
        default: throw Diagnostic(message)
        }
    }

    private func setting(_ term: String) throws(Diagnostic) -> (Value, String)? {
        guard let kind, let name else {
            return Setting.all.first { $0.name == term }.map { configuration.typed($0) }
        }
        let short = name.split(separator: ".").last.map(String.init) ?? name
        guard let defaults = Self.plugins["\(kind) \(short)"] else {
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
            "private_key_file": .null, "ssh_executable": "ssh", "use_tty": true,
        ],
        "shell sh": ["remote_tmp": "~/.ansible/tmp", "system_tmpdirs": ["/var/tmp", "/tmp"], "admin_users": ["root"]],
    ]
}
