import Values

/// The keywords of Ansible's language, by where they may stand.
package enum Keywords {
    static let base: Set<String> = [
        "any_errors_fatal", "become", "become_exe", "become_flags", "become_method", "become_user", "check_mode",
        "collections", "connection", "debugger", "diff", "environment", "ignore_errors", "ignore_unreachable",
        "module_defaults", "name", "no_log", "port", "remote_user", "run_once", "tags", "throttle", "timeout", "vars",
        "when",
    ]
    package static let play: Set<String> = base.union([
        "hosts", "gather_facts", "gather_subset", "gather_timeout", "fact_path", "vars_files", "vars_prompt", "roles",
        "pre_tasks", "tasks", "post_tasks", "handlers", "serial", "strategy", "order", "max_fail_percentage",
        "force_handlers", "user",
    ]).subtracting(["when"])
    package static let block: Set<String> = base.union([
        "block", "rescue", "always", "delegate_to", "delegate_facts", "notify",
    ])
    package static let task: Set<String> = base.union([
        "action", "args", "local_action", "async", "poll", "changed_when", "failed_when", "until", "retries", "delay",
        "delegate_to", "delegate_facts", "loop", "loop_control", "notify", "register",
    ])
    /// What an include takes that comes in while the play runs. What its tasks are to have is said in `apply`.
    static let include: Set<String> = [
        "action", "args", "collections", "debugger", "ignore_errors", "listen", "local_action", "loop", "loop_control",
        "name", "no_log", "register", "run_once", "tags", "timeout", "vars", "when",
    ]
    package static let handler: Set<String> = task.union(["listen"])
    package static let roleEntry: Set<String> = base.union(["role", "delegate_to", "delegate_facts"])
    static let importingPlaybook: Set<String> = [
        "import_playbook", "ansible.builtin.import_playbook", "ansible.legacy.import_playbook",
    ]
    package static let importPlaybook: Set<String> = base.union(importingPlaybook)

    /// Handed down from play, block, role and static import to the tasks below.
    static let inherited: Set<String> = base.union(["delegate_to", "delegate_facts", "notify"]).subtracting([
        "name", "collections",
    ])
    /// Values that are conditions: expressions without braces.
    static let conditions: Set<String> = ["when", "changed_when", "failed_when", "until", "break_when"]

    static func isLoop(_ name: String) -> Bool { name.hasPrefix("with_") }
}
