import Values
import Glibc

/// One SSH session on its loop's thread: carries bytes between the peer and libssh2, and runs one interruptible
/// call at a time beside the channels.
final class Session {
    /// What carries the bytes.
    enum Link {
        /// A descriptor, owned by the session, and the proxy command at its other end, if there is one.
        case socket(Int32, process: pid_t?)
        /// A channel of another session on the same loop: a jump host.
        case channel(Channel)
    }

    /// A call that is repeated until libssh2 has what it waits for.
    private struct Control {
        /// Returns whether it is done; answers its asker itself.
        let step: () -> Bool
        let fail: (SSHError) -> Void
        let timer: UInt64
    }

    let id: UInt64
    /// What people call the peer: `10.0.0.12:22`.
    let endpoint: String
    let core: Core
    let handle: SessionHandle
    var isReady = false
    /// What the agent answered, by the key it was asked to sign with.
    var agentAnswers: [PublicKey: Result<[UInt8], Signing.AgentRefusal>] = [:]
    private let seam: Seam
    private let link: Link
    private var controls: [Control] = []
    private var channels: [UInt64: Channel] = [:]
    private var loss: String?
    /// Why the link gives nothing more; what came before is still being worked on.
    private var linkEnd: String?
    private var lastReceived = monotonicNow()
    private var keepAliveTimer: UInt64?
    private var watched = (reading: false, writing: false)

    /// More than this is not held for a slow reader or a slow peer: the other side waits instead.
    static let backlog = 512 << 10

    /// - Returns: `nil` when libssh2 has no memory; the link is closed then.
    init?(id: UInt64, endpoint: String, core: Core, link: Link, compression: Bool) {
        let seam = Seam()
        guard let handle = SessionHandle(seam: seam, compression: compression) else {
            if case .socket(let descriptor, _) = link { close(descriptor) }
            return nil
        }
        self.id = id
        self.endpoint = endpoint
        self.core = core
        self.handle = handle
        self.seam = seam
        self.link = link
        core.add(self)
        if case .channel(let channel) = link { channel.inner = self }
        watch()
    }

    var password: String? {
        get { seam.password }
        set { seam.password = newValue }
    }

    /// For libssh2's look at the descriptor's flags.
    var descriptor: Int32 {
        if case .socket(let descriptor, _) = link { descriptor } else { core.loop.signal }
    }

    // MARK: calls

    /// Runs `step` until it returns a value or throws, after the calls that came before it.
    ///
    /// - Parameters:
    ///   - doing: for the error when it takes more than `timeout` nanoseconds, which ends the session.
    ///   - unwanted: gets the value when the asker no longer waits.
    func run<Value: Sendable>(
        _ doing: String, timeout: UInt64, reply: Reply<Result<Value, LibraryError>>,
        unwanted: @escaping (Value) -> Void = { _ in },
        step: @escaping () throws(LibraryError) -> Value?
    ) {
        if let loss {
            reply.send(.failure(.lost(reason: loss)))
            return
        }
        let timer = core.after(timeout) { [weak self] in
            self?.lose("no answer within \(rendered(seconds: timeout)) while \(doing)")
        }
        let control = Control(
            step: {
                do throws(LibraryError) {
                    guard let value = try step() else { return false }
                    if !reply.send(.success(.success(value))) { unwanted(value) }
                } catch { reply.send(.success(.failure(error))) }
                return true
            },
            fail: { reply.send(.failure($0)) }, timer: timer)
        controls.append(control)
        core.wake(self)
    }

    func adopt(_ channel: Channel) {
        channels[channel.id] = channel
        core.wake(self)
    }

    func release(_ channel: Channel) { channels[channel.id] = nil }

    /// Whether a channel may give libssh2 more to send.
    var hasRoom: Bool { seam.outbound.count < Session.backlog }

    // MARK: pumping

    /// Does all that can be done without waiting.
    func pump() {
        guard loss == nil else { return }
        fill()
        var before = -1
        // A call may take in packets that another one waits for: go on until a round takes in nothing.
        while before != seam.taken, loss == nil {
            before = seam.taken
            while let control = controls.first, control.step() {
                guard loss == nil else { return }
                core.cancel(timer: control.timer)
                controls.removeFirst()
            }
            for channel in Array(channels.values) { channel.pump() }
        }
        flush()
        if let linkEnd, seam.inbound.isEmpty { return lose(linkEnd) }
        watch()
    }

