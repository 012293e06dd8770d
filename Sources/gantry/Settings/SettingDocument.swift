import Values

extension Setting {
    /// All of it, in the form of `ansible-config list`.
    var document: Dict {
        var entry: Dict = [
            "name": .string(name), "description": .strings([summary]), "type": .string(type.name),
            "default": typedFallback,
        ]
        if case .choice(let words) = type { entry["choices"] = .strings(words) }
        if !variables.isEmpty { entry["env"] = .list(variables.map { ["name": .string($0)] }) }
        if !keys.isEmpty {
            entry["ini"] = .list(
                keys.map { key in
                    let parts = key.split(separator: ".", maxSplits: 1).map(String.init)
                    return ["section": .string(parts[0]), "key": .string(parts.last ?? "")]
                })
        }
        if let names = Self.hostVariables[name] { entry["vars"] = .list(names.map { ["name": .string($0)] }) }
        return entry
    }

    /// What it is when nobody sets it, as text.
    func written(flags: (yes: String, no: String)) -> String {
        if type == .flag, !fallback.isEmpty { return fallback == "true" ? flags.yes : flags.no }
        return fallback
    }

    /// What it is when nobody sets it, of its type.
    private var typedFallback: Value {
        if fallback.isEmpty { return .null }
        switch type {
        case .flag: return .bool(Value.string(fallback).asBool ?? false)
        case .number: return Int(fallback).map { .int($0) } ?? .string(fallback)
        case .list, .pathList: return .strings(fallback.split(separator: ",").map(\.trimmed))
        case .text, .path, .pathSpec, .choice: return .string(fallback)
        }
    }

    /// Variables of hosts and tasks that go before settings.
    static let hostVariables: [String: [String]] = [
        "ANSIBLE_PIPELINING": ["ansible_pipelining"], "ANSIBLE_SSH_ARGS": ["ansible_ssh_args"],
        "ANSIBLE_SSH_COMMON_ARGS": ["ansible_ssh_common_args"], "ANSIBLE_SSH_EXTRA_ARGS": ["ansible_ssh_extra_args"],
        "ANSIBLE_SSH_RETRIES": ["ansible_ssh_retries"], "ANSIBLE_SSH_PIPELINING": ["ansible_ssh_pipelining"],
        "ANSIBLE_REMOTE_TMP": ["ansible_remote_tmp"], "DEFAULT_MODULE_COMPRESSION": ["ansible_module_compression"],
        "COVERAGE_REMOTE_OUTPUT": ["_ansible_coverage_remote_output"], "DEFAULT_BECOME": ["ansible_become"],
        "DEFAULT_BECOME_EXE": ["ansible_become_exe"], "DEFAULT_BECOME_FLAGS": ["ansible_become_flags"],
        "DEFAULT_BECOME_METHOD": ["ansible_become_method"], "DEFAULT_BECOME_USER": ["ansible_become_user"],
        "DEFAULT_NO_TARGET_SYSLOG": ["ansible_no_target_syslog"],
        "DEFAULT_PRIVATE_KEY_FILE": ["ansible_private_key_file", "ansible_ssh_private_key_file"],
        "DEFAULT_REMOTE_PORT": ["ansible_port", "ansible_ssh_port"],
        "DEFAULT_REMOTE_USER": ["ansible_user", "ansible_ssh_user"],
        "DEFAULT_TIMEOUT": ["ansible_timeout", "ansible_ssh_timeout"], "DEFAULT_TRANSPORT": ["ansible_connection"],
        "DEPRECATION_WARNINGS": ["ansible_deprecation_warnings"], "FACTS_MODULES": ["ansible_facts_modules"],
        "HOST_KEY_CHECKING": ["ansible_host_key_checking", "ansible_ssh_host_key_checking"],
        "INTERPRETER_PYTHON": ["ansible_python_interpreter"],
        "INTERPRETER_PYTHON_FALLBACK": ["ansible_interpreter_python_fallback"],
        "PYTHON_MODULE_RLIMIT_NOFILE": ["ansible_python_module_rlimit_nofile"],
        "TARGET_LOG_INFO": ["ansible_target_log_info"],
        "WIN_ASYNC_STARTUP_TIMEOUT": ["ansible_win_async_startup_timeout"],
    ]
}
