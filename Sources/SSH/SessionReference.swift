import Synchronization

/// Numbers for sessions, channels and dials, unique in the process.
enum Serial {
    private static let last = Atomic<UInt64>(0)
    static func next() -> UInt64 { last.add(1, ordering: .relaxed).newValue }
}

/// A session as other threads know it: its loop, and its number there.
struct SessionReference: Sendable {
    let loop: Loop
    let id: UInt64
    let endpoint: String

    /// Runs a call on the session until libssh2 is done with it.
    ///
    /// - Parameters:
    ///   - doing: for the error when it takes longer than `timeout` seconds.
    ///   - unwanted: gets the value when the asking task was cancelled meanwhile.
    ///   - onCancel: runs when the asking task is cancelled; without it the session ends then.
    ///   - call: makes, on the loop, the closure that is repeated until it returns a value or throws.
    func perform<Value: Sendable>(
        _ doing: String, timeout: Double, unwanted: @escaping @Sendable (Core, Value) -> Void = { _, _ in },
        onCancel: Loop.Job? = nil,
        _ call: @escaping @Sendable (Session) -> (() throws(LibraryError) -> Value?)
    ) async throws(SSHError) -> Result<Value, LibraryError> {
        let id = id
        return try await loop.ask(onCancel: onCancel ?? { $0.abandon(id) }) {
            (core, reply: Reply<Result<Value, LibraryError>>) in
            guard let session = core.sessions[id] else {
                reply.send(.failure(.lost(reason: "the connection is closed")))
                return
            }
            session.run(
                doing, timeout: nanoseconds(timeout), reply: reply, unwanted: { unwanted(core, $0) },
                step: call(session))
        }
    }

    func leave() {
        let id = id
        loop.submit { $0.sessions[id]?.leave() }
    }
}
