import Glibc
import Synchronization
import Values

/// A process of this machine: the agent itself, or a program that leads to one (`ssh`, `docker exec`).
final class ProcessLink: AgentLink {
    private struct State {
        var input: Int32
        /// Not yet written; one task at a time writes.
        var pending: [UInt8] = []
        var isWriting = false
        var isFinished = false
        var isClosed = false
        var failure: LinkError?
        var tail: [UInt8] = []
        var end: LinkEnd?
    }

    private let state: Mutex<State>
    /// Closed when nobody uses the link any more: a number closed earlier might be another link's by then.
    private let output: Int32
    private let errors: Int32
    private let process: pid_t
    private let name: String
    private static let tailLimit = 65_536

    /// Starts it, in a process group of its own: Ctrl-C at the terminal does not reach it.
    init(_ arguments: [String]) throws(LinkError) {
        name = arguments.first ?? ""
        let child = try Child(arguments)
        process = child.process
        output = child.output
        errors = child.errors
        state = Mutex(State(input: child.input))
        Task { await collectErrors() }
    }

    deinit { for end in [state.withLock(\.input), output, errors] where end >= 0 { _ = Glibc.close(end) } }

    func send(_ bytes: [UInt8]) async throws(LinkError) {
        let isWriter = state.withLock { state in
            state.pending += bytes
            defer { state.isWriting = true }
            return !state.isWriting
        }
        if isWriter { await writePending() }
        if let failure = state.withLock(\.failure) { throw failure }
    }

    private func writePending() async {
        while true {
            let (chunk, input) = state.withLock { state in
                let chunk = state.pending
                state.pending = []
                if chunk.isEmpty || state.failure != nil || state.isClosed || state.input < 0 {
                    state.isWriting = false
                    if state.isFinished { closeInput(&state) }
                    return ([UInt8](), state.input)
                }
                return (chunk, state.input)
            }
            if chunk.isEmpty { return }
            var position = 0
            while position < chunk.count {
                let count = unsafe chunk.withUnsafeBytes { buffer in
                    unsafe Glibc.write(input, buffer.baseAddress.map { unsafe $0 + position }, chunk.count - position)
                }
                if count > 0 {
                    position += count
                } else if errno == EAGAIN {
                    await Readiness.shared.writable(input)
                } else if errno != EINTR {
                    let message = "cannot write to '\(name)': \(systemText(errno))"
                    state.withLock { $0.failure = LinkError(message) }
                    break
                }
            }
        }
    }

    private func closeInput(_ state: inout State) {
        guard state.input >= 0 else { return }
        Readiness.shared.forget(state.input)
        _ = Glibc.close(state.input)
        state.input = -1
    }

    func receive() async throws(LinkError) -> [UInt8]? {
        while true {
            if state.withLock(\.isClosed) { return nil }
            switch bytes(from: output) {
            case .some(let bytes) where bytes.isEmpty: return nil
            case .some(let bytes): return bytes
            case nil: await Readiness.shared.readable(output)
            }
        }
    }

    /// Empty at the end, `nil` when there is nothing yet.
    private func bytes(from descriptor: Int32) -> [UInt8]? {
        while true {
            var code: Int32 = 0
            let bytes = unsafe [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, count in
                let result = unsafe read(descriptor, buffer.baseAddress, buffer.count)
                code = result < 0 ? errno : 0
                count = max(0, result)
            }
            if code == EINTR { continue }
            return code == EAGAIN ? nil : bytes
        }
    }

    /// Keeps the last of the error output, for as long as there is any.
    private func collectErrors() async {
        while !state.withLock(\.isClosed) {
            switch bytes(from: errors) {
            case .some(let bytes) where bytes.isEmpty: return
            case .some(let bytes): state.withLock { $0.tail = ($0.tail + bytes).suffix(Self.tailLimit) }
            case nil: await Readiness.shared.readable(errors)
            }
        }
    }

    func finish() async {
        state.withLock { state in
            state.isFinished = true
            if !state.isWriting { closeInput(&state) }
        }
    }

    func end() async -> LinkEnd {
        for _ in 0..<250 {
            if let end = state.withLock({ reaped(&$0) }) { return end }
            try? await Task.sleep(for: .milliseconds(20))
        }
        return .lost("'\(name)' does not end")
    }

    private func reaped(_ state: inout State) -> LinkEnd? {
        if let end = state.end { return end }
        var status: Int32 = 0
        let result = unsafe waitpid(process, &status, WNOHANG)
        if result == 0 || (result < 0 && errno == EINTR) { return nil }
        if result < 0 { state.end = .lost("nobody knows how '\(name)' ended") } else {
            state.end = status & 0x7f == 0 ? .exited(Int(status >> 8 & 0xff)) : .signalled(String(status & 0x7f))
        }
        return state.end
    }

    func errorTail() async -> String {
        // What the process said last may be under way still.
        try? await Task.sleep(for: .milliseconds(20))
        return String(decoding: state.withLock(\.tail), as: UTF8.self)
    }

    func close() async {
        let isRunning = state.withLock { state in
            state.isClosed = true
            state.isFinished = true
            if state.isWriting { Readiness.shared.forget(state.input) } else { closeInput(&state) }
            return reaped(&state) == nil
        }
        for descriptor in [output, errors] { Readiness.shared.forget(descriptor) }
        guard isRunning else { return }
        kill(-process, SIGTERM)
        for turn in 0..<100 {
            if state.withLock({ reaped(&$0) }) != nil { return }
            if turn == 50 { kill(-process, SIGKILL) }
            try? await Task.sleep(for: .milliseconds(20))
        }
    }
}

/// What the system calls an errno.
func systemText(_ code: Int32) -> String { unsafe String(cString: strerror(code)) }
