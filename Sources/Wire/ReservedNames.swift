package import Values

/// Names that mean something in plays, tasks and templates by themselves: variables of these names hide that.
private let reservedNames: Set<String> = {
    let words = """
        action always any_errors_fatal args async async_val become become_exe become_flags become_method become_user \
        block changed_when check_mode collections connection cycler debugger delay delegate_facts delegate_to dict \
        diff environment fact_path failed_when force_handlers gather_facts gather_timeout handlers hosts \
        ignore_errors ignore_unreachable joiner lipsum local_action lookup loop loop_control loop_with \
        max_fail_percentage module_defaults name namespace no_log notify now omit order poll port post_tasks \
        pre_tasks q query range register remote_user rescue retries roles run_once serial strategy tags tasks \
        throttle timeout undef until vars_files vars_prompt when with_
        """
    return Set(words.split(separator: " ").map(String.init))
}()

/// The warning that a variable's name deserves, in Ansible's words.
package func reservedNameWarning(_ name: String, at place: Place?) -> Diagnostic? {
    guard reservedNames.contains(name) else { return nil }
    return Diagnostic("Found variable using reserved name '\(name)'.", at: place, severity: .warning)
}
