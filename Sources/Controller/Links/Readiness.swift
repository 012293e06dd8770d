import Glibc
import Synchronization

/// Waits for descriptors on behalf of tasks: one thread for all local processes.
///
/// The only place of the controller, outside of SSH, that has a thread of its own.
final class Readiness: Sendable {
    static let shared = Readiness()

    private struct Waiter {
        var descriptor: Int32
        var events: Int16
        var continuation: CheckedContinuation<Void, Never>
    }
    private struct State {
        var waiters: [Waiter] = []
        var isStarted = false
    }

    private let state = Mutex(State())
    /// Readable when the list of waiters has changed.
    private let changes: Int32
    private let bell: Int32

    private init() {
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        _ = unsafe socketpair(AF_UNIX, kind, 0, &ends)
        (changes, bell) = (ends[0], ends[1])
    }

    /// Returns when the descriptor can be read (or its other end is closed), or when `forget` was called for it.
    func readable(_ descriptor: Int32) async { await wait(descriptor, Int16(POLLIN)) }

    /// Returns when the descriptor can be written, is broken, or when `forget` was called for it.
    func writable(_ descriptor: Int32) async { await wait(descriptor, Int16(POLLOUT)) }

    /// Wakes everyone who waits for the descriptor; to be called before it is closed.
    func forget(_ descriptor: Int32) {
        let woken = state.withLock { state in
            let woken = state.waiters.filter { $0.descriptor == descriptor }
            state.waiters.removeAll { $0.descriptor == descriptor }
            return woken
        }
        for waiter in woken { waiter.continuation.resume() }
        signal()
    }

    private func wait(_ descriptor: Int32, _ events: Int16) async {
        await withCheckedContinuation { continuation in
            let waiter = Waiter(descriptor: descriptor, events: events, continuation: continuation)
            let isFirst = state.withLock { state in
                state.waiters.append(waiter)
                defer { state.isStarted = true }
                return !state.isStarted
            }
            if isFirst { start() }
            signal()
        }
    }

    private func start() {
        let context = unsafe Unmanaged.passRetained(self).toOpaque()
        var thread = pthread_t()
        let code = unsafe pthread_create(
            &thread, nil,
            { context in
                if let context = unsafe context {
                    unsafe Unmanaged<Readiness>.fromOpaque(context).takeUnretainedValue().loop()
                }
                return nil
            }, context)
        if code == 0 { pthread_detach(thread) }
    }

    private func signal() {
        var one: UInt8 = 1
        _ = unsafe write(bell, &one, 1)
    }

    private func loop() {
        while true {
            let waiters = state.withLock { $0.waiters.map { ($0.descriptor, $0.events) } }
            var polled = waiters.map { pollfd(fd: $0.0, events: $0.1, revents: 0) }
            polled.append(pollfd(fd: changes, events: Int16(POLLIN), revents: 0))
            let count = nfds_t(polled.count)
            guard unsafe poll(&polled, count, -1) > 0 else { continue }
            if polled[polled.count - 1].revents != 0 {
                var rings = [UInt8](repeating: 0, count: 256)
                _ = unsafe read(changes, &rings, rings.count)
            }
            let ready = polled.dropLast().filter { $0.revents != 0 }
            if !ready.isEmpty { wake(Array(ready)) }
        }
    }

    private func wake(_ ready: [pollfd]) {
        let woken = state.withLock { state in
            var woken: [Waiter] = []
            state.waiters.removeAll { waiter in
                let isReady = ready.contains { $0.fd == waiter.descriptor && $0.events == waiter.events }
                if isReady { woken.append(waiter) }
                return isReady
            }
            return woken
        }
        for waiter in woken { waiter.continuation.resume() }
    }
}
