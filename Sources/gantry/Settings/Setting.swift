import Values

/// A setting of `ansible.cfg` with its environment variables: defined once; reading, `gantry config` and the
/// documentation derive from this table.
struct Setting: Sendable {
    let name: String
    /// `section.key`, the first that is set counts.
    let keys: [String]
    let variables: [String]
    let fallback: String
    let summary: String

    init(_ name: String, _ keys: [String], _ variables: [String], _ fallback: String, _ summary: String) {
        self.name = name
        self.keys = keys
        self.variables = variables
        self.fallback = fallback
        self.summary = summary
    }

    static let inventory = Setting(
        "DEFAULT_HOST_LIST", ["defaults.inventory"], ["ANSIBLE_INVENTORY"], "/etc/ansible/hosts",
        "inventory sources, separated by commas")
    static let rolesPath = Setting(
        "DEFAULT_ROLES_PATH", ["defaults.roles_path"], ["ANSIBLE_ROLES_PATH"],
        "~/.ansible/roles:/usr/share/ansible/roles:/etc/ansible/roles", "where roles are, separated by colons")
    static let forks = Setting(
        "DEFAULT_FORKS", ["defaults.forks"], ["ANSIBLE_FORKS"], "0",
        "hosts that change something at the same time; 0 is all of them")
    static let hostKeyChecking = Setting(
        "HOST_KEY_CHECKING", ["defaults.host_key_checking", "ssh_connection.host_key_checking"],
        ["ANSIBLE_HOST_KEY_CHECKING", "ANSIBLE_SSH_HOST_KEY_CHECKING"], "true",
        "refuse hosts that are not in known_hosts")
    static let remoteUser = Setting(
        "DEFAULT_REMOTE_USER", ["defaults.remote_user"], ["ANSIBLE_REMOTE_USER"], "", "who to log in as")
    static let remotePort = Setting(
        "DEFAULT_REMOTE_PORT", ["defaults.remote_port"], ["ANSIBLE_REMOTE_PORT"], "", "the port of SSH")
    static let privateKeyFile = Setting(
        "DEFAULT_PRIVATE_KEY_FILE", ["defaults.private_key_file"], ["ANSIBLE_PRIVATE_KEY_FILE"], "",
        "the key to log in with")
    static let timeout = Setting(
        "DEFAULT_TIMEOUT", ["defaults.timeout", "ssh_connection.timeout"], ["ANSIBLE_TIMEOUT", "ANSIBLE_SSH_TIMEOUT"],
        "10", "seconds to wait for a connection")
    static let transport = Setting(
        "DEFAULT_TRANSPORT", ["defaults.transport"], ["ANSIBLE_TRANSPORT"], "ssh", "ssh, openssh, local or docker")
    static let sshArguments = Setting(
        "ANSIBLE_SSH_ARGS", ["ssh_connection.ssh_args"], ["ANSIBLE_SSH_ARGS"], "", "options of ssh that apply here too")
    static let sshCommonArguments = Setting(
        "ANSIBLE_SSH_COMMON_ARGS", ["ssh_connection.ssh_common_args"], ["ANSIBLE_SSH_COMMON_ARGS"], "",
        "more of these")
    static let sshExtraArguments = Setting(
        "ANSIBLE_SSH_EXTRA_ARGS", ["ssh_connection.ssh_extra_args"], ["ANSIBLE_SSH_EXTRA_ARGS"], "", "more of these")
    static let sshRetries = Setting(
        "ANSIBLE_SSH_RETRIES", ["ssh_connection.retries", "connection.retries"], ["ANSIBLE_SSH_RETRIES"], "0",
        "further attempts to connect")
    static let vaultPasswordFile = Setting(
        "DEFAULT_VAULT_PASSWORD_FILE", ["defaults.vault_password_file"], ["ANSIBLE_VAULT_PASSWORD_FILE"], "",
        "a file or program that gives the vault's password")
    static let vaultIdentities = Setting(
        "DEFAULT_VAULT_IDENTITY_LIST", ["defaults.vault_identity_list"], ["ANSIBLE_VAULT_IDENTITY_LIST"], "",
        "vault ids with their sources, separated by commas")
    static let gathering = Setting(
        "DEFAULT_GATHERING", ["defaults.gathering"], ["ANSIBLE_GATHERING"], "implicit",
        "implicit, explicit or smart")
    static let hashBehaviour = Setting(
        "DEFAULT_HASH_BEHAVIOUR", ["defaults.hash_behaviour"], ["ANSIBLE_HASH_BEHAVIOUR"], "replace",
        "replace or merge mappings of the same name")
    static let become = Setting(
        "DEFAULT_BECOME", ["privilege_escalation.become"], ["ANSIBLE_BECOME"], "false", "become another user")
    static let becomeMethod = Setting(
        "DEFAULT_BECOME_METHOD", ["privilege_escalation.become_method"], ["ANSIBLE_BECOME_METHOD"], "sudo",
        "sudo or su")
    static let becomeUser = Setting(
        "DEFAULT_BECOME_USER", ["privilege_escalation.become_user"], ["ANSIBLE_BECOME_USER"], "root", "who to become")
    static let becomeAskPassword = Setting(
        "DEFAULT_BECOME_ASK_PASS", ["privilege_escalation.become_ask_pass"], ["ANSIBLE_BECOME_ASK_PASS"], "false",
        "ask for the password of become")
    static let askPassword = Setting(
        "DEFAULT_ASK_PASS", ["defaults.ask_pass"], ["ANSIBLE_ASK_PASS"], "false", "ask for the password of SSH")
    static let askVaultPassword = Setting(
        "DEFAULT_ASK_VAULT_PASS", ["defaults.ask_vault_pass"], ["ANSIBLE_ASK_VAULT_PASS"], "false",
        "ask for the password of the vault")
    static let forceHandlers = Setting(
        "DEFAULT_FORCE_HANDLERS", ["defaults.force_handlers"], ["ANSIBLE_FORCE_HANDLERS"], "false",
        "run notified handlers on hosts that failed")
    static let anyErrorsFatal = Setting(
        "ANY_ERRORS_FATAL", ["defaults.any_errors_fatal"], ["ANSIBLE_ANY_ERRORS_FATAL"], "false",
        "any failure ends the play for all")
    static let diffAlways = Setting(
        "DIFF_ALWAYS", ["diff.always"], ["ANSIBLE_DIFF_ALWAYS"], "false", "as --diff")
    static let diffContext = Setting(
        "DIFF_CONTEXT", ["diff.context"], ["ANSIBLE_DIFF_CONTEXT"], "3", "lines shown around a change")
    static let logPath = Setting(
        "DEFAULT_LOG_PATH", ["defaults.log_path"], ["ANSIBLE_LOG_PATH"], "", "a file that gets the output, too")
    static let noColour = Setting(
        "ANSIBLE_NOCOLOR", ["defaults.nocolor"], ["ANSIBLE_NOCOLOR", "NO_COLOR"], "false", "no colours")
    static let forceColour = Setting(
        "ANSIBLE_FORCE_COLOR", ["defaults.force_color"], ["ANSIBLE_FORCE_COLOR"], "false",
        "colours off a terminal, too")
    static let displaySkipped = Setting(
        "DISPLAY_SKIPPED_HOSTS", ["defaults.display_skipped_hosts"],
        ["ANSIBLE_DISPLAY_SKIPPED_HOSTS", "DISPLAY_SKIPPED_HOSTS"], "true", "show skipped tasks")
    static let displayOK = Setting(
        "DISPLAY_OK_HOSTS", ["defaults.display_ok_hosts"], ["ANSIBLE_DISPLAY_OK_HOSTS"], "true",
        "show tasks that changed nothing")
    static let failedToErrors = Setting(
        "DISPLAY_FAILED_STDERR", ["defaults.display_failed_stderr"], ["ANSIBLE_DISPLAY_FAILED_STDERR"], "false",
        "write failures to standard error")
    static let checkMarkers = Setting(
        "CHECK_MODE_MARKERS", ["defaults.check_mode_markers"], ["ANSIBLE_CHECK_MODE_MARKERS"], "false",
        "mark plays and tasks of check mode")
    static let customStats = Setting(
        "SHOW_CUSTOM_STATS", ["defaults.show_custom_stats"], ["ANSIBLE_SHOW_CUSTOM_STATS"], "false",
        "show what set_stats collected")
    static let resultFormat = Setting(
        "DEFAULT_RESULT_FORMAT", ["defaults.result_format", "defaults.callback_result_format"],
        ["ANSIBLE_CALLBACK_RESULT_FORMAT"], "json", "json or yaml")
    static let verbosity = Setting("DEFAULT_VERBOSITY", ["defaults.verbosity"], ["ANSIBLE_VERBOSITY"], "0", "as -v")
    static let ignoredExtensions = Setting(
        "INVENTORY_IGNORE_EXTS", ["defaults.inventory_ignore_extensions", "inventory.ignore_extensions"],
        ["ANSIBLE_INVENTORY_IGNORE"], ".pyc,.pyo,.swp,.bak,~,.rpm,.md,.txt,.rst,.orig,.cfg,.retry",
        "files of an inventory folder that are passed over")
    static let managed = Setting(
        "DEFAULT_MANAGED_STR", ["defaults.ansible_managed"], ["ANSIBLE_MANAGED"], "Ansible managed",
        "what ansible_managed says")
    static let playbookVarsRoot = Setting(
        "PLAYBOOK_VARS_ROOT", ["defaults.playbook_vars_root"], ["ANSIBLE_PLAYBOOK_VARS_ROOT"], "top",
        "which playbook folder's group_vars count")

