import Synchronization

/// The connections to jump hosts that are in use, so that a thousand hosts behind one gate log in there once or twice
/// and not a thousand times.
final class JumpHosts: Sendable {
    private enum Entry {
        case opening(Task<Result<SSHConnection, SSHError>, Never>)
        case open(Reference)
    }

    private struct Reference {
        /// Those who go through it hold it; with the last of them it is closed.
        weak var connection: SSHConnection?
    }

    private let entries = Mutex<[String: Entry]>([:])

    /// The connection that goes by `key`, opened by `open` if there is none.
    func connection(
        for key: String, _ open: @escaping @Sendable () async -> Result<SSHConnection, SSHError>
    ) async throws(SSHError) -> SSHConnection {
        let task = entries.withLock { entries in
            switch entries[key] {
            case .open(let reference):
                if let connection = reference.connection {
                    return Task<Result<SSHConnection, SSHError>, Never> { .success(connection) }
                }
            case .opening(let task): return task
            case nil: break
            }
            let task = Task { await open() }
            entries[key] = .opening(task)
            return task
        }
        let result = await task.value
        entries.withLock { entries in
            // A task keeps its result: once it is done, only those who use the connection shall.
            guard case .opening(let known) = entries[key], known == task else { return }
            entries[key] = (try? result.get()).map { .open(Reference(connection: $0)) }
        }
        if Task.isCancelled { throw .cancelled }
        return try result.get()
    }

    /// Forgets a connection that turned out to be lost.
    func forget(_ connection: SSHConnection, for key: String) {
        entries.withLock { entries in
            if case .open(let reference) = entries[key], reference.connection === connection { entries[key] = nil }
        }
    }
}
