import Values
import Glibc
import Synchronization

/// Opens SSH connections, many at a time, served by a small fixed number of threads.
package struct SSHClient: Sendable {
    private let pool: LoopPool
    private let credentials = Credentials()
    private let knownHosts = KnownHostsStore()
    private let jumpHosts = JumpHosts()

    /// - Parameter threads: how many loops; one per core is right. 0 takes the number of cores.
    /// - Throws: `unreachable` when the system gives no thread or descriptor.
    package init(threads: Int = 0) throws(SSHError) {
        guard Library.isStarted else { throw .unreachable(SSHProblem("libssh2 cannot be started")) }
        pool = try LoopPool(count: threads > 0 ? threads : max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))))
    }

    /// Connects, checks the host's key and logs in.
    package func connect(_ target: SSHTarget) async throws(SSHError) -> SSHConnection {
        guard !target.jump.isEmpty else { return try await connect(target, through: nil) }
        // One connection for each loop, so that a busy gate does not leave cores idle.
        let key = "\(pool.nextIndex) " + target.jump.map(\.sharingKey).joined(separator: " ")
        let outer = try await gate(target, key)
        do throws(SSHError) {
            return try await connect(target, through: outer)
        } catch {
            guard case .lost = error else { throw error }
            // The shared connection may have died since it was last used.
            jumpHosts.forget(outer, for: key)
            return try await connect(target, through: try await gate(target, key))
        }
    }

    /// The connection to the last of the target's jump hosts.
    private func gate(_ target: SSHTarget, _ key: String) async throws(SSHError) -> SSHConnection {
        do throws(SSHError) {
            return try await jumpHosts.connection(for: key) { () -> Result<SSHConnection, SSHError> in
                var outer: SSHConnection?
                for hop in target.jump {
                    do throws(SSHError) {
                        outer = try await connect(hop, through: outer)
                    } catch { return .failure(error.noting("on the jump host \(hop.endpoint)")) }
                }
                return outer.map { .success($0) } ?? .failure(.cancelled)
            }
        } catch { throw error.noting("on the way to \(target.endpoint)") }
    }

    /// Closes all connections and ends the threads.
    package func shutdown() { pool.stop() }

    private func connect(_ target: SSHTarget, through outer: SSHConnection?) async throws(SSHError) -> SSHConnection {
        let check = HostKeyCheck(target: target, store: knownHosts)
        let session = try await open(target, through: outer)
        do throws(SSHError) {
            let key = try await handshake(target, session, kinds: check.preferredKinds)
            let warning = try check.verify(key)
            var authentication = Authentication(target: target, session: session, credentials: credentials)
            try await authentication.logIn()
            let (id, interval) = (session.id, nanoseconds(target.keepAlive))
            session.loop.submit { $0.sessions[id]?.keepAlive(every: interval) }
            return SSHConnection(
                session: session, timeout: max(target.connectTimeout, 30), outer: outer,
                warnings: warning.map { [$0] } ?? [])
        } catch {
            session.leave()
            throw error
        }
    }

    // MARK: the byte stream

    private func open(_ target: SSHTarget, through outer: SSHConnection?) async throws(SSHError) -> SessionReference {
        if let outer { return try await open(target, inside: outer) }
        let loop = pool.next
        let reference = SessionReference(loop: loop, id: Serial.next(), endpoint: target.endpoint)
        if let command = target.proxyCommand {
            try await spawn(command, target, reference)
        } else {
            try await dial(target, reference)
        }
        return reference
    }

    private func dial(_ target: SSHTarget, _ reference: SessionReference) async throws(SSHError) {
        let addresses = try await addresses(of: target)
        let (id, endpoint, compression) = (reference.id, target.endpoint, target.compression)
        let timeout = nanoseconds(target.connectTimeout)
        try await reference.loop.ask(onCancel: { $0.abandon(id) }) { (core, reply: Reply<Void>) in
            Dial(id: id, core: core, addresses: addresses, timeout: timeout) { [unowned core] result in
                switch result {
                case .success(let descriptor):
                    tune(descriptor)
                    answer(reply, core, id, endpoint, .socket(descriptor, process: nil), compression)
                case .failure(let failure): reply.send(.failure(unreachable(endpoint, failure, timeout)))
                }
            }.start()
        }
    }

    private func addresses(of target: SSHTarget) async throws(SSHError) -> [SocketAddress] {
        let (host, port) = (target.host, target.port)
        let result =
            SocketAddress.isNumeric(host)
            ? SocketAddress.resolve(host: host, port: port)
            : await offLoop { SocketAddress.resolve(host: host, port: port) }
        switch result {
        case .success(let addresses): return addresses
        case .failure(let error):
            throw .unreachable(
                SSHProblem(
                    "no address for '\(host)': \(error.text.prefix(1).lowercased() + error.text.dropFirst())",
                    notes: ["give its address as ansible_host, or HostName in ~/.ssh/config"]))
        }
    }

    private func spawn(_ command: String, _ target: SSHTarget, _ reference: SessionReference) async throws(SSHError) {
        let (id, endpoint, compression) = (reference.id, target.endpoint, target.compression)
        try await reference.loop.ask(onCancel: { $0.abandon(id) }) { (core, reply: Reply<Void>) in
            switch ProxyProcess.start(command) {
            case .success(let proxy):
                answer(
                    reply, core, id, endpoint, .socket(proxy.descriptor, process: proxy.process), compression)
            case .failure(let error):
                reply.send(
                    .failure(
                        .unreachable(
                            SSHProblem("\(endpoint): the proxy command cannot be started: \(error.text)"))))
            }
        }
    }

    private func open(_ target: SSHTarget, inside outer: SSHConnection) async throws(SSHError) -> SessionReference {
        let outerSession = outer.session
        let reference = SessionReference(loop: outerSession.loop, id: Serial.next(), endpoint: target.endpoint)
        let channelID = Serial.next()
        let (host, port) = (target.host, target.port)
        let opened = try await outerSession.perform(
            "opening a way to \(target.endpoint)", timeout: target.connectTimeout,
            unwanted: { (core, _: Bool) in core.channels[channelID]?.close() }, onCancel: { _ in }
        ) { session in
            { [unowned session] () throws(LibraryError) -> Bool? in
                guard let handle = try session.handle.openStream(host: host, port: port) else { return nil }
                _ = Channel(id: channelID, session: session, handle: handle)
                return true
            }
        }
        if case .failure(let error) = opened {
            throw .unreachable(
                SSHProblem(
                    "\(target.endpoint) cannot be reached from the jump host \(outerSession.endpoint)",
                    notes: [error.text, "the jump host must allow it (AllowTcpForwarding) and have a route"]))
        }
        let (id, endpoint, compression) = (reference.id, target.endpoint, target.compression)
        try await reference.loop.ask(onCancel: { core in
            core.abandon(id)
            core.channels[channelID]?.close()
        }) { (core, reply: Reply<Void>) in
            guard let channel = core.channels[channelID] else {
                reply.send(.failure(.lost(reason: "the jump host closed the connection")))
                return
            }
            answer(reply, core, id, endpoint, .channel(channel), compression)
        }
        return reference
    }

    // MARK: the handshake

    private func handshake(
        _ target: SSHTarget, _ session: SessionReference, kinds: [String]
    ) async throws(SSHError) -> PublicKey {
        let result: Result<PublicKey, LibraryError>
        do throws(SSHError) {
            result = try await session.perform("waiting for the SSH handshake", timeout: target.connectTimeout) {
                session in
                var isPrepared = false
                return { [unowned session] () throws(LibraryError) in
                    if !isPrepared { try session.handle.prefer(hostKeys: kinds) }
                    isPrepared = true
                    guard try session.handle.handshake(descriptor: session.descriptor) else { return nil }
                    guard let key = session.handle.hostKey else {
                        throw LibraryError(code: -1, text: "the server showed no host key")
                    }
                    return PublicKey(blob: key)
                }
            }
        } catch {
            guard case .lost(let problem) = error else { throw error }
            throw .unreachable(
                SSHProblem(
                    "\(target.endpoint): \(problem.message)",
                    notes: problem.message.hasPrefix("the other side closed")
                        ? ["before it showed who it is: is it an SSH server, and not busy (MaxStartups)?"] : []))
        }
        switch result {
        case .success(let key): return key
        case .failure(let error):
            throw .negotiation(
                SSHProblem(
                    "\(target.endpoint): the SSH handshake went wrong: \(error.text)",
                    notes: error.isKeyExchange
                        ? [
                            "libssh2 \(Library.version) and the server may have no algorithm in common"
                                + (Library.knowsRSAWithSHA2 ? "" : " (a host with only an RSA key)"),
                            "give the host an ed25519 key, or use 'connection: openssh'",
                        ] : []))
        }
    }
}

