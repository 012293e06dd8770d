/// One channel on its loop's thread: a command with its streams, or a stream through a jump host.
///
/// Outlives its session, so that what came before the connection was lost can still be read.
final class Channel {
    let id: UInt64
    /// The session that lives inside this channel.
    weak var inner: Session?
    private weak var session: Session?
    private let core: Core
    private var handle: ChannelHandle?
    private let onErrorOutput: (@Sendable ([UInt8]) -> Void)?

    private var output = ByteQueue()
    private var errorTail = ByteQueue()
    private var outgoing = ByteQueue()
    private var reader: Reply<[UInt8]?>?
    private var writers: [Reply<Void>] = []
    private var waiters: [Reply<CommandEnd>] = []
    private var hasOutputEnded = false
    private var hasErrorsEnded = false
    private var wantsEnd = false
    private var isClosing = false
    private var end: CommandEnd?

    /// What is kept of the error output when nobody takes it: the last 64 KiB.
    static let errorLimit = 64 << 10
    private static let outputLimit = 1 << 20
    private static let outgoingLimit = 256 << 10

    init(
        id: UInt64, session: Session, handle: consuming ChannelHandle,
        onErrorOutput: (@Sendable ([UInt8]) -> Void)? = nil
    ) {
        self.id = id
        self.session = session
        core = session.core
        self.handle = consume handle
        self.onErrorOutput = onErrorOutput
        core.add(self)
        session.adopt(self)
    }

    /// Runs a libssh2 call on the channel before it is in use: setting it up.
    func prepare(_ call: (borrowing ChannelHandle) throws(LibraryError) -> Bool) throws(LibraryError) -> Bool {
        guard handle != nil else { throw LibraryError(code: -1, text: "the channel is closed") }
        return try call(handle!)
    }

    // MARK: what is asked of it

    func read(_ reply: Reply<[UInt8]?>) {
        reader?.send(.success(nil))
        reader = reply
        deliver()
        wake()
    }

    func write(_ bytes: [UInt8], _ reply: Reply<Void>) {
        guard end == nil, !wantsEnd, !isClosing else {
            reply.send(.failure(writeFailure))
            return
        }
        enqueue(bytes)
        writers.append(reply)
        answerWriters()
    }

    func finishWriting() {
        wantsEnd = true
        wake()
    }

    func wait(_ reply: Reply<CommandEnd>) {
        if let end { reply.send(.success(end)) } else { waiters.append(reply) }
    }

    /// The last of the error output that nobody took.
    func takeErrorTail() -> [UInt8] { errorTail.takeAll() }

    /// Lets go of the command: it loses its streams, and nothing more is heard of it.
    func close() {
        isClosing = true
        core.remove(self)
        finish(.lost(reason: "closed by this side"))
        wake()
    }

    // MARK: for a session inside

    var isAtEnd: Bool { output.isEmpty && (hasOutputEnded || end != nil) }
    var hasRoom: Bool { outgoing.count < Channel.outgoingLimit }

    func takeOutput() -> [UInt8] {
        if output.isEmpty { return [] }
        wake()
        return output.takeAll()
    }

    func enqueue(_ bytes: [UInt8]) {
        outgoing.append(bytes)
        wake()
    }

    // MARK: pumping

    /// Whether it has something to send that the session has no room for; the peer's window is another matter.
    private(set) var waitsForRoom = false

    /// Does all that can be done without waiting.
    func pump() {
        guard handle != nil, let session else { return }
        do throws(LibraryError) {
            if isClosing {
                if try handle!.close() { detach() }
                return
            }
            try readOutput()
            try readErrors()
            try write(through: session)
            if hasOutputEnded, hasErrorsEnded, end == nil, try handle!.isClosedByPeer() {
                finish(handle!.end())
                isClosing = true
                if try handle!.close() { detach() }
            }
        } catch {
            session.lose(error.text.isEmpty ? "error \(error.code) of the SSH library" : error.text)
        }
    }

    private func readOutput() throws(LibraryError) {
        while !hasOutputEnded, output.count < Channel.outputLimit {
            guard let count = unsafe try handle!.read(stream: 0, into: core.scratch) else { break }
            if count == 0 {
                hasOutputEnded = true
            } else {
                unsafe output.append(UnsafeRawBufferPointer(rebasing: core.scratch[..<count]))
            }
        }
        deliver()
    }

    private func readErrors() throws(LibraryError) {
        while !hasErrorsEnded {
            guard let count = unsafe try handle!.read(stream: 1, into: core.scratch) else { return }
            guard count > 0 else {
                hasErrorsEnded = true
                return
            }
            let bytes = unsafe UnsafeRawBufferPointer(rebasing: core.scratch[..<count])
            if let onErrorOutput {
                onErrorOutput(unsafe Array(bytes))
            } else {
                unsafe errorTail.append(bytes)
                errorTail.drop(max(0, errorTail.count - Channel.errorLimit))
            }
        }
    }

    private func write(through session: Session) throws(LibraryError) {
        var hasMoved = false
        waitsForRoom = false
        while !outgoing.isEmpty {
            guard session.hasRoom else {
                waitsForRoom = true
                break
            }
            // The same bytes are offered again when libssh2 took none of them.
            let sent = unsafe try outgoing.consume { (bytes) throws(LibraryError) -> Int in
                unsafe try handle!.write(bytes)
            }
            if sent == 0 { break }
            hasMoved = true
        }
        answerWriters()
        if outgoing.isEmpty, wantsEnd, try handle!.sendEnd() { wantsEnd = false }
        if hasMoved, hasRoom, let inner { core.wake(inner) }
    }

    // MARK: answers

    private func deliver() {
        if let inner {
            if !output.isEmpty || hasOutputEnded || end != nil { core.wake(inner) }
            return
        }
        guard let reader else { return }
        if !output.isEmpty {
            self.reader = nil
            if reader.isAnswered { return }
            // A reader that was cancelled in this instant takes the bytes with it: its channel is being closed.
            reader.send(.success(output.takeAll()))
        } else if case .lost(let reason) = end {
            self.reader = nil
            reader.send(.failure(.lost(reason: reason)))
        } else if hasOutputEnded {
            self.reader = nil
            reader.send(.success(nil))
        }
    }

    private func answerWriters() {
        guard !writers.isEmpty, hasRoom else { return }
        for writer in writers { writer.send(.success(())) }
        writers = []
    }

    private var writeFailure: SSHError {
        if case .lost(let reason) = end { return .lost(reason: reason) }
        return .lost(reason: "the command takes no more input")
    }

    private func finish(_ end: CommandEnd) {
        guard self.end == nil else { return }
        self.end = end
        for waiter in waiters { waiter.send(.success(end)) }
        waiters = []
        for writer in writers { writer.send(.failure(writeFailure)) }
        writers = []
        outgoing = ByteQueue()
        deliver()
    }

    func lose(_ reason: String) {
        finish(.lost(reason: reason))
        detach()
    }

    private func detach() {
        handle = nil
        session?.release(self)
        session = nil
    }

    private func wake() {
        if let session { core.wake(session) }
    }
}
