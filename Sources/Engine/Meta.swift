import Values
import Wire

extension TaskRun {
    /// `meta`: acts on the play. Only its condition can keep it from being done.
    func runMeta() throws(Interruption) {
        let action = task.arguments["_raw_params"]?.pythonText ?? "noop"
        if let when = task.keywords["when"] {
            if Self.withoutCondition.contains(action) {
                let message = "\(action) task does not support when conditional"
                run.coordinator.tell(.message(Diagnostic(message, at: task.place, severity: .warning)))
            } else if try firstFalse(when) != nil {
                return tellSkipped(action)
            }
        }
        switch action {
        case "noop": told("noop")
        case "flush_handlers": try flush()
        case "role_complete":
            if let role = scope.role, run.startedRoles.contains(role.key) { run.completedRoles.insert(role.key) }
        case "end_host", "end_play", "end_batch":
            told(["end_play": "ending play", "end_batch": "ending batch"][action] ?? "ending play for \(run.plan.host)")
            if action != "end_host" { _ = try run.coordinator.ask(.meta(action, position)) }
            throw .ended(action)
        case "end_role":
            run.endedRole = scope.role?.key ?? ""
            told("ending role \(scope.role?.name ?? "") for \(run.plan.host)")
            throw .ended(action)
        case "clear_facts":
            try tell(action)
            run.state.forgetFacts()
            told("facts cleared")
        case "clear_host_errors":
            run.errorsAreCleared = true
            try tell(action)
            told("cleared host errors")
        case "refresh_inventory":
            try tell(action)
            told("inventory successfully refreshed")
        case "reset_connection":
            // The engine stays where it is; what the tasks do from here on goes over a connection of its own.
            if case .value(.some(true)) = try tell(action) { run.isAway = true }
            told("reset connection")
        default:
            throw .failed(
                TaskFailure(
                    Diagnostic(
                        "there is no meta action '\(action)'", at: task.place,
                        hint: suggestion(for: action, among: Self.metaActions))))
        }
    }

    private func flush() throws(Interruption) {
        if !task.isImplicit || run.handlers.hasDue { told("triggered running handlers for \(run.plan.host)") }
        run.isEndingSection = task.isImplicit
        try run.flush(at: position)
        run.isEndingSection = false
    }

    /// What was done, for those who ask for more than results.
    private func told(_ message: String) {
        run.coordinator.tell(
            .result(position, info, TaskResult(status: .ok, result: ["changed": false, "msg": .string(message)])))
    }

    private func tellSkipped(_ action: String) {
        let host = run.plan.host
        let rest = [
            "flush_handlers": ", not running handlers for \(host)",
            "clear_facts": ", not clearing facts and fact cache for \(host)",
            "clear_host_errors": ", not clearing host error state for \(host)",
            "end_batch": ", continuing current batch", "end_play": ", continuing play",
            "end_host": ", continuing execution for \(host)",
            "end_role": "continuing role \(scope.role?.name ?? "") for \(host)",
        ]
        let reason = "\(action) conditional evaluated to False\(rest[action] ?? "")"
        let message = action == "end_host"
            ? "end_host conditional evaluated to false, continuing execution for \(host)" : action
        run.coordinator.tell(
            .result(
                position, info,
                TaskResult(
                    status: .skipped,
                    result: ["msg": .string(message), "skipped": true, "skip_reason": .string(reason)])))
    }

    private static let withoutCondition: Set<String> = ["noop", "refresh_inventory", "reset_connection"]

    @discardableResult
    private func tell(_ action: String) throws(Interruption) -> Answer {
        let answer = try run.coordinator.ask(.meta(action, position))
        switch answer {
        case .stop(let reason): throw .stopped(reason)
        case .failure(let diagnostic): throw .failed(TaskFailure(diagnostic))
        default: return answer
        }
    }

    static let metaActions = [
        "noop", "flush_handlers", "refresh_inventory", "clear_facts", "clear_host_errors", "end_batch", "end_play",
        "end_host", "end_role", "reset_connection",
    ]
}
