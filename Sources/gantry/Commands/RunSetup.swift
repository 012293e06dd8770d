import Controller
import Crypto
import Glibc
import Machine
import Playbooks
import Synchronization
import Values
import Wire

/// Puts a run together from options and settings, runs it, and looks after Ctrl-C.
struct RunSetup {
    let project: Project
    let plays: [Play]
    let settings: RunSettings
    let connection: ConnectionArguments
    let become: BecomeArguments
    let forks: Int?
    let sink: any EventSink
    let warnings: [Diagnostic]
    /// The project's own warnings come first; whoever runs several times has told them.
    var warnsOfProject = true
    /// What was asked for and holds for further runs, too.
    var passwords = AskedPasswords()
    /// What became known of hosts, for further runs.
    var remembered = Remembered()

    /// - Returns: the exit status, as Ansible's.
    func run() async throws -> Int32 {
        for warning in (warnsOfProject ? project.warnings : []) + warnings { sink.show(.message(host: nil, warning)) }
        let configuration = project.configuration
        let image = try await AgentImage.load(
            try Installation.agent(configuration.environment), sha256: { DigestAlgorithm.sha256.hex(of: $0) })
        let limit = forks ?? configuration.number(.forks) ?? 0
        let hasTerminal = isatty(0) == 1
        let connector = Connector(
            image: image, forks: limit, verbosity: settings.verbosity,
            passphrase: hasTerminal ? Self.passphrase : nil)
        let source = ProjectSource(
            project: project, plays: plays, settings: settings, defaults: try defaults(), fallbacks: try fallbacks(),
            sink: sink)
        var options = RunOptions()
        options.forks = limit
        options.verbosity = settings.verbosity
        options.step = settings.step
        let run = Run(
            source: source, connecting: connector, options: options, prompter: TerminalPrompter(), sink: sink,
            known: remembered.known)
        let watch = Interrupts.watch { await run.interrupt() }
        defer {
            watch.cancel()
            remembered.known = run.known
        }
        do throws(Diagnostics) {
            try await source.verifyVaults()
            let status = try await run.run()
            await connector.shutdown()
            return status
        } catch {
            await connector.shutdown()
            throw CommandFailure(error.all, status: 4)
        }
    }

    private static let passphrase: @Sendable (String, Bool) async -> Secret? = { path, isAgain in
        try? Prompt.secret("\(isAgain ? "Bad passphrase, try again for" : "Enter passphrase for key") '\(path)': ")
    }

    private func defaults() throws -> ConnectionSettings.Defaults {
        let configuration = project.configuration
        var defaults = ConnectionSettings.Defaults()
        defaults.connection = connection.connection ?? configuration.string(.transport)
        defaults.user = connection.user ?? configuration.optional(.remoteUser)
        defaults.port = configuration.number(.remotePort)
        defaults.keyFile = connection.privateKey ?? configuration.optional(.privateKeyFile).map(configuration.expanded)
        defaults.timeout = Double(connection.timeout ?? configuration.number(.timeout) ?? 10)
        defaults.retries = configuration.number(.sshRetries)
        defaults.arguments = [connection.sshExtraArgs, connection.sshCommonArgs].compactMap { $0 }
        defaults.arguments += [Setting.sshExtraArguments, .sshCommonArguments, .sshArguments]
            .compactMap { configuration.optional($0) }
        if configuration.origin(.hostKeyChecking).origin != "default" {
            defaults.hostKeyChecking = configuration.flag(.hostKeyChecking)
        }
        if let file = connection.connectionPasswordFile ?? configuration.file(.connectionPasswordFile) {
            defaults.password = try secret(in: file)
        } else if connection.askPass || configuration.flag(.askPassword) {
            defaults.password = try passwords.connection(Prompt.secret)
        }
        return defaults
    }

    /// Keywords from the command line, where nothing nearer says otherwise.
    private func fallbacks() throws -> Dict {
        let configuration = project.configuration
        var keywords = Dict()
        if become.become || configuration.flag(.become) { keywords["become"] = true }
        if let method = become.becomeMethod ?? configured(.becomeMethod) { keywords["become_method"] = .string(method) }
        if let user = become.becomeUser ?? configured(.becomeUser) { keywords["become_user"] = .string(user) }
        if let file = become.becomePasswordFile ?? configuration.file(.becomePasswordFile) {
            keywords["_become_password"] = .string(Text(try secret(in: file).exposed, mark: Mark(isSecret: true)))
        } else if become.askBecomePass || configuration.flag(.becomeAskPassword) {
            let password = try passwords.become(Prompt.secret)
            keywords["_become_password"] = .string(Text(password.exposed, mark: Mark(isSecret: true)))
        }
        if let seconds = configuration.number(.taskTimeout), seconds > 0 { keywords["timeout"] = .int(seconds) }
        if configuration.flag(.anyErrorsFatal) { keywords["any_errors_fatal"] = true }
        if configuration.flag(.noLog) { keywords["no_log"] = true }
        return keywords
    }

