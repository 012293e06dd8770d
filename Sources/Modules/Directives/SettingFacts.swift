import Values

/// `set_fact`: variables of a host.
struct SetFact: Directive {
    var cacheable = false
    init() {}
    static let schema = Schema<SetFact>(
        "set_fact", "Sets variables of the host, for the rest of the run.",
        [
            Parameter(
                "cacheable", \.cacheable, default: "false",
                "Keep them in the fact cache too; every other name is a variable and its value.")
        ],
        options: SchemaOptions(
            freeForm: nil, acceptsAny: true, returns: [("ansible_facts", "The variables.")],
            examples: """
                - name: Remember the port
                  ansible.builtin.set_fact:
                    app_port: "{{ base_port | int + 1 }}"
                """))
}

/// `include_vars`: variables from files of the controller.
struct IncludeVars: Directive {
    enum Merging: String, CaseIterable, Choice { case replace, merge }
    var line: String?
    var file: String?
    var dir: String?
    var name: String?
    var depth = 0
    var filesMatching: String?
    var ignoreFiles: [String] = []
    var extensions = ["json", "yaml", "yml"]
    var ignoreUnknownExtensions = false
    var hashBehaviour: Merging?
    init() {}
    static let schema = Schema<IncludeVars>(
        "include_vars", "Loads variables from files of the controller while the play runs.",
        [
            Parameter("_raw_params", \.line, "The file."),
            Parameter("file", \.file, "The file, looked for in the role's vars folder first."),
            Parameter("dir", \.dir, "A folder: all its files are loaded, in the order of their names."),
            Parameter("name", \.name, "Put them into a variable of this name."),
            Parameter("depth", \.depth, default: "0", "Levels of folders to go down; 0 is all."),
            Parameter("files_matching", \.filesMatching, "A regular expression for the names of files in dir."),
            Parameter("ignore_files", \.ignoreFiles, "Names of files in dir to leave out."),
            Parameter("extensions", \.extensions, default: "json, yaml, yml", "Extensions of files in dir."),
            Parameter(
                "ignore_unknown_extensions", \.ignoreUnknownExtensions, default: "false",
                "Leave files with other extensions out rather than fail."),
            Parameter("hash_behaviour", \.hashBehaviour, "Replace mappings that exist, or merge into them."),
        ],
        options: SchemaOptions(
            freeForm: "_raw_params",
            returns: [
                ("ansible_facts", "The variables."), ("ansible_included_var_files", "The files that were read."),
            ],
            examples: """
                - name: What the distribution needs
                  ansible.builtin.include_vars:
                    file: "{{ ansible_facts.os_family | lower }}.yml"
                """))
}

/// `set_stats`: figures for the end of the run.
struct SetStats: Directive {
    var data: Value = .dict([:])
    var perHost: Value = false
    var aggregate: Value = true
    init() {}
    static let schema = Schema<SetStats>(
        "set_stats", "Sets figures that are shown at the end of the run.",
        [
            Parameter("data", \.data, required: true, "Names and values."),
            Parameter("per_host", \.perHost, default: "false", "Keep them for each host, rather than for the run."),
            Parameter(
                "aggregate", \.aggregate, default: "true", "Add to a value that is there, rather than replace it."),
        ],
        options: SchemaOptions(
            returns: [("ansible_stats", "What was set.")],
            examples: """
                - name: Count what was migrated
                  ansible.builtin.set_stats:
                    data:
                      migrated: "{{ migration.results | length }}"
                """))
}

/// `add_host`: a new host for the plays that follow.
struct AddHost: Directive {
    var name = ""
    var groups: [String] = []
    init() {}
    static let schema = Schema<AddHost>(
        "add_host", "Adds a host to the inventory in memory, for the plays that follow.",
        [
            Parameter(
                "name", \.name, aliases: ["host", "hostname"], required: true,
                "The host, with ':PORT' when the port is not 22; every other name is a variable of it."),
            Parameter("groups", \.groups, aliases: ["group", "groupname"], "Groups to add it to."),
        ],
        options: SchemaOptions(
            acceptsAny: true, returns: [("add_host", "The host, its groups and its variables.")],
            examples: """
                - name: A machine that was just created
                  ansible.builtin.add_host:
                    name: "{{ created.address }}"
                    groups: fresh
                    ansible_user: debian
                """, notes: ["Runs once for all hosts of the batch."]))
}

/// `group_by`: groups made from facts.
struct GroupBy: Directive {
    var key = ""
    var parents = ["all"]
    init() {}
    static let schema = Schema<GroupBy>(
        "group_by", "Puts hosts into groups named by their variables.",
        [
            Parameter("key", \.key, required: true, "The group's name."),
            Parameter("parents", \.parents, default: "all", "Groups that the group belongs to."),
        ],
        options: SchemaOptions(
            returns: [("add_group", "The group.")],
            examples: """
                - name: One group for each distribution
                  ansible.builtin.group_by:
                    key: "os_{{ ansible_facts.distribution }}"
                """))
}
