import Templates
import Values
import Wire

/// A play's handlers: which of them a notification means, and which are due.
struct Handlers {
    struct Entry {
        let step: Step
        let frame: Frame
        /// Handlers that came together (one role's, the play's): within these the first of a name counts, among them
        /// the last.
        let section: Int
        let places: Set<Place>
        var isDue = false
        /// Its role came again, and the handler with it.
        var isGone = false
    }

    private(set) var entries: [Entry] = []
    /// Names that cannot be rendered, and were told of.
    var unusable: Set<String> = []
    /// What was notified: it is looked up when handlers run, since until then others of the name may come.
    private(set) var notifications: [String] = []
    /// Handlers are running: what they notify is looked up at once.
    var isFlushing = false
    private var sections = 0

    /// Adds handlers that belong together. Those of a role that came again take the place of the ones that were there.
    mutating func add(_ steps: [Step], in frame: Frame) {
        for step in steps {
            var entry = Entry(step: step, frame: frame, section: sections, places: step.places)
            for index in entries.indices where !entries[index].places.isDisjoint(with: entry.places) {
                entry.isDue = entry.isDue || entries[index].isDue
                entries[index].isDue = false
                entries[index].isGone = true
            }
            entries.append(entry)
        }
        sections += 1
        // Who runs through them counts.
        if !isFlushing { entries.removeAll(where: \.isGone) }
    }

    var indices: [Int] { entries.indices.filter { !entries[$0].isGone } }
    var hasDue: Bool { !notifications.isEmpty || entries.contains(where: \.isDue) }

    /// In the order in which names are looked up: the section that was added last comes first.
    var lookupOrder: [Int] { indices.sorted { (-entries[$0].section, $0) < (-entries[$1].section, $1) } }

    mutating func remember(_ notification: String) {
        if !notifications.contains(notification) { notifications.append(notification) }
    }

    mutating func takeNotifications() -> [String] {
        defer { notifications = [] }
        return notifications
    }

    /// - Returns: whether it was not due before.
    mutating func makeDue(_ index: Int) -> Bool {
        defer { entries[index].isDue = true }
        return !entries[index].isDue
    }

    mutating func settle(_ index: Int) { entries[index].isDue = false }
}

extension Step {
    /// Where its tasks are written.
    fileprivate var places: Set<Place> {
        switch self {
        case .task(let task): [task.place]
        case .block(let block): Set((block.block + block.rescue + block.always).flatMap(\.places))
        }
    }

    /// The tasks that can be notified.
    fileprivate var handlers: [TaskPlan] {
        switch self {
        case .task(let task): [task]
        case .block(let block): block.block.flatMap(\.handlers)
        }
    }
}

extension PlayRun {
    /// What a handler answers to.
    struct HandlerNames {
        /// Its name, and `role : name`.
        var names: Set<String> = []
        /// Its `listen` topics.
        var topics: Set<String> = []
        /// As it is written.
        var own: String?
        /// With its role's name, as it is told.
        var shown: String?
    }

    func addHandlers(of plan: PlayPlan, in frame: Frame) {
        var frame = frame
        frame.isHandlers = true
        var group: [Step] = []
        var role: Int??
        for step in plan.handlers {
            let own = step.handlers.first?.role
            if let role, role != own {
                handlers.add(group, in: frame)
                group = []
            }
            role = .some(own)
            group.append(step)
        }
        handlers.add(group, in: frame)
    }

    private func names(of index: Int) -> HandlerNames {
        let entry = handlers.entries[index]
        var all = HandlerNames()
        for task in entry.step.handlers { add(task, entry.frame, to: &all) }
        return all
    }

    private func add(_ task: TaskPlan, _ frame: Frame, to all: inout HandlerNames) {
        let scope = TaskScope(self, task, frame: frame)
        func rendered(_ text: Text) -> String? {
            text.isTemplate ? (try? templater.render(text, in: scope))?.pythonText : text.string
        }
        if let written = task.name, rendered(written) == nil, task.keywords["listen"] == nil {
            warn(of: written, scope)
        }
        if let name = task.name.flatMap(rendered) {
            all.own = all.own ?? name
            all.shown = all.shown ?? scope.role.map { "\($0.name) : \(name)" } ?? name
            all.names.insert(name)
            if let role = scope.role { all.names.formUnion(qualified(name, in: role.name)) }
        }
        // A topic is what is written: Ansible renders names, and not these.
        for case .string(let text) in task.keywords["listen"].map({ $0.list ?? [$0] }) ?? [] {
            all.topics.insert(text.string)
            if let role = scope.role { all.topics.formUnion(qualified(text.string, in: role.name)) }
        }
    }

