/// Reads of the computer we run on. Nothing reachable from here changes its state: check mode is this protocol.
package protocol MachineReader: Sendable {
    /// `lstat`, or `stat` with `followingLinks`; `nil` when nothing is there (or a parent is missing).
    func status(of path: String, followingLinks: Bool) throws(MachineError) -> FileStatus?
    /// The whole content; `nil` when nothing is there. More than `limit` bytes is an error.
    func contents(of path: String, limit: Int) throws(MachineError) -> [UInt8]?
    /// Hands over the content in pieces of at most 64 KiB, for digests of large files. `false` when nothing is there.
    func read(_ path: String, _ piece: ([UInt8]) -> Void) throws(MachineError) -> Bool
    /// Names in a folder, sorted, without `.` and `..`; `nil` when it is not there.
    func names(in folder: String) throws(MachineError) -> [String]?
    func linkTarget(of path: String) throws(MachineError) -> String?
    /// The path with links resolved; `nil` when it does not exist.
    func realPath(of path: String) -> String?
    /// What the running process may do with the path (`access(2)`).
    func access(_ path: String) -> Access
    /// Room on the file system that holds the path; `nil` when the path does not exist.
    func space(of path: String) throws(MachineError) -> FileSystemSpace?
    /// The flags that `lsattr` shows; `nil` where the file system has none.
    func flags(of path: String) -> FileFlags?

    /// From the files, then `getent`; never through NSS in this process.
    func user(named name: String) throws(MachineError) -> User?
    func user(id: UInt32) throws(MachineError) -> User?
    func group(named name: String) throws(MachineError) -> Group?
    func group(id: UInt32) throws(MachineError) -> Group?

    /// Runs a program that only reads (`systemctl show`, `dpkg --print-architecture`).
    func inspect(_ command: Command) throws(MachineError) -> CommandResult
    /// Where a program is found in `PATH` and the usual system folders; `nil` when it is not there.
    func program(_ name: String) -> String?
    /// Addresses of a host name: `/etc/hosts`, then `getent ahosts`. Empty when unknown.
    func addresses(of host: String) throws(MachineError) -> [String]
    /// Tries to open a TCP connection to an address in digits, and reads what the other side sends, to its first
    /// pause and up to `limit` bytes, when `limit` is not 0. A stop of the run ends it as `timedOut`.
    func probe(address: String, port: Int, timeout: Double, readLimit limit: Int) -> Probe

    var environment: [String: String] { get }
    var identity: Identity { get }
    /// The mask that takes permissions away from new files.
    var mask: UInt32 { get }
    /// Seconds since 1970, UTC.
    var now: Double { get }
    /// Waits; ends early with an error when the run is being stopped.
    func sleep(seconds: Double) throws(MachineError)
}

/// Reads and changes. Only `Resource.change` and an action that has passed its gate get one.
package protocol MachineEditor: MachineReader {
    /// Puts `contents` at `path` by a rename in the same folder: owner, group and mode are set, and the bytes are on
    /// disk, before the name changes. Attributes left `nil` are those of the file replaced, or the process's own and
    /// `0666 & ~umask`. `check` gets the path of the temporary file before the rename, and may refuse.
    func replace(
        _ path: String, with contents: [UInt8], attributes: Attributes,
        check: (String) throws(MachineError) -> Void) throws(MachineError)
    /// Writes into the existing file, for bind-mounted files (`unsafe_writes`).
    func overwrite(_ path: String, with contents: [UInt8]) throws(MachineError)
    func makeFolder(_ path: String, mode: UInt32?) throws(MachineError)
    /// Removes a file, link or whole tree without following links; nothing there is no error.
    func remove(_ path: String) throws(MachineError)
    func makeSymbolicLink(at path: String, to target: String) throws(MachineError)
    func makeHardLink(at path: String, to existing: String) throws(MachineError)
    func rename(_ path: String, to new: String) throws(MachineError)
    /// Sets what is not `nil`.
    func setAttributes(of path: String, _ attributes: Attributes, followingLinks: Bool) throws(MachineError)
    /// Sets both times of a file to now, which who may write it may do; other times are for its owner to set.
    func touch(_ path: String) throws(MachineError)
    /// Seconds since 1970; `nil` leaves the time alone.
    func setTimes(of path: String, access: Double?, modification: Double?) throws(MachineError)
    /// A new empty folder or file that only this user can reach; the caller removes it.
    func makeTemporary(folder: Bool, in parent: String?, prefix: String, suffix: String) throws(MachineError) -> String
    /// Starts a program in a session of its own and leaves it to itself: it outlives this process, reads its input,
    /// and is heard no more.
    func start(_ command: Command) throws(MachineError)
    /// Runs a program to its end. Not to be found, not executable: an error; a non-zero status is a result.
    func run(_ command: Command) throws(MachineError) -> CommandResult
}

extension MachineReader {
    /// Files that modules edit as a whole are small; more is refused rather than swapped to death.
    package static var ordinaryLimit: Int { 256 << 20 }

    package func contents(of path: String) throws(MachineError) -> [UInt8]? {
        try contents(of: path, limit: Self.ordinaryLimit)
    }
    package func text(of path: String) throws(MachineError) -> String? {
        try contents(of: path).map { String(decoding: $0, as: UTF8.self) }
    }
    package func status(of path: String) throws(MachineError) -> FileStatus? {
        try status(of: path, followingLinks: false)
    }
    package func exists(_ path: String) throws(MachineError) -> Bool {
        try status(of: path, followingLinks: true) != nil
    }
}

extension MachineEditor {
    package func replace(_ path: String, with contents: [UInt8], attributes: Attributes) throws(MachineError) {
        try replace(path, with: contents, attributes: attributes) { _ throws(MachineError) in }
    }
}