    private func configured(_ setting: Setting) -> String? {
        project.configuration.origin(setting).origin == "default" ? nil : project.configuration.optional(setting)
    }

    /// What a file holds, or what it prints where it is a program; `-` is standard input.
    private func secret(in given: String) throws -> Secret {
        let path = project.configuration.expanded(given)
        var text = ""
        if path == "-" {
            while let line = readLine(strippingNewline: false) { text += line }
        } else if Disk.isExecutable(path) {
            let result = try CommandFailure.attempt { () throws(MachineError) in
                try LinuxMachine().run(Command([Disk.absolute(path)]))
            }
            guard result.status == 0 else {
                let why = "(rc=\(result.status)): \(result.errorText.trimmed)"
                throw CommandFailure(Diagnostic("The password script \(path) had an error \(why)"), status: 1)
            }
            text = String(decoding: result.output, as: UTF8.self)
        } else {
            guard let bytes = try Disk.contents(path) else {
                throw CommandFailure(Diagnostic("The password file \(path) was not found"), status: 1)
            }
            text = String(decoding: bytes, as: UTF8.self)
        }
        text = text.trimmed
        guard !text.isEmpty else {
            throw CommandFailure(Diagnostic("Empty password was provided from file (\(path))"), status: 1)
        }
        return Secret(text)
    }
}

/// Facts and variables of hosts that one run leaves to the next.
final class Remembered {
    var known: [String: HostKnowledge] = [:]
}

/// Passwords that a person gave, asked for once.
final class AskedPasswords {
    private var connection: Secret?
    private var become: Secret?

    func connection(_ ask: (String) throws(Diagnostic) -> Secret) throws(Diagnostic) -> Secret {
        if let connection { return connection }
        let password = try ask("SSH password: ")
        connection = password
        return password
    }

    /// Without an answer it is that of the connection.
    func become(_ ask: (String) throws(Diagnostic) -> Secret) throws(Diagnostic) -> Secret {
        if let become { return become }
        let question = connection == nil ? "BECOME password: " : "BECOME password[defaults to SSH password]: "
        var password = try ask(question)
        if password.exposed.isEmpty, let connection { password = connection }
        become = password
        return password
    }
}

/// Ctrl-C and SIGTERM, as a stream: the first lets running tasks end, the second ends them.
enum Interrupts {
    static func watch(_ body: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
        let descriptor = install()
        return Task.detached {
            while !Task.isCancelled {
                let arrived = await withCheckedContinuation { continuation in
                    pthreadRun { continuation.resume(returning: waitByte(descriptor)) }
                }
                if !arrived { return }
                if Task.isCancelled {
                    // That run is over: the signal is meant for whoever watches now.
                    var byte: UInt8 = 1
                    _ = unsafe write(signalWriter, &byte, 1)
                    return
                }
                await body()
            }
        }
    }

    private static let pipeEnds = Mutex<(Int32, Int32)>((-1, -1))

    /// The reading end of a pipe that a signal writes to.
    private static func install() -> Int32 {
        pipeEnds.withLock { ends in
            if ends.0 >= 0 { return ends.0 }
            var pair: [Int32] = [-1, -1]
            guard unsafe pipe(&pair) == 0 else { return -1 }
            for end in pair { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            ends = (pair[0], pair[1])
            unsafe signalWriter = pair[1]
            for number in [SIGINT, SIGTERM] {
                signal(number) { _ in
                    var byte: UInt8 = 1
                    _ = unsafe write(signalWriter, &byte, 1)
                }
            }
            return pair[0]
        }
    }

    private static func waitByte(_ descriptor: Int32) -> Bool {
        var byte: UInt8 = 0
        while true {
            let count = unsafe read(descriptor, &byte, 1)
            if count < 0, errno == EINTR { continue }
            return count == 1
        }
    }

    /// A thread that only waits: it must not hold one of the few that run tasks.
    private static func pthreadRun(_ body: @escaping @Sendable () -> Void) {
        let box = unsafe Unmanaged.passRetained(Box(body)).toOpaque()
        var thread = pthread_t()
        let result = unsafe pthread_create(
            &thread, nil,
            { pointer in
                if let pointer = unsafe pointer { unsafe Unmanaged<Box>.fromOpaque(pointer).takeRetainedValue().body() }
                return nil
            }, box)
        if result == 0 { pthread_detach(thread) }
    }

    private final class Box: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
}

/// A signal handler reaches nothing but a global: where it writes that it came.
private nonisolated(unsafe) var signalWriter: Int32 = -1
