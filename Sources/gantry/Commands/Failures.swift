import Glibc
import Machine
import Values

/// A command that cannot be done: what a person sees, and the exit status.
struct CommandFailure: Error, CustomStringConvertible {
    let diagnostics: [Diagnostic]
    let status: Int32

    init(_ diagnostics: [Diagnostic], status: Int32) {
        self.diagnostics = diagnostics
        self.status = status
    }
    init(_ diagnostic: Diagnostic, status: Int32) { self.init([diagnostic], status: status) }
    var description: String { diagnostics.map(\.shown).joined(separator: "\n") }

    /// What this machine refuses ends the command.
    @discardableResult
    static func attempt<T>(_ body: () throws(MachineError) -> T) throws(CommandFailure) -> T {
        do throws(MachineError) { return try body() } catch {
            throw CommandFailure(Diagnostic(error.message), status: 1)
        }
    }
}

/// Plain output.
enum Output {
    static func print(_ text: String) { put(text + "\n", 1) }
    static func printError(_ text: String) { put(text + "\n", 2) }

    static func put(_ text: String, _ descriptor: Int32) { put(Array(text.utf8), descriptor) }

    static func put(_ bytes: [UInt8], _ descriptor: Int32) {
        var position = 0
        while position < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.write(descriptor, buffer.baseAddress.map { unsafe $0 + position }, bytes.count - position)
            }
            if count > 0 { position += count } else if errno != EINTR { return }
        }
    }

    /// A whole file, by a rename; its folder is made.
    static func write(_ text: String, to path: String, mode: UInt32 = 0o644) throws(CommandFailure) {
        try write(Array(text.utf8), to: path, mode: mode)
    }

    static func write(_ bytes: [UInt8], to path: String, mode: UInt32 = 0o644) throws(CommandFailure) {
        if let end = path.lastIndex(of: "/") { try makeFolders(String(path[..<end])) }
        try CommandFailure.attempt { () throws(MachineError) in
            try LinuxMachine().replace(path, with: bytes, attributes: Attributes(mode: mode))
        }
    }

    /// A folder, and those above it that are not there.
    static func makeFolders(_ path: String) throws(CommandFailure) {
        let machine = LinuxMachine()
        try CommandFailure.attempt { () throws(MachineError) in
            var folder = path.hasPrefix("/") ? "" : "."
            for part in path.split(separator: "/") {
                folder += "/\(part)"
                if try !machine.exists(folder) { try machine.makeFolder(folder, mode: nil) }
            }
        }
    }
}