    static let all: [Setting] = [
        inventory, rolesPath, forks, hostKeyChecking, remoteUser, remotePort, privateKeyFile, timeout, transport,
        sshArguments, sshCommonArguments, sshExtraArguments, sshRetries, vaultPasswordFile, vaultIdentities, gathering,
        hashBehaviour, become, becomeMethod, becomeUser, becomeAskPassword, askPassword, askVaultPassword,
        forceHandlers, anyErrorsFatal, diffAlways, diffContext, logPath, noColour, forceColour, displaySkipped,
        displayOK, failedToErrors, checkMarkers, customStats, resultFormat, verbosity, ignoredExtensions, managed,
        playbookVarsRoot,
    ] + ofInventories
}

extension Setting {
    private static let flags: Set<String> = Set(
        [
            hostKeyChecking, become, becomeAskPassword, askPassword, askVaultPassword, forceHandlers, anyErrorsFatal,
            diffAlways, noColour, forceColour, displaySkipped, displayOK, failedToErrors, checkMarkers, customStats,
        ].map(\.name) + inventoryFlags.map(\.name))
    private static let numbers: Set<String> = Set(
        [forks, remotePort, timeout, sshRetries, diffContext, verbosity, factCacheTimeout].map(\.name))
    private static let choices: [String: [String]] = [
        gathering.name: ["implicit", "explicit", "smart"], hashBehaviour.name: ["replace", "merge"],
    ]

    /// What the setting takes, where the value is something else.
    func expectation(of value: String) -> String? {
        let word = value.trimmingBlanks
        // NO_COLOR counts by being there, whatever it says.
        if word.isEmpty || name == Self.noColour.name { return nil }
        if Self.flags.contains(name), Value.string(word).asBool == nil { return "true or false" }
        if Self.numbers.contains(name), Int(word).map({ $0 < 0 }) ?? true { return "a whole number" }
        if let words = Self.choices[name] ?? Self.inventoryChoices[name], !words.contains(word) { return words.joined(separator: ", ") }
        return nil
    }
}
