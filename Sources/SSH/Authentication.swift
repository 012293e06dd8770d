import Values

/// Logs in to one host: tries what the target offers until something is accepted, and remembers what was tried.
struct Authentication {
    private enum Key {
        case agent(AgentClient.Key, AgentClient)
        case file(PrivateKey)

        var isRSA: Bool {
            switch self {
            case .agent(let key, _): key.publicKey.kind == "ssh-rsa"
            case .file(let key): key.isRSA
            }
        }
    }

    private enum Outcome {
        case accepted
        case refused
        /// Could not be offered, and why.
        case unusable(String)
    }

    let target: SSHTarget
    let session: SessionReference
    let credentials: Credentials
    /// What was tried, with its outcome, and what could not be.
    private var tried: [String] = []
    private var hasTriedRSA = false

    init(target: SSHTarget, session: SessionReference, credentials: Credentials) {
        self.target = target
        self.session = session
        self.credentials = credentials
    }

    /// - Throws: `authentication` with the list of what was tried.
    mutating func logIn() async throws(SSHError) {
        do throws(SSHError) {
            // Servers end the connection after six tries; a password must have its chance.
            for key in await keys().prefix(target.password == nil ? 16 : 4) {
                if try await offer(key) { return }
            }
            if let password = target.password, try await offer(password) { return }
            // With nothing to offer the server may still let us in; and its list makes the error better.
            let user = target.user
            let methods = try await perform("asking for the methods of authentication") { session in
                { [unowned session] () throws(LibraryError) in try session.handle.methods(user: user) }
            }
            if case .success("") = methods { return }
            throw failure(accepted: try? methods.get())
        } catch {
            guard case .lost(let problem) = error else { throw error }
            throw tried.isEmpty ? error : failure(accepted: nil, ending: problem.message)
        }
    }

    // MARK: what there is to offer

    private mutating func keys() async -> [Key] {
        var agentKeys: [AgentClient.Key] = []
        let agent = target.useAgent ? credentials.agent(at: target.agentSocket) : nil
        if let agent {
            if let keys = await credentials.keys(of: agent) {
                agentKeys = keys
            } else if target.agentSocket != nil {
                tried.append("no agent answers at \(abbreviated(agent.path))")
            }
        }
        let isUsual = target.identities.isEmpty
        let identities =
            isUsual
            ? ["id_ed25519", "id_ecdsa", "id_rsa"].map { SSHTarget.Identity.file("~/.ssh/" + $0) } : target.identities
        var own: [Key] = []
        for identity in identities {
            let found = credentials.identity(identity)
            if let publicKey = found.publicKey, let agent,
                let index = agentKeys.firstIndex(where: { $0.publicKey == publicKey })
            {
                own.append(.agent(agentKeys.remove(at: index), agent))
            } else if let key = found.privateKey {
                own.append(.file(key))
            } else if !isUsual, let problem = found.problem {
                tried.append(problem)
            }
        }
        let others = agent.map { agent in
            target.identitiesOnly ? [] : agentKeys.map { Key.agent($0, agent) }
        } ?? []
        let all = isUsual ? others + own : own + others
        // RSA last where the library can use it only in a way that servers refuse.
        return Library.knowsRSAWithSHA2 ? all : all.filter { !$0.isRSA } + all.filter(\.isRSA)
    }

    // MARK: offering

    private mutating func offer(_ key: Key) async throws(SSHError) -> Bool {
        if key.isRSA { hasTriedRSA = true }
        let outcome: Outcome
        let name: String
        switch key {
        case .agent(let key, let agent):
            name = "key '\(key.comment)' of the agent (\(key.publicKey.kind))"
            outcome = try await offer(key.publicKey, of: agent)
        case .file(let key):
            name = "key \(key.name)" + (key.kind.map { " (\($0))" } ?? "")
            outcome = try await offer(key)
        }
        return record(name, outcome)
    }

