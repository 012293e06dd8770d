import Hosts
import Values

/// Settings of inventories, facts and their cache.
extension Setting {
    static let inventoryForms = Setting(
        "INVENTORY_ENABLED", ["inventory.enable_plugins"], ["ANSIBLE_INVENTORY_ENABLED"],
        "host_list,script,auto,yaml,ini,toml", "forms of inventories that are tried, in this order", type: .list)
    static let unparsedIsFailed = Setting(
        "INVENTORY_UNPARSED_IS_FAILED", ["inventory.unparsed_is_failed"], ["ANSIBLE_INVENTORY_UNPARSED_FAILED"],
        "false", "it is an error when no inventory can be read", type: .flag)
    static let anyUnparsedIsFailed = Setting(
        "INVENTORY_ANY_UNPARSED_IS_FAILED", ["inventory.any_unparsed_is_failed"],
        ["ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED"], "false", "it is an error when one inventory cannot be read",
        type: .flag)
    static let unparsedWarning = Setting(
        "INVENTORY_UNPARSED_WARNING", ["inventory.inventory_unparsed_warning"],
        ["ANSIBLE_INVENTORY_UNPARSED_WARNING"], "true", "warn when no inventory can be read", type: .flag)
    static let ignoredPatterns = Setting(
        "INVENTORY_IGNORE_PATTERNS", ["defaults.inventory_ignore_patterns", "inventory.ignore_patterns"],
        ["ANSIBLE_INVENTORY_IGNORE_REGEX"], "", "files of an inventory folder that are passed over, as expressions",
        type: .list)
    static let groupNames = Setting(
        "TRANSFORM_INVALID_GROUP_CHARS", ["defaults.force_valid_group_names"],
        ["ANSIBLE_TRANSFORM_INVALID_GROUP_CHARS"], "never",
        "replace characters of group names that variables cannot have",
        type: .choice(GroupNames.allCases.map(\.rawValue)))
    static let precedence = Setting(
        "VARIABLE_PRECEDENCE", ["defaults.precedence"], ["ANSIBLE_PRECEDENCE"],
        VariableLevel.allCases.map(\.rawValue).joined(separator: ","), "the order of levels of group variables",
        type: .list)
    static let variableEndings = Setting(
        "YAML_FILENAME_EXTENSIONS", ["defaults.yaml_valid_extensions"], ["ANSIBLE_YAML_FILENAME_EXT"],
        ".yml,.yaml,.json", "ends of the names of files that hold variables", type: .list)
    static let inventoryExport = Setting(
        "INVENTORY_EXPORT", ["inventory.export"], ["ANSIBLE_INVENTORY_EXPORT"], "false",
        "gantry inventory lists as with --export", type: .flag)
    static let constructedUsesExtra = Setting(
        "INVENTORY_USE_EXTRA_VARS", ["inventory_plugins.use_extra_vars"], ["ANSIBLE_INVENTORY_USE_EXTRA_VARS"],
        "false", "'constructed' sees the variables of the command line", type: .flag)
    static let scriptErrors = Setting(
        "INVENTORY_SCRIPT_STDERR", ["inventory_plugin_script.always_show_stderr"],
        ["ANSIBLE_INVENTORY_PLUGIN_SCRIPT_STDERR"], "true", "show what inventory scripts write to standard error",
        type: .flag)
    static let patternMismatch = Setting(
        "HOST_PATTERN_MISMATCH", ["inventory.host_pattern_mismatch"], ["ANSIBLE_HOST_PATTERN_MISMATCH"], "warning",
        "what a host pattern that names nothing is: error, warning or ignore",
        type: .choice(["error", "warning", "ignore"]))
    static let factCacheTimeout = Setting(
        "CACHE_PLUGIN_TIMEOUT", ["defaults.fact_caching_timeout"], ["ANSIBLE_CACHE_PLUGIN_TIMEOUT"], "86400",
        "seconds for which cached facts count; 0 is for ever", type: .number)
    static let factCaching = Setting(
        "CACHE_PLUGIN", ["defaults.fact_caching"], ["ANSIBLE_CACHE_PLUGIN"], "memory",
        "where facts are kept between runs: memory (nowhere) or jsonfile")
    static let factCachingConnection = Setting(
        "CACHE_PLUGIN_CONNECTION", ["defaults.fact_caching_connection"], ["ANSIBLE_CACHE_PLUGIN_CONNECTION"], "",
        "the folder of jsonfile")
    static let factCachingPrefix = Setting(
        "CACHE_PLUGIN_PREFIX", ["defaults.fact_caching_prefix"], ["ANSIBLE_CACHE_PLUGIN_PREFIX"], "ansible_facts",
        "what names of cached files begin with")
    static let injectsFacts = Setting(
        "INJECT_FACTS_AS_VARS", ["defaults.inject_facts_as_vars"], ["ANSIBLE_INJECT_FACT_VARS"], "true",
        "facts are variables of their own, too, and not only in ansible_facts", type: .flag)
    static let retryFiles = Setting(
        "RETRY_FILES_ENABLED", ["defaults.retry_files_enabled"], ["ANSIBLE_RETRY_FILES_ENABLED"], "false",
        "hosts that failed are written to PLAYBOOK.retry, for --limit", type: .flag)
    static let retryFilesFolder = Setting(
        "RETRY_FILES_SAVE_PATH", ["defaults.retry_files_save_path"], ["ANSIBLE_RETRY_FILES_SAVE_PATH"], "",
        "the folder of retry files, instead of the playbook's", type: .path)

    /// All of them.
    static let ofInventories: [Setting] = [
        inventoryForms, unparsedIsFailed, anyUnparsedIsFailed, unparsedWarning, ignoredPatterns, groupNames,
        precedence, variableEndings, inventoryExport, constructedUsesExtra, scriptErrors, patternMismatch,
        factCaching, factCachingConnection, factCachingPrefix, factCacheTimeout, injectsFacts, retryFiles,
        retryFilesFolder,
    ]
}

extension Configuration {
    /// What the settings say of inventories.
    func inventoryOptions() throws(Diagnostic) -> InventoryOptions {
        var options = InventoryOptions()
        options.mergesHashes = string(.hashBehaviour) == "merge"
        options.ignoredEndings = list(.ignoredExtensions)
        options.ignoredPatterns = list(.ignoredPatterns)
        options.unparsedIsFailed = flag(.unparsedIsFailed)
        options.anyUnparsedIsFailed = flag(.anyUnparsedIsFailed)
        options.warnsOfNone = flag(.unparsedWarning)
        options.groupNames = GroupNames(rawValue: string(.groupNames).lowercased()) ?? .never
        options.variableEndings = list(.variableEndings)
        options.constructedUsesExtra = flag(.constructedUsesExtra)
        options.showsScriptErrors = flag(.scriptErrors)
        options.precedence = []
        for word in list(.precedence) {
            guard let level = VariableLevel(rawValue: word) else {
                throw Diagnostic(
                    "'precedence' names '\(word)'",
                    hint: "levels are: " + VariableLevel.allCases.map(\.rawValue).joined(separator: ", "))
            }
            options.precedence.append(level)
        }
        // Plugins of collections that are enabled beside the forms known here are no mistake.
        options.forms = list(.inventoryForms).compactMap(InventoryForm.init(named:))
        if options.forms.isEmpty {
            throw Diagnostic(
                "'enable_plugins' names no form of inventory that there is here: '\(string(.inventoryForms))'",
                hint: "forms are: " + InventoryForm.allCases.map(\.rawValue).joined(separator: ", "))
        }
        return options
    }
}
