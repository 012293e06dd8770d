import Engine
import Glibc
import Machine
import Modules
import Templates
import Values
import Wire

/// The agent's command line: small enough to be read here.
@main
struct Main {
    static let usage = """
        usage: gantry-agent serve                 run what a controller sends on standard input
               gantry-agent pull --from SOURCE --key FILE [--host NAME] [--report FILE] [--state DIR]
                                 [--splay SECONDS] [--ca FILE] [--check]
                                                  fetch, verify and run this node's bundle; SOURCE is a folder
                                                  or an http(s) address
               gantry-agent --version
        """

    static func main() {
        signal(SIGPIPE, SIG_IGN)
        signal(SIGHUP, SIG_IGN)
        let arguments = Array(CommandLine.arguments.dropFirst())
        switch arguments.first {
        case "serve": serve(Array(arguments.dropFirst()))
        case "job": BackgroundJob.run()
        case "pull": exit(pull(Array(arguments.dropFirst())))
        case "--version": note("gantry-agent \(agentVersion)", to: 1)
        case "--help", "-h", "help": note(usage, to: 1)
        default:
            note(usage)
            exit(64)
        }
    }

    /// - Parameter arguments: `--as USER` becomes that user first; `--remove DIR` removes the folder it was started
    /// from.
    private static func serve(_ arguments: [String]) {
        var index = 0
        while index + 1 < arguments.count {
            switch arguments[index] {
            case "--as": become(arguments[index + 1])
            case "--remove":
                _ = unsafe unlink(arguments[index + 1] + "/agent")
                _ = unsafe rmdir(arguments[index + 1])
            default: break
            }
            index += 2
        }
        let inbox = Inbox(input: 0)
        let machine = LinuxMachine(stop: StopSignal(descriptor: inbox.abortion))
        let session = Session(inbox: inbox, output: 1, machine: machine)
        inbox.start()
        session.serve()
    }

    /// Root becomes another user for good, before anything else runs.
    private static func become(_ name: String) {
        let machine = LinuxMachine()
        guard let user = (try? machine.user(named: name)).flatMap({ $0 }) else {
            note("there is no user '\(name)'")
            exit(67)
        }
        let groups = ((try? machine.text(of: "/etc/group")).flatMap { $0 } ?? "").split(separator: "\n")
            .compactMap { line -> gid_t? in
                let fields = line.split(separator: ":", omittingEmptySubsequences: false)
                guard fields.count == 4, fields[3].split(separator: ",").contains(Substring(name)) else { return nil }
                return gid_t(fields[2])
            }
        let all = [user.group] + groups.filter { $0 != user.group }
        guard unsafe setgroups(all.count, all) == 0, setgid(user.group) == 0, setuid(user.id) == 0 else {
            note("cannot become '\(name)': \(systemMessage(errno))")
            exit(77)
        }
        for (variable, value) in [("HOME", user.home), ("USER", name), ("LOGNAME", name), ("SHELL", user.shell)] {
            unsafe setenv(variable, value, 1)
        }
        if unsafe chdir(user.home) != 0 { _ = unsafe chdir("/") }
    }

    private static func pull(_ arguments: [String]) -> Int32 {
        var options: [String: String] = [:]
        var checkMode = false
        var index = 0
        let known: Set<String> = ["--from", "--key", "--host", "--report", "--state", "--splay", "--ca"]
        while index < arguments.count {
            let word = arguments[index]
            if word == "--check" {
                checkMode = true
                index += 1
                continue
            }
            guard known.contains(word), index + 1 < arguments.count else {
                note("gantry-agent pull: '\(word)' is not known, or lacks its value\n\(usage)")
                return 64
            }
            options[word] = arguments[index + 1]
            index += 2
        }
        guard let source = options["--from"], let key = options["--key"] else {
            note("gantry-agent pull: --from and --key are needed\n\(usage)")
            return 64
        }
        let machine = LinuxMachine()
        if let splay = options["--splay"].flatMap({ Double($0) }), splay > 0 {
            try? machine.sleep(seconds: Double.random(in: 0...splay))
        }
        return Pull(
            source: source, keyPath: key, host: options["--host"] ?? machine.identity.hostName,
            reportPath: options["--report"], stateFolder: options["--state"] ?? "/var/lib/gantry/pull",
            checkMode: checkMode, caPath: options["--ca"], machine: machine
        ).run()
    }
}

let agentVersion = "0.1.0"
