import Engine
import Glibc
import Machine
import Wire

/// `gantry-agent job`: the process of a task with `async`, started by an agent, and by itself from then on.
///
/// Two threads: one runs the module, the other watches the clock.
enum BackgroundJob {
    /// The module's children have got a signal, and the module some time to tell of it.
    private static let mercy: UInt32 = 5

    /// What the watch needs.
    private final class Watch: Sendable {
        let job: JobWatch
        let stop: Int32
        init(_ job: JobWatch, stop: Int32) {
            self.job = job
            self.stop = stop
        }
    }

    static func run() {
        var frames = FrameBuffer()
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe buffer.withUnsafeMutableBytes { unsafe read(0, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            if count <= 0 { break }
            frames.append(buffer[..<count])
        }
        guard case .call(let call)? = try? frames.next(Order.self) else { exit(64) }
        var contents: [ModuleContents] = []
        if case .answer(.parts(let parts))? = try? frames.next(Order.self) { contents = parts }
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe(&ends) == 0 else { exit(71) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let machine = LinuxMachine(stop: StopSignal(descriptor: ends[0]))
        guard let job = JobRun(call, contents, on: machine) else { exit(64) }
        watch(Watch(job.watch(process: Int(getpid())), stop: ends[1]))
        job.run(process: Int(getpid()))
    }

    private static func watch(_ watch: Watch) {
        let context = unsafe Unmanaged.passRetained(watch).toOpaque()
        var thread = pthread_t()
        let result = unsafe pthread_create(
            &thread, nil,
            { context in
                if let context = unsafe context {
                    BackgroundJob.end(unsafe Unmanaged<Watch>.fromOpaque(context).takeRetainedValue())
                }
                return nil
            }, context)
        if result == 0 { pthread_detach(thread) }
    }

    /// When its time is over, the module is stopped, and, where it does not hear that, left behind.
    private static func end(_ watch: Watch) {
        var left = watch.job.seconds
        while left > 0 {
            let step = min(left, 3600)
            usleep(UInt32(step * 1_000_000))
            left -= step
        }
        var one: UInt8 = 1
        _ = unsafe write(watch.stop, &one, 1)
        sleep(mercy)
        watch.job.tellTimeout()
        exit(0)
    }
}
