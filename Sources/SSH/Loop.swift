import Glibc
import Synchronization

/// One thread that serves many connections: waits with `epoll`, moves bytes, runs libssh2.
///
/// Everything a connection is made of lives in the thread's `Core` and is touched nowhere else; other threads send
/// closures.
final class Loop: Sendable {
    typealias Job = @Sendable (Core) -> Void

    private struct Queue {
        var jobs: [Job] = []
        var isStopped = false
    }

    private let queue = Mutex(Queue())
    private let poller: Poller

    /// - Throws: what the system refused.
    init() throws(Errno) { poller = try Poller() }

    var signal: Int32 { poller.signal }

    func watch(_ descriptor: Int32, reading: Bool, writing: Bool, isNew: Bool) throws(Errno) {
        try poller.watch(descriptor, reading: reading, writing: writing, isNew: isNew)
    }

    func forget(_ descriptor: Int32) { poller.forget(descriptor) }

    /// Starts the thread, which keeps the loop alive until `stop`.
    func start() throws(Errno) {
        var thread = pthread_t()
        let pointer = unsafe Unmanaged.passRetained(self).toOpaque()
        let code = unsafe pthread_create(&thread, nil, { pointer in
            guard let pointer = unsafe pointer else { return nil }
            unsafe Unmanaged<Loop>.fromOpaque(pointer).takeRetainedValue().run()
            return nil
        }, pointer)
        guard code == 0 else {
            unsafe Unmanaged<Loop>.fromOpaque(pointer).release()
            throw Errno(code: code)
        }
        pthread_detach(thread)
    }

    /// Runs `job` on the loop's thread; returns false, and does not, when the loop has stopped.
    @discardableResult
    func submit(_ job: @escaping Job) -> Bool {
        let (accepted, isFirst) = queue.withLock { queue in
            if queue.isStopped { return (false, false) }
            queue.jobs.append(job)
            return (true, queue.jobs.count == 1)
        }
        if isFirst { poller.wake() }
        return accepted
    }

    /// Closes all connections and ends the thread. What was submitted before still runs.
    func stop() {
        submit { core in core.stop() }
        queue.withLock { $0.isStopped = true }
        poller.wake()
    }

    /// Asks the loop something and waits for the answer, without holding a thread.
    ///
    /// - Parameters:
    ///   - cleanUp: runs on the loop when the task is cancelled meanwhile; the caller gets `cancelled` at once.
    ///   - body: runs on the loop, and answers the reply now or later.
    func ask<Value: Sendable>(
        onCancel cleanUp: @escaping Job, _ body: @escaping @Sendable (Core, Reply<Value>) -> Void
    ) async throws(SSHError) -> Value {
        let reply = Reply<Value>()
        let answer = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                reply.hand(to: continuation)
                let accepted = submit { core in
                    if !reply.isAnswered { body(core, reply) }
                }
                if !accepted { reply.send(.failure(.lost(reason: "the SSH client was shut down"))) }
            }
        } onCancel: {
            reply.send(.failure(.cancelled))
            submit(cleanUp)
        }
        return try answer.get()
    }

    private func run() {
        let core = Core(loop: self)
        while true {
            let (jobs, isStopped) = queue.withLock { queue in
                let jobs = queue.jobs
                queue.jobs = []
                return (jobs, queue.isStopped)
            }
            for job in jobs { job(core) }
            if isStopped && jobs.isEmpty { return core.stop() }
            core.turn()
            for descriptor in poller.ready(within: jobs.isEmpty ? core.patience : 0) {
                core.handle(descriptor: descriptor)
            }
        }
    }
}

/// An error number of the system.
struct Errno: Error, Sendable, Equatable {
    let code: Int32
    static var current: Errno { Errno(code: errno) }

    /// In the system's words, starting with a small letter.
    var text: String {
        var space = [CChar](repeating: 0, count: 128)
        let code = code
        let message = unsafe space.withUnsafeMutableBufferPointer { buffer -> String in
            guard let base = buffer.baseAddress, unsafe strerror_r(code, base, buffer.count) == 0 else {
                return "error \(code)"
            }
            return unsafe String(cString: base)
        }
        return message.prefix(1).lowercased() + message.dropFirst()
    }
}

/// Nanoseconds of the monotonic clock.
func monotonicNow() -> UInt64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

func nanoseconds(_ seconds: Double) -> UInt64 {
    // A week: longer waits are never meant, and the sum with the clock must not overflow.
    UInt64(max(0, min(seconds, 604_800)) * 1_000_000_000)
}