    private func offer(_ key: PublicKey, of agent: AgentClient) async throws(SSHError) -> Outcome {
        let (user, id) = (target.user, session.id)
        return try await outcome("offering a key of the agent") { session in
            let signing = Signing()
            var isAsked = false
            return { [unowned session] () throws(LibraryError) in
                let isDone = try session.handle.authenticate(user: user, publicKey: key.blob, signing: signing)
                if !isDone, !isAsked, let data = signing.data {
                    isAsked = true
                    let loop = session.core.loop
                    agent.sign(data, with: key) { signature in
                        loop.submit { core in
                            guard let session = core.sessions[id] else { return }
                            session.agentAnswers[key] = signature.map { .success($0) } ?? .failure(.init())
                            core.wake(session)
                        }
                    }
                }
                if let answer = session.agentAnswers.removeValue(forKey: key) {
                    signing.signature = answer
                    return try session.handle.authenticate(user: user, publicKey: key.blob, signing: signing)
                        ? true : nil
                }
                return isDone ? true : nil
            }
        }
    }

    private func offer(_ key: PrivateKey) async throws(SSHError) -> Outcome {
        guard key.isEncrypted else { return try await offer(key, passphrase: nil) }
        guard let ask = target.passphrase else {
            return .unusable(
                "has a passphrase and nobody can be asked for it; give it to the agent: ssh-add \(key.name)")
        }
        var problem = ""
        for attempt in 0..<3 {
            guard let secret = await credentials.passphrase(for: key.name, attempt: attempt, ask) else {
                return .unusable("no passphrase was given")
            }
            let outcome = try await offer(key, passphrase: secret)
            guard case .unusable(let why) = outcome else { return outcome }
            problem = why
        }
        return .unusable("the passphrase is wrong, or \(problem)")
    }

    private func offer(_ key: PrivateKey, passphrase: Secret?) async throws(SSHError) -> Outcome {
        let user = target.user
        let line = key.publicKey?.line
        return try await outcome("offering a key") { session in
            { [unowned session] () throws(LibraryError) in
                try session.handle.authenticate(
                    user: user, publicKey: line, privateKey: key.text, passphrase: passphrase?.exposed) ? true : nil
            }
        }
    }

    private mutating func offer(_ password: Secret) async throws(SSHError) -> Bool {
        let user = target.user
        let plain = try await outcome("offering the password") { session in
            { [unowned session] () throws(LibraryError) in
                try session.handle.authenticate(user: user, password: password.exposed) ? true : nil
            }
        }
        if record("password", plain) { return true }
        let interactive = try await outcome("answering the server's questions") { session in
            session.password = password.exposed
            return { [unowned session] () throws(LibraryError) in
                let isDone = try session.handle.authenticateInteractively(user: user)
                if isDone { session.password = nil }
                return isDone ? true : nil
            }
        }
        return record("keyboard-interactive with the password", interactive)
    }

    private mutating func record(_ name: String, _ outcome: Outcome) -> Bool {
        switch outcome {
        case .accepted: return true
        case .refused: tried.append("\(name): refused")
        case .unusable(let why): tried.append("\(name): \(why)")
        }
        return false
    }

    private func outcome(
        _ doing: String, _ call: @escaping @Sendable (Session) -> (() throws(LibraryError) -> Bool?)
    ) async throws(SSHError) -> Outcome {
        switch try await perform(doing, call) {
        case .success: .accepted
        case .failure(let error) where error.isRefusal && !error.text.contains("allback"): .refused
        case .failure(let error) where error.isConnection: throw .lost(reason: error.text)
        case .failure(let error): .unusable(error.text.prefix(1).lowercased() + error.text.dropFirst())
        }
    }

    private func perform<Value: Sendable>(
        _ doing: String, _ call: @escaping @Sendable (Session) -> (() throws(LibraryError) -> Value?)
    ) async throws(SSHError) -> Result<Value, LibraryError> {
        try await session.perform(doing, timeout: max(target.connectTimeout, 30), call)
    }

    // MARK: what to say

    private func failure(accepted: String?, ending: String? = nil) -> SSHError {
        var notes = tried.isEmpty ? ["there was no key and no password to try"] : tried
        if let accepted, !accepted.isEmpty { notes.append("the server accepts: \(accepted)") }
        if let ending { notes.append(ending) }
        if hasTriedRSA, !Library.knowsRSAWithSHA2 {
            notes.append(
                "libssh2 \(Library.version) uses RSA keys only with SHA-1, which servers since OpenSSH 8.8 refuse: "
                    + "use an ed25519 key, or 'connection: openssh'")
        }
        return .authentication(SSHProblem("\(target.endpoint) does not let '\(target.user)' in", notes: notes))
    }
}
