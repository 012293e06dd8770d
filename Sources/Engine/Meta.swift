import Values
import Wire

extension TaskRun {
    /// `meta`: acts on the play. Only its condition can keep it from being done.
    func runMeta() throws(Interruption) {
        let action = task.arguments["_raw_params"]?.pythonText ?? "noop"
        if let when = task.keywords["when"], try firstFalse(when) != nil {
            return run.coordinator.tell(
                .result(
                    position, info,
                    TaskResult(
                        status: .skipped,
                        result: ["msg": .string("\(action) conditional evaluated to False"), "skipped": true])))
        }
        switch action {
        case "noop": run.coordinator.tell(.passed(position, info))
        case "flush_handlers": try run.flush(at: position)
        case "end_host", "end_play", "end_batch":
            if action != "end_host" { _ = try run.coordinator.ask(.meta(action, position)) }
            throw .ended(action)
        case "end_role": throw .ended(action)
        case "clear_facts":
            try tell(action)
            run.state.forgetFacts()
        case "clear_host_errors":
            run.errorsAreCleared = true
            try tell(action)
        case "refresh_inventory": try tell(action)
        case "reset_connection":
            // The engine stays where it is; what the tasks do from here on goes over a connection of its own.
            if case .value(.some(true)) = try tell(action) { run.isAway = true }
        default:
            throw .failed(
                TaskFailure(
                    Diagnostic(
                        "there is no meta action '\(action)'", at: task.place,
                        hint: suggestion(for: action, among: Self.metaActions))))
        }
    }

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
