package import Machine
package import Modules
import Values
package import Wire

/// Runs modules in this process; those that are to become another user, in a child.
package final class LocalExecutor: Executor {
    private let machine: any MachineEditor
    /// Starts a child agent for a `Become`, and keeps it for the rest of the run.
    private let children: (any EscalatedExecutors)?
    private let trees = PythonTrees()
    /// This process is the job: what is to run by itself runs here.
    private let isJob: Bool

    package init(machine: any MachineEditor, children: (any EscalatedExecutors)? = nil, isJob: Bool = false) {
        self.machine = machine
        self.children = children
        self.isJob = isJob
    }

    package func perform(
        _ call: ModuleCall, asking coordinator: any Coordinator, turn: @escaping () throws(Interruption) -> Void
    ) -> CallResult {
        if call.module == "_sleep" { return sleep(call) }
        // A user with a process of its own is not removed.
        if call.module == "user", call.arguments["state"] == "absent",
            let name = (call.arguments["name"] ?? call.arguments["user"])?.text
        {
            children?.leave(user: name)
        }
        if let become = call.become, needsChild(become) {
            guard let children else { return failed("this process cannot become another user") }
            do throws(Failure) {
                let child = try children.executor(for: become)
                var inner = call
                inner.become = nil
                return child.perform(inner, asking: coordinator, turn: turn)
            } catch { return failed(error) }
        }
        return performHere(call, coordinator, turn)
    }

    /// Becoming who one already is needs no process, unless it is said how.
    private func needsChild(_ become: Become) -> Bool {
        if !become.executable.isEmpty || !become.flags.isEmpty || !become.folder.isEmpty { return true }
        guard let user = try? machine.user(named: become.user) else { return true }
        return user.id != machine.identity.userID
    }

    private func performHere(
        _ call: ModuleCall, _ coordinator: any Coordinator, _ turn: @escaping () throws(Interruption) -> Void
    ) -> CallResult {
        let courier = CallCourier(call, coordinator, turn)
        if let job = call.job, !isJob {
            return JobStart(call: call, job: job, machine: machine, courier: courier).result()
        }
        if let foreign = call.foreign {
            return ForeignRun(call: call, foreign: foreign, machine: machine, trees: trees, courier: courier).result()
        }
        guard let run = Registry.entry(call.module)?.run else {
            return failed("module '\(call.module)' does not run on a node")
        }
        var environment: [String: String] = [:]
        for (key, value) in call.environment { environment[key.pythonText] = value.pythonText }
        var context = Context(
            machine: machine, courier: courier, checkMode: call.checkMode, diffMode: call.diffMode,
            environment: environment, verbosity: call.verbosity)
        if call.timeout > 0 { context.timeout = call.timeout }
        if !call.python.isEmpty { context.python = call.python }
        do throws(Failure) {
            let outcome = try run(call.arguments, machine, context)
            var result = outcome.values
            result["changed"] = .bool(outcome.changed)
            if outcome.failed { result["failed"] = true }
            if outcome.skipped { result["skipped"] = true }
            if !outcome.facts.isEmpty { result["ansible_facts"] = .dict(outcome.facts) }
            if !outcome.diff.isEmpty, result["diff"] == nil {
                let parts = outcome.diff.map(\.value)
                result["diff"] = parts.count == 1 ? parts[0] : .list(parts)
            }
            return CallResult(result: result, diff: outcome.diff.map(\.value), warnings: outcome.warnings)
        } catch { return failed(error) }
    }

    /// Removes what this process has put on the machine.
    package func finish() { trees.remove(from: machine) }

    private func sleep(_ call: ModuleCall) -> CallResult {
        do throws(MachineError) {
            try machine.sleep(seconds: call.arguments["seconds"]?.number ?? 0)
            return CallResult(result: ["changed": false])
        } catch { return failed(Failure(error)) }
    }
}

/// Where executors for other users come from.
package protocol EscalatedExecutors: AnyObject {
    func executor(for become: Become) throws(Failure) -> any Executor
    /// Ends those that are this user: it is about to go.
    func leave(user: String)
}

package func failed(_ message: String) -> CallResult { failed(Failure(message)) }

package func failed(_ failure: Failure) -> CallResult {
    var result = failure.result
    result["failed"] = true
    result["changed"] = result["changed"] ?? false
    if !failure.message.isEmpty || result["msg"] == nil { result["msg"] = .string(failure.message) }
    if failure.isUnreachable { result["unreachable"] = true }
    return CallResult(result: result, warnings: failure.warnings, isStop: failure.isStop)
}

