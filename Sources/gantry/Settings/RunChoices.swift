import Values

/// Settings that stand for options of the command line.
extension Setting {
    static let runTags = Setting(
        "TAGS_RUN", ["tags.run"], ["ANSIBLE_RUN_TAGS"], "", "as --tags, where it is not given", type: .list)
    static let skipTags = Setting(
        "TAGS_SKIP", ["tags.skip"], ["ANSIBLE_SKIP_TAGS"], "", "as --skip-tags, where it is not given", type: .list)
    static let becomePasswordFile = Setting(
        "BECOME_PASSWORD_FILE", ["defaults.become_password_file"], ["ANSIBLE_BECOME_PASSWORD_FILE"], "",
        "as --become-password-file", type: .path)
    static let connectionPasswordFile = Setting(
        "CONNECTION_PASSWORD_FILE", ["defaults.connection_password_file"], ["ANSIBLE_CONNECTION_PASSWORD_FILE"], "",
        "as --connection-password-file", type: .path)
    static let taskTimeout = Setting(
        "TASK_TIMEOUT", ["defaults.task_timeout"], ["ANSIBLE_TASK_TIMEOUT"], "0",
        "seconds after which tasks end that do not say so themselves; 0 is never", type: .number)
    static let moduleName = Setting(
        "DEFAULT_MODULE_NAME", ["defaults.module_name"], [], "command", "the module of ad-hoc commands without -m")
    static let moduleArguments = Setting(
        "DEFAULT_MODULE_ARGS", ["defaults.module_args"], ["ANSIBLE_MODULE_ARGS"], "",
        "the arguments of ad-hoc commands without -a")
    static let verboseToErrors = Setting(
        "VERBOSE_TO_STDERR", ["defaults.verbose_to_stderr"], ["ANSIBLE_VERBOSE_TO_STDERR"], "false",
        "what -v adds goes to standard error", type: .flag)

    static let choicesOfRuns: [Setting] = [
        runTags, skipTags, becomePasswordFile, connectionPasswordFile, taskTimeout, moduleName, moduleArguments,
        verboseToErrors,
    ]
}