    /// Told once, when a notification is looked up.
    private func warn(of name: Text, _ scope: TaskScope) {
        guard handlers.unusable.insert(name.string).inserted else { return }
        var reason = ""
        do throws(TemplateError) { _ = try templater.render(name, in: scope) } catch { reason = error.told }
        coordinator.tell(
            .message(
                Diagnostic(
                    "Handler '\(name.string)' is unusable because it has no listen topics and the name could not be "
                        + "templated (host-specific variables are not supported in handler names). "
                        + "The error: \(reason)",
                    at: name.place, severity: .warning)))
    }

    /// The handlers that a notification means: the one of that name, and all that listen to it.
    private func handlers(for notification: String) -> [Int] {
        var found: [Int] = []
        var seen: Set<String> = []
        let order = handlers.lookupOrder.map { ($0, names(of: $0)) }
        if let (index, _) = order.first(where: { $0.1.names.contains(notification) }) { found.append(index) }
        for (index, names) in order where names.topics.contains(notification) {
            if let own = names.own, !seen.insert(own).inserted { continue }
            if !found.contains(index) { found.append(index) }
        }
        return found
    }

    func notify(_ notifications: [String], by task: TaskPlan) throws(Interruption) {
        for notification in notifications {
            let found = handlers(for: notification)
            if found.isEmpty {
                if !plan.settings.forgivesMissingHandlers { throw .failed(unknownHandler(notification, task)) }
            } else if handlers.isFlushing {
                makeDue(found, at: position)
            } else {
                handlers.remember(notification)
            }
        }
    }

    private func makeDue(_ found: [Int], at position: Position) {
        for index in found where handlers.makeDue(index) {
            guard plan.settings.verbosity > 0 else { continue }
            let names = names(of: index)
            coordinator.tell(.notified(handler: names.shown ?? names.topics.first ?? "", position))
        }
    }

    private func unknownHandler(_ notification: String, _ task: TaskPlan) -> TaskFailure {
        let known = handlers.indices.flatMap { index in Array(names(of: index).names.union(names(of: index).topics)) }
        return TaskFailure(
            Diagnostic(
                missingHandler(notification),
                at: task.keywords["notify"]?.place ?? task.place,
                hint: suggestion(for: notification, among: known)))
    }

    /// Handlers that are due, for the next run.
    var pendingHandlers: [String] {
        let notified = Set(handlers.notifications.flatMap { handlers(for: $0) })
        return handlers.indices.filter { handlers.entries[$0].isDue || notified.contains($0) }
            .compactMap { names(of: $0).own ?? names(of: $0).topics.first }
    }

    /// Takes up what an earlier run left; names that are gone are forgotten.
    func takeUp(_ pending: [String]) {
        for name in pending where !handlers(for: name).isEmpty { handlers.remember(name) }
    }

    /// Runs the handlers that are due in the order of their definition, each once.
    func flush(at flushPosition: Position) throws(Interruption) {
        for notification in handlers.takeNotifications() { makeDue(handlers(for: notification), at: flushPosition) }
        guard handlers.hasDue else { return }
        let wasFlushing = handlers.isFlushing
        handlers.isFlushing = true
        defer { handlers.isFlushing = wasFlushing }
        var index = 0
        // A handler may bring others, by an include or by notifying them.
        while index < handlers.entries.count {
            let entry = handlers.entries[index]
            if entry.isDue {
                var frame = entry.frame
                // Those of an included role stand behind the play's own, the same on every host.
                frame.position = flushPosition
                if entry.frame.position.parts.count > 1 {
                    frame.position = Position(flushPosition.parts + [1 << 30] + entry.frame.position.parts)
                }
                // One that fails has had its turn; one that it notifies again is due again.
                handlers.settle(index)
                try run([entry.step], in: frame)
            }
            index += 1
        }
    }
}
