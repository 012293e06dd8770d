import Synchronization
import Values
import Wire

/// The open sessions of a run: one for each host that runs plays, more for delegates.
final class AgentSessions: Sendable {
    private struct State {
        var hosts: [String: AgentSession] = [:]
        /// Delegates that nobody uses just now.
        var idle: [String: [AgentSession]] = [:]
        var gates: [String: Gate] = [:]
        /// Hosts whose engine runs on this machine.
        var away: Set<String> = []
        /// How the hosts' own sessions reach them.
        var kinds: [String: String] = [:]
        var all: [ObjectIdentifier: AgentSession] = [:]
        var isAborted = false
    }

    private let connecting: any Connecting
    private let state = Mutex(State())
    // sshd allows ten half-open connections before it turns some away (MaxStartups 10:30:100).
    private static let delegateLimit = 8

    init(_ connecting: any Connecting) { self.connecting = connecting }

    /// The host's own session, opened when it is not.
    /// - Returns: whether it was opened now, too: its warnings are news then.
    func session(
        of host: String, _ settings: ConnectionSettings
    ) async throws(LinkError) -> (session: AgentSession, isNew: Bool) {
        if let known = state.withLock({ $0.hosts[host] }) { return (known, false) }
        let session = try await open(settings)
        state.withLock { state in
            state.hosts[host] = session
            state.kinds[host] = settings.kind.rawValue
        }
        return (session, true)
    }

    /// Opens an engine on this machine for a host that cannot be reached: its modules are sent there, one by one.
    func engineHere(for host: String, _ settings: ConnectionSettings) async throws(LinkError) -> AgentSession {
        let session = try await open(settings)
        state.withLock { state in
            state.hosts[host] = session
            state.away.insert(host)
        }
        return session
    }

    func isAway(_ host: String) -> Bool { state.withLock { $0.away.contains(host) } }

    /// `ssh`, `local`, …; empty where the host's engine is not on it.
    func kind(of host: String) -> String { state.withLock { $0.kinds[host] ?? "" } }

    /// From now on the host's modules go over other connections than its engine's, and those that there are end.
    func reset(_ host: String) async {
        let idle = state.withLock { state in
            state.away.insert(host)
            let keys = state.idle.keys.filter { key in
                key.split(separator: " ").dropFirst().first.map(String.init) == host
            }
            return keys.flatMap { state.idle.removeValue(forKey: $0) ?? [] }
        }
        for session in idle { await session.end() }
    }

    func hasSession(of host: String) -> Bool { state.withLock { $0.hosts[host] != nil } }

    /// Lets go of a host whose agent is gone.
    func discard(_ host: String) async {
        guard let session = state.withLock({ $0.hosts.removeValue(forKey: host) }) else { return }
        await close(session)
    }

    /// Runs something with a session of a delegate, which is kept for the next time.
    func withDelegate<Result: Sendable>(
        _ host: String, _ settings: ConnectionSettings,
        _ body: (AgentSession) async throws(LinkError) -> Result
    ) async throws(LinkError) -> Result {
        let key = "\(settings.kind.rawValue) \(host) \(settings.address) \(settings.user ?? "") \(settings.port ?? 0)"
        let gate = state.withLock { state in
            let gate = state.gates[key] ?? Gate(limit: Self.delegateLimit)
            state.gates[key] = gate
            return gate
        }
        await gate.enter()
        defer { gate.leave() }
        let session: AgentSession
        if let known = state.withLock({ $0.idle[key]?.popLast() }) {
            session = known
        } else {
            session = try await open(settings)
        }
        do throws(LinkError) {
            let result = try await body(session)
            state.withLock { $0.idle[key, default: []].append(session) }
            return result
        } catch {
            await close(session)
            throw error
        }
    }

    private func open(_ settings: ConnectionSettings) async throws(LinkError) -> AgentSession {
        let session = try await connecting.session(for: settings)
        let isAborted = state.withLock { state in
            state.all[ObjectIdentifier(session)] = session
            return state.isAborted
        }
        if isAborted {
            await close(session)
            throw LinkError("interrupted")
        }
        return session
    }

    private func close(_ session: AgentSession) async {
        state.withLock { $0.all[ObjectIdentifier(session)] = nil }
        await session.link.close()
    }

    /// Asks every agent to end after the task in hand.
    func finishAll() async {
        await forEach { session in try? await session.send(.finish) }
    }

    /// Ends every agent, with what it runs, within two seconds.
    func abortAll() async {
        state.withLock { $0.isAborted = true }
        await forEach { session in
            _ = await withinSeconds(1) { try? await session.send(.abort) }
            try? await Task.sleep(for: .milliseconds(500))
            await session.link.close()
        }
    }

    /// At the end of the run: agents that wait for orders end when there will be none.
    func endAll() async {
        await forEach { session in await session.end() }
        state.withLock { state in
            state.hosts = [:]
            state.idle = [:]
            state.all = [:]
        }
        await connecting.shutdown()
    }

    private func forEach(_ body: @escaping @Sendable (AgentSession) async -> Void) async {
        let sessions = state.withLock { Array($0.all.values) }
        await withTaskGroup(of: Void.self) { group in
            for session in sessions { group.addTask { await body(session) } }
        }
    }
}
