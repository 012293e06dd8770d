import Synchronization
package import Values
import Wire

/// Runs plays on hosts, one play after the other, batch by batch.
package final class Run: Sendable {
    private let shared: RunState
    private let current = Mutex<BatchRun?>(nil)

    /// How the run stands, between batches.
    private struct Standing {
        var failed: Set<String> = []
        var unreachable: Set<String> = []
        /// The failure of some ended it for all.
        var isBroken = false

        func isOut(_ host: String) -> Bool { failed.contains(host) || unreachable.contains(host) }
        var exitCode: Int32 { isBroken ? 2 : !unreachable.isEmpty ? 4 : failed.isEmpty ? 0 : 2 }
    }

    package init(
        source: any RunSource, connecting: any Connecting, options: RunOptions, prompter: any Prompter,
        sink: any EventSink, known: [String: HostKnowledge] = [:]
    ) {
        shared = RunState(
            source: source, sessions: AgentSessions(connecting), options: options, prompter: prompter, sink: sink,
            known: known)
    }

    /// What became known of hosts, with what was known before.
    package var known: [String: HostKnowledge] { shared.known }

    /// Runs everything, shows it, and lets go of the hosts.
    ///
    /// - Returns: the exit code: 0; 2 when hosts failed; 4 when hosts could not be reached; 99 when it was interrupted.
    /// - Throws: what is wrong with a play, found before its hosts were touched.
    package func run() async throws(Diagnostics) -> Int32 {
        var standing = Standing()
        var problem: Diagnostics?
        do throws(Diagnostics) {
            for play in 0..<(await shared.source.playCount) {
                guard try await run(play, &standing) else { break }
            }
        } catch { problem = error }
        await shared.sessions.endAll()
        if let problem { throw problem }
        shared.showRecap()
        return shared.isStopping ? 99 : standing.exitCode
    }

    /// - Returns: whether the run goes on.
    private func run(_ play: Int, _ standing: inout Standing) async throws(Diagnostics) -> Bool {
        if shared.isStopping { return false }
        let state = shared
        await state.source.take { state.knowledge(of: $0) }
        let outline = try await shared.source.outline(of: play)
        let selected = try await shared.source.hosts(of: play)
        let groups: [[String]]
        do throws(Diagnostic) {
            let hosts = try ordered(selected, by: outline.keywords["order"], at: outline.place)
            groups = try batches(of: hosts, serial: outline.keywords["serial"], at: outline.place)
        } catch { throw Diagnostics([error]) }
        if groups.isEmpty {
            let play = RunEvent.play(
                name: outline.name, place: outline.place, hosts: [], checkMode: outline.checkMode)
            shared.show([play, .noHostsMatched])
            return true
        }
        for batch in groups {
            shared.show(.play(name: outline.name, place: outline.place, hosts: batch, checkMode: outline.checkMode))
            let active = batch.filter { !standing.isOut($0) }
            guard !active.isEmpty else { continue }
            let everyone = selected.filter { !standing.isOut($0) }
            let end = try await run(play, outline, active, everyone)
            if end.clearsErrors {
                standing.failed = []
                standing.unreachable = []
            }
            standing.failed.formUnion(end.failed)
            standing.unreachable.formUnion(end.unreachable)
            standing.isBroken = standing.isBroken || end.isBroken
            if shared.isStopping { return false }
            if end.isBroken || active.allSatisfy(standing.isOut) {
                if end.isBroken, outline.maxFailPercentage != nil { shared.show([.noHostsLeft, .noHostsLeft]) }
                return false
            }
            if end.ends == "end_play" { break }
        }
        return true
    }

    private func run(
        _ play: Int, _ outline: PlayOutline, _ batch: [String], _ everyone: [String]
    ) async throws(Diagnostics) -> BatchEnd {
        var plans: [PlayPlan] = []
        for host in batch {
            plans.append(
                try await shared.source.plan(
                    play: play, host: host, batch: batch, hosts: everyone, known: shared.knowledge(of: host)))
        }
        let running = BatchRun(shared, outline, index: play, plans: plans)
        current.withLock { $0 = running }
        defer { current.withLock { $0 = nil } }
        if shared.isStopping { await running.stop() }
        return await running.run()
    }

    /// Ctrl-C. The first time, running tasks end and are reported, and nothing new begins; the second time, agents end
    /// at once with what they run.
    package func interrupt() async {
        let isSecond = shared.stop()
        await current.withLock { $0 }?.stop()
        if isSecond {
            shared.abort()
            await shared.sessions.abortAll()
        } else {
            await shared.sessions.finishAll()
        }
    }
}
