import Glibc

/// A program that is talked to while it runs: its input, output and errors are pipes of ours.
package final class Conversation {
    package enum Piece: Sendable {
        case output([UInt8])
        case errors([UInt8])
        /// Both outputs are closed.
        case ended
        case timedOut
    }

    package let process: Int32
    private var input: Int32
    private var outputs: [Int32]
    /// Read while the other side was waiting for us to write.
    private var early: [Piece] = []
    private let stop: StopSignal

    package init(_ command: Command, on machine: LinuxMachine) throws(MachineError) {
        guard let name = command.arguments.first, let path = machine.program(name) else {
            throw MachineError("cannot run '\(command.arguments.first ?? "")': no such program", code: ENOENT)
        }
        let source = try Pipe(writing: true)
        let output = try Pipe(writing: false)
        let errors = try Pipe(writing: false)
        let settings = machine.environment.merging(command.environment) { $1 }
        let ends = [source.theirs.raw, output.theirs.raw, errors.theirs.raw]
        do throws(MachineError) {
            process = try Child.start(command, path, settings, ends)
        } catch {
            for end in [source.ours, output.ours, errors.ours] { _ = close(end) }
            throw error
        }
        input = source.ours
        outputs = [output.ours, errors.ours]
        stop = machine.stop
    }

    deinit { for end in [input] + outputs where end >= 0 { _ = close(end) } }

    /// Writes all of it; what arrives meanwhile is kept for `read`.
    package func write(_ bytes: [UInt8]) throws(MachineError) {
        var position = 0
        while position < bytes.count {
            if input < 0 { throw MachineError("the other side has closed its input", code: EPIPE) }
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.write(input, buffer.baseAddress.map { unsafe $0 + position }, bytes.count - position)
            }
            if count > 0 {
                position += count
            } else if count < 0, errno == EAGAIN {
                if let piece = step(seconds: nil, writing: true) { early.append(piece) }
            } else if count < 0, errno != EINTR {
                throw MachineError("cannot write to process \(process): \(systemMessage(errno))", code: errno)
            }
        }
    }

    package func closeInput() {
        if input >= 0 { _ = close(input) }
        input = -1
    }

    /// What comes next.
    ///
    /// - Parameter seconds: how long to wait; `nil` without limit.
    package func read(seconds: Double?) throws(MachineError) -> Piece {
        if !early.isEmpty { return early.removeFirst() }
        let end = seconds.map { steadyTime() + $0 }
        while true {
            if stop.isSet { throw .stopped }
            if outputs.allSatisfy({ $0 < 0 }) { return .ended }
            let left = end.map { $0 - steadyTime() }
            if let left, left <= 0 { return .timedOut }
            if let piece = step(seconds: left, writing: false) { return piece }
        }
    }

    private func step(seconds: Double?, writing: Bool) -> Piece? {
        var polled = outputs.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        polled.append(stop.polled)
        if writing { polled.append(pollfd(fd: input, events: Int16(POLLOUT), revents: 0)) }
        wait(for: &polled, seconds: seconds)
        for index in 0..<2 where polled[index].revents != 0 {
            var buffer = [UInt8](repeating: 0, count: 65536)
            let descriptor = outputs[index]
            let count = unsafe buffer.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count > 0 { return index == 0 ? .output(Array(buffer[..<count])) : .errors(Array(buffer[..<count])) }
            if count == 0 || (errno != EAGAIN && errno != EINTR) {
                _ = close(descriptor)
                outputs[index] = -1
            }
        }
        return nil
    }

    /// Waits for the end; asks for it when `ending`, unless it comes by itself within `patience` seconds.
    ///
    /// - Returns: the status, negative for a signal.
    @discardableResult
    package func finish(ending: Bool = false, patience: Double = 0) -> Int32 {
        closeInput()
        var status: Int32 = 0
        let start = Int(patience * 100)
        for turn in 0..<(start + 200) {
            let result = unsafe waitpid(process, &status, WNOHANG)
            if result == process || (result < 0 && errno != EINTR) { break }
            if ending, turn == start { kill(-process, SIGTERM) }
            if turn == start + 100 { kill(-process, SIGKILL) }
            usleep(10_000)
        }
        return status & 0x7f == 0 ? (status >> 8) & 0xff : -(status & 0x7f)
    }
}
