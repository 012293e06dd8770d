import SSH
import Values

/// A command on a host, over a connection of our own.
final class SSHLink: AgentLink {
    private let connection: SSHConnection
    private let channel: SSHChannel

    init(connection: SSHConnection, channel: SSHChannel) {
        self.connection = connection
        self.channel = channel
    }

    func send(_ bytes: [UInt8]) async throws(LinkError) {
        do throws(SSHError) { try await channel.write(bytes) } catch { throw LinkError(error.diagnostic) }
    }

    func receive() async throws(LinkError) -> [UInt8]? {
        do throws(SSHError) { return try await channel.read() } catch { throw LinkError(error.diagnostic) }
    }

    func finish() async { await channel.finishWriting() }

    func end() async -> LinkEnd {
        let channel = channel
        let end = await withinSeconds(5) { await channel.wait() }
        switch end {
        case .exited(let status): return .exited(Int(status))
        case .signalled(let name): return .signalled(name)
        case .lost(let reason): return .lost(reason)
        case nil: return .lost("the connection does not end")
        }
    }

    func errorTail() async -> String { String(decoding: await channel.errorTail(), as: UTF8.self) }

    func close() async {
        await channel.close()
        await connection.close()
    }
}

/// The value, unless it takes longer; what computes it is then cancelled.
func withinSeconds<Result: Sendable>(
    _ seconds: Double, _ body: @escaping @Sendable () async -> Result
) async -> Result? {
    await withTaskGroup(of: Result?.self) { group in
        group.addTask { await body() }
        group.addTask {
            try? await Task.sleep(for: .seconds(seconds))
            return nil
        }
        let first = await group.next() ?? nil
        group.cancelAll()
        return first
    }
}
