import Synchronization
import Values
package import Wire

/// A running agent at the other end of a link, spoken to in messages.
///
/// Reports are taken by one task; orders may be sent by several.
package final class AgentSession: Sendable {
    let link: any AgentLink
    /// What was told at log-in: host keys that were not checked, or added.
    package let warnings: [String]
    /// The agent was sent by this session, and not found on the node.
    let wasSent: Bool
    private let frames: Mutex<FrameBuffer>

    /// - Parameter early: bytes of the agent that were read with something else.
    package init(_ link: any AgentLink, early: [UInt8] = [], wasSent: Bool = true, warnings: [String] = []) {
        self.link = link
        self.wasSent = wasSent
        self.warnings = warnings
        var buffer = FrameBuffer()
        buffer.append(early)
        frames = Mutex(buffer)
    }

    package func send(_ orders: Order...) async throws(LinkError) {
        try await link.send(orders.flatMap { Frame.bytes(of: $0) })
    }

    /// Begins the conversation, and waits for the agent's greeting: what was started is an agent.
    func greet(verbosity: Int) async throws(LinkError) {
        try await send(.begin(version: wireVersion, verbosity: verbosity))
        switch try await next() {
        case .ready(wireVersion, _, _): return
        case .ready(let version, _, _):
            throw LinkError("the agent speaks version \(version), this is version \(wireVersion)")
        default: throw LinkError("what was started on the node does not greet as an agent does")
        }
    }

    /// The next report.
    ///
    /// - Throws: when the agent is gone, with how it ended, or what it sent is no report.
    package func next() async throws(LinkError) -> Report {
        while true {
            do throws(WireError) {
                if let report = try taken() { return report }
            } catch {
                throw LinkError("what came from the node is not the agent's language", notes: [error.description])
            }
            guard let bytes = try await link.receive() else { throw await lost() }
            frames.withLock { $0.append(bytes) }
        }
    }

    private func taken() throws(WireError) -> Report? {
        let result: Result<Report?, WireError> = frames.withLock { buffer in
            do throws(WireError) { return .success(try buffer.next(Report.self)) } catch { return .failure(error) }
        }
        return try result.get()
    }

    private func lost() async -> LinkError {
        let end = await link.end()
        let said = await link.errorTail().lines
        return LinkError("the agent ended (\(end.text))", notes: said.map { "it said: " + $0 })
    }

    /// Lets the agent end by itself, and then lets go of it; takes a few seconds at most.
    package func end() async {
        await link.finish()
        _ = await withinSeconds(3) { [link] in
            while let bytes = try? await link.receive(), !bytes.isEmpty {}
        }
        await link.close()
    }
}
