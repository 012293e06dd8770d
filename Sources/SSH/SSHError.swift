package import Values

/// Why there is no connection, or why something on it could not be done. The text is for people, in the house style.
package enum SSHError: Error, Sendable {
    /// No byte stream to the host: name, route, port, time, proxy command.
    case unreachable(SSHProblem)
    /// The host did not prove to be the one that was meant.
    case hostKey(SSHProblem)
    /// The host does not let us in.
    case authentication(SSHProblem)
    /// The host speaks, but not what is needed: key exchange, banner.
    case negotiation(SSHProblem)
    /// The connection is up, but the command was not started.
    case notStarted(SSHProblem)
    /// The connection went away.
    case lost(SSHProblem)
    /// The surrounding task was cancelled.
    case cancelled

    static func lost(reason: String) -> SSHError { .lost(SSHProblem(reason)) }

    package var problem: SSHProblem {
        switch self {
        case .unreachable(let problem), .hostKey(let problem), .authentication(let problem),
            .negotiation(let problem), .notStarted(let problem), .lost(let problem):
            problem
        case .cancelled: SSHProblem("cancelled")
        }
    }

    /// The whole text, the detail on indented lines below the first.
    package var rendered: String { problem.rendered }
    package var diagnostic: Diagnostic { Diagnostic(problem.message, notes: problem.notes) }
}

/// What went wrong in one line, and what helps on lines of their own.
package struct SSHProblem: Sendable, Hashable {
    package var message: String
    package var notes: [String]

    package init(_ message: String, notes: [String] = []) {
        self.message = message
        self.notes = notes
    }

    package var rendered: String { ([message] + notes.map { "  " + $0 }).joined(separator: "\n") }
}

extension SSHError: CustomStringConvertible {
    package var description: String { rendered }
}

/// How a command that was started ended.
package enum CommandEnd: Sendable, Hashable {
    /// It ended by itself, with this status.
    case exited(Int32)
    /// A signal ended it: the name without `SIG`.
    case signalled(String)
    /// The connection went away before the status came; the command may be running still.
    case lost(reason: String)
}
