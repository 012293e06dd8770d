import Synchronization
import Values

/// The keys of a run: each file is read once, each agent asked once, each passphrase wanted once, for all hosts.
final class Credentials: Sendable {
    struct Found: Sendable {
        var privateKey: PrivateKey?
        var publicKey: PublicKey?
        /// Why there is no private key.
        var problem: String?
    }

    private let files = Mutex<[SSHTarget.Identity: Found]>([:])
    private let agents = Mutex<[String: Task<[AgentClient.Key]?, Never>]>([:])
    private let passphrases = Mutex(Passphrases())

    private struct Passphrases {
        struct Question: Hashable {
            var key: String
            var attempt: Int
        }
        var answers: [Question: Task<Secret?, Never>] = [:]
        /// The terminal is one: the next question waits for it.
        var last: Task<Secret?, Never>?
    }

    func agent(at path: String?) -> AgentClient? {
        if path == "none" { return nil }
        let named = path.flatMap { $0 == "SSH_AUTH_SOCK" ? nil : $0 }
        guard let path = named ?? environmentVariable("SSH_AUTH_SOCK"), !path.isEmpty else { return nil }
        return AgentClient(path: expandingTilde(path))
    }

    func keys(of agent: AgentClient) async -> [AgentClient.Key]? {
        let task = agents.withLock { agents in
            if let task = agents[agent.path] { return task }
            let task = Task { await agent.keys() }
            agents[agent.path] = task
            return task
        }
        return await task.value
    }

    /// - Parameter attempt: how many answers for this key have been wrong.
    func passphrase(
        for key: String, attempt: Int, _ ask: @escaping @Sendable (String, _ isAgain: Bool) async -> Secret?
    ) async -> Secret? {
        let task = passphrases.withLock { passphrases in
            let question = Passphrases.Question(key: key, attempt: attempt)
            if let task = passphrases.answers[question] { return task }
            let task = Task { [last = passphrases.last] in
                _ = await last?.value
                return await ask(key, attempt > 0)
            }
            passphrases.answers[question] = task
            passphrases.last = task
            return task
        }
        return await task.value
    }

    func identity(_ identity: SSHTarget.Identity) -> Found {
        if let found = files.withLock({ $0[identity] }) { return found }
        let found = Credentials.read(identity)
        files.withLock { $0[identity] = found }
        return found
    }

    private static func read(_ identity: SSHTarget.Identity) -> Found {
        switch identity {
        case .text(let secret, let name):
            let text = Array(secret.exposed.utf8)
            guard let key = PrivateKey(name: name, text: text, publicLine: nil) else {
                return Found(problem: "\(name) is not a private key")
            }
            return Found(privateKey: key, publicKey: key.publicKey)
        case .file(let path):
            let full = expandingTilde(path)
            let name = abbreviated(full)
            let line = (try? contents(of: full + ".pub").get()).map { String(decoding: $0, as: UTF8.self) }
            let beside = line.flatMap { PublicKey(line: $0) }
            switch contents(of: full) {
            case .failure(let error): return Found(publicKey: beside, problem: "key \(name): \(error.text)")
            case .success(let text):
                if let key = PrivateKey(name: name, text: text, publicLine: line) {
                    return Found(privateKey: key, publicKey: key.publicKey)
                }
                if let key = PublicKey(line: String(decoding: text, as: UTF8.self)) {
                    return Found(publicKey: key, problem: "key \(name): a public key that the agent does not have")
                }
                return Found(publicKey: beside, problem: "key \(name): not a private key")
            }
        }
    }
}
