import Machine
import Values

/// `async_status`: how far a task in the background is.
struct AsyncStatus: Action {
    enum Mode: String, CaseIterable, Choice { case cleanup, status }
    var jid = ""
    var mode = Mode.status
    var folder = "~/.ansible_async"
    init() {}

    static let schema = Schema<AsyncStatus>(
        "async_status", "Tells how far a task in the background is.",
        [
            Parameter("jid", \.jid, required: true, "The task's ansible_job_id."),
            Parameter("mode", \.mode, default: "status", "Ask, or remove what was kept about it."),
            Parameter(
                "_async_dir", \.folder, default: "~/.ansible_async",
                "Where it is kept; set by the variable 'ansible_async_dir'."),
        ],
        options: SchemaOptions(
            returns: [
                ("ansible_job_id", "The task's id."), ("finished", "Whether it has ended."),
                ("started", "Whether it has begun."), ("results_file", "What is kept about it."),
                ("erased", "What was removed."),
            ],
            examples: """
                - name: Until the upgrade is done
                  ansible.builtin.async_status:
                    jid: "{{ upgrade.ansible_job_id }}"
                  register: job
                  until: job.finished
                  retries: 60
                  delay: 10
                """,
            notes: ["When it has ended, the result is that of the task, with what this module tells beside it."]))

    func run(on machine: some MachineReader, _ context: Context) throws(Failure) -> Outcome {
        let path = try attempt { () throws(MachineError) in
            joinPath(try machine.expanded(folder, context.environment), jid)
        }
        var result: Dict = [
            "ansible_job_id": .string(jid), "started": .bool(mode == .status), "finished": false,
        ]
        result.setOutput("", "")
        result[mode == .status ? "results_file" : "erased"] = .string(path)
        guard !jid.contains("/"), let bytes = try attempt({ () throws(MachineError) in
            try machine.contents(of: path)
        }) else {
            result["started"] = true
            result["finished"] = true
            throw Failure("could not find job", result: result)
        }
        if mode == .cleanup {
            // What is kept is no state of the machine: it goes in check mode, too, where the caller may change it.
            if let editor = try context.editor() {
                try attempt { () throws(MachineError) in try editor.remove(path) }
            }
            return Outcome(result)
        }
        // Not written to its end yet: it runs.
        guard let kept = (try? Value(json: String(decoding: bytes, as: UTF8.self)))?.dict else {
            return Outcome(result)
        }
        for (key, value) in kept { result[key] = value }
        // Only what says that it runs has these two.
        if kept["started"] == nil { result["finished"] = true }
        return outcome(result)
    }

    private func outcome(_ kept: Dict) -> Outcome {
        var result = kept
        var outcome = Outcome(changed: kept["changed"]?.isTrue ?? false)
        outcome.failed = kept["failed"]?.isTrue ?? false
        outcome.skipped = kept["skipped"]?.isTrue ?? false
        outcome.facts = kept["ansible_facts"]?.dict ?? Dict()
        outcome.warnings = kept["warnings"]?.list?.map(\.pythonText) ?? []
        for key in ["changed", "failed", "skipped"] { result[key] = nil }
        outcome.values = result
        return outcome
    }
}
