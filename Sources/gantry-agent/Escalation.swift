import Machine
import Modules
import Values
import Wire

/// How an agent is started as another user.
struct Escalation {
    private let become: Become
    private let machine: LinuxMachine
    private let prompt: String
    /// The agent itself, to be sent along: the other user cannot reach our file.
    let program: [UInt8]?
    private let path: String

    init(_ become: Become, _ machine: LinuxMachine, prompt: String) {
        self.become = become
        self.machine = machine
        self.prompt = prompt
        path = (try? machine.linkTarget(of: "/proc/self/exe")).flatMap { $0 } ?? "/proc/self/exe"
        // Others may not look into our folder.
        let isReachable = become.user == "root" || Self.isDirect(become, machine)
        program = isReachable ? nil : (try? machine.contents(of: path)).flatMap { $0 }
    }

    /// Root becomes anybody by itself, unless it is said how.
    private static func isDirect(_ become: Become, _ machine: LinuxMachine) -> Bool {
        machine.identity.userID == 0 && ["sudo", "su"].contains(become.method) && become.executable.isEmpty
            && become.flags.isEmpty
    }

    /// Whether the method says, by `mark`, that it has come to our line.
    var isMarked: Bool { !Self.isDirect(become, machine) }

    /// What stands before everything that the agent says: methods, and what they are wrapped in, may greet.
    static let mark = "GANTRY-BECOME-SUCCESS\n"

    var environment: [String: String] { ["LC_ALL": "C"] }

    var arguments: [String] {
        get throws(MachineError) {
            if !isMarked { return [path, "serve", "--as", become.user] }
            switch become.method {
            case "sudo": return sudo
            case "su":
                let flags = become.flags.isEmpty ? [] : words(become.flags)
                let line = inner.map(quoted).joined(separator: " ")
                return [become.executable.isEmpty ? "su" : become.executable] + flags + [become.user, "-c", line]
            default:
                throw MachineError(
                    "become_method '\(become.method)' is not known here; use 'sudo' or 'su'", code: 0)
            }
        }
    }

    private var sudo: [String] {
        var flags = become.flags.isEmpty ? ["-H", "-S"] : words(become.flags)
        if become.password == nil {
            if !flags.contains("-n"), !flags.contains("--non-interactive") { flags.append("-n") }
        } else {
            flags.removeAll { $0 == "-n" || $0 == "--non-interactive" }
            if !flags.contains("-S"), !flags.contains("--stdin") { flags.append("-S") }
            flags += ["-p", prompt]
        }
        return [become.executable.isEmpty ? "sudo" : become.executable] + flags + ["-u", become.user, "--"] + inner
    }

    /// What the other user runs: our file, or a copy that reaches it through its input and removes itself.
    private var inner: [String] {
        let mark = "echo \(Self.mark.dropLast())"
        guard let program else { return ["/bin/sh", "-c", "\(mark); exec \(quoted(path)) serve"] }
        let script = """
            \(mark); u=$(umask); umask 077; d=$(mktemp -d) || exit 126
            head -c \(program.count) > "$d/agent" && chmod 700 "$d/agent" || exit 126
            umask $u; exec "$d/agent" serve --remove "$d"
            """
        return ["/bin/sh", "-c", script]
    }

    private func words(_ text: String) -> [String] { text.split(separator: " ").map(String.init) }

    private func quoted(_ word: String) -> String {
        "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }
}
