import Modules
import Values
import Wire

/// `async` and `poll`: a task that runs on by itself, and is asked for.
extension TaskItem {
    /// What Ansible runs on the controller, at least in part, and never in the background.
    private static let foregroundModules: Set<String> = [
        "add_host", "assemble", "assert", "async_status", "copy", "debug", "fail", "fetch", "gather_facts", "group_by",
        "include_vars", "pause", "raw", "reboot", "script", "set_fact", "set_stats", "template", "unarchive",
        "validate_argument_spec", "wait_for_connection",
    ]

    /// The seconds of `async`; `nil` where the task is run and waited for.
    func jobSeconds() throws(Interruption) -> Double? {
        guard let value = try task.keyword("async"), let seconds = try? Double(parameter: value), seconds > 0 else {
            return nil
        }
        return seconds
    }

    func refuseBackground() throws(Interruption) {
        guard task.task.keywords["async"] != nil, Self.foregroundModules.contains(task.task.module),
            try jobSeconds() != nil
        else { return }
        let message = "This action (\(task.task.module)) does not support async."
        throw .failed(TaskFailure(Diagnostic(message, at: task.task.place)))
    }

    /// Where jobs of the background are kept, where that is said.
    func jobFolder() throws(Interruption) -> String? {
        try variable("ansible_async_dir")?.pythonText ?? run.plan.magic["_async_dir"]?.text
    }

    /// Starts it, and asks for it until it has ended or its time is over; with `poll: 0` it is left alone.
    func inBackground(_ given: ModuleCall, _ way: Way, _ seconds: Double) throws(Interruption) -> CallResult {
        let folder = try jobFolder() ?? "~/.ansible_async"
        // Ansible's have the number of a process at their end.
        let id = "j\(Int.random(in: 0..<999_999_999_999)).\(Int.random(in: 1000..<100_000))"
        var call = given
        call.job = Job(id: id, seconds: seconds, folder: folder)
        let started = try send(call, way)
        let poll = (try task.keyword("poll")).flatMap { try? Double(parameter: $0) } ?? Self.usualPoll
        guard poll > 0, !(started.result["failed"]?.isTrue ?? false), started.result["started"]?.isTrue ?? false else {
            return started
        }
        var status = given
        status.module = "async_status"
        status.foreign = nil
        status.files = []
        status.arguments = ["jid": .string(id), "_async_dir": .string(folder)]
        var left = seconds
        var known = started
        while left > 0 {
            try task.pause(seconds: poll)
            if let reason = task.run.coordinator.stopReason { throw .stopped(reason) }
            known = try send(status, way)
            let isOver = ["finished", "failed", "skipped"].contains { known.result[.string(Text($0))]?.isTrue ?? false }
            if isOver { break }
            left -= poll
            task.run.coordinator.tell(.polled(task.position, task.info, job: id))
        }
        guard known.result["finished"]?.isTrue ?? false else { return unfinished(known, seconds) }
        status.arguments["mode"] = "cleanup"
        status.checkMode = false
        _ = try send(status, way)
        if let diff = known.result["diff"] { known.diff = diff.list ?? [diff] }
        return known
    }

    /// Ansible's `DEFAULT_POLL_INTERVAL`.
    private static let usualPoll = 15.0

    private func unfinished(_ status: CallResult, _ seconds: Double) -> CallResult {
        var kept = status.result
        kept["changed"] = nil
        return CallResult(result: [
            "changed": false, "failed": true, "async_result": .dict(kept),
            "msg": .string(
                "async task did not complete within the requested time - \(Value.double(seconds).wholeText)s"),
        ])
    }
}

extension Value {
    /// A number without a fraction that says nothing.
    fileprivate var wholeText: String {
        if let number, let whole = Int(exactly: number) { return String(whole) }
        return pythonText
    }
}
