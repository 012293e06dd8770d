import Glibc
import Values

/// An open file, closed when its owner goes.
struct Descriptor: ~Copyable, Sendable {
    let raw: Int32
    init(_ raw: Int32) { self.raw = raw }
    deinit { _ = Glibc.close(raw) }
}

/// What the system calls an errno: `No space left on device`.
package func systemMessage(_ code: Int32) -> String { unsafe String(cString: strerror(code)) }

extension MachineError {
    /// `cannot write /etc/motd: No space left on device`
    static func cannot(_ verb: String, _ object: String, _ code: Int32) -> MachineError {
        MachineError("cannot \(verb) \(object): \(systemMessage(code))", code: code)
    }
    static var stopped: MachineError { MachineError("the run is being stopped", code: 0, isStop: true) }
}

/// The result of a system call, repeated while signals interrupt it. A negative result is its errno, negated.
func uninterrupted<Number: SignedInteger>(_ call: () -> Number) -> Number {
    while true {
        let result = call()
        if result >= 0 { return result }
        let code = errno
        if code != EINTR { return Number(-code) }
    }
}

/// A system call on a path that must succeed.
///
/// - Parameter verb: what could not be done, for the error: `write`, `remove`.
@discardableResult
func attempt<Number: SignedInteger>(
    _ verb: String, _ path: String, _ call: () -> Number
) throws(MachineError) -> Number {
    try checkPath(path)
    let result = uninterrupted(call)
    if result < 0 { throw .cannot(verb, path, Int32(-result)) }
    return result
}

/// The system would silently cut a path at a zero byte, and act on another file.
func checkPath(_ path: String) throws(MachineError) {
    if path.isEmpty { throw MachineError("the path is empty", code: ENOENT) }
    if path.utf8.contains(0) {
        let shown = path.replacing("\0", with: "\\0")
        throw MachineError("the path \(shown) holds a zero byte", code: EINVAL)
    }
}

/// Seconds of a clock that never jumps.
func steadyTime() -> Double {
    var time = timespec()
    _ = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// Waits for events; an interruption counts as none.
///
/// - Parameter seconds: how long at most; `nil` without limit.
func wait(for polled: inout [pollfd], seconds: Double?) {
    let milliseconds = seconds.map { Int32(min(max(0, ($0 * 1000).rounded(.up)), 3_600_000)) } ?? -1
    let count = nfds_t(polled.count)
    if unsafe poll(&polled, count, milliseconds) < 0 { for index in polled.indices { polled[index].revents = 0 } }
}

/// Tells a machine that the run must end now: its descriptor has become readable.
package struct StopSignal: Sendable, Hashable {
    /// Polled, never read; negative when nothing can stop the run.
    package let descriptor: Int32
    package init(descriptor: Int32) { self.descriptor = descriptor }
    package static let never = StopSignal(descriptor: -1)

    var polled: pollfd { pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0) }

    var isSet: Bool {
        guard descriptor >= 0 else { return false }
        var list = [polled]
        wait(for: &list, seconds: 0)
        return list[0].revents != 0
    }
}

/// The folder of a path and the name in it, as `dirname` and `basename` give them.
package func splitPath(_ path: String) -> (folder: String, name: String) {
    var bytes = path.utf8[...]
    while bytes.count > 1, bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
    guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return (".", String(bytes) ?? path) }
    let name = String(bytes[bytes.index(after: slash)...]) ?? path
    var folder = bytes[..<slash]
    while folder.count > 1, folder.last == UInt8(ascii: "/") { folder.removeLast() }
    return (folder.isEmpty ? "/" : String(folder) ?? "/", name)
}
