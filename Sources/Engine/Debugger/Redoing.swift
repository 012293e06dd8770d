import Values
import Wire

extension TaskRun {
    /// Runs the task, again as often as the person who debugs it says so, and goes on from what it came to.
    ///
    /// - Parameter isDone: what is to be done with the result that counts.
    func runToEnd(_ isDone: (TaskResult) throws(Interruption) -> Void) throws(Interruption) {
        var result = try execute()
        guard isDebugged(result) else {
            try isDone(result)
            return try conclude(result)
        }
        var pending = try settle(result)
        while isDebugged(result) {
            var debugger = TaskDebugger(self, about: result)
            guard try debugger.decision() == .redo else { break }
            debugger.apply()
            run.coordinator.tell(.redone(position, statuses(of: result)))
            result = try execute()
            pending = try settle(result)
        }
        try isDone(result)
        _ = try run.coordinator.ask(.debugged(showing: "", ends: false))
        try leave(by: pending)
    }

    /// Whether a person is asked about it.
    func isDebugged(_ result: TaskResult) -> Bool {
        let settings = run.plan.settings
        let word = (try? keyword("debugger"))??.pythonText
        guard word != nil || settings.debugs else { return false }
        let isFailed = result.status == .failed && !(settings.debuggerIgnoresErrors && isForgiven)
        let isUnreachable = result.status == .unreachable
        switch word {
        case "always": return true
        case "never": return false
        case "on_failed" where isFailed: return true
        case "on_unreachable" where isUnreachable: return true
        case "on_skipped" where result.status == .skipped: return true
        default: return settings.debugs && (isFailed || isUnreachable)
        }
    }

    /// What is taken back of the counts.
    func statuses(of result: TaskResult) -> [Status] {
        var statuses: [Status] = [.failed, .unreachable, .skipped].filter { $0 == result.status }
        if result.result["changed"]?.isTrue ?? false { statuses.append(.changed) }
        if result.status == .failed, run.rescueDepth > 0, !isForgiven { statuses.append(.rescued) }
        return statuses
    }
}
