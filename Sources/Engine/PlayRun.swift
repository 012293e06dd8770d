package import Templates
import Values
package import Wire

/// The surroundings of a list of steps: the play itself, or a file that was included while it ran.
struct Frame {
    var roles: [RolePlan]
    var bases: [SearchBasis]
    var fallbackBasis: SearchBasis
    /// The role of tasks that name none: that of the include.
    var role: RolePlan?
    /// Include parameters (level 21).
    var parameters: Dict
    /// Keywords that surround a dynamic include, and its `apply`.
    var inherited: Dict
    /// Positions of its tasks begin with this.
    var position: Position
    /// How deep includes are nested.
    var depth = 0
    /// Its tasks are handlers.
    var isHandlers = false
}

/// Runs one play on this host. Used by one thread.
package final class PlayRun {
    let plan: PlayPlan
    package internal(set) var state: HostState
    let coordinator: any Coordinator
    let executor: any Executor
    let templater: Templater
    package internal(set) var masking = Masking()
    /// Roles whose defaults and variables every task of the play sees.
    var publicRoles: [RolePlan]
    var handlers = Handlers()
    /// `vars_files` whose names hang on facts, and what they held when these were last known.
    var openFiles: [Value]
    var fileVariables = Dict()
    private var factsAtFiles = -1
    /// Roles of which a task ran, and roles that ran to their ends, by their keys.
    var startedRoles: Set<String> = []
    var completedRoles: Set<String> = []
    /// The role that `end_role` ended last.
    var endedRole = ""
    /// Answers that cannot change within a task.
    private var hostVariables: [String: Value?] = [:]
    private var fileAnswers: [FileRequest: FileEntry] = [:]
    /// Modules that are not built in, by their files' paths.
    var foreignModules: [String: ForeignModule] = [:]
    /// `meta: clear_host_errors` was met: the failure that an `always` runs behind counts no more.
    var errorsAreCleared = false
    /// Modules are sent to the host by the coordinator: the engine is elsewhere, or the connection was reset.
    var isAway: Bool
    /// The handlers run with which a section of the play ends.
    var isEndingSection = false
    /// In how many blocks with `rescue` or `always` the task in hand is.
    var guardedDepth = 0
    /// In how many of those that are rescued when they fail.
    var rescueDepth = 0
    /// Where the task in hand stands.
    var position = Position([])
    private static let includeDepthLimit = 64

    package init(
        _ plan: PlayPlan, state: HostState, coordinator: any Coordinator, executor: any Executor, templater: Templater
    ) {
        self.plan = plan
        self.state = state
        self.coordinator = coordinator
        self.executor = executor
        self.templater = templater
        templater.plugins = AskedPlugins(coordinator)
        templater.allowsBrokenConditions = plan.settings.allowsBrokenConditions
        templater.allowsSurrogates = plan.settings.allowsSurrogates
        isAway = plan.settings.isAway
        if plan.settings.warnsOfUntrusted {
            templater.untrusted = { text in
                let advice = "Templates and expressions must be defined by trusted sources such as playbooks or roles, "
                    + "not untrusted sources such as module results."
                let message = "Encountered untrusted template or expression."
                coordinator.tell(
                    .message(Diagnostic(message, at: text.place, notes: [advice], severity: .warning)))
            }
        }
        self.state.learn(plan.facts)
        publicRoles = plan.roles.filter(\.isPublic)
        openFiles = plan.magic["_vars_files"]?.list ?? []
        for layer in [plan.inventory, plan.variables, plan.extra, plan.facts] { masking.learn(from: .dict(layer)) }
        for role in plan.roles {
            for layer in [role.defaults, role.variables, role.parameters] { masking.learn(from: .dict(layer)) }
        }
        listen(to: templater)
    }

    /// What templates come to that a person should know.
    private func listen(to templater: Templater) {
        let coordinator = coordinator
        func tell(_ message: String, _ place: Place?, _ severity: Diagnostic.Severity, _ notes: [String] = []) {
            let end = severity == .deprecation ? " This feature will be removed from ansible-core version 2.23." : ""
            coordinator.tell(.message(Diagnostic(message + end, at: place, notes: notes, severity: severity)))
        }
        let advice = "Broken conditionals are currently allowed because the `ALLOW_BROKEN_CONDITIONALS` "
            + "configuration option is enabled."
        templater.warn = { tell($0, $1, .warning) }
        templater.deprecated = { tell($0, $1, .deprecation) }
        templater.brokenCondition = { tell($0, $1, .deprecation, [advice]) }
    }

    /// The inventory is another since the play began.
    private var hasNewInventory = false
    /// What it says of this host now, once that was asked for.
    private var newInventory: Dict?

    func inventoryChanged() {
        hasNewInventory = true
        newInventory = nil
        hostVariables.removeAll(keepingCapacity: true)
    }

    /// A variable of this host in the inventory as it is now; how the host is reached was said before the play began.
    func inventory(_ name: String) throws(TemplateError) -> Value? {
        guard hasNewInventory, !name.hasPrefix("ansible_") else { return plan.inventory[name] }
        if let newInventory { return newInventory[name] }
        do throws(Interruption) {
            switch try coordinator.ask(.inventory(position)) {
            case .value(let value): newInventory = value?.dict ?? plan.inventory
            case .failure(let diagnostic): throw Interruption.failed(TaskFailure(diagnostic))
            case .stop(let reason): throw Interruption.stopped(reason)
            default: throw Interruption.unexpectedAnswer
            }
        } catch { throw TemplateError(error.message) }
        return newInventory?[name]
    }

    /// Every host that the inventory of this run knows.
    var knownHosts: [String] {
        var seen: Set<String> = []
        let groups = plan.magic["groups"]?.dict ?? Dict()
        return groups.values.flatMap { $0.list ?? [] }.compactMap(\.text).filter { seen.insert($0).inserted }
    }

    /// Runs the play to its end on this host.
    package func run() -> PlayEnd {
        let basis = plan.bases.first ?? SearchBasis(roles: [], taskFolder: ".", playFolder: ".")
        let frame = Frame(
            roles: plan.roles, bases: plan.bases, fallbackBasis: basis, parameters: Dict(), inherited: Dict(),
            position: Position([plan.index]))
        addHandlers(of: plan, in: frame)
        takeUp(plan.pendingHandlers)
        do throws(Interruption) {
            try runAll(in: frame)
            return PlayEnd(.completed)
        } catch {
            return end(by: error, frame)
        }
    }

    /// The steps of the play. A host that cannot be reached on its way goes on behind the next
    /// `meta: clear_host_errors`, where another one came to that; one that failed is back in the next play.
    private func runAll(in frame: Frame) throws(Interruption) {
        var index = 0
        while index < plan.steps.count {
            do throws(Interruption) { try run([plan.steps[index]], in: frame) } catch {
                switch error {
                case .ended("end_role"):
                    guard let end = endOfRole(plan.steps[index...], frame) else { throw error }
                    index = end
                    continue
                case .failed(let failure) where failure.isUnreachable:
                    guard let next = try revival(behind: index, failure) else { throw error }
                    index = next
                default: throw error
                }
            }
            index += 1
        }
    }

    /// The step from which on the host takes part again.
    private func revival(behind index: Int, _ failure: TaskFailure) throws(Interruption) -> Int? {
        for later in plan.steps.indices.dropFirst(index + 1) {
            guard case .task(let task) = plan.steps[later], task.module == "meta",
                task.arguments["_raw_params"]?.text == "clear_host_errors"
            else { continue }
            let position = Position([plan.index, task.ordinal, .max])
            switch try coordinator.ask(.revival(position, isUnreachable: failure.isUnreachable)) {
            case .value(.some(true)): return later
            case .stop(let reason): throw .stopped(reason)
            default: continue
            }
        }
        return nil
    }

    private func end(by interruption: Interruption, _ frame: Frame) -> PlayEnd {
        switch interruption {
        case .failed(let failure):
            // A handler that fails where a section ends leaves the others behind, even so.
            if plan.settings.forceHandlers, !failure.isUnreachable, !isEndingSection {
                position = nextFlush
                try? flush(at: position)
            }
            return PlayEnd(failure.isUnreachable ? .unreachable : .failed, pendingHandlers: pendingHandlers)
        case .ended(let what):
            let everything = what == "end_play" || what == "end_batch" ? what : nil
            return PlayEnd(.ended, ends: everything, pendingHandlers: pendingHandlers)
        case .stopped:
            return PlayEnd(.stopped, pendingHandlers: pendingHandlers)
        }
    }

    /// Where the hosts that did not fail run their handlers next.
    private var nextFlush: Position {
        for case .task(let task) in plan.steps where task.isImplicit && task.isMeta("flush_handlers") {
            let flush = Position([plan.index, task.ordinal])
            if flush > position { return flush }
        }
        return Position([plan.index, .max])
    }

    func run(_ steps: [Step], in frame: Frame) throws(Interruption) {
        var index = 0
        while index < steps.count {
            if let reason = coordinator.stopReason { throw .stopped(reason) }
            do throws(Interruption) {
                switch steps[index] {
                case .task(let task): try run(task, in: frame)
                case .block(let block): try run(block, in: frame)
                }
                index += 1
            } catch {
                guard case .ended("end_role") = error, let end = endOfRole(steps[index...], frame) else { throw error }
                index = end
            }
        }
    }

    /// Where the role ends that a task of it ended.
    private func endOfRole(_ steps: ArraySlice<Step>, _ frame: Frame) -> Int? {
        steps.firstIndex { step in
            guard case .task(let task) = step, task.isMeta("role_complete") else { return false }
            return TaskScope(self, task, frame: frame).role?.key == endedRole
        }
    }

    /// The role ran on this host, and does not run again.
    private func isDone(_ role: RolePlan?) -> Bool {
        role.map { !$0.allowsDuplicates && completedRoles.contains($0.key) } ?? false
    }

    /// `block`, on failure `rescue`, and `always` in any case. Being unreachable is not a failure to be rescued.
    private func run(_ block: BlockPlan, in frame: Frame) throws(Interruption) {
        var pending: Interruption?
        guardedDepth += 1
        if !block.rescue.isEmpty { rescueDepth += 1 }
        do throws(Interruption) { try run(block.block, in: frame) } catch { pending = error }
        if !block.rescue.isEmpty { rescueDepth -= 1 }
        guardedDepth -= 1
        if case .failed(let failure)? = pending, !block.rescue.isEmpty, !failure.isUnreachable {
            // From here on the failure counts as rescued, whatever the rescue comes to.
            if !failure.isEcho {
                coordinator.tell(.result(position, rescueInfo(block), TaskResult(status: .rescued, result: Dict())))
            }
            state.assigned["ansible_failed_task"] = failure.result["_failed_task"] ?? .null
            state.assigned["ansible_failed_result"] =
                Value.dict(failure.result.filter { $0.key.text != "_failed_task" }).untrusted
            do throws(Interruption) {
                try run(block.rescue, in: frame)
                pending = nil
            } catch { pending = error }
        }
        if !(pending?.passesAlways ?? false) {
            errorsAreCleared = false
            try run(block.always, in: frame)
            if case .failed? = pending, errorsAreCleared { pending = nil }
        }
        if let pending { throw pending }
    }

    private func rescueInfo(_ block: BlockPlan) -> TaskInfo {
        TaskInfo(name: block.name?.string ?? "", module: "block", place: block.place)
    }

    /// One task: selection by tags, who runs it, its loop, and what follows from the result.
    private func run(_ original: TaskPlan, in frame: Frame) throws(Interruption) {
        var task = original
        if !frame.inherited.isEmpty {
            task.keywords = inheriting(task.keywords, from: frame.inherited)
            task.inherited = inheriting(task.inherited, from: frame.inherited)
        }
        position = frame.position.adding(task.ordinal)
        hostVariables.removeAll(keepingCapacity: true)
        var scope = TaskScope(self, task, frame: frame)
        if let action = task.keywords["_action"] {
            let unnamed = TaskRun(self, task, scope, frame, position)
            guard try unnamed.isSelected() else { return }
            do throws(Interruption) { task.module = try unnamed.moduleName(action) } catch {
                guard case .failed(let failure) = error else { throw error }
                return try unnamed.conclude(unnamed.failure(failure))
            }
            scope = TaskScope(self, task, frame: frame)
        }
        let runner = TaskRun(self, task, scope, frame, position)
        if !runner.isHandler, isDone(scope.role) { return }
        if !openFiles.isEmpty, task.module != "meta", state.facts.count != factsAtFiles {
            factsAtFiles = state.facts.count
            do throws(Interruption) { fileVariables = try runner.openVariableFiles() } catch {
                guard case .failed(let failure) = error else { throw error }
                return try runner.conclude(runner.failure(failure))
            }
        }
        let isSelected: Bool
        do throws(Interruption) { isSelected = try runner.isSelected() } catch {
            guard case .failed(let failure) = error else { throw error }
            return try runner.conclude(runner.failure(failure))
        }
        guard isSelected, try runner.isWanted() else { return }
        try runner.perform()
        if task.keywords["delegate_facts"] != nil { try runner.takeOverGiven() }
    }

    // MARK: What only the coordinator knows

    /// The entry of a controller file: from the plan, from an earlier answer, or asked for.
    func file(_ request: FileRequest) throws(Interruption) -> (entry: FileEntry?, searched: [String]) {
        let (entry, searched) = try description(request)
        if let problem = entry?.problem { throw .failed(TaskFailure("Task failed: " + problem)) }
        return (entry, searched)
    }

    /// The same of a file that may be one whose content nobody gets.
    func description(_ request: FileRequest) throws(Interruption) -> (entry: FileEntry?, searched: [String]) {
        if let entry = plan.files[request] ?? fileAnswers[request] { return (entry, []) }
        guard case .file(let entry, let searched) = try coordinator.ask(.file(request)) else { throw .unexpectedAnswer }
        if let entry { fileAnswers[request] = entry }
        return (entry, searched)
    }

    func contents(of entry: FileEntry) throws(Interruption) -> [UInt8] {
        if let contents = entry.contents { return contents }
        let answer = try coordinator.ask(.contents(digest: entry.digest, path: entry.path))
        switch answer {
        case .contents(let bytes): return bytes
        case .failure(let diagnostic): throw .failed(TaskFailure(diagnostic))
        default: throw .unexpectedAnswer
        }
    }

    /// The content as template text, with its place.
    func text(of entry: FileEntry) throws(Interruption) -> Text {
        let string = String(decoding: try contents(of: entry), as: UTF8.self)
        let file = SourceFile(name: shown(entry.path, in: plan.settings.folder), text: string)
        let place = Place(file: file, line: 1, column: 1)
        if entry.isSecret { masking.learn(string) }
        return Text(string, mark: Mark(place: place, isTemplate: true, isSecret: entry.isSecret))
    }

    func hostVariable(_ host: String, _ name: String?) throws(TemplateError) -> Value? {
        let key = host + "\u{0}" + (name ?? "\u{0}")
        if let known = hostVariables[key] { return known }
        do throws(Interruption) {
            let answer = try coordinator.ask(.hostVariable(host: host, name: name, position))
            switch answer {
            case .value(let value):
                hostVariables[key] = .some(value)
                if let value { masking.learn(from: value) }
                return value
            case .failure(let diagnostic): throw Interruption.failed(TaskFailure(diagnostic))
            default: throw Interruption.unexpectedAnswer
            }
        } catch { throw TemplateError(error.message) }
    }

    /// As a task sees it that is delegated there: the play's variables count, too.
    func delegateVariable(_ host: String, _ name: String) throws(TemplateError) -> Value? {
        try hostVariable(host, name) ?? plan.variables[name]
    }

    func deeper(_ frame: Frame, at place: Place) throws(Interruption) -> Int {
        guard frame.depth < Self.includeDepthLimit else {
            throw .failed(
                TaskFailure(
                    Diagnostic(
                        "includes are nested more than \(Self.includeDepthLimit) deep", at: place,
                        notes: ["a file or role that includes itself needs a condition that ends it"])))
        }
        return frame.depth + 1
    }
}

extension Interruption {
    /// Nothing more runs on this host, not even `always`.
    fileprivate var passesAlways: Bool {
        switch self {
        case .stopped, .ended: true
        case .failed(let failure): failure.isUnreachable
        }
    }
    static var unexpectedAnswer: Interruption { .stopped("the coordinator gave an answer of the wrong kind") }
}
