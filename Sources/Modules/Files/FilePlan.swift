import Crypto
import Machine
import Values

/// Where the bytes of a file come from.
enum FileSource: Sendable {
    case bytes([UInt8])
    /// A file of the controller: its content is fetched when the file is written, or shown in a diff.
    case controller(ControllerFile)
    /// A file of the node itself.
    case node(String)
}

/// One change to the files of a machine.
enum FileStep: Sendable {
    case folder(String, Attributes)
    /// Owner, group and mode are set before the file has its name.
    case file(String, FileSource, Attributes)
    case remove(String)
    /// Takes the place of what is there.
    case link(String, to: String)
    case hardLink(String, to: String)
    /// Never through a link; a link's mode is left alone.
    case attributes(String, Attributes)
    case times(String, access: Double?, modification: Double?)
    /// Both times to now.
    case touch(String)
    /// For `chattr`: `+i`, `=ia`.
    case flags(String, String)
    /// The parts of an SELinux context to change, as options of `chcon`.
    case context(String, [String])

    var path: String {
        switch self {
        case .folder(let path, _), .file(let path, _, _), .remove(let path), .link(let path, _),
            .hardLink(let path, _), .attributes(let path, _), .times(let path, _, _), .touch(let path),
            .flags(let path, _), .context(let path, _):
            path
        }
    }
}

/// What a module is going to do to files: empty when all is as wanted.
///
/// Made from reads alone, so check mode has all of it: the steps that would be taken, and the diff.
struct FilePlan: Sendable {
    var steps: [FileStep] = []
    /// What is missing in check mode because an earlier task would have made it: `user 'www'`.
    var needs: [String] = []
    var diff: [Diff] = []
    var result = Dict()
    var warnings: [String] = []
    /// The path whose owner, mode, size and state the result tells.
    var shown: String?
    /// Digests of that path for the result, by key; left out in check mode where it would change.
    var digests: [(key: String, algorithm: DigestAlgorithm)] = []
    /// A file to keep a copy of before it changes.
    var backup: String?
    /// The key of the result that names the copy.
    var backupKey = "backup_file"
    var validate: String?
    /// How a refusal by the validating command is told.
    var refusal: @Sendable (CommandResult) -> Failure = { done in
        Failure(
            "failed to validate",
            result: [
                "exit_status": .int(Int(done.status)), "stdout": .string(done.outputText),
                "stderr": .string(done.errorText),
            ])
    }
    var unsafeWrites = false
}

/// A module that plans its changes to files and has them carried out.
protocol FileAction: FileMaker {
    func plan(on machine: some MachineReader, _ context: Context) throws(Failure) -> FilePlan
}

extension FileAction {
    func run(on machine: some MachineReader, _ context: Context) throws(Failure) -> Outcome {
        var plan = try plan(on: machine, context)
        plan.unsafeWrites = try common.writesUnsafely(on: machine, context)
        var outcome = Outcome(
            changed: !plan.steps.isEmpty || !plan.needs.isEmpty, plan.result,
            diff: context.diffMode ? plan.diff : [], warnings: plan.warnings)
        if !plan.needs.isEmpty {
            outcome.values["msg"] = .string("would change (needs \(plan.needs.joined(separator: ", ")))")
        }
        if outcome.changed, let editor = try context.editor() {
            if let kept = try carryOut(plan, on: editor, context) { outcome.values[plan.backupKey] = .string(kept) }
            try show(plan, on: editor, &outcome.values)
        } else {
            try show(plan, on: machine, &outcome.values)
            if outcome.changed { return outcome }
        }
        try showDigests(plan, on: machine, &outcome.values)
        return outcome
    }

    private func showDigests(
        _ plan: FilePlan, on machine: some MachineReader, _ values: inout Dict
    ) throws(Failure) {
        guard let path = plan.shown else { return }
        for (key, algorithm) in plan.digests {
            if let text = try digest(algorithm, of: path, on: machine) { values[key] = .string(text) }
        }
    }

    private func show(
        _ plan: FilePlan, on machine: some MachineReader, _ values: inout Dict
    ) throws(Failure) {
        guard let path = plan.shown else { return }
        try attempt { () throws(MachineError) in
            guard let found = try machine.status(of: path), try machine.exists(path) else { return }
            values["uid"] = .int(Int(found.owner))
            values["gid"] = .int(Int(found.group))
            values["owner"] = .string(try machine.user(id: found.owner)?.name ?? String(found.owner))
            values["group"] = .string(try machine.group(id: found.group)?.name ?? String(found.group))
            values["mode"] = .string(octal(found.mode))
            values["state"] = .string(stateName(found))
            values["size"] = .int(Int(found.size))
        }
    }

    /// The path of the backup, if one was made.
    private func carryOut(
        _ plan: FilePlan, on editor: some MachineEditor, _ context: Context
    ) throws(Failure) -> String? {
        var kept: String?
        if let path = plan.backup, plan.steps.contains(where: { if case .file = $0 { true } else { false } }) {
            kept = try attempt { () throws(MachineError) in try editor.makeBackup(of: path) }
        }
        for step in plan.steps { try step.perform(plan, on: editor, context) }
        for step in plan.steps { try step.verify(on: editor) }
        return kept
    }
}

/// The word that results have for a kind of file.
func stateName(_ status: FileStatus?) -> String {
    guard let status else { return "absent" }
    switch status.kind {
    case .link: return "link"
    case .folder: return "directory"
    default: return status.links > 1 ? "hard" : "file"
    }
}

extension MachineEditor {
    /// Keeps a copy beside the file, named as Ansible names it: `PATH.PID.YYYY-MM-DD@HH:MM:SS~`.
    func makeBackup(of path: String) throws(MachineError) -> String? {
        guard let found = try status(of: path, followingLinks: true), let bytes = try contents(of: path) else {
            return nil
        }
        let moment = LocalTime(now)
        let copy = "\(path).\(processNumber()).\(moment.date)@\(moment.time)~"
        try replace(copy, with: bytes, attributes: Attributes(owner: found.owner, group: found.group, mode: found.mode))
        try setTimes(of: copy, access: found.accessTime, modification: found.modificationTime)
        return copy
    }
}
