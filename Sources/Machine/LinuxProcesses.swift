import Values
import CMachine
import Glibc

extension LinuxMachine {
    package func inspect(_ command: Command) throws(MachineError) -> CommandResult { try run(command) }

    package func run(_ command: Command) throws(MachineError) -> CommandResult {
        if stop.isSet { throw .stopped }
        guard let name = command.arguments.first else { throw MachineError("a command without words", code: EINVAL) }
        for text in command.arguments + command.environment.map({ "\($0)=\($1)" }) where text.utf8.contains(0) {
            throw MachineError("cannot run '\(name)': an argument holds a zero byte", code: EINVAL)
        }
        let settings = environment.merging(command.environment) { $1 }
        let path = program(name, path: settings["PATH"]) ?? name
        // Not found in PATH: nothing of that name in the folder of the moment is meant.
        if !path.contains("/") { throw .cannot("run", "'\(name)'", ENOENT) }
        var child = try Child(command, program: path, settings)
        return try child.finished(stop)
    }
}

extension LinuxMachine {
    package func start(_ command: Command) throws(MachineError) {
        guard let name = command.arguments.first, let path = program(name) else {
            throw MachineError("cannot run '\(command.arguments.first ?? "")': no such program", code: ENOENT)
        }
        // Its input is a file that has no name any more: nobody has to stay to feed it.
        let file = try makeTemporary(folder: false, in: nil, prefix: "gantry-", suffix: "")
        defer { _ = unsafe unlink(file) }
        try overwrite(file, with: command.input)
        let input = Descriptor(try attempt("read", file) { unsafe open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) })
        let output = Descriptor(try attempt("open", "/dev/null") { unsafe open("/dev/null", O_WRONLY | O_CLOEXEC) })
        let settings = environment.merging(command.environment) { $1 }
        _ = try Child.start(command, path, settings, [input.raw, output.raw, output.raw])
    }
}

/// A pipe to or from a child: the end that is ours, and the one that it gets.
struct Pipe: ~Copyable {
    /// Closed as soon as the other side has ended.
    var ours: Int32
    let theirs: Descriptor

    init(writing: Bool) throws(MachineError) {
        var ends: [Int32] = [-1, -1]
        let result = unsafe machine_pipe(&ends, writing ? 1 : 0)
        if result < 0 { throw .cannot("make", "a pipe", -result) }
        ours = ends[writing ? 1 : 0]
        theirs = Descriptor(ends[writing ? 0 : 1])
    }
}

/// A running command: feeds it, collects what it writes, and sees to it that it ends.
///
/// A process of the background that keeps the outputs open would make us wait as long as it lives. Ansible reads on
/// after the exit until nothing has come for a second; here that is a tenth of one, and ten seconds at most.
struct Child {
    private var process: Int32
    private let command: Command
    private var input: Stream
    private var outputs: [Stream]
    private var status: Int32?
    private var exitTime = 0.0
    private var lastRead = 0.0
    private var ending: Ending?
    private var killTime = 0.0

    private enum Ending { case timeout, stop }

    /// One end of a pipe; `descriptor` is negative when it is closed.
    private struct Stream {
        var descriptor: Int32
        var bytes: [UInt8] = []
        var position = 0
        var dropped = 0
        var isOpen: Bool { descriptor >= 0 }
        mutating func close() {
            if isOpen { _ = Glibc.close(descriptor) }
            descriptor = -1
        }
    }

    /// Seconds between SIGTERM and SIGKILL.
    private static let mercy = 2.0
    private static let quietTime = 0.1
    private static let longestTail = 10.0

    init(_ command: Command, program: String, _ environment: [String: String]) throws(MachineError) {
        self.command = command
        let output = try Pipe(writing: false)
        outputs = [Stream(descriptor: output.ours)]
        let errors: Pipe
        do throws(MachineError) { errors = try Pipe(writing: false) } catch {
            _ = Glibc.close(output.ours)
            throw error
        }
        outputs.append(Stream(descriptor: errors.ours))
        input = Stream(descriptor: -1)
        process = -1
        let source: Descriptor
        if command.input.isEmpty {
            source = Descriptor(unsafe open("/dev/null", O_RDONLY | O_CLOEXEC))
        } else {
            let pipe: Pipe
            do throws(MachineError) { pipe = try Pipe(writing: true) } catch {
                for index in outputs.indices { outputs[index].close() }
                throw error
            }
            input = Stream(descriptor: pipe.ours, bytes: command.input)
            source = pipe.theirs
        }
        do throws(MachineError) {
            process = try Self.start(command, program, environment, [source.raw, output.theirs.raw, errors.theirs.raw])
        } catch {
            input.close()
            for index in outputs.indices { outputs[index].close() }
            throw error
        }
    }

    static func start(
        _ command: Command, _ program: String, _ environment: [String: String], _ descriptors: [Int32]
    ) throws(MachineError) -> Int32 {
        var inFolder: Int32 = 0
        let settings = environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        var result = spawn(command, program, command.arguments, settings, descriptors, &inFolder)
        if result == -ENOEXEC {
            // A script without `#!`: shells run it themselves, and so does everything that calls execvp.
            let words = ["/bin/sh", program] + command.arguments.dropFirst()
            result = spawn(command, "/bin/sh", words, settings, descriptors, &inFolder)
        }
        if result > 0 { return result }
        if inFolder != 0 { throw .cannot("change to the folder", command.folder ?? "", -result) }
        throw .cannot("run", "'\(command.arguments[0])'", -result)
    }

