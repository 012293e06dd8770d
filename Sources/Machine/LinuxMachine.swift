import Values
import CMachine
import Glibc

/// The computer we run on, by its system calls. Its methods are in the files of their topics.
package struct LinuxMachine: MachineEditor {
    /// What ends commands, probes and sleeps early.
    package let stop: StopSignal
    package let environment: [String: String]
    package let identity: Identity
    /// The mask that the process was started with.
    package let mask: UInt32

    package init(stop: StopSignal = .never, environment: [String: String]? = nil) {
        self.stop = stop
        self.environment = environment ?? Self.processEnvironment()
        identity = Self.processIdentity()
        mask = Self.processMask
    }

    package var now: Double {
        var time = timespec()
        _ = unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    package func sleep(seconds: Double) throws(MachineError) {
        let end = steadyTime() + seconds
        while true {
            if stop.isSet { throw .stopped }
            let left = end - steadyTime()
            if left <= 0 { return }
            var polled = [stop.polled]
            wait(for: &polled, seconds: left)
        }
    }

    /// Where a program is looked for beside `PATH`: services and sudo often have a short one.
    static let systemFolders = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"]

    package func program(_ name: String) -> String? { program(name, path: environment["PATH"]) }

    func program(_ name: String, path: String?) -> String? {
        if name.contains("/") { return isProgram(name) ? name : nil }
        if name.isEmpty { return nil }
        let folders = (path ?? "").split(separator: ":").map(String.init)
        for folder in folders + Self.systemFolders.filter({ !folders.contains($0) }) {
            if isProgram("\(folder)/\(name)") { return "\(folder)/\(name)" }
        }
        return nil
    }

    private func isProgram(_ path: String) -> Bool {
        guard let found = try? status(of: path, followingLinks: true), found.kind == .file else { return false }
        return found.mode & 0o111 != 0 && access(path).contains(.execute)
    }

    private static func processEnvironment() -> [String: String] {
        var found: [String: String] = [:]
        var next = unsafe environ
        while let entry = unsafe next.pointee {
            let text = unsafe String(cString: entry)
            if let equals = text.firstIndex(of: "=") {
                found[String(text[..<equals])] = String(text[text.index(after: equals)...])
            }
            unsafe next += 1
        }
        return found
    }

    private static func processIdentity() -> Identity {
        var names = utsname()
        _ = unsafe uname(&names)
        func text<Field>(_ field: Field) -> String {
            unsafe withUnsafeBytes(of: field) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
        }
        return Identity(
            userID: geteuid(), groupID: getegid(), hostName: text(names.nodename), kernel: text(names.release),
            kernelVersion: text(names.version), architecture: text(names.machine))
    }

    /// Read once: the only way to read the mask is to set it. Writing to a pipe whose reader has gone must be an
    /// error and not the end of the process, so the signal for it is ignored from here on.
    private static let processMask: UInt32 = {
        _ = signal(SIGPIPE, SIG_IGN)
        let mask = umask(0o077)
        _ = umask(mask)
        return UInt32(mask)
    }()
}
