import Glibc

/// What one loop's thread owns: its sessions, the sockets being connected, and the timers.
@safe final class Core {
    enum Watcher {
        case session(Session)
        case dial(Dial)
    }

    let loop: Loop
    private(set) var sessions: [UInt64: Session] = [:]
    private(set) var dials: [UInt64: Dial] = [:]
    private(set) var channels: [UInt64: Channel] = [:]
    /// Where bytes pass through on their way; never holds any across two calls.
    let scratch: UnsafeMutableRawBufferPointer
    private var watchers: [Int32: Watcher] = [:]
    private var timers = Timers()
    private var ready: [Session] = []
    /// Proxy commands that were told to end and have to be collected.
    private var leaving: [pid_t] = []

    init(loop: Loop) {
        self.loop = loop
        unsafe scratch = .allocate(byteCount: 64 << 10, alignment: 16)
    }

    deinit { unsafe scratch.deallocate() }

    // MARK: turning

    /// How long `epoll_wait` may wait, in milliseconds; -1 for ever.
    var patience: Int32 {
        if !ready.isEmpty { return 0 }
        guard let next = timers.next else { return -1 }
        let now = monotonicNow()
        if next <= now { return 0 }
        return Int32(clamping: (next - now) / 1_000_000 + 1)
    }

    /// Runs what is due: timers, and sessions that have something to do.
    func turn() {
        while let action = timers.popDue(at: monotonicNow()) { action() }
        // One round: what it wakes runs after a look at the descriptors.
        let round = ready
        ready = []
        for session in round {
            session.isReady = false
            session.pump()
        }
    }

    /// Has the session pumped before the loop waits again.
    func wake(_ session: Session) {
        guard !session.isReady else { return }
        session.isReady = true
        ready.append(session)
    }

    func handle(descriptor: Int32) {
        switch watchers[descriptor] {
        case .session(let session): wake(session)
        case .dial(let dial): dial.advance()
        case nil: break
        }
    }

    /// Calls `action` after `delay` nanoseconds, unless the timer is cancelled before.
    func after(_ delay: UInt64, _ action: @escaping () -> Void) -> UInt64 {
        timers.add(at: monotonicNow() + delay, action)
    }

    func cancel(timer: UInt64?) {
        if let timer { timers.cancel(timer) }
    }

    // MARK: descriptors

    func watch(_ descriptor: Int32, reading: Bool, writing: Bool, _ watcher: Watcher) throws(Errno) {
        let isNew = watchers[descriptor] == nil
        try loop.watch(descriptor, reading: reading, writing: writing, isNew: isNew)
        watchers[descriptor] = watcher
    }

    func unwatch(_ descriptor: Int32) {
        if watchers.removeValue(forKey: descriptor) != nil { loop.forget(descriptor) }
    }

    // MARK: what is owned

    func add(_ session: Session) { sessions[session.id] = session }
    func remove(_ session: Session) { sessions[session.id] = nil }
    func add(_ dial: Dial) { dials[dial.id] = dial }
    func remove(_ dial: Dial) { dials[dial.id] = nil }
    func add(_ channel: Channel) { channels[channel.id] = channel }
    func remove(_ channel: Channel) { channels[channel.id] = nil }

    /// Gives up whatever has the identity: a socket being connected or a session.
    func abandon(_ id: UInt64) {
        dials[id]?.abandon()
        sessions[id]?.lose("closed by this side")
    }

    /// Ends a proxy command and sees to it that it does not stay as a zombie.
    func collect(_ process: pid_t) {
        kill(-process, SIGTERM)
        leaving.append(process)
        reap(after: 0.01)
    }

    private func reap(after delay: Double) {
        _ = after(nanoseconds(delay)) { [unowned self] in
            leaving.removeAll { waitpid($0, nil, WNOHANG) != 0 }
            guard !leaving.isEmpty else { return }
            if delay > 2 { for process in leaving { kill(-process, SIGKILL) } }
            reap(after: min(delay * 2, 5))
        }
    }

    func stop() {
        for dial in dials.values { dial.abandon() }
        for session in sessions.values { session.leave() }
        for process in leaving where waitpid(process, nil, WNOHANG) == 0 {
            kill(-process, SIGKILL)
            waitpid(process, nil, 0)
        }
        leaving = []
    }
}

/// Actions to run at given times, the earliest first.
private struct Timers {
    /// Ascending; a cancelled one stays until its time, without an action.
    private var order: [(time: UInt64, id: UInt64)] = []
    private var actions: [UInt64: () -> Void] = [:]
    private var lastID: UInt64 = 0

    var next: UInt64? { order.first?.time }

    mutating func add(at time: UInt64, _ action: @escaping () -> Void) -> UInt64 {
        lastID += 1
        var low = 0
        var high = order.count
        while low < high {
            let middle = (low + high) / 2
            if order[middle].time <= time { low = middle + 1 } else { high = middle }
        }
        order.insert((time, lastID), at: low)
        actions[lastID] = action
        return lastID
    }

    mutating func cancel(_ id: UInt64) {
        guard actions.removeValue(forKey: id) != nil else { return }
        // Cancelled timers are most of them; they go when they outnumber the others.
        if order.count > 2 * actions.count + 64 {
            let known = actions
            order.removeAll { known[$0.id] == nil }
        }
        if actions.isEmpty { order = [] }
    }

    mutating func popDue(at now: UInt64) -> (() -> Void)? {
        var passed = 0
        defer { order.removeFirst(passed) }
        while passed < order.count, order[passed].time <= now {
            passed += 1
            if let action = actions.removeValue(forKey: order[passed - 1].id) { return action }
        }
        return nil
    }
}
