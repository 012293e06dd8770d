package import Values

/// A byte stream to an agent, or to the shell that will start one.
///
/// One reader at a time; `send` may be called from several tasks, and keeps each call's bytes together.
package protocol AgentLink: Sendable {
    func send(_ bytes: [UInt8]) async throws(LinkError)
    /// What the other side wrote, as soon as there is something; `nil` at the end of its output.
    func receive() async throws(LinkError) -> [UInt8]?
    /// No more will be sent. An agent between two plays ends by that.
    func finish() async
    /// How the other side ended; waits a few seconds for it.
    func end() async -> LinkEnd
    /// The last of what was written to standard error.
    func errorTail() async -> String
    /// Lets go of it at once; a local process is ended.
    func close() async
}

/// The stream broke.
package struct LinkError: Error, Sendable, Hashable {
    package var problem: Diagnostic
    /// Nothing was tried: the settings of the connection make no sense.
    package var isMistaken = false
    package init(_ message: String, notes: [String] = []) { problem = Diagnostic(message, notes: notes) }
    package init(_ problem: Diagnostic) { self.problem = problem }
    package var message: String { problem.message }
}

/// How the process at the other end ended.
package enum LinkEnd: Sendable, Hashable {
    case exited(Int)
    case signalled(String)
    /// Nobody knows: the connection went away first.
    case lost(String)

    /// `exit status 126`, `signal KILL`, or what happened to the connection.
    package var text: String {
        switch self {
        case .exited(let status): "exit status \(status)"
        case .signalled(let name): "signal \(name)"
        case .lost(let reason): reason
        }
    }
}
