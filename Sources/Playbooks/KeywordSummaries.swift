import Values

/// A keyword of Ansible's language as its documentation says it.
package struct KeywordSummary: Sendable {
    package var name: String
    package var summary: String
    /// `Play`, `Role`, `Block`, `Task`, `Handler`.
    package var places: [String]
    /// What its value is: `bool`, `int`, `float`, `string`, `list`, `dict`.
    package var type: String

    /// In the order of their names.
    package static let all: [KeywordSummary] = written.split(separator: "\n").compactMap { line in
        let parts = line.split(separator: "|", maxSplits: 2).map { String($0).trimmed }
        guard parts.count == 3 else { return nil }
        let tables: [(String, Set<String>)] = [
            ("Play", Keywords.play), ("Role", Keywords.roleEntry), ("Block", Keywords.block), ("Task", Keywords.task),
            ("Handler", Keywords.handler),
        ]
        let places = tables.filter { $0.1.contains(parts[0]) }.map(\.0)
        return KeywordSummary(
            name: parts[0], summary: parts[2], places: parts[0] == "with_<lookup>" ? ["Task"] : places, type: parts[1])
    }

    /// Their reference page.
    package static var page: String {
        var lines = [
            "# Keywords", "", "Made by `gantry doc --markdown`; do not edit.", "",
            "| keyword | where | value | what it says |", "|---|---|---|---|",
        ]
        for row in all {
            let places = row.places.map { $0.lowercased() }.joined(separator: ", ")
            lines.append("| `\(row.name)` | \(places) | \(row.type) | \(row.summary) |")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static let written = """
        action | string | What the task does: a module, by its name, with its arguments.
        always | list | Tasks that run whether or not those of the block failed.
        any_errors_fatal | bool | A failure of one host ends the play for all.
        args | dict | Further arguments of the module.
        async | int | Seconds that the task may take in the background.
        become | bool | Do it as another user.
        become_exe | string | The program that becomes the user.
        become_flags | string | Arguments for that program.
        become_method | string | How to become the user: sudo or su.
        become_user | string | The user to become.
        block | list | Tasks that belong together.
        changed_when | list | Conditions by which the task counts as changed.
        check_mode | bool | Say what would change, and change nothing; or change it in spite of --check.
        collections | list | Where names of modules and roles without a collection are looked for.
        connection | string | How hosts are reached: ssh, openssh, local or docker.
        debugger | string | When to ask a person about a task: always, never, on_failed, on_unreachable, on_skipped.
        delay | float | Seconds between two attempts of until.
        delegate_facts | bool | Facts belong to the host that the task is delegated to.
        delegate_to | string | The host to do it on instead.
        diff | bool | Show what changes in files and settings.
        environment | list | Variables of the environment of what the module runs.
        fact_path | string | The folder of local facts.
        failed_when | list | Conditions by which the task counts as failed.
        force_handlers | bool | Handlers run on hosts that failed, too.
        gather_facts | bool | Begin with the facts of the hosts.
        gather_subset | list | Which facts.
        gather_timeout | int | Seconds that the gathering may take.
        handlers | list | Tasks that run when others notified them.
        hosts | list | Which hosts: a pattern, or a list of them.
        ignore_errors | bool | Go on when it fails.
        ignore_unreachable | bool | Go on when the host cannot be reached.
        listen | list | Further names by which a handler is notified.
        local_action | string | What the task does on the controller.
        loop | list | The task runs for each item.
        loop_control | dict | The name of the loop's variable, its label, and the like.
        max_fail_percentage | float | The play ends when more hosts than this failed.
        module_defaults | dict | Arguments that modules have where tasks do not say otherwise.
        name | string | What it is called; shown when it runs.
        no_log | bool | Show neither arguments nor results.
        notify | list | Handlers that run when it changed something.
        order | string | In which order hosts are taken.
        poll | int | Seconds between two looks at what runs in the background; 0 does not wait.
        port | int | The port of SSH.
        post_tasks | list | Tasks behind those of roles and tasks.
        pre_tasks | list | Tasks before roles.
        register | string | The variable that gets the result.
        remote_user | string | Who to log in as.
        rescue | list | Tasks that run when one of the block failed.
        retries | int | How many attempts until makes.
        role | string | The role's name.
        roles | list | Roles that the play runs.
        run_once | bool | On the first host alone, whose results count for all.
        serial | list | How many hosts at a time.
        strategy | string | How hosts go on beside each other: linear, free, host_pinned or debug.
        tags | list | Names by which --tags and --skip-tags choose.
        tasks | list | What the play does.
        throttle | int | How many hosts do it at the same time.
        timeout | int | Seconds after which the task counts as failed.
        until | list | Conditions that must hold; otherwise it is tried again.
        user | string | An older name of remote_user.
        vars | dict | Variables.
        vars_files | list | Files of variables.
        vars_prompt | list | Variables that a person is asked for.
        when | list | Conditions without which it is left out.
        with_<lookup> | list | The task runs for each item that a lookup gives.
        """
}
