import SSH
import Synchronization
package import Values
import Wire

/// Opens sessions with agents. A protocol, so that tests play the agents.
package protocol Connecting: Sendable {
    /// An agent that has been started and has greeted.
    func session(for settings: ConnectionSettings) async throws(LinkError) -> AgentSession
    func shutdown() async
}

/// Opens them over SSH, by the `ssh` program, in a container or on this machine.
package final class Connector: Connecting {
    private let image: AgentImage
    private let verbosity: Int
    private let gate: Gate
    private let ask: (@Sendable (_ keyPath: String, _ isAgain: Bool) async -> Secret?)?
    private let client = Mutex<Result<SSHClient, SSHError>?>(nil)

    /// - Parameters:
    ///   - forks: at most so many log in at the same time; 0 is no limit.
    ///   - passphrase: asks for the passphrase of a key file; `nil` when there is nobody to ask.
    package init(
        image: AgentImage, forks: Int, verbosity: Int = 0,
        passphrase: (@Sendable (String, Bool) async -> Secret?)? = nil
    ) {
        self.image = image
        self.verbosity = verbosity
        gate = Gate(limit: forks)
        ask = passphrase
    }

    package func session(for settings: ConnectionSettings) async throws(LinkError) -> AgentSession {
        await gate.enter()
        defer { gate.leave() }
        var attempt = 0
        while true {
            do throws(LinkError) {
                return try await greeted(settings)
            } catch {
                guard attempt < settings.retries, !Task.isCancelled else { throw error }
                attempt += 1
                try? await Task.sleep(for: .seconds(min(attempt, 30)))
            }
        }
    }

    /// An agent that ends before it speaks has been damaged on the node's disk: once, it is sent anew.
    private func greeted(_ settings: ConnectionSettings) async throws(LinkError) -> AgentSession {
        var isAnew = false
        while true {
            let session = try await opened(settings, isAnew: isAnew)
            do throws(LinkError) {
                try await session.greet(verbosity: verbosity)
                return session
            } catch {
                await session.link.close()
                guard !session.wasSent, !Task.isCancelled else { throw error }
                isAnew = true
            }
        }
    }

    private func opened(_ settings: ConnectionSettings, isAnew: Bool) async throws(LinkError) -> AgentSession {
        let delivery = AgentDelivery(image: image, folder: settings.agentFolder, isAnew: isAnew)
        switch settings.kind {
        case .local: return AgentSession(try ProcessLink([image.path, "serve"]))
        case .ssh: return try await overSSH(settings, delivery)
        case .openssh:
            return try await delivered(delivery, by: settings.programArguments(delivery.script.command))
        case .docker:
            let user = settings.user.map { ["-u", $0] } ?? []
            return try await delivered(
                delivery,
                by: ["docker", "exec", "-i"] + user + [settings.address, "/bin/sh", "-c", delivery.script.text])
        }
    }

    private func delivered(_ delivery: AgentDelivery, by program: [String]) async throws(LinkError) -> AgentSession {
        try await started(try ProcessLink(program), delivery, [])
    }

    private func overSSH(
        _ settings: ConnectionSettings, _ delivery: AgentDelivery
    ) async throws(LinkError) -> AgentSession {
        var target: SSHTarget
        let warnings: [Diagnostic]
        do throws(Diagnostic) { (target, warnings) = try settings.target() } catch { throw LinkError(error) }
        target.passphrase = ask
        let connection: SSHConnection
        let channel: SSHChannel
        do throws(SSHError) {
            connection = try await sshClient().connect(target)
            channel = try await connection.start(delivery.script.command)
        } catch { throw LinkError(error.diagnostic) }
        return try await started(
            SSHLink(connection: connection, channel: channel), delivery,
            connection.warnings + warnings.map(\.rendered))
    }

    private func started(
        _ link: any AgentLink, _ delivery: AgentDelivery, _ warnings: [String]
    ) async throws(LinkError) -> AgentSession {
        do throws(LinkError) {
            let (early, wasSent) = try await delivery.start(on: link)
            return AgentSession(link, early: early, wasSent: wasSent, warnings: warnings)
        } catch {
            await link.close()
            throw error
        }
    }

    /// Made when the first host needs it.
    private func sshClient() throws(SSHError) -> SSHClient {
        let result = client.withLock { client -> Result<SSHClient, SSHError> in
            if let client { return client }
            let made: Result<SSHClient, SSHError>
            do throws(SSHError) { made = .success(try SSHClient()) } catch { made = .failure(error) }
            client = made
            return made
        }
        return try result.get()
    }

    package func shutdown() async {
        if case .success(let client)? = client.withLock({ $0 }) { client.shutdown() }
    }
}

/// Lets so many tasks in at a time; the others wait in line. 0 lets all in.
final class Gate: Sendable {
    private struct State {
        var inside = 0
        var line: [CheckedContinuation<Void, Never>] = []
        /// The head of the line; taken ones are dropped together.
        var next = 0
    }
    private let state = Mutex(State())
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    func enter() async {
        guard limit > 0 else { return }
        await withCheckedContinuation { continuation in
            let isFree = state.withLock { state in
                if state.inside < limit {
                    state.inside += 1
                    return true
                }
                state.line.append(continuation)
                return false
            }
            if isFree { continuation.resume() }
        }
    }

    func leave() {
        guard limit > 0 else { return }
        let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard state.next < state.line.count else {
                state.line = []
                state.next = 0
                state.inside -= 1
                return nil
            }
            defer { state.next += 1 }
            return state.line[state.next]
        }
        next?.resume()
    }
}