    private func fill() {
        let before = seam.inbound.count
        switch link {
        case .socket(let descriptor, _): fill(from: descriptor)
        case .channel(let channel):
            guard before < Session.backlog else { return }
            seam.inbound.append(channel.takeOutput())
            if channel.isAtEnd, linkEnd == nil { linkEnd = "the jump host closed the connection" }
        }
        if seam.inbound.count > before { lastReceived = monotonicNow() }
    }

    private func fill(from descriptor: Int32) {
        while linkEnd == nil, seam.inbound.count < Session.backlog {
            let count = unsafe recv(descriptor, core.scratch.baseAddress, core.scratch.count, 0)
            if count > 0 {
                unsafe seam.inbound.append(UnsafeRawBufferPointer(rebasing: core.scratch[..<count]))
                if unsafe count < core.scratch.count { return }
            } else if count == 0 {
                linkEnd = "the other side closed the connection"
            } else if errno == EAGAIN {
                return
            } else if errno != EINTR {
                linkEnd = Errno.current.text
            }
        }
    }

    private func flush() {
        switch link {
        case .channel(let channel):
            if channel.hasRoom, !seam.outbound.isEmpty { channel.enqueue(seam.outbound.takeAll()) }
        case .socket(let descriptor, _):
            while !seam.outbound.isEmpty {
                let sent = unsafe seam.outbound.consume { bytes in
                    max(0, unsafe send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL)))
                }
                if sent > 0 { continue }
                if errno != EAGAIN && errno != EINTR {
                    if linkEnd == nil { linkEnd = Errno.current.text }
                    seam.outbound.drop(seam.outbound.count)
                }
                return
            }
        }
        // Channels that waited for room can go on.
        if seam.outbound.isEmpty, channels.values.contains(where: { $0.waitsForRoom }) { core.wake(self) }
    }

    private func watch() {
        guard case .socket(let descriptor, _) = link, loss == nil else { return }
        let wanted = (
            reading: linkEnd == nil && seam.inbound.count < Session.backlog, writing: !seam.outbound.isEmpty
        )
        guard wanted != watched else { return }
        watched = wanted
        do throws(Errno) {
            try core.watch(descriptor, reading: wanted.reading, writing: wanted.writing, .session(self))
        } catch { lose(error.text) }
    }

    // MARK: staying and leaving

    /// Asks the peer for signs of life from now on, and ends the session when there is none for three intervals.
    func keepAlive(every interval: UInt64) {
        guard interval > 0 else { return }
        keepAliveTimer = core.after(interval) { [weak self] in
            guard let self, loss == nil else { return }
            let silence = monotonicNow() - lastReceived
            if silence >= 3 * interval { return lose("no sign of life for \(rendered(seconds: silence))") }
            if silence >= interval / 2 {
                handle.keepAlive()
                core.wake(self)
            }
            keepAlive(every: interval)
        }
    }

    /// Says good-bye and ends the session.
    func leave() {
        guard loss == nil else { return }
        if linkEnd == nil, controls.isEmpty {
            handle.disconnect()
            flush()
        }
        lose("closed by this side")
    }

    /// Ends the session: all that waits for it is told why.
    func lose(_ reason: String) {
        guard loss == nil else { return }
        loss = reason
        seam.isClosed = true
        for channel in channels.values { channel.lose(reason) }
        channels = [:]
        for control in controls {
            core.cancel(timer: control.timer)
            control.fail(.lost(reason: reason))
        }
        controls = []
        core.cancel(timer: keepAliveTimer)
        switch link {
        case .socket(let descriptor, let process):
            core.unwatch(descriptor)
            close(descriptor)
            if let process { core.collect(process) }
        case .channel(let channel):
            channel.inner = nil
            channel.close()
        }
        core.remove(self)
    }
}

/// `10 s`, `0.5 s`.
func rendered(seconds nanoseconds: UInt64) -> String {
    let tenths = (nanoseconds + 50_000_000) / 100_000_000
    return tenths % 10 == 0 ? "\(tenths / 10) s" : "\(tenths / 10).\(tenths % 10) s"
}
