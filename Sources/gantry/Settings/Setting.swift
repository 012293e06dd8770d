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
    let type: SettingType

    init(
        _ name: String, _ keys: [String], _ variables: [String], _ fallback: String, _ summary: String,
        type: SettingType = .text
    ) {
        self.type = type
        self.name = name
        self.keys = keys
        self.variables = variables
        self.fallback = fallback
        self.summary = summary
    }

    static let inventory = Setting(
        "DEFAULT_HOST_LIST", ["defaults.inventory"], ["ANSIBLE_INVENTORY"], "/etc/ansible/hosts",
        "inventory sources, separated by commas", type: .pathList)
    static let rolesPath = Setting(
        "DEFAULT_ROLES_PATH", ["defaults.roles_path"], ["ANSIBLE_ROLES_PATH"],
        "~/.ansible/roles:/usr/share/ansible/roles:/etc/ansible/roles", "where roles are, separated by colons",
        type: .pathSpec)
    static let forks = Setting(
        "DEFAULT_FORKS", ["defaults.forks"], ["ANSIBLE_FORKS"], "0",
        "hosts that change something at the same time; 0 is all of them", type: .number)
    static let hostKeyChecking = Setting(
        "HOST_KEY_CHECKING", ["defaults.host_key_checking", "ssh_connection.host_key_checking"],
        ["ANSIBLE_HOST_KEY_CHECKING", "ANSIBLE_SSH_HOST_KEY_CHECKING"], "true",
        "refuse hosts that are not in known_hosts", type: .flag)
    static let remoteUser = Setting(
        "DEFAULT_REMOTE_USER", ["defaults.remote_user"], ["ANSIBLE_REMOTE_USER"], "", "who to log in as")
    static let remotePort = Setting(
        "DEFAULT_REMOTE_PORT", ["defaults.remote_port"], ["ANSIBLE_REMOTE_PORT"], "", "the port of SSH", type: .number)
    static let privateKeyFile = Setting(
        "DEFAULT_PRIVATE_KEY_FILE", ["defaults.private_key_file"], ["ANSIBLE_PRIVATE_KEY_FILE"], "",
        "the key to log in with", type: .path)
    static let timeout = Setting(
        "DEFAULT_TIMEOUT", ["defaults.timeout", "ssh_connection.timeout"], ["ANSIBLE_TIMEOUT", "ANSIBLE_SSH_TIMEOUT"],
        "10", "seconds to wait for a connection", type: .number)
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
        "further attempts to connect", type: .number)
    static let vaultPasswordFile = Setting(
        "DEFAULT_VAULT_PASSWORD_FILE", ["defaults.vault_password_file"], ["ANSIBLE_VAULT_PASSWORD_FILE"], "",
        "a file or program that gives the vault's password", type: .path)
    static let vaultIdentities = Setting(
        "DEFAULT_VAULT_IDENTITY_LIST", ["defaults.vault_identity_list"], ["ANSIBLE_VAULT_IDENTITY_LIST"], "",
        "vault ids with their sources, separated by commas", type: .list)
    static let strategy = Setting(
        "DEFAULT_STRATEGY", ["defaults.strategy"], ["ANSIBLE_STRATEGY"], "linear",
        "linear, free, host_pinned or debug, for plays that name none")
    static let taskDebugger = Setting(
        "ENABLE_TASK_DEBUGGER", ["defaults.enable_task_debugger"], ["ANSIBLE_ENABLE_TASK_DEBUGGER"], "false",
        "ask about tasks that failed, where no debugger keyword says otherwise", type: .flag)
    static let debuggerIgnoresErrors = Setting(
        "TASK_DEBUGGER_IGNORE_ERRORS", ["defaults.task_debugger_ignore_errors"],
        ["ANSIBLE_TASK_DEBUGGER_IGNORE_ERRORS"], "true",
        "do not ask about failures that ignore_errors passes over", type: .flag)
    static let gathering = Setting(
        "DEFAULT_GATHERING", ["defaults.gathering"], ["ANSIBLE_GATHERING"], "implicit",
        "implicit, explicit or smart", type: .choice(["implicit", "explicit", "smart"]))
    static let factsModules = Setting(
        "FACTS_MODULES", ["defaults.facts_modules"], ["ANSIBLE_FACTS_MODULES"], "smart",
        "the modules that gather facts, separated by commas; smart is setup, or what fits the network system",
        type: .list)
    static let duplicateKeys = Setting(
        "DUPLICATE_YAML_DICT_KEY", ["defaults.duplicate_dict_key"], ["ANSIBLE_DUPLICATE_YAML_DICT_KEY"], "warn",
        "error, warn or ignore where a key is written twice", type: .choice(["error", "warn", "ignore"]))
    static let hashBehaviour = Setting(
        "DEFAULT_HASH_BEHAVIOUR", ["defaults.hash_behaviour"], ["ANSIBLE_HASH_BEHAVIOUR"], "replace",
        "replace or merge mappings of the same name", type: .choice(["replace", "merge"]))
    static let brokenConditions = Setting(
        "ALLOW_BROKEN_CONDITIONALS", ["defaults.allow_broken_conditionals"], ["ANSIBLE_ALLOW_BROKEN_CONDITIONALS"],
        "false", "conditions may give what is no boolean, and its truth counts", type: .flag)
    static let noLog = Setting(
        "DEFAULT_NO_LOG", ["defaults.no_log"], ["ANSIBLE_NO_LOG"], "false",
        "results are hidden where nothing nearer says otherwise", type: .flag)
    static let strictUTF8 = Setting(
        "MODULE_STRICT_UTF8_RESPONSE", ["defaults.module_strict_utf8_response"],
        ["ANSIBLE_MODULE_STRICT_UTF8_RESPONSE"], "true", "halves of characters in JSON are refused", type: .flag)
    static let become = Setting(
        "DEFAULT_BECOME", ["privilege_escalation.become"], ["ANSIBLE_BECOME"], "false", "become another user",
        type: .flag)
    static let becomeMethod = Setting(
        "DEFAULT_BECOME_METHOD", ["privilege_escalation.become_method"], ["ANSIBLE_BECOME_METHOD"], "sudo",
        "sudo or su")
    static let becomeUser = Setting(
        "DEFAULT_BECOME_USER", ["privilege_escalation.become_user"], ["ANSIBLE_BECOME_USER"], "root", "who to become")
    static let becomeAskPassword = Setting(
        "DEFAULT_BECOME_ASK_PASS", ["privilege_escalation.become_ask_pass"], ["ANSIBLE_BECOME_ASK_PASS"], "false",
        "ask for the password of become", type: .flag)
    static let askPassword = Setting(
        "DEFAULT_ASK_PASS", ["defaults.ask_pass"], ["ANSIBLE_ASK_PASS"], "false", "ask for the password of SSH",
        type: .flag)
    static let askVaultPassword = Setting(
        "DEFAULT_ASK_VAULT_PASS", ["defaults.ask_vault_pass"], ["ANSIBLE_ASK_VAULT_PASS"], "false",
        "ask for the password of the vault", type: .flag)
    static let forceHandlers = Setting(
        "DEFAULT_FORCE_HANDLERS", ["defaults.force_handlers"], ["ANSIBLE_FORCE_HANDLERS"], "false",
        "run notified handlers on hosts that failed", type: .flag)
    static let missingHandlerFails = Setting(
        "ERROR_ON_MISSING_HANDLER", ["defaults.error_on_missing_handler"], ["ANSIBLE_ERROR_ON_MISSING_HANDLER"], "true",
        "a notification that no handler answers to is an error", type: .flag)
    static let unknownKeywordFails = Setting(
        "INVALID_TASK_ATTRIBUTE_FAILED", ["defaults.invalid_task_attribute_failed"],
        ["ANSIBLE_INVALID_TASK_ATTRIBUTE_FAILED"], "true",
        "a keyword that an include has no use for is an error", type: .flag)
    static let anyErrorsFatal = Setting(
        "ANY_ERRORS_FATAL", ["defaults.any_errors_fatal"], ["ANSIBLE_ANY_ERRORS_FATAL"], "false",
        "any failure ends the play for all", type: .flag)
    static let diffAlways = Setting(
        "DIFF_ALWAYS", ["diff.always"], ["ANSIBLE_DIFF_ALWAYS"], "false", "as --diff", type: .flag)
    static let diffContext = Setting(
        "DIFF_CONTEXT", ["diff.context"], ["ANSIBLE_DIFF_CONTEXT"], "3", "lines shown around a change", type: .number)
    static let logPath = Setting(
        "DEFAULT_LOG_PATH", ["defaults.log_path"], ["ANSIBLE_LOG_PATH"], "", "a file that gets the output, too",
        type: .path)
    static let noColour = Setting(
        "ANSIBLE_NOCOLOR", ["defaults.nocolor"], ["ANSIBLE_NOCOLOR", "NO_COLOR"], "false", "no colours", type: .flag)
    static let forceColour = Setting(
        "ANSIBLE_FORCE_COLOR", ["defaults.force_color"], ["ANSIBLE_FORCE_COLOR"], "false",
        "colours off a terminal, too", type: .flag)
    static let displaySkipped = Setting(
        "DISPLAY_SKIPPED_HOSTS", ["defaults.display_skipped_hosts"],
        ["ANSIBLE_DISPLAY_SKIPPED_HOSTS", "DISPLAY_SKIPPED_HOSTS"], "true", "show skipped tasks", type: .flag)
    static let displayOK = Setting(
        "DISPLAY_OK_HOSTS", ["defaults.display_ok_hosts"], ["ANSIBLE_DISPLAY_OK_HOSTS"], "true",
        "show tasks that changed nothing", type: .flag)
    static let failedToErrors = Setting(
        "DISPLAY_FAILED_STDERR", ["defaults.display_failed_stderr"], ["ANSIBLE_DISPLAY_FAILED_STDERR"], "false",
        "write failures to standard error", type: .flag)
    static let checkMarkers = Setting(
        "CHECK_MODE_MARKERS", ["defaults.check_mode_markers"], ["ANSIBLE_CHECK_MODE_MARKERS"], "false",
        "mark plays and tasks of check mode", type: .flag)
    static let customStats = Setting(
        "SHOW_CUSTOM_STATS", ["defaults.show_custom_stats"], ["ANSIBLE_SHOW_CUSTOM_STATS"], "false",
        "show what set_stats collected", type: .flag)
    static let resultFormat = Setting(
        "DEFAULT_RESULT_FORMAT", ["defaults.result_format", "defaults.callback_result_format"],
        ["ANSIBLE_CALLBACK_RESULT_FORMAT"], "json", "json or yaml")
    static let verbosity = Setting(
        "DEFAULT_VERBOSITY", ["defaults.verbosity"], ["ANSIBLE_VERBOSITY"], "0", "as -v", type: .number)
    static let ignoredExtensions = Setting(
        "INVENTORY_IGNORE_EXTS", ["defaults.inventory_ignore_extensions", "inventory.ignore_extensions"],
        ["ANSIBLE_INVENTORY_IGNORE"], ".pyc,.pyo,.swp,.bak,~,.rpm,.md,.txt,.rst,.orig,.cfg,.retry",
        "files of an inventory folder that are passed over", type: .list)
    static let managed = Setting(
        "DEFAULT_MANAGED_STR", ["defaults.ansible_managed"], ["ANSIBLE_MANAGED"], "Ansible managed",
        "what ansible_managed says")
    static let playbookVarsRoot = Setting(
        "PLAYBOOK_VARS_ROOT", ["defaults.playbook_vars_root"], ["ANSIBLE_PLAYBOOK_VARS_ROOT"], "top",
        "which playbook folder's group_vars count")

    static let home = Setting(
        "ANSIBLE_HOME", ["defaults.home"], ["ANSIBLE_HOME"], "~/.ansible", "where Ansible's own files are", type: .path)
    static let vaultIdentity = Setting(
        "DEFAULT_VAULT_IDENTITY", ["defaults.vault_identity"], ["ANSIBLE_VAULT_IDENTITY"], "default",
        "the id of what is encrypted without one")
    static let vaultIDMatch = Setting(
        "DEFAULT_VAULT_ID_MATCH", ["defaults.vault_id_match"], ["ANSIBLE_VAULT_ID_MATCH"], "false",
        "only passwords of a vault's own id open it", type: .flag)
    static let vaultEncryptIdentity = Setting(
        "DEFAULT_VAULT_ENCRYPT_IDENTITY", ["defaults.vault_encrypt_identity"], ["ANSIBLE_VAULT_ENCRYPT_IDENTITY"], "",
        "the id to encrypt with, where there are several")
    static let vaultEncryptSalt = Setting(
        "VAULT_ENCRYPT_SALT", ["defaults.vault_encrypt_salt"], ["ANSIBLE_VAULT_ENCRYPT_SALT"], "",
        "encrypt with this salt instead of a random one")
    static let editor = Setting(
        "EDITOR", ["defaults.editor"], ["ANSIBLE_EDITOR", "EDITOR"], "vi", "what 'gantry vault edit' opens")
    static let pager = Setting(
        "PAGER", ["defaults.pager"], ["ANSIBLE_PAGER", "PAGER"], "less", "what long texts are shown with")
    static let localTemporary = Setting(
        "DEFAULT_LOCAL_TMP", ["defaults.local_tmp"], ["ANSIBLE_LOCAL_TEMP"], "~/.ansible/tmp",
        "temporary files of this machine", type: .path)
    static let logVerbosity = Setting(
        "LOG_VERBOSITY", ["defaults.log_verbosity"], ["ANSIBLE_LOG_VERBOSITY"], "",
        "words for the log, where that is more than -v", type: .number)
    static let collectionsPath = Setting(
        "COLLECTIONS_PATHS", ["defaults.collections_path", "defaults.collections_paths"],
        ["ANSIBLE_COLLECTIONS_PATH", "ANSIBLE_COLLECTIONS_PATHS"],
        "~/.ansible/collections:/usr/share/ansible/collections", "where collections are", type: .pathSpec)
    static let stdoutCallback = Setting(
        "DEFAULT_STDOUT_CALLBACK", ["defaults.stdout_callback"], ["ANSIBLE_STDOUT_CALLBACK"], "default",
        "how a run is shown: default, minimal, oneline, yaml, json")
    static let callbacksEnabled = Setting(
        "CALLBACKS_ENABLED", ["defaults.callbacks_enabled", "defaults.callback_whitelist"],
        ["ANSIBLE_CALLBACKS_ENABLED", "ANSIBLE_CALLBACK_WHITELIST"], "",
        "what is told beside that: junit, profile_tasks, timer, tree", type: .list)
    static let adHocCallbacks = Setting(
        "DEFAULT_LOAD_CALLBACK_PLUGINS", ["defaults.bin_ansible_callbacks"], ["ANSIBLE_LOAD_CALLBACK_PLUGINS"],
        "false", "callbacks of ad-hoc commands, too", type: .flag)
    static let deprecationWarnings = Setting(
        "DEPRECATION_WARNINGS", ["defaults.deprecation_warnings"], ["ANSIBLE_DEPRECATION_WARNINGS"], "true",
        "warn of what will be gone", type: .flag)
    static let perHostStart = Setting(
        "SHOW_PER_HOST_START", ["defaults.show_per_host_start"], ["ANSIBLE_SHOW_PER_HOST_START"], "false",
        "say when a task starts on a host", type: .flag)
    static let pathOnFailure = Setting(
        "SHOW_TASK_PATH_ON_FAILURE", ["defaults.show_task_path_on_failure"], ["ANSIBLE_SHOW_TASK_PATH_ON_FAILURE"],
        "false", "where a failed task is written", type: .flag)
    static let prettyResults = Setting(
        "CALLBACK_FORMAT_PRETTY", ["defaults.callback_format_pretty"], ["ANSIBLE_CALLBACK_FORMAT_PRETTY"], "",
        "results over several lines, and what is said twice left out", type: .flag)
    static let treeFolder = Setting(
        "CALLBACK_TREE_DIR", ["callback_tree.directory"], ["ANSIBLE_CALLBACK_TREE_DIR"], "~/.ansible/tree",
        "the folder of the tree callback", type: .path)

    /// What has an effect.
    static let effective: [Setting] = [
        inventory, rolesPath, forks, hostKeyChecking, remoteUser, remotePort, privateKeyFile, timeout, transport,
        sshArguments, sshCommonArguments, sshExtraArguments, sshRetries, vaultPasswordFile, vaultIdentities, strategy,
        taskDebugger, debuggerIgnoresErrors, gathering, factsModules, hashBehaviour, duplicateKeys, become,
        becomeMethod, becomeUser, becomeAskPassword, askPassword, askVaultPassword, forceHandlers, missingHandlerFails,
        unknownKeywordFails,
        anyErrorsFatal, diffAlways, diffContext, logPath, noColour, forceColour,
        displaySkipped, displayOK, failedToErrors, checkMarkers, customStats, resultFormat, verbosity,
        ignoredExtensions, managed, playbookVarsRoot, home, vaultIdentity, vaultIDMatch, vaultEncryptIdentity,
        vaultEncryptSalt,
        editor, pager, localTemporary, logVerbosity, collectionsPath, stdoutCallback, callbacksEnabled, adHocCallbacks,
        deprecationWarnings, perHostStart, pathOnFailure, prettyResults, treeFolder, strictUTF8, noLog,
    ] + content + colours + ofInventories + ofGalaxy + choicesOfRuns

    static let all: [Setting] = {
        let names = Set(effective.map(\.name))
        return (effective + OtherSettings.all.filter { !names.contains($0.name) }).sorted { $0.name < $1.name }
    }()
}

