import ArgumentParser
import Glibc
import Machine
import Playbooks
import Values

/// `gantry pull`: fetches a repository of playbooks and applies it to this machine, as `ansible-pull` does.
struct PullCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pull", abstract: "Fetch playbooks by git, and apply them to this machine.",
        discussion: """
            Examples:
              gantry pull -U https://git.example.org/site.git -C main local.yml
              gantry pull -U /srv/site.git --only-if-changed
            For signed bundles see 'gantry bundle' and 'gantry-agent pull'.
            """)

    @Argument(help: "Playbooks in the repository; else HOST.yml or local.yml.") var playbooks: [String] = []
    @Option(name: [.customShort("U"), .long], help: "The repository.") var url: String?
    @Option(name: [.customShort("C"), .long], help: "Branch, tag or commit.") var checkout: String?
    @Option(name: [.customShort("d"), .long], help: "Where to keep it.") var directory: String?
    @Option(name: [.customShort("m"), .long], help: "git, and nothing else.") var moduleName = "git"
    @Flag(name: [.customShort("o"), .long], help: "Apply only when the repository changed.") var onlyIfChanged = false
    @Option(name: [.customShort("s"), .long], help: "Wait up to so many seconds first.") var sleep: Int?
    @Flag(name: [.customShort("f"), .long], help: "Apply even when the repository cannot be fetched.") var force = false
    @Flag(help: "Fetch all of the history.") var full = false
    @Flag(help: "Remove the copy afterwards.") var purge = false
    @Flag(help: "Throw away changes in the copy.") var clean = false
    @Flag(help: "Take the git server's host key when it is new.") var acceptHostKey = false
    @Flag(help: "Refuse a commit without a good signature.") var verifyCommit = false
    @Flag(help: "Submodules at the head of their branches.") var trackSubs = false
    @Flag(help: "Change nothing; say what would change.") var check = false
    @Flag(help: "Show what changes.") var diff = false
    @Option(name: [.customShort("t"), .long], help: "Only tasks with these tags.") var tags: [String] = []
    @Option(help: "No tasks with these tags.") var skipTags: [String] = []
    @Flag(help: "Forget what the fact cache holds.") var flushCache = false
    @Flag(help: "List the hosts, and run nothing.") var listHosts = false
    @OptionGroup var modulePath: ModulePathArguments
    @OptionGroup(title: "Hosts and variables") var inventory: InventoryArguments
    @OptionGroup(title: "Connection") var connection: ConnectionArguments
    @OptionGroup(title: "Becoming another user") var become: BecomeArguments

    func run() throws {
        guard let url else {
            throw CommandFailure(Diagnostic("URL for repository not specified, use -h for help"), status: 5)
        }
        guard moduleName == "git" || moduleName == "ansible.builtin.git" else {
            throw CommandFailure(
                Diagnostic("Unsupported repo module \(moduleName), choices are git"), status: 5)
        }
        let environment = Configuration.processEnvironment()
        let host = Installation.hostName
        let home = environment["HOME"] ?? "/root"
        let folder = Disk.absolute(expandedPath(directory ?? "\(home)/.ansible/pull/\(host)", environment))
        if let sleep, sleep > 0 {
            let seconds = Int.random(in: 0...sleep)
            Output.print("Sleeping for \(seconds) seconds...")
            Glibc.sleep(UInt32(seconds))
        }
        let address = Disk.kind(url) == .folder ? Disk.absolute(url) : url
        var repository = Checkout(url: address, folder: folder, version: checkout ?? "HEAD")
        (repository.isFull, repository.discards, repository.verifies) = (full, clean || force, verifyCommit)
        (repository.acceptsHostKey, repository.followsSubmodules) = (acceptHostKey, trackSubs)
        let before = repository.head
        do throws(CommandFailure) { try repository.update() } catch {
            // As where Ansible's module `git` fails.
            guard force, before != nil else { throw CommandFailure(error.diagnostics, status: 2) }
            Output.printError(
                Diagnostic("the repository cannot be fetched: going on with what is here", severity: .warning).shown)
        }
        let after = repository.head
        let isChanged = before != after
        let result: Dict = [
            "after": after.map { .string($0) } ?? .null, "before": before.map { .string($0) } ?? .null,
            "changed": .bool(isChanged),
        ]
        Output.print(
            "localhost | \(isChanged ? "CHANGED" : "SUCCESS") => "
                + Value.dict(result).json(JSONStyle(indent: 4, sortKeys: true)))
        if onlyIfChanged, !isChanged { return Output.print("Repository has not changed, quitting.") }
        let status = try apply(try selected(in: folder, host), host, folder)
        if purge { try? LinuxMachine().remove(folder) }
        if status != 0 { throw ExitCode(status) }
    }

    private func selected(in folder: String, _ host: String) throws -> [String] {
        if !playbooks.isEmpty {
            for name in playbooks where Disk.kind("\(folder)/\(name)") != .file {
                throw CommandFailure(Diagnostic("File \(folder)/\(name) does not exist"), status: 5)
            }
            return playbooks.map { "\(folder)/\($0)" }
        }
        let short = host.split(separator: ".").first.map(String.init) ?? host
        for name in [host, short, "local"] where Disk.kind("\(folder)/\(name).yml") == .file {
            return ["\(folder)/\(name).yml"]
        }
        throw CommandFailure(Diagnostic("Could not find a playbook to run."), status: 5)
    }

    /// In a run of its own, in the folder of the copy, so that its `ansible.cfg` counts.
    private func apply(_ paths: [String], _ host: String, _ folder: String) throws -> Int32 {
        var line = ["/proc/self/exe", "apply", "-c", connection.connection ?? "local"]
        // Without -i, the inventory that the repository's own settings name.
        let sources = inventory.inventory.filter { $0.contains(",") || Disk.kind("\(folder)/\($0)") != nil }
        let outside = inventory.inventory.filter { !sources.contains($0) && Disk.kind($0) != nil }.map(Disk.absolute)
        line += (sources + outside).flatMap { ["-i", $0] }
        if flushCache { line.append("--flush-cache") }
        let short = host.split(separator: ".").first.map(String.init) ?? host
        line += ["-l", inventory.limit ?? ["localhost", host, short, "127.0.0.1"].joined(separator: ",")]
        line += inventory.extraVars.flatMap { ["-e", $0] } + tags.flatMap { ["-t", $0] }
        line += skipTags.flatMap { ["--skip-tags", $0] }
        line += inventory.vault.vaultID.flatMap { ["--vault-id", $0] }
        line += inventory.vault.vaultPasswordFile.flatMap { ["--vault-password-file", $0] }
        if inventory.vault.askVaultPassword { line.append("-J") }
        if inventory.verbosity.verbose > 0 {
            line.append("-" + String(repeating: "v", count: inventory.verbosity.verbose))
        }
        if listHosts { line.append("--list-hosts") }
        line += modulePath.modulePath.flatMap { ["-M", $0] }
        if check { line.append("--check") }
        if diff { line.append("--diff") }
        if become.become { line.append("-b") }
        if become.askBecomePass { line.append("-K") }
        for (name, value) in [
            ("--become-method", become.becomeMethod), ("--become-user", become.becomeUser),
            ("--become-password-file", become.becomePasswordFile), ("--user", connection.user),
            ("--private-key", connection.privateKey),
            ("--connection-password-file", connection.connectionPasswordFile),
        ] { if let value { line += [name, value] } }
        guard unsafe chdir(folder) == 0 else {
            throw CommandFailure(Diagnostic("cannot go to '\(folder)': \(Disk.message(errno))"), status: 1)
        }
        do throws(Diagnostic) { return try ForegroundProgram.run(line + paths) } catch {
            throw CommandFailure(error, status: 1)
        }
    }
}

