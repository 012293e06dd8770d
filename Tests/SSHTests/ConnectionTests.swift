import Glibc
import SSH
import Testing
import Values

let whySkipped: Comment = "needs /usr/sbin/sshd (Debian: openssh-server), or GANTRY_TEST_SSHD"

extension SSHClient {
    /// Runs a command to its end.
    func output(_ command: String, on target: SSHTarget) async throws -> (output: String, end: CommandEnd) {
        let connection = try await connect(target)
        let result = try await connection.output(command)
        await connection.close()
        return result
    }
}

extension SSHConnection {
    func output(_ command: String) async throws -> (output: String, end: CommandEnd) {
        let channel = try await start(command)
        await channel.finishWriting()
        var output: [UInt8] = []
        while let bytes = try await channel.read() { output += bytes }
        return (String(decoding: output, as: UTF8.self), await channel.wait())
    }
}

@Suite(.enabled(if: PrivateServer.program != nil, whySkipped), .timeLimit(.minutes(10)))
struct ConnectionTests {
    @Test func aCommandEndsWithItsStatusAndOutput() async throws {
        let server = try PrivateServer()
        let client = try SSHClient(threads: 2)
        defer { client.shutdown() }
        let connection = try await client.connect(server.target)
        #expect(connection.warnings.isEmpty)
        let result = try await connection.output("echo hello; exit 3")
        #expect(result.output == "hello\n")
        #expect(result.end == .exited(3))
        let killed = try await connection.output("kill -TERM $$")
        #expect(killed.end == .signalled("TERM"))
        let channel = try await connection.start(
            "echo problem >&2; printf %s \"$GANTRY_X\"", environment: [("GANTRY_X", "y")])
        #expect(try await channel.read() == Array("y".utf8))
        #expect(try await channel.read() == nil)
        #expect(await channel.wait() == .exited(0))
        #expect(await channel.errorTail() == Array("problem\n".utf8))
        let terminal = try await connection.start("test -t 0 && echo yes", pty: true)
        #expect(try await terminal.read() == Array("yes\r\n".utf8))
        await connection.close()
    }

    @Test func twentyMegabytesComeBackWhole() async throws {
        let server = try PrivateServer()
        let client = try SSHClient(threads: 1)
        defer { client.shutdown() }
        let connection = try await client.connect(server.target)
        let channel = try await connection.start("cat")
        var sample = [UInt8](repeating: 0, count: 20 << 20)
        var state: UInt32 = 1
        for index in sample.indices {
            state = state &* 1_664_525 &+ 1_013_904_223
            sample[index] = UInt8(truncatingIfNeeded: state >> 24)
        }
        let sent = sample
        async let writing: Void = {
            for start in stride(from: 0, to: sent.count, by: 300_000) {
                try await channel.write(Array(sent[start..<min(start + 300_000, sent.count)]))
            }
            await channel.finishWriting()
        }()
        var received: [UInt8] = []
        while let bytes = try await channel.read() { received += bytes }
        try await writing
        #expect(received == sample)
        #expect(await channel.wait() == .exited(0))
    }
}