/// Brings a module what it asks for: from what came with the call, else from the coordinator.
final class CallCourier: Courier {
    private let call: ModuleCall
    private let coordinator: any Coordinator
    private let turn: () throws(Interruption) -> Void
    private var entries: [String: FileEntry] = [:]

    init(_ call: ModuleCall, _ coordinator: any Coordinator, _ turn: @escaping () throws(Interruption) -> Void) {
        self.call = call
        self.coordinator = coordinator
        self.turn = turn
        for file in call.files { remember(file.entry) }
    }

    func file(_ name: String, kind: ControllerFile.Kind, isSealed: Bool) throws(Failure) -> ControllerFile {
        if let known = call.files.first(where: { $0.name == name }) { return described(known.entry) }
        let request = FileRequest(kind: kind == .file ? .files : .templates, name: name, basis: call.basis,
            isSealed: isSealed)
        guard case .file(let entry, let searched) = try asked(.file(request)) else {
            throw Failure("the coordinator did not answer")
        }
        guard let entry else {
            let places = searched.isEmpty ? "" : " (searched: \(searched.joined(separator: ", ")))"
            throw Failure("Could not find or access '\(name)' on the controller\(places)")
        }
        if let problem = Self.problem(entry) { throw Failure(problem) }
        return described(entry)
    }

    /// Why a file, or one in a folder, cannot be had.
    private static func problem(_ entry: FileEntry) -> String? {
        if let problem = entry.problem { return problem }
        let children = entry.children ?? []
        let (files, folders) = (children.filter { $0.children == nil }, children.filter { $0.children != nil })
        return (files + folders).lazy.compactMap(problem).first
    }

    private func described(_ entry: FileEntry) -> ControllerFile {
        remember(entry)
        let children = entry.children.map { below($0, "") }
        return ControllerFile(
            path: entry.path, digest: entry.digest, size: entry.size, mode: UInt32(entry.mode), children: children,
            target: entry.target)
    }

    /// All that is in a folder at any depth, by paths relative to it.
    private func below(_ entries: [FileEntry], _ prefix: String) -> [ControllerFile] {
        entries.flatMap { entry -> [ControllerFile] in
            let path = prefix + (entry.path.split(separator: "/").last.map(String.init) ?? entry.path)
            let file = ControllerFile(
                path: path, digest: entry.digest, size: entry.size, mode: UInt32(entry.mode),
                children: entry.children.map { _ in [] }, target: entry.target)
            return [file] + below(entry.children ?? [], path + "/")
        }
    }

    private func remember(_ entry: FileEntry) {
        if entry.children == nil { entries[entry.digest] = entry }
        for child in entry.children ?? [] { remember(child) }
    }

    func contents(of file: ControllerFile) throws(Failure) -> [UInt8] {
        let entry = entries[file.digest]
        if let contents = entry?.contents { return contents }
        let path = entry?.path ?? file.path
        guard case .contents(let bytes) = try asked(.contents(digest: file.digest, path: path)) else {
            throw Failure("the coordinator did not send '\(path)'")
        }
        return bytes
    }

    func rendered(_ name: String, options: Dict) throws(Failure) -> (text: String, source: ControllerFile) {
        guard let file = call.files.first(where: { $0.name == name }), let text = file.rendered else {
            throw Failure("there is no template '\(name)'")
        }
        return (text.string, described(file.entry))
    }

    /// Contents of parts of a module that is not built in, in the order of the digests.
    func parts(_ digests: [String]) throws(Failure) -> [[UInt8]] {
        guard case .parts(let contents) = try asked(.parts(digests)), contents.count == digests.count else {
            throw Failure("the coordinator did not send the parts of module '\(call.module)'")
        }
        return contents.map(\.bytes)
    }

    func willChange() throws(Failure) {
        do throws(Interruption) { try turn() } catch {
            if case .failed(let failure) = error {
                throw Failure(error.message, result: failure.result)
            }
            throw Failure(error.message, isStop: true)
        }
    }

    private func asked(_ question: Question) throws(Failure) -> Answer {
        do throws(Interruption) {
            let answer = try coordinator.ask(question)
            switch answer {
            case .failure(let diagnostic): throw Interruption.failed(TaskFailure(diagnostic))
            case .stop(let reason): throw Interruption.stopped(reason)
            default: return answer
            }
        } catch {
            if case .failed = error { throw Failure(error.message) }
            throw Failure(error.message, isStop: true)
        }
    }
}
