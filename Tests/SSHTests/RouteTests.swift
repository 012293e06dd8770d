import Glibc
import SSH
import Testing
import Values

/// How many descriptors this process has open.
func openDescriptors() -> Int {
    guard let folder = unsafe opendir("/proc/self/fd") else { return -1 }
    defer { unsafe closedir(folder) }
    var count = 0
    while unsafe readdir(folder) != nil { count += 1 }
    return count
}

@Suite(.enabled(if: PrivateServer.program != nil, whySkipped), .serialized, .timeLimit(.minutes(10)))
struct RouteTests {
    @Test func jumpHostsLeadOn() async throws {
        let server = try PrivateServer()
        let client = try SSHClient(threads: 2)
        defer { client.shutdown() }
        var target = server.target
        target.jump = [server.target, server.target]
        let connection = try await client.connect(target)
        #expect(try await connection.output("echo through").output == "through\n")
        let big = try await connection.output("head -c 3000000 /dev/zero | tr '\\0' x")
        #expect(big.output.utf8.count == 3_000_000)
        let channel = try await connection.start("wc -c")
        try await channel.write([UInt8](repeating: 65, count: 4_000_000))
        await channel.finishWriting()
        #expect(try await channel.read() == Array("4000000\n".utf8))
        #expect(await channel.wait() == .exited(0))
        await connection.close()
        // Many at once share the way.
        let many = target
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<10 {
                group.addTask {
                    let result = try await client.output("echo \(index)", on: many)
                    #expect(result.output == "\(index)\n")
                }
            }
            try await group.waitForAll()
        }
        target.port = freePort()
        target.jump = [server.target]
        let text = try await failure(client, target)
        let unreachable = "\(target.endpoint) cannot be reached from the jump host \(server.target.endpoint)"
        #expect(text.hasPrefix(unreachable), "\(text)")
        target = server.target
        target.jump = [SSHTarget(host: "127.0.0.1", port: freePort(), user: "x")]
        let refused = try await failure(client, target)
        let route = "\n  on the jump host \(target.jump[0].endpoint)\n  on the way to \(target.endpoint)"
        #expect(refused.hasSuffix(route), "\(refused)")
    }

    @Test func aProxyCommandCarriesTheConnection() async throws {
        let server = try PrivateServer()
        let client = try SSHClient(threads: 1)
        defer { client.shutdown() }
        let program = """
            import socket,sys,threading,os
            s=socket.create_connection(("127.0.0.1",\(server.port)))
            def up():
                while b:=os.read(0,65536): s.sendall(b)
                s.shutdown(1)
            threading.Thread(target=up,daemon=True).start()
            while b:=s.recv(65536): os.write(1,b)
            """
        try write(program, to: server.folder + "/proxy.py")
        var target = server.target
        target.proxyCommand = "python3 \(server.folder)/proxy.py"
        #expect(try await client.output("echo by proxy", on: target).output == "by proxy\n")
        target.proxyCommand = "false"
        let text = try await failure(client, target)
        #expect(text.hasPrefix("\(target.endpoint): "), "\(text)")
    }

    @Test func aHundredConnectionsShareTwoThreads() async throws {
        let server = try PrivateServer()
        let client = try SSHClient(threads: 2)
        let before = openDescriptors()
        let target = server.target
        let outputs = try await withThrowingTaskGroup(of: String.self) { group in
            for index in 0..<100 {
                group.addTask { try await client.output("echo \(index)", on: target).output }
            }
            return try await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect(outputs == Set((0..<100).map { "\($0)\n" }))
        client.shutdown()
        try waitUntil { openDescriptors() <= before }
    }

    @Test func manyCommandsShareOneConnection() async throws {
        let server = try PrivateServer()
        let client = try SSHClient(threads: 1)
        defer { client.shutdown() }
        let connection = try await client.connect(server.target)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<40 {
                group.addTask {
                    let result = try await connection.output("head -c \(index * 10_000) /dev/zero; exit \(index)")
                    #expect(result.output.utf8.count == index * 10_000)
                    #expect(result.end == .exited(Int32(index)))
                }
            }
            try await group.waitForAll()
        }
    }

    @Test func aServerThatDiesLosesTheCommand() async throws {
        let server = try PrivateServer()
        let client = try SSHClient(threads: 1)
        defer { client.shutdown() }
        let connection = try await client.connect(server.target)
        let channel = try await connection.start("echo first; sleep 60")
        #expect(try await channel.read() == Array("first\n".utf8))
        async let end = channel.wait()
        try server.killSessions()
        #expect(await end == .lost(reason: "the other side closed the connection"))
        await #expect(throws: SSHError.self) { _ = try await channel.read() }
        await #expect(throws: SSHError.self) { try await channel.write([1]) }
        await #expect(throws: SSHError.self) { _ = try await connection.start("true") }
    }

    @Test func whatCannotBeReachedSaysWhy() async throws {
        let client = try SSHClient(threads: 1)
        defer { client.shutdown() }
        let port = freePort()
        #expect(
            try await failure(client, SSHTarget(host: "127.0.0.1", port: port, user: "x")) == """
                127.0.0.1:\(port): connection refused
                  the host is up, but nothing listens on that port: is sshd running, is it ansible_port?
                """)
        let unnamed = try await failure(client, SSHTarget(host: "no-such-host.invalid", user: "x"))
        #expect(unnamed.hasPrefix("no address for 'no-such-host.invalid': "), "\(unnamed)")
        // A server that takes the connection and never says a word.
        let (file, silentPort) = listener()
        defer { close(file) }
        var silent = SSHTarget(host: "127.0.0.1", port: silentPort, user: "x")
        silent.connectTimeout = 0.5
        let text = try await failure(client, silent)
        let waiting = "127.0.0.1:\(silentPort): no answer within 0.5 s while waiting for the SSH handshake"
        #expect(text.hasPrefix(waiting), "\(text)")
        // With its queue full, the same socket drops what comes: a host that does not answer at all.
        let fillers = (0..<4).map { _ in socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0) }
        defer { for filler in fillers { close(filler) } }
        for filler in fillers { connectLocally(filler, port: silentPort) }
        let dropped = try await failure(client, silent)
        #expect(dropped.hasPrefix("no answer from 127.0.0.1:\(silentPort) within 0.5 s"), "\(dropped)")
    }

    @Test func cancellingLeavesNothingBehind() async throws {
        let server = try PrivateServer()
        let (file, silentPort) = listener()
        defer { close(file) }
        let client = try SSHClient(threads: 1)
        let before = openDescriptors()
        let connecting = Task { try await client.connect(SSHTarget(host: "127.0.0.1", port: silentPort, user: "x")) }
        usleep(50_000)
        connecting.cancel()
        await #expect(throws: SSHError.self) { _ = try await connecting.value }
        let early = Task {
            usleep(20_000)
            return try await client.connect(server.target)
        }
        early.cancel()
        await #expect(throws: SSHError.self) { _ = try await early.value }
        let connection = try await client.connect(server.target)
        let channel = try await connection.start("exec sleep 60")
        let reading = Task { try await channel.read() }
        usleep(50_000)
        reading.cancel()
        await #expect(throws: SSHError.self) { _ = try await reading.value }
        // The connection is as good as before.
        #expect(try await connection.output("echo on").output == "on\n")
        await connection.close()
        client.shutdown()
        try waitUntil { openDescriptors() <= before }
        await #expect(throws: SSHError.self) { _ = try await client.connect(server.target) }
    }
}

private func connectLocally(_ file: Int32, port: Int) {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    unsafe withUnsafePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
            _ = unsafe connect(file, pointer, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
}
