import Synchronization
import Values
import Wire

/// What the plays of a run share.
final class RunState: Sendable {
    private struct State {
        var recap = Recap()
        var known: [String: HostKnowledge] = [:]
        /// Hosts of whom there are facts that the source has not been given.
        var news: Set<String> = []
        /// What plays may have set about how hosts are reached.
        var reach: [String: Set<String>] = [:]
        var isStopping = false
        var isAborting = false
        /// A person ended it: nothing more is shown.
        var isQuit = false
        /// A person is asked before each task.
        var isStepping: Bool
    }

    let source: any RunSource
    let sessions: AgentSessions
    let options: RunOptions
    let prompter: any Prompter
    private let sink: any EventSink
    private let state: Mutex<State>

    init(
        source: any RunSource, sessions: AgentSessions, options: RunOptions, prompter: any Prompter,
        sink: any EventSink, known: [String: HostKnowledge] = [:]
    ) {
        self.source = source
        self.sessions = sessions
        self.options = options
        self.prompter = prompter
        self.sink = sink
        state = Mutex(State(known: known, isStepping: options.step))
    }

    /// Counts and shows, one event after the other.
    func show(_ events: [RunEvent]) {
        guard !events.isEmpty else { return }
        state.withLock { state in
            if state.isQuit { return }
            for event in events {
                state.recap.count(event)
                sink.show(event)
            }
        }
    }

    func show(_ event: RunEvent) { show([event]) }
    func showRecap() { show(.recap(state.withLock(\.recap.sorted))) }

    var known: [String: HostKnowledge] { state.withLock(\.known) }
    func knowledge(of host: String) -> HostKnowledge { state.withLock { $0.known[host] ?? HostKnowledge() } }

    func learn(_ host: String, assigned: Dict = Dict(), facts: Dict = Dict()) {
        state.withLock { state in
            for (key, value) in assigned { state.known[host, default: HostKnowledge()].assigned[key] = value }
            for (key, value) in facts { state.known[host, default: HostKnowledge()].facts[key] = value }
            if !facts.isEmpty { state.news.insert(host) }
        }
    }

    func reach(of host: String) -> Set<String> { state.withLock { $0.reach[host] ?? [] } }
    func learn(_ host: String, reach: Set<String>) { state.withLock { $0.reach[host] = reach } }

    /// Gives the source what became known.
    func keepFacts() async {
        let news = state.withLock { state in
            defer { state.news = [] }
            return state.news.map { ($0, state.known[$0]?.facts ?? Dict()) }
        }
        for (host, facts) in news { await source.keep(facts: facts, of: host) }
    }

    /// `meta: clear_facts`
    func forgetFacts(_ host: String) async {
        state.withLock { state in
            state.known[host]?.facts = Dict()
            state.known[host]?.delegated = Dict()
            state.news.remove(host)
        }
        await source.forgetFacts(of: host)
    }

    /// Facts that another host's task found out about this one.
    func learn(_ host: String, delegated facts: Dict) {
        learn(host, facts: facts)
        state.withLock { state in
            for (key, value) in facts { state.known[host, default: HostKnowledge()].delegated[key] = value }
        }
    }

    var isStopping: Bool { state.withLock(\.isStopping) }
    var isAborting: Bool { state.withLock(\.isAborting) }

    /// - Returns: whether it was asked for before.
    func stop() -> Bool {
        state.withLock { state in
            defer { state.isStopping = true }
            return state.isStopping
        }
    }

    var isStepping: Bool { state.withLock(\.isStepping) }
    func stopStepping() { state.withLock { $0.isStepping = false } }

    /// Ends the run without a further word.
    func quit() async {
        state.withLock { $0.isQuit = true }
        _ = stop()
        await sessions.finishAll()
    }

    func abort() { state.withLock { $0.isAborting = true } }
}
