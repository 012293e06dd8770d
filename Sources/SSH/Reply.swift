import Synchronization

/// The answer to one question that is asked from async code and answered by a loop: taken once, whoever comes first.
final class Reply<Value: Sendable>: Sendable {
    private enum State {
        case open
        case awaited(CheckedContinuation<Result<Value, SSHError>, Never>)
        case answered(Result<Value, SSHError>)
        case taken
    }

    private let state = Mutex(State.open)

    /// Whether an answer is no longer wanted: there is one, or the asking task was cancelled.
    var isAnswered: Bool {
        state.withLock {
            switch $0 {
            case .open, .awaited: false
            case .answered, .taken: true
            }
        }
    }

    /// Answers; returns whether this answer is the one that counts.
    @discardableResult
    func send(_ answer: Result<Value, SSHError>) -> Bool {
        typealias Asker = CheckedContinuation<Result<Value, SSHError>, Never>
        let (counts, continuation) = state.withLock { state -> (Bool, Asker?) in
            switch state {
            case .open:
                state = .answered(answer)
                return (true, nil)
            case .awaited(let continuation):
                state = .taken
                return (true, continuation)
            case .answered, .taken: return (false, nil)
            }
        }
        continuation?.resume(returning: answer)
        return counts
    }

    func hand(to continuation: CheckedContinuation<Result<Value, SSHError>, Never>) {
        let early = state.withLock { state -> Result<Value, SSHError>? in
            if case .answered(let answer) = state {
                state = .taken
                return answer
            }
            state = .awaited(continuation)
            return nil
        }
        if let early { continuation.resume(returning: early) }
    }
}