    private static func spawn(
        _ command: Command, _ program: String, _ arguments: [String], _ environment: [String],
        _ descriptors: [Int32], _ inFolder: inout Int32
    ) -> Int32 {
        let words = unsafe CStrings(arguments)
        let settings = unsafe CStrings(environment)
        let place = unsafe CStrings([program] + (command.folder.map { [$0] } ?? []))
        defer {
            unsafe words.free()
            unsafe settings.free()
            unsafe place.free()
        }
        var start = unsafe machine_start()
        unsafe start.program = UnsafePointer(place.pointers[0])
        unsafe start.folder = UnsafePointer(place.pointers[1])
        unsafe start.umask = command.umask.map { Int32($0) } ?? -1
        unsafe start.descriptors = (descriptors[0], descriptors[1], descriptors[2])
        return unsafe words.pointers.withUnsafeBufferPointer { words in
            unsafe settings.pointers.withUnsafeBufferPointer { settings in
                unsafe start.arguments = words.baseAddress
                unsafe start.environment = settings.baseAddress
                return unsafe machine_spawn(&start, &inFolder)
            }
        }
    }

    /// Waits for the end.
    mutating func finished(_ stop: StopSignal) throws(MachineError) -> CommandResult {
        let deadline = command.timeout.map { steadyTime() + $0 }
        var pulse = 0.001
        while true {
            reap()
            let now = steadyTime()
            if isOver(now) { break }
            end(now, deadline, stop)
            let busy = step(stop, seconds: pause(now, deadline, pulse))
            pulse = busy ? 0.001 : min(pulse * 2, 0.1)
        }
        input.close()
        for index in outputs.indices { outputs[index].close() }
        // Those of its children that did not end with it.
        if ending != nil { _ = kill(-process, SIGKILL) }
        if ending == .stop { throw .stopped }
        return CommandResult(
            status: status ?? -SIGKILL, output: text(outputs[0]), errors: text(outputs[1]),
            timedOut: ending == .timeout)
    }

    private func text(_ stream: Stream) -> [UInt8] {
        if stream.dropped == 0 { return stream.bytes }
        return stream.bytes + Array("\n(\(stream.dropped) bytes more were dropped)\n".utf8)
    }

    private mutating func reap() {
        if status != nil { return }
        var word: Int32 = 0
        let result = uninterrupted { unsafe waitpid(process, &word, WNOHANG) }
        if result == 0 { return }
        // Somebody else's handler took the status away: then it is unknown.
        status = result < 0 ? 255 : word & 0x7f == 0 ? (word >> 8) & 0xff : -(word & 0x7f)
        exitTime = steadyTime()
        lastRead = exitTime
    }

    private func isOver(_ now: Double) -> Bool {
        guard status != nil else { return false }
        if !outputs[0].isOpen && !outputs[1].isOpen { return true }
        return now - lastRead >= Self.quietTime || now - exitTime >= Self.longestTail
    }

    /// Asks the process and its group to end when it is time, and makes them.
    private mutating func end(_ now: Double, _ deadline: Double?, _ stop: StopSignal) {
        if status != nil { return }
        if ending == nil {
            if stop.isSet { ending = .stop } else if let deadline, now >= deadline { ending = .timeout }
            if ending == nil { return }
            _ = kill(-process, SIGTERM)
            killTime = now + Self.mercy
        } else if now >= killTime {
            _ = kill(-process, SIGKILL)
            killTime = now + Self.mercy
        }
    }

    private func pause(_ now: Double, _ deadline: Double?, _ pulse: Double) -> Double {
        if ending != nil || status != nil { return min(pulse, 0.02) }
        return min(pulse, deadline.map { max(0, $0 - now) } ?? pulse)
    }

    /// One round of waiting, reading and feeding. Whether anything happened.
    private mutating func step(_ stop: StopSignal, seconds: Double) -> Bool {
        var polled = [
            pollfd(fd: outputs[0].descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: outputs[1].descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: input.descriptor, events: Int16(POLLOUT), revents: 0),
        ]
        if ending == nil { polled.append(stop.polled) }
        wait(for: &polled, seconds: seconds)
        var busy = false
        for index in 0..<2 where polled[index].revents != 0 {
            busy = true
            drain(index)
        }
        if polled[2].revents != 0 {
            busy = true
            feed()
        }
        return busy
    }

    private mutating func drain(_ index: Int) {
        let number = outputs[index].descriptor
        var count = 0
        let piece = unsafe [UInt8](unsafeUninitializedCapacity: 65536) { buffer, initialized in
            count = uninterrupted { unsafe Glibc.read(number, buffer.baseAddress, buffer.count) }
            initialized = max(0, count)
        }
        if count == -Int(EAGAIN) { return }
        if count <= 0 { return outputs[index].close() }
        lastRead = steadyTime()
        let kept = piece.prefix(max(0, command.outputLimit - outputs[index].bytes.count))
        outputs[index].bytes += kept
        outputs[index].dropped += piece.count - kept.count
    }

    private mutating func feed() {
        let number = input.descriptor
        let position = input.position
        let count = uninterrupted {
            unsafe input.bytes[position...].withUnsafeBytes { unsafe Glibc.write(number, $0.baseAddress, $0.count) }
        }
        if count == -Int(EAGAIN) { return }
        // A program that does not want its input has that right.
        if count < 0 { return input.close() }
        input.position += count
        if input.position == input.bytes.count { input.close() }
    }
}

/// A list of C strings with a null pointer at its end; `free` gives them back.
@unsafe private struct CStrings {
    var pointers: [UnsafeMutablePointer<CChar>?]
    init(_ strings: [String]) { unsafe pointers = strings.map { unsafe strdup($0) } + [nil] }
    func free() { for unsafe pointer in unsafe pointers { unsafe Glibc.free(pointer) } }
}
