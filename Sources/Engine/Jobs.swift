package import Machine
import Modules
package import Values
package import Wire

/// Leaves a module to a process of its own, which outlives this one.
struct JobStart {
    let call: ModuleCall
    let job: Job
    let machine: any MachineEditor
    let courier: CallCourier

    func result() -> CallResult {
        do throws(Failure) { return try start() } catch { return failed(error) }
    }

    private func start() throws(Failure) -> CallResult {
        if !call.checkMode { try courier.willChange() }
        // It has nobody to ask: everything goes along.
        var input = Wire.Frame.bytes(of: Order.call(call))
        if let foreign = call.foreign {
            let digests = foreign.module.parts.map(\.digest).filter { !$0.isEmpty }
            let contents = try courier.parts(digests)
            input += Wire.Frame.bytes(of: Order.answer(.parts(contents.map(ModuleContents.init))))
        }
        do throws(MachineError) {
            let record = try JobRecord(job, on: machine)
            try record.write(["started": true, "finished": false])
            do throws(MachineError) {
                try machine.start(Command(["/proc/self/exe", "job"], input: input))
            } catch {
                try? machine.remove(record.path)
                throw error
            }
            return CallResult(result: [
                "changed": true, "started": true, "finished": false, "ansible_job_id": .string(job.id),
                "results_file": .string(record.path),
            ])
        } catch { throw Failure(error) }
    }
}

/// The file that tells of a job: that it runs, and then its result.
package struct JobRecord: Sendable {
    let machine: any MachineEditor
    let path: String
    private let id: String

    package init(_ job: Job, on machine: any MachineEditor) throws(MachineError) {
        self.machine = machine
        id = job.id
        let folder = try machine.expanded(job.folder)
        path = "\(folder)/\(job.id)"
        try Self.make(folder, machine)
    }

    private static func make(_ folder: String, _ machine: any MachineEditor) throws(MachineError) {
        let isThere = try machine.exists(folder)
        if folder.isEmpty || isThere { return }
        try make(splitPath(folder).folder, machine)
        try machine.makeFolder(folder, mode: 0o700)
    }

    package func write(_ result: Dict) throws(MachineError) {
        var kept = result
        if kept["started"] != nil { kept["ansible_job_id"] = .string(id) }
        // Results may hold what others are not to read.
        try machine.replace(path, with: Array(Value.dict(kept).json().utf8), attributes: Attributes(mode: 0o600))
    }
}

/// The process of a job: runs the module, and writes down what came of it.
package struct JobRun {
    private let call: ModuleCall
    private let job: Job
    private let machine: any MachineEditor
    private let record: JobRecord
    private let contents: [ModuleContents]

    /// - Parameter contents: of the parts of a module that is not built in, in the order of its parts.
    package init?(_ call: ModuleCall, _ contents: [ModuleContents], on machine: any MachineEditor) {
        guard let job = call.job, let record = try? JobRecord(job, on: machine) else { return nil }
        self.call = call
        self.job = job
        self.machine = machine
        self.record = record
        self.contents = contents
    }

    /// What watches its time.
    package func watch(process: Int) -> JobWatch { JobWatch(seconds: job.seconds, process: process, record: record) }

    /// - Parameter process: its number, told where its time was over.
    package func run(process: Int) {
        let executor = LocalExecutor(machine: machine, isJob: true)
        let coordinator = JobCoordinator(call, contents)
        let done = executor.perform(call, asking: coordinator) { () throws(Interruption) in }
        executor.finish()
        if done.isStop { return watch(process: process).tellTimeout() }
        var result = done.result
        if !done.warnings.isEmpty { result["warnings"] = .strings(done.warnings) }
        // `started` would say that it still runs.
        for key in ["started", "finished", "ansible_job_id"] { result[key] = nil }
        try? record.write(result)
    }
}

/// How long a job may take, and what is told of one that took longer.
package struct JobWatch: Sendable {
    package let seconds: Double
    let process: Int
    let record: JobRecord

    package func tellTimeout() {
        try? record.write(["failed": true, "changed": false, "msg": "Timeout exceeded", "child_pid": .int(process)])
    }
}

/// Answers a job from what came along: there is nobody else.
private final class JobCoordinator: Coordinator {
    private let bytes: [String: ModuleContents]
    var stopReason: String? { nil }

    init(_ call: ModuleCall, _ contents: [ModuleContents]) {
        let digests = (call.foreign?.module.parts ?? []).map(\.digest).filter { !$0.isEmpty }
        bytes = Dictionary(zip(digests, contents)) { first, _ in first }
    }

    func tell(_ event: Event) {}

    func ask(_ question: Question) throws(Interruption) -> Answer {
        switch question {
        case .turn: return .proceed
        case .parts(let digests): return .parts(digests.compactMap { bytes[$0] })
        default: return .failure(Diagnostic("a task in the background cannot ask the controller for anything"))
        }
    }
}
