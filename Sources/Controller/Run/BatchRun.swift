import Values
import Wire

/// How a batch of hosts came through a play.
struct BatchEnd: Sendable {
    var failed: Set<String> = []
    var unreachable: Set<String> = []
    /// `end_play` or `end_batch`.
    var ends: String?
    /// `any_errors_fatal` or `max_fail_percentage` ended the run.
    var isBroken = false
    /// `meta: clear_host_errors` brought back whoever had failed before.
    var clearsErrors = false
}

/// Takes one batch of hosts through one play: answers their agents, and keeps their order.
actor BatchRun {
    let shared: RunState
    let outline: PlayOutline
    let index: Int
    let hosts: [String]
    private let plans: [PlayPlan]
    private var barrier: Barrier
    private var linearizer: Linearizer
    private var waiting: [Int: CheckedContinuation<Barrier.Release.Kind, Never>] = [:]
    /// What others take over of a task that one host did.
    private var taken: [Position: Answer] = [:]
    /// What such tasks brought, in their order.
    private var brought: [(position: Position, variables: Dict, facts: Dict)] = []
    /// What others' tasks gave a host by `delegate_facts`, and it has not taken over yet.
    private var given: [String: [(variables: Dict, facts: Dict)]] = [:]
    /// Who gave which fact last, and in which task.
    private var givers: [String: [Value: (position: Position, host: Int)]] = [:]
    /// Whose failure in a task was fatal to all, where every host learns of it at once.
    private var verdicts: [Position: String] = [:]
    /// Where a host met `meta: clear_host_errors`.
    private var clearings: Set<Position> = []
    /// Where the inventory was read anew.
    private var refreshes: Set<Position> = []
    private var trust: [Trust]
    private var progress: [Progress]
    private var end = BatchEnd()
    /// Who talks to the person at the terminal.
    var floor = Floor()
    /// Added hosts and groups that the source has not been told of.
    private var inventoryChanges: [RunEvent] = []

    /// What is known of a host's way, for the day it gets lost.
    private struct Progress {
        var position: Position
        var info: TaskInfo
        /// Since its last result, a task has begun.
        var isInTask = false
        /// The task at this position has ended.
        var isPast = false
        /// Where a failure that is fatal to all happened.
        var fatal: Position?

        mutating func enter(_ position: Position, _ info: TaskInfo) {
            self.position = position
            self.info = info
            isInTask = true
            isPast = false
        }
    }

    init(_ shared: RunState, _ outline: PlayOutline, index: Int, plans: [PlayPlan]) {
        self.shared = shared
        self.outline = outline
        self.index = index
        self.plans = plans
        hosts = plans.map(\.host)
        barrier = Barrier(hosts: plans.count, forks: shared.options.forks, isFree: outline.isFree)
        // One after the other, as people who ask for one fork expect.
        let inHostOrder = shared.options.forks == 1 && !outline.isFree
        linearizer = Linearizer(hosts: hosts, isFree: outline.isFree, inHostOrder: inHostOrder)
        trust = plans.map { Trust($0, reach: shared.reach(of: $0.host)) }
        progress = plans.map { plan in
            let first = firstTask(plan.steps)
            return Progress(
                position: Position([plan.index, first?.ordinal ?? 0]),
                info: TaskInfo(
                    name: first?.name?.string ?? first?.module ?? plan.name, module: first?.module ?? "",
                    place: first?.place, isImplicit: first?.isImplicit ?? true))
        }
    }

    /// Runs it to the end on every host.
    func run() async -> BatchEnd {
        await withTaskGroup(of: Void.self) { group in
            for host in hosts.indices { group.addTask { await self.serve(host) } }
        }
        for host in hosts.indices { shared.learn(hosts[host], reach: trust[host].settableReach()) }
        await tellInventory()
        await shared.keepFacts()
        return end
    }

    // MARK: One host

    nonisolated private func serve(_ host: Int) async {
        let session: AgentSession
        do throws(LinkError) {
            session = try await connect(host)
        } catch {
            // What needs no connection still runs, as in Ansible; the first task that needs one says what is wrong.
            guard !shared.isStopping, !shared.isAborting, let away = await engineHere(for: host) else {
                return await lose(host, error, isConnected: false)
            }
            session = away
        }
        var plan = plans[host]
        plan.settings.isAway = shared.sessions.isAway(hosts[host])
        plan.settings.connection = shared.sessions.kind(of: hosts[host])
        if shared.isStopping { return await finish(host, PlayEnd(.stopped)) }
        do throws(LinkError) {
            try await session.send(.play(plan))
            while true {
                switch try await session.next() {
                case .ready: break
                case .events(let events): await take(events, from: host)
                case .question(let question):
                    let answer = await answer(question, host)
                    try await session.send(.answer(answer))
                case .played(let end): return await finish(host, end)
                case .broken(let reason): throw LinkError("the agent gave up: \(reason)")
                case .called: throw LinkError("the agent sent a result that nobody asked for")
                }
            }
        } catch { await lose(host, error, isConnected: true) }
    }

    /// An engine on this machine for a host that cannot be reached.
    nonisolated private func engineHere(for host: Int) async -> AgentSession? {
        let local = try? ConnectionSettings(
            host: "localhost", variables: Dict(), keywords: Dict(), defaults: ConnectionSettings.Defaults(),
            isImplicit: true)
        guard let local else { return nil }
        return try? await shared.sessions.engineHere(for: hosts[host], local)
    }

    nonisolated private func connect(_ host: Int) async throws(LinkError) -> AgentSession {
        let settings: ConnectionSettings
        do throws(Diagnostics) {
            settings = try await shared.source.connection(to: hosts[host], play: index, variables: Dict())
        } catch {
            var mistake = LinkError(error.all.first ?? Diagnostic("there is no way to connect"))
            mistake.isMistaken = true
            throw mistake
        }
        let (session, isNew) = try await shared.sessions.session(of: hosts[host], settings)
        if isNew {
            for warning in session.warnings {
                shared.show(.message(host: hosts[host], Diagnostic(warning, severity: .warning)))
            }
        }
        return session
    }

    private func take(_ events: [Event], from host: Int) {
        for event in events { note(event, host) }
        show(linearizer.take(events, from: host))
    }

    private func note(_ event: Event, _ host: Int) {
        switch event {
        case .started(let position, let info): progress[host].enter(position, info)
        case .item(let position, let info, _): progress[host].enter(position, info)
        case .result(let position, let info, let result):
            if result.status == .rescued {
                progress[host].fatal = nil
                return
            }
            progress[host].enter(position, info)
            progress[host].isInTask = false
            progress[host].isPast = true
            let isFailed = result.status == .failed || result.status == .unreachable
            if isFailed, result.isFatalToAll { progress[host].fatal = position }
            shared.show(.activity(host: hosts[host], nil))
        case .redone:
            progress[host].fatal = nil
            progress[host].isInTask = true
            progress[host].isPast = false
        case .variables(let variables, let facts):
            shared.learn(hosts[host], assigned: variables, facts: facts)
        default: break
        }
    }

    /// Shows events, and remembers those that change the inventory.
    private func show(_ events: [RunEvent]) {
        for event in events {
            switch event {
            case .addHost, .groupBy: inventoryChanges.append(event)
            default: break
            }
        }
        shared.show(events)
    }

    private func tellInventory() async {
        while !inventoryChanges.isEmpty {
            switch inventoryChanges.removeFirst() {
            case .addHost(_, let name, let groups, let variables):
                await shared.source.addHost(name, groups: groups, variables: variables)
            case .groupBy(let host, let group, let parents):
                await shared.source.addGroup(group, parents: parents, host: host)
            default: break
            }
        }
    }

    // MARK: The end of a host

    private func finish(_ host: Int, _ ended: PlayEnd) {
        let name = hosts[host]
        switch ended.outcome {
        case .completed, .ended: break
        case .stopped: if end.isBroken { end.failed.insert(name) }
        case .failed: end.failed.insert(name)
        case .unreachable: end.unreachable.insert(name)
        }
        if ended.outcome == .failed || ended.outcome == .unreachable { trip(host) }
        leave(host)
    }

    /// The connection or the agent is gone: says where that was.
    private func lose(_ host: Int, _ error: LinkError, isConnected: Bool) async {
        await shared.sessions.discard(hosts[host])
        // What is cut off on purpose is not lost.
        if shared.isAborting || (shared.isStopping && !isConnected) { return leave(host) }
        let at = progress[host]
        var problem = error.problem
        if isConnected {
            let where_ = at.info.name.isEmpty ? at.info.module : at.info.name
            problem.message += at.isInTask ? " during task '\(where_)'" : ", last seen at task '\(where_)'"
        }
        let text = ([problem.message] + [problem.hint].compactMap { $0 } + problem.notes).joined(separator: "\n")
        var result = TaskResult(status: .failed, result: ["changed": false], diagnostic: problem)
        if error.isMistaken {
            result.result["msg"] = .string("Task failed: \(text)")
            end.failed.insert(hosts[host])
        } else {
            result.status = .unreachable
            result.result["msg"] = .string(text)
            result.result["unreachable"] = true
            end.unreachable.insert(hosts[host])
        }
        show(linearizer.take([.result(at.position, at.info, result)], from: host))
        if outline.anyErrorsFatal { progress[host].fatal = at.position }
        trip(host)
        leave(host)
    }

    private func leave(_ host: Int) {
        hangUp(host)
        shared.show(.activity(host: hosts[host], nil))
        show(linearizer.end(host))
        release(barrier.end(host))
    }

    /// Ends the play for all when this host's failure was too much.
    private func trip(_ host: Int) {
        let at = progress[host].fatal ?? progress[host].position
        if progress[host].fatal != nil {
            breakOff(after: at, failing: host, "any_errors_fatal: '\(hosts[host])' failed")
        } else if let limit = outline.maxFailPercentage,
            Double(end.failed.count) / Double(max(1, hosts.count)) * 100 > limit
        {
            breakOff(after: at, failing: host, "more than \(limit)% of the hosts failed (max_fail_percentage)")
        }
    }

    private func breakOff(after position: Position, failing host: Int, _ reason: String) {
        end.isBroken = true
        linearizer.cut(after: position, except: hosts[host])
        release(barrier.stop(after: position, reason: reason))
    }

    /// Ctrl-C: whoever waits is told to stop, and whoever comes.
    func stop() { release(barrier.stop(after: Position([]), reason: "interrupted")) }

    // MARK: Waiting

    /// Waits until the order lets the host go on.
    func turn(_ host: Int, _ position: Position, _ request: Barrier.Request) async -> Barrier.Release.Kind {
        show(linearizer.reach(position, by: host))
        return await withCheckedContinuation { continuation in
            waiting[host] = continuation
            release(barrier.ask(host, position, request))
        }
    }

    private func release(_ releases: [Barrier.Release]) {
        for release in releases { waiting.removeValue(forKey: release.host)?.resume(returning: release.kind) }
    }

    // MARK: Questions about order

    private func answer(_ question: Question, _ host: Int) async -> Answer {
        if let refusal = trust[host].refusal(of: question) { return .failure(refusal) }
        switch question {
        case .turn(let position, let info, let throttle):
            progress[host].enter(position, info)
            return await changing(host, position, info, throttle)
        case .once(let position, let info):
            progress[host].enter(position, info)
            return await once(host, position)
        case .brought(let position):
            if case .stop(let reason) = await turn(host, position.adding(.max), .look) { return .stop(reason: reason) }
            let answer = brought(within: position, to: hosts[host])
            trust[host].note(answer)
            return answer
        case .onceDone(let position, let result, let variables, let facts):
            if !variables.isEmpty || !facts.isEmpty { brought.append((position, variables, facts)) }
            taken[position] = .once(result, variables: variables, facts: facts)
            release(barrier.finishOnce(position))
            return .proceed
        case .pause(let prompt, let seconds, let echo, let position):
            if case .stop(let reason) = await turn(host, position, .look) { return .stop(reason: reason) }
            let (input, isInterrupted) = await shared.prompter.pause(prompt, seconds: seconds, echo: echo)
            return .input(input, interrupted: isInterrupted)
        case .line(let text, let prompt, let position): return await line(prompt, showing: text, host, position)
        case .debugged(let text, let ends):
            if ends { await quit(showing: text) }
            hangUp(host)
            return ends ? .stop(reason: "interrupted") : .proceed
        case .step(let position, let info): return await step(host, position, info)
        case .hostVariable(let other, let name, let position):
            if case .stop(let reason) = await turn(host, position, .look) { return .stop(reason: reason) }
            if let name, other == hosts[host], let left = remaining(name, of: host) { return .value(left) }
            return await variable(name, of: other)
        case .inventory(let position):
            if case .stop(let reason) = await turn(host, position, .look) { return .stop(reason: reason) }
            await tellInventory()
            do throws(Diagnostics) { return .value(.dict(try await shared.source.inventory(of: hosts[host]))) } catch {
                return .failure(error.first)
            }
        case .meta(let action, let position):
            if case .stop(let reason) = await turn(host, position, .look) { return .stop(reason: reason) }
            return await meta(action, host, position)
        case .verdict(let position, let failed):
            if failed {
                // The others fail with it, each in its own way: nothing is to be cut off.
                progress[host].fatal = nil
                verdicts[position] = verdicts[position] ?? hosts[host]
            }
            if case .stop(let reason) = await turn(host, position, .look) { return .stop(reason: reason) }
            return .value(verdicts[position].map { .string($0) })
        case .revival(let position, let isUnreachable):
            if isUnreachable { end.unreachable.insert(hosts[host]) } else { end.failed.insert(hosts[host]) }
            trip(host)
            if case .stop(let reason) = await turn(host, position, .look) { return .stop(reason: reason) }
            return .value(.bool(clearings.contains(Position(position.parts.dropLast()))))
        case .delegate(let other, let call, let variables, let position, let throttle):
            let info = TaskInfo(name: progress[host].info.name, module: call.module, place: progress[host].info.place)
            progress[host].enter(position, info)
            let answer = await changing(host, position, info, throttle)
            guard case .proceed = answer else { return answer }
            await tellInventory()
            let called = await Delegation(
                shared: shared, play: index, trust: trust[host], isOwn: other == hosts[host]
            ).run(call, on: other, variables: variables)
            trust[host].note(called)
            return called
        case .delegateFacts(let other, let facts, let isAssigned):
            let facts = counting(facts, to: other, from: host)
            shared.learn(other, delegated: facts)
            given[other, default: []].append((isAssigned ? facts : Dict(), isAssigned ? Dict() : facts))
            return .proceed
        case .file, .contents, .tasks, .role, .lookup, .module, .parts, .plugin, .keep, .converse:
            let desk = Desk(source: shared.source, play: index, host: hosts[host])
            var answer = await desk.answer(question)
            if case .file(nil, _) = answer {
                // Another host's task may be about to bring it here: whoever has run ahead looks again in order.
                var next = progress[host].position
                if progress[host].isPast, let last = next.parts.indices.last { next.parts[last] += 1 }
                if case .stop(let reason) = await turn(host, next, .look) { return .stop(reason: reason) }
                answer = await desk.answer(question)
            }
            trust[host].note(answer)
            return answer
        }
    }

    private func changing(
        _ host: Int, _ position: Position, _ info: TaskInfo, _ throttle: Int
    ) async -> Answer {
        if case .stop(let reason) = await turn(host, position, .turn(throttle: throttle)) {
            return .stop(reason: reason)
        }
        shared.show(.activity(host: hosts[host], info))
        return .proceed
    }

    /// One host does it; the others get its answer.
    private func once(_ host: Int, _ position: Position) async -> Answer {
        switch await turn(host, position, .once) {
        case .stop(let reason): return .stop(reason: reason)
        case .follow:
            let answer = taken[position] ?? .stop(reason: "the host that ran it is gone")
            trust[host].note(answer)
            return answer
        case .proceed: return .proceed
        }
    }

    /// What tasks with `run_once` brought in an include in which only other hosts took part, and what others gave.
    private func brought(within position: Position, to host: String) -> Answer {
        var variables = Dict()
        var facts = Dict()
        for gift in given.removeValue(forKey: host) ?? [] {
            variables.merge(gift.variables) { $1 }
            facts.merge(gift.facts) { $1 }
        }
        for entry in brought where entry.position.parts.starts(with: position.parts) {
            variables.merge(entry.variables) { $1 }
            facts.merge(entry.facts) { $1 }
        }
        return .once(TaskResult(status: .ok, result: Dict()), variables: variables, facts: facts)
    }

    /// Of hosts that give another one the same fact in the same task, the last in their order counts, whoever is first.
    private func counting(_ facts: Dict, to other: String, from host: Int) -> Dict {
        let position = progress[host].position
        return facts.filter { key, _ in
            if let last = givers[other]?[key], last.position == position, last.host > host { return false }
            givers[other, default: [:]][key] = (position, host)
            return true
        }
    }

    /// The lists of the play's hosts, without those that failed meanwhile.
    private func remaining(_ name: String, of host: Int) -> Value? {
        guard ["ansible_play_hosts", "play_hosts", "ansible_play_batch"].contains(name) else { return nil }
        let gone = end.failed.union(end.unreachable)
        return plans[host].magic[name]?.list.map { hosts in
            .list(hosts.filter { !gone.contains($0.pythonText) })
        }
    }

    private func variable(_ name: String?, of other: String) async -> Answer {
        await tellInventory()
        do throws(Diagnostics) {
            return .value(
                try await shared.source.variable(name, of: other, play: index, known: shared.knowledge(of: other)))
        } catch { return .failure(error.first) }
    }

    private func meta(_ action: String, _ host: Int, _ position: Position) async -> Answer {
        switch action {
        case "end_play", "end_batch":
            end.ends = action
            linearizer.cut(after: position, except: hosts[host])
            release(barrier.stop(after: position, reason: action))
        case "clear_facts": await shared.forgetFacts(hosts[host])
        case "clear_host_errors":
            end.failed = []
            end.unreachable = []
            end.clearsErrors = true
            clearings.insert(position)
        case "refresh_inventory":
            // For all hosts at once, and with what tasks before it added.
            guard refreshes.insert(position).inserted else { break }
            await tellInventory()
            do throws(Diagnostics) { try await shared.source.refreshInventory() } catch { return .failure(error.first) }
        case "reset_connection":
            await shared.sessions.reset(hosts[host])
            return .value(true)
        default: break
        }
        return .proceed
    }
}

extension Diagnostics {
    var first: Diagnostic { all.first ?? Diagnostic("the controller has no answer") }
}

/// The first task of a play that a person sees.
private func firstTask(_ steps: [Step]) -> TaskPlan? {
    for step in steps {
        switch step {
        case .task(let task): if task.module != "meta" { return task }
        case .block(let block): if let task = firstTask(block.block) { return task }
        }
    }
    return nil
}
