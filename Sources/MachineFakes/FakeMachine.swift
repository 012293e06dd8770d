package import Machine
import Synchronization
import Values

/// A computer in memory, for tests.
///
/// ```swift
/// let machine = try FakeMachine(description: Value(json: """
///     {"files": {"/etc/motd": "hello\\n", "/srv": {"folder": true, "mode": "0755"}},
///      "users": ["www", {"name": "ops", "id": 1000}],
///      "commands": [{"run": "systemctl is-active docker", "output": "active\\n"},
///                   {"run": "apt-get install *", "files": {"/usr/bin/nano": "elf"}}]}
///     """))
/// machine.answer(["id", "-u"]) { _, machine in CommandResult(status: 0, output: Array("0\n".utf8)) }
/// ```
///
/// What a file can be: a string (its content), `null` (nothing there), or a mapping with `content`, `link`,
/// `hard` (the path of another name) or `folder: true`, and `mode`, `owner`, `group` (names or numbers), `modified`.
/// Parents are made as needed. `users` and `groups` are names or mappings; root is always there. `mounted` are files
/// that cannot be replaced, since something is mounted over them.
///
/// A command is matched word by word; `*` at the end stands for any more words. It may give `status`, `output`,
/// `errors`, `files` (what it writes), and `times` (how often it answers before the next entry that fits). A command
/// that nothing answers is not found. `edits` lists everything that changed the machine, commands run by `run`
/// included; those by `inspect` are in `inspections`.
package final class FakeMachine: MachineEditor {
    typealias Reply = @Sendable (Command, FakeMachine) throws(MachineError) -> CommandResult

    /// One rule for commands.
    struct Rule: Sendable {
        var words: [String]
        var remaining: Int
        var reply: Reply
    }

    struct State: Sendable {
        var files = FakeFiles()
        var users: [User] = [User(name: "root", id: 0, group: 0, comment: "root", home: "/root", shell: "/bin/bash")]
        var groups: [Group] = [Group(name: "root", id: 0)]
        var hosts: [String: [String]] = [:]
        var probes: [String: Probe] = [:]
        var programs: Set<String> = []
        var rules: [Rule] = []
        var edits: [String] = []
        var inspections: [[String]] = []
        var time = 1_700_000_000.0
        var temporaries = 0
        var isStopped = false
        /// Files that something is mounted on: their names cannot be given to others.
        var mounted: Set<String> = []
    }

    private let state: Mutex<State>
    package let environment: [String: String]
    package let identity: Identity
    package var mask: UInt32 { 0o022 }

    package init(environment: [String: String] = ["PATH": "/usr/bin:/bin", "HOME": "/root"], identity: Identity? = nil)
    {
        self.environment = environment
        self.identity =
            identity
            ?? Identity(
                userID: 0, groupID: 0, hostName: "fake", kernel: "6.1.0", kernelVersion: "#1 SMP",
                architecture: "x86_64")
        state = Mutex(State())
    }

    func with<Result, Failure: Error>(
        _ body: (inout sending State) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        try state.withLock(body)
    }

    /// What changed the machine so far: `write /etc/motd`, `run systemctl restart docker`.
    package var edits: [String] { with { $0.edits } }
    /// The commands that were run to read.
    package var inspections: [[String]] { with { $0.inspections } }
    /// Every path with kind, mode, owner, group and content: for comparing a machine with itself at another time.
    package var snapshot: [String] { with { $0.files.snapshot } }

    package func forgetEdits() {
        with {
            $0.edits = []
            $0.inspections = []
        }
    }

    /// From now on `sleep` and `run` find the run stopped.
    package func stop() { with { $0.isStopped = true } }

    /// Lets a command be answered by code, which may change the machine; `*` as last word stands for any more words.
    package func answer(
        _ words: [String], times: Int = .max,
        _ reply: @escaping @Sendable (Command, FakeMachine) throws(MachineError) -> CommandResult
    ) {
        with { $0.rules.append(Rule(words: words, remaining: times, reply: reply)) }
    }

    package func add(_ user: User) { with { $0.users.append(user) } }
    package func add(_ group: Group) { with { $0.groups.append(group) } }
    /// A file that another is mounted on.
    package func mount(over path: String) { with { _ = $0.mounted.insert(path) } }

    /// What a probe of `address:port` finds; unknown ones are refused.
    package func set(_ probe: Probe, at address: String, port: Int) { with { $0.probes["\(address):\(port)"] = probe } }
    package func set(addresses: [String], of host: String) { with { $0.hosts[host] = addresses } }
    /// Lets `program(name)` find it in `/usr/bin`. Programs that commands are scripted for are found too.
    package func add(program name: String) { with { _ = $0.programs.insert(name) } }
    /// Puts a file there without counting it as an edit.
    package func put(_ path: String, _ contents: String) { put(path, Array(contents.utf8)) }
    package func put(_ path: String, _ contents: [UInt8]) {
        with {
            let time = $0.time
            $0.files.put(path, contents, time)
        }
    }

    // MARK: Reading

    package func status(of path: String, followingLinks: Bool) throws(MachineError) -> FileStatus? {
        with { $0.files.node(path, following: followingLinks)?.status }
    }
    package func contents(of path: String, limit: Int) throws(MachineError) -> [UInt8]? {
        let node = with { $0.files.node(path, following: true) }
        guard let node else { return nil }
        if node.status.kind == .folder { throw MachineError("cannot read \(path): Is a directory", code: 21) }
        if node.contents.count > limit { throw MachineError("\(path) has more than \(limit) bytes", code: 27) }
        return node.contents
    }
    package func read(_ path: String, _ piece: ([UInt8]) -> Void) throws(MachineError) -> Bool {
        guard let all = try contents(of: path, limit: .max) else { return false }
        for start in stride(from: 0, to: all.count, by: 65536) {
            piece(Array(all[start..<min(start + 65536, all.count)]))
        }
        return true
    }
    package func names(in folder: String) throws(MachineError) -> [String]? {
        try with { (state: inout sending State) throws(MachineError) in try state.files.names(in: folder) }
    }
    package func linkTarget(of path: String) throws(MachineError) -> String? {
        with { $0.files.node(path, following: false)?.target }
    }
    package func realPath(of path: String) -> String? { with { $0.files.resolved(path) } }
    package func access(_ path: String) -> Access {
        guard let found = with({ $0.files.node(path, following: true) }) else { return [] }
        if identity.userID == 0 {
            return found.status.kind == .folder || found.status.mode & 0o111 != 0
                ? [.read, .write, .execute] : [.read, .write]
        }
        return Access(rawValue: Int(found.status.mode & 7))
    }
    package func space(of path: String) throws(MachineError) -> FileSystemSpace? {
        try exists(path)
            ? FileSystemSpace(blockSize: 4096, blocks: 1 << 20, freeBlocks: 1 << 19, inodes: 65536, freeInodes: 65000)
            : nil
    }
    package func flags(of path: String) -> FileFlags? { nil }

    package func user(named name: String) throws(MachineError) -> User? {
        try users().first { $0.name == name }
    }
    package func user(id: UInt32) throws(MachineError) -> User? { try users().first { $0.id == id } }
    package func group(named name: String) throws(MachineError) -> Group? {
        try groups().first { $0.name == name }
    }
    package func group(id: UInt32) throws(MachineError) -> Group? { try groups().first { $0.id == id } }

    /// A test about accounts puts `/etc/passwd` there; that is then looked at as the real machine does.
    private func users() throws(MachineError) -> [User] {
        let file = try text(of: "/etc/passwd") ?? ""
        return file.split(separator: "\n").compactMap(User.init(line:)) + with { $0.users }
    }
    private func groups() throws(MachineError) -> [Group] {
        let file = try text(of: "/etc/group") ?? ""
        return file.split(separator: "\n").compactMap(Group.init(line:)) + with { $0.groups }
    }

    package func inspect(_ command: Command) throws(MachineError) -> CommandResult {
        with { $0.inspections.append(command.arguments) }
        return try reply(to: command)
    }

    private func reply(to command: Command) throws(MachineError) -> CommandResult {
        let reply: Reply? = try with { (state: inout sending State) throws(MachineError) in
            if state.isStopped { throw MachineError("the run is being stopped", isStop: true) }
            for index in state.rules.indices where state.rules[index].remaining > 0 {
                guard Self.fits(state.rules[index].words, command.arguments) else { continue }
                if state.rules[index].remaining != .max { state.rules[index].remaining -= 1 }
                return state.rules[index].reply
            }
            return nil
        }
        guard let reply else {
            let line = command.arguments.joined(separator: " ")
            throw MachineError("cannot run '\(line)': No such file or directory", code: 2)
        }
        return try reply(command, self)
    }

    private static func fits(_ words: [String], _ arguments: [String]) -> Bool {
        func name(_ list: some Sequence<String>) -> [String] {
            list.enumerated().map { $0.offset == 0 ? splitPath($0.element).name : $0.element }
        }
        if words.last == "*" { return name(arguments).starts(with: name(words.dropLast())) }
        return name(words) == name(arguments)
    }

    package func program(_ name: String) -> String? {
        if name.contains("/") { return (try? exists(name)) == true ? name : nil }
        for folder in ["/usr/sbin", "/usr/bin", "/sbin", "/bin"] where (try? exists("\(folder)/\(name)")) == true {
            return "\(folder)/\(name)"
        }
        let known = with { state in
            state.programs.contains(name) || state.rules.contains { $0.words.first.map { splitPath($0).name } == name }
        }
        return known ? "/usr/bin/\(name)" : nil
    }
    package func addresses(of host: String) throws(MachineError) -> [String] { with { $0.hosts[host] ?? [] } }
    package func probe(address: String, port: Int, timeout: Double, readLimit limit: Int) -> Probe {
        with { $0.probes["\(address):\(port)"] ?? .refused("Connection refused") }
    }
    package var now: Double { with { $0.time } }
    /// Time passes at once.
    package func sleep(seconds: Double) throws(MachineError) {
        try with { (state: inout sending State) throws(MachineError) in
            if state.isStopped { throw MachineError("the run is being stopped", isStop: true) }
            state.time += max(0, seconds)
        }
    }

    // MARK: Changing

    /// Counts the edit, lets time pass and changes the files.
    private func edit(
        _ what: String, _ change: (inout FakeFiles, Double) throws(MachineError) -> Void
    ) throws(MachineError) {
        try with { (state: inout sending State) throws(MachineError) in
            state.edits.append(what)
            state.time += 1
            try change(&state.files, state.time)
        }
    }

    package func replace(
        _ path: String, with contents: [UInt8], attributes: Attributes,
        check: (String) throws(MachineError) -> Void
    ) throws(MachineError) {
        let (folder, name) = splitPath(path)
        let temporary = "\(folder)/.\(name).00000000.gantry"
        try edit("write \(path)") { (files: inout FakeFiles, time: Double) throws(MachineError) in
            try files.write(temporary, contents, attributes, like: path, time)
        }
        do throws(MachineError) {
            try check(temporary)
            if with({ $0.mounted.contains(path) }) {
                throw MachineError("cannot replace \(path): Device or resource busy", code: 16)
            }
        } catch {
            with { $0.files.remove(temporary) }
            throw error
        }
        try with { (state: inout sending State) throws(MachineError) in try state.files.rename(temporary, to: path) }
    }
    package func overwrite(_ path: String, with contents: [UInt8]) throws(MachineError) {
        try edit("overwrite \(path)") { (files: inout FakeFiles, time: Double) throws(MachineError) in
            try files.overwrite(path, contents, time)
        }
    }
    package func makeFolder(_ path: String, mode: UInt32?) throws(MachineError) {
        try edit("make folder \(path)") { (files: inout FakeFiles, time: Double) throws(MachineError) in
            try files.makeFolder(path, mode ?? 0o755, time)
        }
    }
    package func remove(_ path: String) throws(MachineError) {
        try edit("remove \(path)") { (files: inout FakeFiles, _: Double) throws(MachineError) in files.remove(path) }
    }
    package func makeSymbolicLink(at path: String, to target: String) throws(MachineError) {
        try edit("link \(path) to \(target)") { (files: inout FakeFiles, time: Double) throws(MachineError) in
            try files.makeLink(path, target, time)
        }
    }
    package func makeHardLink(at path: String, to existing: String) throws(MachineError) {
        try edit("hard link \(path) to \(existing)") { (files: inout FakeFiles, _: Double) throws(MachineError) in
            try files.makeHardLink(path, existing)
        }
    }
    package func rename(_ path: String, to new: String) throws(MachineError) {
        try edit("rename \(path) to \(new)") { (files: inout FakeFiles, _: Double) throws(MachineError) in
            try files.rename(path, to: new)
        }
    }
    package func setAttributes(
        of path: String, _ attributes: Attributes, followingLinks: Bool
    ) throws(MachineError) {
        try edit("set attributes of \(path)") { (files: inout FakeFiles, _: Double) throws(MachineError) in
            try files.setAttributes(path, attributes, following: followingLinks)
        }
    }
    package func touch(_ path: String) throws(MachineError) {
        try edit("touch \(path)") { (files: inout FakeFiles, time: Double) throws(MachineError) in
            try files.setTimes(path, time, time)
        }
    }
    package func setTimes(of path: String, access: Double?, modification: Double?) throws(MachineError) {
        try edit("set times of \(path)") { (files: inout FakeFiles, _: Double) throws(MachineError) in
            try files.setTimes(path, access, modification)
        }
    }
    package func makeTemporary(
        folder: Bool, in parent: String?, prefix: String, suffix: String
    ) throws(MachineError) -> String {
        let number = with { state in
            state.temporaries += 1
            return state.temporaries
        }
        let path = "\(parent ?? "/tmp")/\(prefix)\(String(number + 10_000_000))\(suffix)"
        try edit("make temporary \(path)") { (files: inout FakeFiles, time: Double) throws(MachineError) in
            if parent == nil { files.makeParents(of: path, time) }
            if folder {
                try files.makeFolder(path, 0o700, time)
            } else {
                try files.write(path, [], Attributes(mode: 0o600), like: path, time)
            }
        }
        return path
    }
    package func start(_ command: Command) throws(MachineError) {
        with { $0.edits.append("start \(command.arguments.joined(separator: " "))") }
    }
    package func run(_ command: Command) throws(MachineError) -> CommandResult {
        with { $0.edits.append("run \(command.arguments.joined(separator: " "))") }
        return try reply(to: command)
    }
}
