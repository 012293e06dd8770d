import Values

/// Settings that Ansible knows and that have no effect here: a file that holds them is right, `gantry config` lists
/// them, and no warning is due.
enum OtherSettings {
    static let all: [Setting] = table.split(separator: "\n").compactMap(setting)

    private static func setting(_ row: Substring) -> Setting? {
        let parts = row.split(separator: "|", omittingEmptySubsequences: false).map(\.trimmed)
        guard parts.count == 5 else { return nil }
        func words(_ text: String) -> [String] { text == "-" ? [] : text.split(separator: " ").map(String.init) }
        return Setting(
            parts[0], words(parts[1]), words(parts[2]), parts[4], "taken; has no effect in Gantry",
            type: SettingType(parts[3]))
    }

    /// Name, keys, variables, type, default.
    private static let table = """
        ALLOW_BROKEN_CONDITIONALS | defaults.allow_broken_conditionals | ANSIBLE_ALLOW_BROKEN_CONDITIONALS | \
        flag | false
        ALLOW_EMBEDDED_TEMPLATES | defaults.allow_embedded_templates | ANSIBLE_ALLOW_EMBEDDED_TEMPLATES | flag | true
        ANSIBLE_CONNECTION_PATH | persistent_connection.ansible_connection_path | ANSIBLE_CONNECTION_PATH | path |
        ANSIBLE_COW_SELECTION | defaults.cow_selection | ANSIBLE_COW_SELECTION | text | default
        ANSIBLE_COW_ACCEPTLIST | defaults.cowsay_enabled_stencils | ANSIBLE_COW_ACCEPTLIST | list | bud-frogs, \
        bunny, cheese, daemon, default, dragon, elephant-in-snake, elephant, eyes, hellokitty, kitty, \
        luke-koala, meow, milk, moofasa, moose, ren, sheep, small, stegosaurus, stimpy, supermilker, \
        three-eyes, turkey, turtle, tux, udder, vader-koala, vader, www
        ANSIBLE_NOCOWS | defaults.nocows | ANSIBLE_NOCOWS | flag | false
        ANSIBLE_COW_PATH | defaults.cowpath | ANSIBLE_COW_PATH | text |
        ANSIBLE_PIPELINING | defaults.pipelining connection.pipelining | ANSIBLE_PIPELINING | flag | false
        BECOME_ALLOW_SAME_USER | privilege_escalation.become_allow_same_user | ANSIBLE_BECOME_ALLOW_SAME_USER | \
        flag | false
        ANSIBLE_SSH_PIPELINING | ssh_connection.pipelining | ANSIBLE_SSH_PIPELINING | flag | false
        ANSIBLE_SSH_CONTROL_PATH | ssh_connection.control_path | ANSIBLE_SSH_CONTROL_PATH | text |
        ANSIBLE_SSH_CONTROL_PATH_DIR | ssh_connection.control_path_dir | ANSIBLE_SSH_CONTROL_PATH_DIR | text | \
        ~/.ansible/cp
        ANSIBLE_SSH_EXECUTABLE | ssh_connection.ssh_executable | ANSIBLE_SSH_EXECUTABLE | text | ssh
        ANSIBLE_SSH_TRANSFER_METHOD | ssh_connection.transfer_method | ANSIBLE_SSH_TRANSFER_METHOD | text | smart
        ANSIBLE_SCP_IF_SSH | ssh_connection.scp_if_ssh | ANSIBLE_SCP_IF_SSH | text | smart
        ANSIBLE_SSH_USETTY | ssh_connection.usetty | ANSIBLE_SSH_USETTY | flag | true
        ANSIBLE_REMOTE_TMP | defaults.remote_tmp | ANSIBLE_REMOTE_TEMP ANSIBLE_REMOTE_TMP | text | ~/.ansible/tmp
        DISPLAY_ARGS_TO_STDOUT | defaults.display_args_to_stdout | ANSIBLE_DISPLAY_ARGS_TO_STDOUT | flag | false
        AGNOSTIC_BECOME_PROMPT | privilege_escalation.agnostic_become_prompt | ANSIBLE_AGNOSTIC_BECOME_PROMPT | \
        flag | true
        CACHE_PLUGIN | defaults.fact_caching | ANSIBLE_CACHE_PLUGIN | text | memory
        CACHE_PLUGIN_CONNECTION | defaults.fact_caching_connection | ANSIBLE_CACHE_PLUGIN_CONNECTION | text |
        CACHE_PLUGIN_PREFIX | defaults.fact_caching_prefix | ANSIBLE_CACHE_PLUGIN_PREFIX | text | ansible_facts
        CACHE_PLUGIN_TIMEOUT | defaults.fact_caching_timeout | ANSIBLE_CACHE_PLUGIN_TIMEOUT | number | 86400
        COLLECTIONS_SCAN_SYS_PATH | defaults.collections_scan_sys_path | ANSIBLE_COLLECTIONS_SCAN_SYS_PATH | \
        flag | true
        COLLECTIONS_ON_ANSIBLE_VERSION_MISMATCH | defaults.collections_on_ansible_version_mismatch | \
        ANSIBLE_COLLECTIONS_ON_ANSIBLE_VERSION_MISMATCH | choice error warning ignore | warning
        COLOR_DOC_MODULE | colors.doc_module | ANSIBLE_COLOR_DOC_MODULE | text | yellow
        COLOR_DOC_REFERENCE | colors.doc_reference | ANSIBLE_COLOR_DOC_REFERENCE | text | magenta
        COLOR_DOC_LINK | colors.doc_link | ANSIBLE_COLOR_DOC_LINK | text | cyan
        COLOR_DOC_DEPRECATED | colors.doc_deprecated | ANSIBLE_COLOR_DOC_DEPRECATED | text | magenta
        COLOR_DOC_CONSTANT | colors.doc_constant | ANSIBLE_COLOR_DOC_CONSTANT | text | dark gray
        COLOR_DOC_PLUGIN | colors.doc_plugin | ANSIBLE_COLOR_DOC_PLUGIN | text | yellow
        COVERAGE_REMOTE_OUTPUT | - | _ANSIBLE_COVERAGE_REMOTE_OUTPUT | text |
        COVERAGE_REMOTE_PATHS | - | _ANSIBLE_COVERAGE_REMOTE_PATH_FILTER | text | *
        ACTION_WARNINGS | defaults.action_warnings | ANSIBLE_ACTION_WARNINGS | flag | true
        LOCALHOST_WARNING | defaults.localhost_warning | ANSIBLE_LOCALHOST_WARNING | flag | true
        INVENTORY_UNPARSED_WARNING | inventory.inventory_unparsed_warning | ANSIBLE_INVENTORY_UNPARSED_WARNING | \
        flag | true
        DOC_FRAGMENT_PLUGIN_PATH | defaults.doc_fragment_plugins | ANSIBLE_DOC_FRAGMENT_PLUGINS | pathSpec | \
        ~/.ansible/plugins/doc_fragments:/usr/share/ansible/plugins/doc_fragments
        DEFAULT_ACTION_PLUGIN_PATH | defaults.action_plugins | ANSIBLE_ACTION_PLUGINS | pathSpec | \
        ~/.ansible/plugins/action:/usr/share/ansible/plugins/action
        DEFAULT_ALLOW_UNSAFE_LOOKUPS | defaults.allow_unsafe_lookups | - | flag | false
        DEFAULT_BECOME_EXE | privilege_escalation.become_exe | ANSIBLE_BECOME_EXE | text |
        DEFAULT_BECOME_FLAGS | privilege_escalation.become_flags | ANSIBLE_BECOME_FLAGS | text |
        BECOME_PLUGIN_PATH | defaults.become_plugins | ANSIBLE_BECOME_PLUGINS | pathSpec | \
        ~/.ansible/plugins/become:/usr/share/ansible/plugins/become
        DEFAULT_CACHE_PLUGIN_PATH | defaults.cache_plugins | ANSIBLE_CACHE_PLUGINS | pathSpec | \
        ~/.ansible/plugins/cache:/usr/share/ansible/plugins/cache
        DEFAULT_CALLBACK_PLUGIN_PATH | defaults.callback_plugins | ANSIBLE_CALLBACK_PLUGINS | pathSpec | \
        ~/.ansible/plugins/callback:/usr/share/ansible/plugins/callback
        DEFAULT_CLICONF_PLUGIN_PATH | defaults.cliconf_plugins | ANSIBLE_CLICONF_PLUGINS | pathSpec | \
        ~/.ansible/plugins/cliconf:/usr/share/ansible/plugins/cliconf
        DEFAULT_CONNECTION_PLUGIN_PATH | defaults.connection_plugins | ANSIBLE_CONNECTION_PLUGINS | pathSpec | \
        ~/.ansible/plugins/connection:/usr/share/ansible/plugins/connection
        DEFAULT_EXECUTABLE | defaults.executable | ANSIBLE_EXECUTABLE | text | /bin/sh
        DEFAULT_FILTER_PLUGIN_PATH | defaults.filter_plugins | ANSIBLE_FILTER_PLUGINS | pathSpec | \
        ~/.ansible/plugins/filter:/usr/share/ansible/plugins/filter
        DEFAULT_HTTPAPI_PLUGIN_PATH | defaults.httpapi_plugins | ANSIBLE_HTTPAPI_PLUGINS | pathSpec | \
        ~/.ansible/plugins/httpapi:/usr/share/ansible/plugins/httpapi
        DEFAULT_INTERNAL_POLL_INTERVAL | defaults.internal_poll_interval | - | text | 0.001
        DEFAULT_INVENTORY_PLUGIN_PATH | defaults.inventory_plugins | ANSIBLE_INVENTORY_PLUGINS | pathSpec | \
        ~/.ansible/plugins/inventory:/usr/share/ansible/plugins/inventory
        DEFAULT_JINJA2_EXTENSIONS | defaults.jinja2_extensions | ANSIBLE_JINJA2_EXTENSIONS | list |
        DEFAULT_JINJA2_NATIVE | defaults.jinja2_native | ANSIBLE_JINJA2_NATIVE | flag | true
        DEFAULT_KEEP_REMOTE_FILES | defaults.keep_remote_files | ANSIBLE_KEEP_REMOTE_FILES | flag | false
        DEFAULT_LIBVIRT_LXC_NOSECLABEL | selinux.libvirt_lxc_noseclabel | ANSIBLE_LIBVIRT_LXC_NOSECLABEL | flag \
        | false
        DEFAULT_LOOKUP_PLUGIN_PATH | defaults.lookup_plugins | ANSIBLE_LOOKUP_PLUGINS | pathSpec | \
        ~/.ansible/plugins/lookup:/usr/share/ansible/plugins/lookup
        DEFAULT_MODULE_COMPRESSION | defaults.module_compression | - | text | ZIP_DEFLATED
        DEFAULT_MODULE_PATH | defaults.library | ANSIBLE_LIBRARY | pathSpec | \
        ~/.ansible/plugins/modules:/usr/share/ansible/plugins/modules
        DEFAULT_MODULE_UTILS_PATH | defaults.module_utils | ANSIBLE_MODULE_UTILS | pathSpec | \
        ~/.ansible/plugins/module_utils:/usr/share/ansible/plugins/module_utils
        DEFAULT_NETCONF_PLUGIN_PATH | defaults.netconf_plugins | ANSIBLE_NETCONF_PLUGINS | pathSpec | \
        ~/.ansible/plugins/netconf:/usr/share/ansible/plugins/netconf
        DEFAULT_NO_TARGET_SYSLOG | defaults.no_target_syslog | ANSIBLE_NO_TARGET_SYSLOG | flag | false
        DEFAULT_NULL_REPRESENTATION | defaults.null_representation | ANSIBLE_NULL_REPRESENTATION | text |
        DEFAULT_POLL_INTERVAL | defaults.poll_interval | ANSIBLE_POLL_INTERVAL | number | 15
        DEFAULT_SELINUX_SPECIAL_FS | selinux.special_context_filesystems | ANSIBLE_SELINUX_SPECIAL_FS | list | \
        fuse, nfs, vboxsf, ramfs, 9p, vfat
        DEFAULT_STRATEGY_PLUGIN_PATH | defaults.strategy_plugins | ANSIBLE_STRATEGY_PLUGINS | pathSpec | \
        ~/.ansible/plugins/strategy:/usr/share/ansible/plugins/strategy
        DEFAULT_SU | defaults.su | ANSIBLE_SU | flag | false
        DEFAULT_SYSLOG_FACILITY | defaults.syslog_facility | ANSIBLE_SYSLOG_FACILITY | text | LOG_USER
        DEFAULT_TERMINAL_PLUGIN_PATH | defaults.terminal_plugins | ANSIBLE_TERMINAL_PLUGINS | pathSpec | \
        ~/.ansible/plugins/terminal:/usr/share/ansible/plugins/terminal
        DEFAULT_TEST_PLUGIN_PATH | defaults.test_plugins | ANSIBLE_TEST_PLUGINS | pathSpec | \
        ~/.ansible/plugins/test:/usr/share/ansible/plugins/test
        DEFAULT_UNDEFINED_VAR_BEHAVIOR | defaults.error_on_undefined_vars | ANSIBLE_ERROR_ON_UNDEFINED_VARS | \
        flag | true
        DEFAULT_VARS_PLUGIN_PATH | defaults.vars_plugins | ANSIBLE_VARS_PLUGINS | pathSpec | \
        ~/.ansible/plugins/vars:/usr/share/ansible/plugins/vars
        DEVEL_WARNING | defaults.devel_warning | ANSIBLE_DEVEL_WARNING | flag | true
        DISPLAY_TRACEBACK | defaults.display_traceback | ANSIBLE_DISPLAY_TRACEBACK | list | never
        DOCSITE_ROOT_URL | defaults.docsite_root_url | - | text | https://docs.ansible.com/ansible-core/
        DUPLICATE_YAML_DICT_KEY | defaults.duplicate_dict_key | ANSIBLE_DUPLICATE_YAML_DICT_KEY | choice error \
        warn ignore | warn
        ERROR_ON_MISSING_HANDLER | defaults.error_on_missing_handler | ANSIBLE_ERROR_ON_MISSING_HANDLER | flag | true
        GALAXY_IGNORE_CERTS | galaxy.ignore_certs | ANSIBLE_GALAXY_IGNORE | flag |
        GALAXY_SERVER_TIMEOUT | galaxy.server_timeout | ANSIBLE_GALAXY_SERVER_TIMEOUT | number | 60
        GALAXY_ROLE_SKELETON_IGNORE | galaxy.role_skeleton_ignore | ANSIBLE_GALAXY_ROLE_SKELETON_IGNORE | list | \
        ^.git$, ^.*/.git_keep$
        GALAXY_COLLECTION_SKELETON_IGNORE | galaxy.collection_skeleton_ignore | \
        ANSIBLE_GALAXY_COLLECTION_SKELETON_IGNORE | list | ^.git$, ^.*/.git_keep$
        GALAXY_COLLECTIONS_PATH_WARNING | galaxy.collections_path_warning | \
        ANSIBLE_GALAXY_COLLECTIONS_PATH_WARNING | flag | true
        GALAXY_SERVER | galaxy.server | ANSIBLE_GALAXY_SERVER | text | https://galaxy.ansible.com
        GALAXY_SERVER_LIST | galaxy.server_list | ANSIBLE_GALAXY_SERVER_LIST | list |
        GALAXY_TOKEN_PATH | galaxy.token_path | ANSIBLE_GALAXY_TOKEN_PATH | path | ~/.ansible/galaxy_token
        GALAXY_DISPLAY_PROGRESS | galaxy.display_progress | ANSIBLE_GALAXY_DISPLAY_PROGRESS | flag |
        GALAXY_CACHE_DIR | galaxy.cache_dir | ANSIBLE_GALAXY_CACHE_DIR | path | ~/.ansible/galaxy_cache
        GALAXY_DISABLE_GPG_VERIFY | galaxy.disable_gpg_verify | ANSIBLE_GALAXY_DISABLE_GPG_VERIFY | flag | false
        GALAXY_GPG_KEYRING | galaxy.gpg_keyring | ANSIBLE_GALAXY_GPG_KEYRING | path |
        GALAXY_IGNORE_INVALID_SIGNATURE_STATUS_CODES | galaxy.ignore_signature_status_codes | \
        ANSIBLE_GALAXY_IGNORE_SIGNATURE_STATUS_CODES | list |
        GALAXY_REQUIRED_VALID_SIGNATURE_COUNT | galaxy.required_valid_signature_count | \
        ANSIBLE_GALAXY_REQUIRED_VALID_SIGNATURE_COUNT | text | 1
        GALAXY_COLLECTION_IMPORT_POLL_INTERVAL | - | ANSIBLE_GALAXY_COLLECTION_IMPORT_POLL_INTERVAL | text | 2.0
        GALAXY_COLLECTION_IMPORT_POLL_FACTOR | - | ANSIBLE_GALAXY_COLLECTION_IMPORT_POLL_FACTOR | text | 1.5
        HOST_PATTERN_MISMATCH | inventory.host_pattern_mismatch | ANSIBLE_HOST_PATTERN_MISMATCH | choice error \
        warning ignore | warning
        INTERPRETER_PYTHON | defaults.interpreter_python | ANSIBLE_PYTHON_INTERPRETER | text | auto
        INTERPRETER_PYTHON_FALLBACK | - | - | list | python3.13, python3.12, python3.11, python3.10, python3.9, \
        python3.8, /usr/bin/python3, python3
        TRANSFORM_INVALID_GROUP_CHARS | defaults.force_valid_group_names | ANSIBLE_TRANSFORM_INVALID_GROUP_CHARS \
        | choice always never ignore silently | never
        INVENTORY_ANY_UNPARSED_IS_FAILED | inventory.any_unparsed_is_failed | \
        ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED | flag | false
        INVENTORY_ENABLED | inventory.enable_plugins | ANSIBLE_INVENTORY_ENABLED | list | host_list, script, \
        auto, yaml, ini, toml
        INVENTORY_EXPORT | inventory.export | ANSIBLE_INVENTORY_EXPORT | flag | false
        INVENTORY_IGNORE_PATTERNS | defaults.inventory_ignore_patterns inventory.ignore_patterns | \
        ANSIBLE_INVENTORY_IGNORE_REGEX | list |
        INVENTORY_UNPARSED_IS_FAILED | inventory.unparsed_is_failed | ANSIBLE_INVENTORY_UNPARSED_FAILED | flag | false
        MAX_FILE_SIZE_FOR_DIFF | defaults.max_diff_size | ANSIBLE_MAX_DIFF_SIZE | number | 104448
        NETWORK_GROUP_MODULES | defaults.network_group_modules | ANSIBLE_NETWORK_GROUP_MODULES | list | eos, \
        nxos, ios, iosxr, junos, enos, ce, vyos, sros, dellos9, dellos10, dellos6, asa, aruba, aireos, \
        bigip, ironware, onyx, netconf, exos, voss, slxos
        INJECT_FACTS_AS_VARS | defaults.inject_facts_as_vars | ANSIBLE_INJECT_FACT_VARS | flag | true
        MODULE_IGNORE_EXTS | defaults.module_ignore_exts | ANSIBLE_MODULE_IGNORE_EXTS | list | .pyc, .pyo, .swp, \
        .bak, ~, .rpm, .md, .txt, .rst, .yaml, .yml, .ini
        MODULE_STRICT_UTF8_RESPONSE | defaults.module_strict_utf8_response | ANSIBLE_MODULE_STRICT_UTF8_RESPONSE \
        | flag | true
        OLD_PLUGIN_CACHE_CLEARING | defaults.old_plugin_cache_clear | ANSIBLE_OLD_PLUGIN_CACHE_CLEAR | flag | false
        PARAMIKO_HOST_KEY_AUTO_ADD | paramiko_connection.host_key_auto_add | ANSIBLE_PARAMIKO_HOST_KEY_AUTO_ADD \
        | flag | false
        PARAMIKO_LOOK_FOR_KEYS | paramiko_connection.look_for_keys | ANSIBLE_PARAMIKO_LOOK_FOR_KEYS | flag | true
        PERSISTENT_CONTROL_PATH_DIR | persistent_connection.control_path_dir | \
        ANSIBLE_PERSISTENT_CONTROL_PATH_DIR | path | ~/.ansible/pc
        PERSISTENT_CONNECT_TIMEOUT | persistent_connection.connect_timeout | ANSIBLE_PERSISTENT_CONNECT_TIMEOUT \
        | number | 30
        PERSISTENT_CONNECT_RETRY_TIMEOUT | persistent_connection.connect_retry_timeout | \
        ANSIBLE_PERSISTENT_CONNECT_RETRY_TIMEOUT | number | 15
        PERSISTENT_COMMAND_TIMEOUT | persistent_connection.command_timeout | ANSIBLE_PERSISTENT_COMMAND_TIMEOUT \
        | number | 30
        PLAYBOOK_DIR | defaults.playbook_dir | ANSIBLE_PLAYBOOK_DIR | path |
        PLUGIN_FILTERS_CFG | defaults.plugin_filters_cfg | - | path |
        PYTHON_MODULE_RLIMIT_NOFILE | defaults.python_module_rlimit_nofile | ANSIBLE_PYTHON_MODULE_RLIMIT_NOFILE \
        | text | 0
        RUN_VARS_PLUGINS | defaults.run_vars_plugins | ANSIBLE_RUN_VARS_PLUGINS | choice demand start | demand
        SSH_AGENT | connection.ssh_agent | ANSIBLE_SSH_AGENT | text | none
        SSH_AGENT_EXECUTABLE | connection.ssh_agent_executable | ANSIBLE_SSH_AGENT_EXECUTABLE | text | ssh-agent
        SSH_AGENT_KEY_LIFETIME | connection.ssh_agent_key_lifetime | ANSIBLE_SSH_AGENT_KEY_LIFETIME | number |
        STRING_TYPE_FILTERS | jinja2.dont_type_filters | ANSIBLE_STRING_TYPE_FILTERS | list | string, to_json, \
        to_nice_json, to_yaml, to_nice_yaml, ppretty, json
        SYSTEM_WARNINGS | defaults.system_warnings | ANSIBLE_SYSTEM_WARNINGS | flag | true
        TARGET_LOG_INFO | defaults.target_log_info | ANSIBLE_TARGET_LOG_INFO | text |
        TASK_TIMEOUT | defaults.task_timeout | ANSIBLE_TASK_TIMEOUT | number | 0
        WORKER_SHUTDOWN_POLL_COUNT | - | ANSIBLE_WORKER_SHUTDOWN_POLL_COUNT | number | 0
        WORKER_SHUTDOWN_POLL_DELAY | - | ANSIBLE_WORKER_SHUTDOWN_POLL_DELAY | text | 0.1
        USE_PERSISTENT_CONNECTIONS | defaults.use_persistent_connections | ANSIBLE_USE_PERSISTENT_CONNECTIONS | \
        flag | false
        VARIABLE_PLUGINS_ENABLED | defaults.vars_plugins_enabled | ANSIBLE_VARS_ENABLED | list | host_group_vars
        VARIABLE_PRECEDENCE | defaults.precedence | ANSIBLE_PRECEDENCE | list | all_inventory, groups_inventory, \
        all_plugins_inventory, all_plugins_play, groups_plugins_inventory, groups_plugins_play
        WIN_ASYNC_STARTUP_TIMEOUT | defaults.win_async_startup_timeout | ANSIBLE_WIN_ASYNC_STARTUP_TIMEOUT | \
        number | 5
        YAML_FILENAME_EXTENSIONS | defaults.yaml_valid_extensions | ANSIBLE_YAML_FILENAME_EXT | list | .yml, \
        .yaml, .json
        NETCONF_SSH_CONFIG | netconf_connection.ssh_config | ANSIBLE_NETCONF_SSH_CONFIG | text |
        """
}
