import CLibSSH2
import Glibc

/// Waits for many descriptors at once, and can be woken from other threads: `epoll` with an `eventfd`.
@safe struct Poller: ~Copyable, Sendable {
    private let epoll: Int32
    /// Becomes readable by `wake`. Open and non-blocking, it also serves where libssh2 wants to see a descriptor.
    let signal: Int32

    /// - Throws: what the system refused.
    init() throws(Errno) {
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        signal = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        var event = unsafe epoll_event()
        unsafe event.events = EPOLLIN.rawValue
        unsafe event.data.fd = signal
        guard epoll >= 0, signal >= 0, unsafe epoll_ctl(epoll, EPOLL_CTL_ADD, signal, &event) == 0 else {
            throw .current
        }
    }

    deinit {
        if epoll >= 0 { close(epoll) }
        if signal >= 0 { close(signal) }
    }

    /// Ends the present wait, or the next one. From any thread.
    func wake() { eventfd_write(signal, 1) }

    func watch(_ descriptor: Int32, reading: Bool, writing: Bool, isNew: Bool) throws(Errno) {
        var event = unsafe epoll_event()
        unsafe event.events = (reading ? EPOLLIN.rawValue : 0) | (writing ? EPOLLOUT.rawValue : 0)
        unsafe event.data.fd = descriptor
        let operation = isNew ? EPOLL_CTL_ADD : EPOLL_CTL_MOD
        guard unsafe epoll_ctl(epoll, operation, descriptor, &event) == 0 else { throw .current }
    }

    func forget(_ descriptor: Int32) {
        var event = unsafe epoll_event()
        _ = unsafe epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, &event)
    }

    /// The descriptors that are ready, after at most `milliseconds` (-1: whenever).
    func ready(within milliseconds: Int32) -> [Int32] {
        let capacity = 128
        return unsafe withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: capacity) { events in
            let count = unsafe epoll_wait(epoll, events.baseAddress, Int32(capacity), milliseconds)
            var descriptors: [Int32] = []
            for index in 0..<max(0, Int(count)) {
                let descriptor = unsafe events[index].data.fd
                if descriptor != signal {
                    descriptors.append(descriptor)
                    continue
                }
                var value: eventfd_t = 0
                _ = unsafe eventfd_read(signal, &value)
            }
            return descriptors
        }
    }
}