/// What a setting's text means.
enum SettingType: Sendable, Equatable {
    case text, flag, number, list, path
    /// Paths between commas.
    case pathList
    /// Paths between colons.
    case pathSpec
    case choice([String])

    /// As the table of other settings spells it.
    init(_ word: String) {
        switch word {
        case "flag": self = .flag
        case "number": self = .number
        case "list": self = .list
        case "path": self = .path
        case "pathList": self = .pathList
        case "pathSpec": self = .pathSpec
        case _ where word.hasPrefix("choice "): self = .choice(word.split(separator: " ").dropFirst().map(String.init))
        default: self = .text
        }
    }

    /// As Ansible's lists of settings name it.
    var name: String {
        switch self {
        case .text: "string"
        case .flag: "boolean"
        case .number: "integer"
        case .list: "list"
        case .path: "path"
        case .pathList: "pathlist"
        case .pathSpec: "pathspec"
        case .choice: "choices"
        }
    }
}

extension Setting {
    /// What the setting takes, where the value is something else.
    func expectation(of value: String) -> String? {
        let word = value.trimmed
        // NO_COLOR counts by being there, whatever it says.
        if word.isEmpty || name == Self.noColour.name { return nil }
        switch type {
        case .flag where Value.string(word).asBool == nil: return "true or false"
        case .number where Int(word).map({ $0 < 0 }) ?? true: return "a whole number"
        case .choice(let words) where !words.contains(word): return words.joined(separator: ", ")
        default: return nil
        }
    }
}
