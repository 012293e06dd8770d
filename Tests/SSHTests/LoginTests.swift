import Glibc
import SSH
import Testing
import Values

/// The error that a connection attempt ends with, whole.
func failure(_ client: SSHClient, _ target: SSHTarget) async throws -> String {
    do throws(SSHError) {
        let connection = try await client.connect(target)
        await connection.close()
    } catch { return error.rendered }
    throw TestFailure(description: "the connection was made")
}

@Suite(.enabled(if: PrivateServer.program != nil, whySkipped), .timeLimit(.minutes(10)))
struct LoginTests {
    @Test(arguments: ["ed25519", "ecdsa"])
    func aKeyOfThisKindLogsIn(kind: String) async throws {
        let server = try PrivateServer(userKeyKind: kind)
        let client = try SSHClient(threads: 1)
        defer { client.shutdown() }
        #expect(try await client.output("echo in", on: server.target).output == "in\n")
    }

    @Test func anRSAKeyIsRefusedWithTheReason() async throws {
        let server = try PrivateServer(userKeyKind: "rsa")
        let client = try SSHClient(threads: 1)
        defer { client.shutdown() }
        let text = try await failure(client, server.target)
        #expect(text.hasPrefix("127.0.0.1:\(server.port) does not let '\(server.user)' in\n"), "\(text)")
        let tried = "  key \(server.userKey) (ssh-rsa): refused\n  the server accepts: publickey\n"
        #expect(text.contains(tried), "\(text)")
        #expect(text.contains("use an ed25519 key, or 'connection: openssh'"), "\(text)")
    }

    @Test func aKeyWithAPassphraseIsAskedForOnce() async throws {
        let server = try PrivateServer()
        try makeKey(server.folder + "/locked", kind: "ed25519", passphrase: "secret words")
        try write(try read(server.folder + "/locked.pub"), to: server.folder + "/authorized_keys")
        var target = server.target
        target.identities = [.file(server.folder + "/locked")]
        let client = try SSHClient(threads: 1)
        defer { client.shutdown() }
        let alone = try await failure(client, target)
        let hint = "has a passphrase and nobody can be asked for it; give it to the agent: ssh-add"
        #expect(alone.contains(hint), "\(alone)")
        target.passphrase = { path, _ in path.hasSuffix("/locked") ? Secret("secret words") : nil }
        #expect(try await client.output("echo in", on: target).output == "in\n")
        target.passphrase = nil
        let other = try SSHClient(threads: 1)
        defer { other.shutdown() }
        target.passphrase = { _, _ in Secret("wrong") }
        let wrong = try await failure(other, target)
        #expect(wrong.contains("the passphrase is wrong"), "\(wrong)")
        #expect(!wrong.contains("Secret"), "\(wrong)")
        let third = try SSHClient(threads: 1)
        defer { third.shutdown() }
        target.passphrase = { _, isAgain in Secret(isAgain ? "secret words" : "wrong") }
        #expect(try await third.output("echo in", on: target).output == "in\n")
    }

    @Test(arguments: ["ed25519", "ecdsa"])
    func anAgentSigns(kind: String) async throws {
        let server = try PrivateServer(userKeyKind: kind)
        let socket = server.folder + "/agent"
        let agent = try spawn(["ssh-agent", "-D", "-a", socket], log: server.folder + "/agent.log")
        defer {
            kill(agent, SIGTERM)
            waitpid(agent, nil, 0)
        }
        try waitUntil { unsafe access(socket, F_OK) == 0 }
        #expect(try run(["env", "SSH_AUTH_SOCK=\(socket)", "ssh-add", "-q", server.userKey]).status == 0)
        var target = server.target
        target.useAgent = true
        target.agentSocket = socket
        // The key is named by its public half: only the agent has the private one.
        target.identities = [.file(server.userKey + ".pub")]
        target.identitiesOnly = true
        let client = try SSHClient(threads: 1)
        defer { client.shutdown() }
        #expect(try await client.output("echo in", on: target).output == "in\n")
        // IdentitiesOnly keeps the agent's other keys back.
        try makeKey(server.folder + "/other", kind: "ed25519")
        target.identities = [.file(server.folder + "/other")]
        let text = try await failure(client, target)
        #expect(text.contains("key \(server.folder)/other (ssh-ed25519): refused"), "\(text)")
        #expect(!text.contains("of the agent"), "\(text)")
        target.identitiesOnly = false
        #expect(try await client.output("echo in", on: target).output == "in\n")
    }

    @Test func whatWasTriedIsListed() async throws {
        let server = try PrivateServer()
        try makeKey(server.folder + "/other", kind: "ecdsa")
        var target = server.target
        target.identities = [.file(server.folder + "/other"), .file("/nowhere/key")]
        target.password = Secret("not this one")
        target.agentSocket = "/nowhere/agent"
        target.useAgent = true
        let client = try SSHClient(threads: 1)
        defer { client.shutdown() }
        let text = try await failure(client, target)
        #expect(
            text == """
                127.0.0.1:\(server.port) does not let '\(server.user)' in
                  no agent answers at /nowhere/agent
                  key /nowhere/key: no such file or directory
                  key \(server.folder)/other (ecdsa-sha2-nistp256): refused
                  password: refused
                  keyboard-interactive with the password: refused
                  the server accepts: publickey
                """)
    }
}