/// A working copy of a git repository.
struct Checkout {
    let url: String
    let folder: String
    var version = "HEAD"
    var isFull = true
    var discards = false
    var verifies = false
    var acceptsHostKey = false
    var followsSubmodules = false

    /// The commit that is checked out.
    var head: String? {
        guard Disk.kind("\(folder)/.git") != nil else { return nil }
        let text = try? git(["rev-parse", "HEAD"], in: folder)
        return text.flatMap { $0.isEmpty ? nil : $0 }
    }

    func update() throws(CommandFailure) {
        // What looks like an option of git is no address and no version.
        for word in [url, version] where word.hasPrefix("-") {
            throw CommandFailure(Diagnostic("'\(word)' is no repository and no version"), status: 1)
        }
        if Disk.kind("\(folder)/.git") == nil {
            _ = try git(["clone", "--no-checkout", "--origin", "origin", "--", url, folder], in: "/")
        } else {
            _ = try git(["remote", "set-url", "origin", url], in: folder)
            _ = try git(["fetch", "--tags", "--force", "origin"], in: folder)
            _ = try git(["remote", "set-head", "origin", "--auto"], in: folder)
        }
        let target = try commit()
        if verifies { _ = try git(["verify-commit", target], in: folder) }
        var words = ["checkout", "--detach"]
        if discards { words.append("--force") }
        _ = try git(words + [target], in: folder)
        if discards { _ = try git(["clean", "-fd"], in: folder) }
        if Disk.kind("\(folder)/.gitmodules") == .file {
            _ = try git(
                ["submodule", "update", "--init", "--recursive"] + (followsSubmodules ? ["--remote"] : []), in: folder)
        }
    }

    private func commit() throws(CommandFailure) -> String {
        let names = version == "HEAD" ? ["origin/HEAD"] : ["origin/\(version)", version]
        for name in names {
            if let found = try? git(["rev-parse", "--verify", "--quiet", "\(name)^{commit}"], in: folder),
                !found.isEmpty
            { return found }
        }
        throw CommandFailure(Diagnostic("the repository '\(url)' has no version '\(version)'"), status: 1)
    }

    private func git(_ arguments: [String], in folder: String) throws(CommandFailure) -> String {
        var command = Command(["git"] + arguments)
        command.folder = folder
        command.environment["GIT_TERMINAL_PROMPT"] = "0"
        if acceptsHostKey { command.environment["GIT_SSH_COMMAND"] = "ssh -o StrictHostKeyChecking=accept-new" }
        do throws(MachineError) {
            let result = try LinuxMachine().run(command)
            if result.status == 0 { return result.outputText.trimmed }
            throw MachineError(result.errorText.trimmed)
        } catch {
            throw CommandFailure(
                Diagnostic("git \(arguments.first ?? "") of '\(url)' did not work: \(error.message)"), status: 1)
        }
    }
}
