/// A command that was started on a host: its streams and its end.
///
/// Cancelling a task that waits in one of the methods closes the channel. So does letting go of the object.
package final class SSHChannel: Sendable {
    private let loop: Loop
    private let id: UInt64
    /// Keeps the connection while its channels are in use.
    private let connection: SSHConnection

    init(loop: Loop, id: UInt64, connection: SSHConnection) {
        self.loop = loop
        self.id = id
        self.connection = connection
    }

    deinit {
        let id = id
        loop.submit { $0.channels[id]?.close() }
    }

    /// Gives bytes to the command's standard input; returns when there is room for more.
    package func write(_ bytes: [UInt8]) async throws(SSHError) {
        try await ask { channel, reply in channel.write(bytes, reply) }
    }

    /// Closes the command's standard input, after what was written.
    package func finishWriting() async {
        let id = id
        loop.submit { $0.channels[id]?.finishWriting() }
    }

    /// What the command wrote to its standard output since the last call, as soon as there is something; `nil` at its
    /// end.
    ///
    /// Output that is not read stops the command when about 3 MB of it wait.
    package func read() async throws(SSHError) -> [UInt8]? {
        try await ask { channel, reply in channel.read(reply) }
    }

    /// The end of what the command wrote to its standard error and nobody took, up to 64 KiB; empties it.
    package func errorTail() async -> [UInt8] {
        let tail: [UInt8]? = try? await ask { channel, reply in reply.send(.success(channel.takeErrorTail())) }
        return tail ?? []
    }

    /// Waits until the command has ended and the host has closed its streams; the output can be read before or
    /// meanwhile.
    package func wait() async -> CommandEnd {
        do throws(SSHError) {
            return try await ask { channel, reply in channel.wait(reply) }
        } catch { return .lost(reason: error.problem.message) }
    }

    /// Lets go of the command: closes its streams without waiting for its end.
    package func close() async {
        let id = id
        loop.submit { $0.channels[id]?.close() }
    }

    private func ask<Value: Sendable>(
        _ body: @escaping @Sendable (Channel, Reply<Value>) -> Void
    ) async throws(SSHError) -> Value {
        let id = id
        return try await loop.ask(onCancel: { $0.channels[id]?.close() }) { (core, reply: Reply<Value>) in
            guard let channel = core.channels[id] else {
                reply.send(.failure(.lost(reason: "the channel is closed")))
                return
            }
            body(channel, reply)
        }
    }
}