@Suite(.enabled(if: PrivateServer.program != nil, whySkipped), .timeLimit(.minutes(10)))
struct HostKeyTests {
    @Test func anUnknownHostIsRefusedOrAdded() async throws {
        let server = try PrivateServer()
        try write("", to: server.knownHosts)
        let client = try SSHClient(threads: 1)
        defer { client.shutdown() }
        let text = try await failure(client, server.target)
        let listing = try run(["ssh-keygen", "-lf", server.folder + "/host_ed25519.pub"]).output
        let fingerprint = listing.split(separator: " ")[1]
        #expect(
            text == """
                host key of 127.0.0.1:\(server.port) is not known
                  received ssh-ed25519 \(fingerprint)
                  looked for '[127.0.0.1]:\(server.port)' in \(server.knownHosts)
                  compare the fingerprint, then: ssh-keyscan -p \(server.port) 127.0.0.1 >> \(server.knownHosts)
                  or let the first contact decide: StrictHostKeyChecking=accept-new
                """)
        var target = server.target
        target.hostKeyPolicy = .acceptNew
        let fresh = server.folder + "/new/known_hosts"
        target.knownHostsFiles = [fresh]
        let first = try await client.connect(target)
        #expect(first.warnings.count == 1)
        await first.close()
        let second = try await client.connect(target)
        #expect(second.warnings.isEmpty)
        await second.close()
        #expect(try run(["ssh-keygen", "-F", "[127.0.0.1]:\(server.port)", "-f", fresh]).status == 0)
        var info = stat()
        #expect(unsafe stat(fresh, &info) == 0 && info.st_mode & 0o777 == 0o600)
        target.hostKeyPolicy = .off
        let careless = try await client.connect(target)
        #expect(careless.warnings.first?.contains("is not checked") == true)
        await careless.close()
    }

    @Test(arguments: [false, true])
    func aChangedKeyIsRefused(hashed: Bool) async throws {
        let server = try PrivateServer()
        try makeKey(server.folder + "/imposter", kind: "ed25519")
        let imposter = try read(server.folder + "/imposter.pub")
        try write("# the old machine\n[127.0.0.1]:\(server.port) \(imposter)", to: server.knownHosts)
        if hashed { _ = try run(["ssh-keygen", "-H", "-f", server.knownHosts]) }
        let client = try SSHClient(threads: 1)
        defer { client.shutdown() }
        func fingerprint(_ name: String) throws -> Substring {
            try run(["ssh-keygen", "-lf", "\(server.folder)/\(name).pub"]).output.split(separator: " ")[1]
        }
        let (old, new) = (try fingerprint("imposter"), try fingerprint("host_ed25519"))
        for policy in [SSHTarget.HostKeyPolicy.strict, .acceptNew] {
            var target = server.target
            target.hostKeyPolicy = policy
            #expect(
                try await failure(client, target) == """
                    host key of 127.0.0.1:\(server.port) does not match \(server.knownHosts):2
                      expected ssh-ed25519 \(old), received ssh-ed25519 \(new)
                      if the machine was reinstalled: ssh-keygen -f \(server.knownHosts) -R '[127.0.0.1]:\(server.port)'
                    """)
        }
    }

    @Test func theKindThatIsKnownIsAskedFor() async throws {
        let server = try PrivateServer(hostKeyKinds: ["ed25519", "ecdsa"])
        try server.trust(kinds: ["ecdsa"])
        let client = try SSHClient(threads: 1)
        defer { client.shutdown() }
        #expect(try await client.output("echo in", on: server.target).output == "in\n")
    }

    @Test func revokedKeysAndAuthoritiesAreRefused() async throws {
        let server = try PrivateServer()
        let key = try read(server.folder + "/host_ed25519.pub")
        let client = try SSHClient(threads: 1)
        defer { client.shutdown() }
        try write("* \(key)@revoked * \(key)", to: server.knownHosts)
        #expect(try await failure(client, server.target).contains("is revoked by \(server.knownHosts):2"))
        try write("# \n@cert-authority * \(key)", to: server.knownHosts)
        let text = try await failure(client, server.target)
        #expect(text.contains("would need a certificate of the authority in \(server.knownHosts):2"), "\(text)")
    }

    @Test func aHostWithOnlyAnRSAKeySaysWhatHelps() async throws {
        let server = try PrivateServer(hostKeyKinds: ["rsa"])
        let client = try SSHClient(threads: 1)
        defer { client.shutdown() }
        let text = try await failure(client, server.target)
        #expect(text.contains("give the host an ed25519 key, or use 'connection: openssh'"), "\(text)")
    }
}
