/// A connection to a host, logged in. Closed by `close`, or by letting go of it and of its channels.
package final class SSHConnection: Sendable {
    /// What the user should know: an unchecked host key, a key that was added.
    package let warnings: [String]
    let session: SessionReference
    private let timeout: Double
    /// The jump host's connection that this one goes through.
    private let outer: SSHConnection?

    init(session: SessionReference, timeout: Double, outer: SSHConnection?, warnings: [String]) {
        self.session = session
        self.timeout = timeout
        self.outer = outer
        self.warnings = warnings
    }

    deinit { session.leave() }

    /// Starts a command in the user's login shell.
    ///
    /// - Parameters:
    ///   - pty: asks for a terminal; error output then comes with the output.
    ///   - environment: what the host does not accept is left out by it, silently.
    ///   - onErrorOutput: gets standard error as it comes, on a thread that must not be held up; without it the last
    ///     64 KiB are kept for `errorTail`.
    /// - Throws: `notStarted` when the host refuses; `lost`; `cancelled`.
    package func start(
        _ command: String, pty: Bool = false, environment: [(name: String, value: String)] = [],
        onErrorOutput: (@Sendable ([UInt8]) -> Void)? = nil
    ) async throws(SSHError) -> SSHChannel {
        let id = Serial.next()
        let setUp = CommandSetUp(
            id: id, command: command, pty: pty, environment: environment.map { ($0.name, $0.value) },
            onErrorOutput: onErrorOutput)
        let result = try await session.perform("starting a command", timeout: timeout, unwanted: { core, _ in
            core.channels[id]?.close()
        }, onCancel: { _ in }, setUp.start)
        switch result {
        case .success: return SSHChannel(loop: session.loop, id: id, connection: self)
        case .failure(let error):
            let reason =
                error.isRefusedChannel ? "\(session.endpoint) opens no more channels"
                : error.isDenied ? "\(session.endpoint) refused to run the command"
                : "\(session.endpoint) did not start the command: \(error.text)"
            throw .notStarted(
                SSHProblem(
                    reason,
                    notes: error.isRefusedChannel ? ["the server's limit is its MaxSessions (usually 10)"] : []))
        }
    }

    /// Says good-bye and closes the connection; commands that run on it are `lost`.
    package func close() async { session.leave() }
}

/// The steps that start a command: each may have to wait for the host.
private struct CommandSetUp: Sendable {
    let id: UInt64
    let command: String
    let pty: Bool
    let environment: [(String, String)]
    let onErrorOutput: (@Sendable ([UInt8]) -> Void)?

    func start(in session: Session) -> () throws(LibraryError) -> Bool? {
        var variables = environment[...]
        var wantsTerminal = pty
        var isOpen = false
        return { [unowned session] () throws(LibraryError) in
            if !isOpen {
                guard let handle = try session.handle.openSession() else { return nil }
                _ = Channel(id: id, session: session, handle: handle, onErrorOutput: onErrorOutput)
                isOpen = true
            }
            guard let channel = session.core.channels[id] else { return nil }
            do throws(LibraryError) {
                while let (name, value) = variables.first {
                    do throws(LibraryError) {
                        guard try channel.prepare({ (handle) throws(LibraryError) in
                            try handle.set(name, to: value)
                        }) else { return nil }
                    } catch where error.isDenied {}
                    variables.removeFirst()
                }
                if wantsTerminal {
                    guard try channel.prepare({ (handle) throws(LibraryError) in try handle.requestTerminal() })
                    else { return nil }
                    wantsTerminal = false
                }
                let isStarted = try channel.prepare { (handle) throws(LibraryError) in try handle.execute(command) }
                return isStarted ? true : nil
            } catch {
                channel.close()
                throw error
            }
        }
    }
}
