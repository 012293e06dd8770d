import Values

/// `include_tasks`: tasks of a file, decided on while the play runs.
struct IncludeTasks: Directive {
    var line: String?
    var file: String?
    var apply = Dict()
    init() {}
    static let schema = Schema<IncludeTasks>(
        "include_tasks", "Includes tasks of a file while the play runs.",
        [
            Parameter("_raw_params", \.line, "The file."),
            Parameter("file", \.file, "The file, looked for in the role's tasks folder first."),
            Parameter("apply", \.apply, "Keywords for each of the tasks, such as tags and become."),
        ],
        options: SchemaOptions(
            freeForm: "_raw_params", requiredOneOf: [["_raw_params", "file"]],
            returns: [("include", "The file.")],
            examples: """
                - name: What the distribution needs
                  ansible.builtin.include_tasks: "{{ ansible_facts.os_family | lower }}.yml"
                """))
}

/// `import_tasks`: tasks of a file, taken in when the playbook is read.
struct ImportTasks: Directive {
    var line: String?
    var file: String?
    init() {}
    static let schema = Schema<ImportTasks>(
        "import_tasks", "Imports tasks of a file when the playbook is read.",
        [
            Parameter("_raw_params", \.line, "The file."),
            Parameter("file", \.file, "The file."),
        ],
        options: SchemaOptions(
            freeForm: "_raw_params", requiredOneOf: [["_raw_params", "file"]],
            examples: """
                - name: Packages
                  ansible.builtin.import_tasks: packages.yml
                """))
}

/// `import_playbook`: the plays of another playbook.
struct ImportPlaybook: Directive {
    var line: String?
    var file: String?
    init() {}
    static let schema = Schema<ImportPlaybook>(
        "import_playbook", "Imports the plays of another playbook.",
        [
            Parameter("_raw_params", \.line, "The playbook."),
            Parameter("file", \.file, "The playbook."),
        ],
        options: SchemaOptions(
            freeForm: "_raw_params", acceptsAny: true,
            examples: """
                - name: Everything for the database
                  ansible.builtin.import_playbook: database.yml
                """))
}

/// What `include_role` and `import_role` have in common.
struct RoleChoice: Sendable {
    var name = ""
    var tasksFrom = "main"
    var varsFrom = "main"
    var defaultsFrom = "main"
    var handlersFrom = "main"
    var allowDuplicates = true
    var isPublic: Bool?
    var rolespecValidate = true
    var apply = Dict()

    static func rows(publicDefault: String) -> [Parameter<RoleChoice>] {
        [
            Parameter("name", \.name, aliases: ["role"], required: true, "The role."),
            Parameter("tasks_from", \.tasksFrom, default: "main", "File of the role's tasks folder."),
            Parameter("vars_from", \.varsFrom, default: "main", "File of the role's vars folder."),
            Parameter("defaults_from", \.defaultsFrom, default: "main", "File of the role's defaults folder."),
            Parameter("handlers_from", \.handlersFrom, default: "main", "File of the role's handlers folder."),
            Parameter("allow_duplicates", \.allowDuplicates, default: "true", "Run it again although it has run."),
            Parameter(
                "public", \.isPublic, default: publicDefault,
                "Whether its variables are known to the tasks that follow."),
            Parameter(
                "rolespec_validate", \.rolespecValidate, default: "true", "Check the role's arguments first."),
        ]
    }
}

/// `include_role`: a role, decided on while the play runs.
struct IncludeRole: Directive {
    var role = RoleChoice()
    init() {}
    static let schema = Schema<IncludeRole>(
        "include_role", "Includes a role while the play runs.",
        RoleChoice.rows(publicDefault: "false").map { Parameter($0, in: \.role) }
            + [Parameter("apply", \.role.apply, "Keywords for each of the tasks, such as tags and become.")],
        options: SchemaOptions(
            examples: """
                - name: The proxy, where one is wanted
                  ansible.builtin.include_role:
                    name: proxy
                    tasks_from: install
                  when: with_proxy
                """))
}

/// `import_role`: a role, taken in when the playbook is read.
struct ImportRole: Directive {
    var role = RoleChoice()
    init() {}
    static let schema = Schema<ImportRole>(
        "import_role", "Imports a role when the playbook is read.",
        RoleChoice.rows(publicDefault: "true").map { Parameter($0, in: \.role) },
        options: SchemaOptions(
            examples: """
                - name: The common part
                  ansible.builtin.import_role:
                    name: common
                """))
}