extension SSHError {
    /// The same error with one more line.
    func noting(_ note: String) -> SSHError {
        var problem = problem
        problem.notes.append(note)
        return switch self {
        case .unreachable: .unreachable(problem)
        case .hostKey: .hostKey(problem)
        case .authentication: .authentication(problem)
        case .negotiation: .negotiation(problem)
        case .notStarted: .notStarted(problem)
        case .lost: .lost(problem)
        case .cancelled: .cancelled
        }
    }
}

/// Makes a session of a link, and tells the asker.
private func answer(
    _ reply: Reply<Void>, _ core: Core, _ id: UInt64, _ endpoint: String, _ link: Session.Link, _ compression: Bool
) {
    guard let session = Session(id: id, endpoint: endpoint, core: core, link: link, compression: compression) else {
        reply.send(.failure(.unreachable(SSHProblem("\(endpoint): no memory for a session"))))
        return
    }
    if !reply.send(.success(())) { session.leave() }
}

/// Small packets go out at once.
private func tune(_ descriptor: Int32) {
    var on: Int32 = 1
    unsafe setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
}

private func unreachable(_ endpoint: String, _ failure: Dial.Failure, _ timeout: UInt64) -> SSHError {
    switch failure {
    case .abandoned: return .cancelled
    case .timeout:
        return .unreachable(
            SSHProblem(
                "no answer from \(endpoint) within \(rendered(seconds: timeout))",
                notes: ["is the host up, and the address right? ansible_timeout and ConnectTimeout set the time"]))
    case .system(let error):
        let hint =
            switch error.code {
            case ECONNREFUSED: "the host is up, but nothing listens on that port: is sshd running, is it ansible_port?"
            case EHOSTUNREACH, ENETUNREACH: "there is no way to that address from here: network, VPN, jump host?"
            default: ""
            }
        return .unreachable(SSHProblem("\(endpoint): \(error.text)", notes: hint.isEmpty ? [] : [hint]))
    }
}

/// The loops of a client, taken in turn.
private final class LoopPool: Sendable {
    private let loops: [Loop]
    private let turn = Atomic<Int>(0)

    init(count: Int) throws(SSHError) {
        raiseDescriptorLimit()
        var loops: [Loop] = []
        do throws(Errno) {
            for _ in 0..<count {
                let loop = try Loop()
                try loop.start()
                loops.append(loop)
            }
        } catch {
            for loop in loops { loop.stop() }
            throw .unreachable(SSHProblem("no thread for SSH connections: \(error.text)"))
        }
        self.loops = loops
    }

    deinit { stop() }

    var nextIndex: Int { turn.wrappingAdd(1, ordering: .relaxed).oldValue % loops.count }
    var next: Loop { loops[nextIndex] }

    func stop() { for loop in loops { loop.stop() } }
}

/// As many descriptors as the system lets us have: 1,024, the usual limit, is less than 1,000 connections need.
private func raiseDescriptorLimit() {
    var limit = rlimit()
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
    limit.rlim_cur = max(limit.rlim_cur, min(limit.rlim_max, 65_536))
    unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
}
