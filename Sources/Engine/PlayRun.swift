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
}

/// Runs one play on this host. Used by one thread.
package final class PlayRun {
    let plan: PlayPlan
    package internal(set) var state: HostState
    var play = PlayState()
    let coordinator: any Coordinator
    let executor: any Executor
    let templater: Templater
    package internal(set) var masking = Masking()
    /// Roles whose defaults and variables every task of the play sees.
    var publicRoles: [RolePlan]
    var handlers: [(step: Step, frame: Frame)] = []
    /// Answers that cannot change within a task.
    private var hostVariables: [String: Value?] = [:]
    private var fileAnswers: [FileRequest: FileEntry] = [:]
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
        publicRoles = plan.roles.filter(\.isPublic)
        for layer in [plan.inventory, plan.variables, plan.extra] { masking.learn(from: .dict(layer)) }
        for role in plan.roles {
            for layer in [role.defaults, role.variables, role.parameters] { masking.learn(from: .dict(layer)) }
        }
        self.state.pending += plan.pendingHandlers.filter { !state.pending.contains($0) }
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
        handlers = plan.handlers.map { ($0, frame) }
        do throws(Interruption) {
            try run(plan.steps, in: frame)
            return PlayEnd(.completed)
        } catch {
            return end(by: error, frame)
        }
    }

    private func end(by interruption: Interruption, _ frame: Frame) -> PlayEnd {
        switch interruption {
        case .failed(let failure):
            if plan.settings.forceHandlers {
                position = Position([plan.index, .max])
                try? flush(at: position)
            }
            return PlayEnd(failure.isUnreachable ? .unreachable : .failed, pendingHandlers: state.pending)
        case .ended(let what):
            let everything = what == "end_play" || what == "end_batch" ? what : nil
            return PlayEnd(.ended, ends: everything, pendingHandlers: state.pending)
        case .stopped:
            return PlayEnd(.stopped, pendingHandlers: state.pending)
        }
    }

    func run(_ steps: [Step], in frame: Frame) throws(Interruption) {
        for step in steps {
            if let reason = coordinator.stopReason { throw .stopped(reason) }
            switch step {
            case .task(let task): try run(task, in: frame)
            case .block(let block): try run(block, in: frame)
            }
        }
    }

    /// `block`, on failure `rescue`, and `always` in any case. Being unreachable is not a failure to be rescued.
    private func run(_ block: BlockPlan, in frame: Frame) throws(Interruption) {
        var pending: Interruption?
        do throws(Interruption) { try run(block.block, in: frame) } catch { pending = error }
        if case .failed(let failure)? = pending, !block.rescue.isEmpty, !failure.isUnreachable {
            let outer = (play.failedTask, play.failedResult)
            play.failedTask = failure.result["_failed_task"] ?? .null
            play.failedResult = .dict(failure.result.filter { $0.key.text != "_failed_task" })
            do throws(Interruption) {
                try run(block.rescue, in: frame)
                pending = nil
                coordinator.tell(.result(position, rescueInfo(block), TaskResult(status: .rescued, result: Dict())))
            } catch { pending = error }
            if pending == nil { (play.failedTask, play.failedResult) = outer }
        }
        if case .stopped? = pending {} else if case .failed(let failure)? = pending, failure.isUnreachable {} else {
            try run(block.always, in: frame)
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
        let scope = TaskScope(self, task, frame: frame)
        let runner = TaskRun(self, task, scope, frame, position)
        guard try runner.isSelected() else { return }
        try runner.perform()
    }

    // MARK: Handlers

    /// Runs the notified handlers in the order of their definition; each once.
    func flush(at flushPosition: Position) throws(Interruption) {
        for (step, frame) in handlers {
            guard case .task(let task) = step else {
                if case .block(let block) = step { try flush(block, frame, at: flushPosition) }
                continue
            }
            try runIfNotified(task, frame, at: flushPosition)
        }
    }

    private func flush(_ block: BlockPlan, _ frame: Frame, at flushPosition: Position) throws(Interruption) {
        for step in block.block { if case .task(let task) = step { try runIfNotified(task, frame, at: flushPosition) } }
    }

    private func runIfNotified(_ task: TaskPlan, _ frame: Frame, at flushPosition: Position) throws(Interruption) {
        guard !state.pending.isEmpty else { return }
        let names = handlerNames(task, frame)
        guard state.pending.contains(where: names.contains) else { return }
        var inner = frame
        inner.position = flushPosition
        try run([.task(task)], in: inner)
        let others = Set(handlers.flatMap { remaining(after: task, $0.step, $0.frame) })
        state.pending.removeAll { names.contains($0) && !others.contains($0) }
    }

    /// Topics that later handlers listen to stay pending until those have run.
    private func remaining(after task: TaskPlan, _ step: Step, _ frame: Frame) -> Set<String> {
        guard case .task(let other) = step, other.ordinal > task.ordinal else { return [] }
        return handlerNames(other, frame)
    }

    /// What a handler answers to: its name, `role : name`, and its `listen` topics.
    func handlerNames(_ task: TaskPlan, _ frame: Frame) -> Set<String> {
        var names: Set<String> = []
        let scope = TaskScope(self, task, frame: frame)
        func add(_ value: Value?) {
            switch value {
            case .string(let text):
                let rendered = text.isTemplate ? (try? templater.render(text, in: scope))?.pythonText : text.string
                if let rendered { names.insert(rendered) }
            case .list(let list): for item in list { add(item) }
            default: break
            }
        }
        add(task.name.map { .string($0) })
        if let role = scope.role { for name in names { names.insert("\(role.name) : \(name)") } }
        add(task.keywords["listen"])
        return names
    }

    /// An error for the first name that no handler answers to.
    func missingHandler(among names: [String], of task: TaskPlan) -> Diagnostic? {
        guard !names.isEmpty else { return nil }
        let known = allHandlerNames
        guard let name = names.first(where: { !known.contains($0) }) else { return nil }
        return Diagnostic(
            "no handler is named or listens to '\(name)'", at: task.keywords["notify"]?.place ?? task.place,
            hint: suggestion(for: name, among: known))
    }

    func notify(_ names: [String]) {
        for name in names where !state.pending.contains(name) {
            state.pending.append(name)
            if plan.settings.verbosity > 0 { coordinator.tell(.notified(handler: name, position)) }
        }
    }

    private var allHandlerNames: [String] {
        handlers.flatMap { handler -> [String] in
            switch handler.step {
            case .task(let task): return Array(handlerNames(task, handler.frame))
            case .block(let block):
                return block.block.flatMap { step -> [String] in
                    if case .task(let task) = step { Array(handlerNames(task, handler.frame)) } else { [] }
                }
            }
        }
    }

    // MARK: What only the coordinator knows

    /// The entry of a controller file: from the plan, from an earlier answer, or asked for.
    func file(_ request: FileRequest) throws(Interruption) -> (entry: FileEntry?, searched: [String]) {
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
        let place = Place(file: SourceFile(name: entry.path, text: string), line: 1, column: 1)
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
    static var unexpectedAnswer: Interruption { .stopped("the coordinator gave an answer of the wrong kind") }
}
