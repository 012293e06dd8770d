import Machine
import Patterns
import Values

/// apt-get and its kin for one task: what to ask of them, and what their answers mean.
struct AptTool {
    let task: AptPackages
    let machine: any MachineReader
    let context: Context
    let status: DpkgStatus
    private var listsUpdated = false
    private var warnings: [String] = []

    init(_ task: AptPackages, _ machine: any MachineReader, _ context: Context, _ status: DpkgStatus) {
        self.task = task
        self.machine = machine
        self.context = context
        self.status = status
    }

    // MARK: Lists

    var cacheKeys: Dict {
        ["cache_updated": .bool(listsUpdated), "cache_update_time": .int(Int(cacheTime))]
    }

    /// When the lists were updated: apt's stamp, else the folder's own time.
    private var cacheTime: Double {
        for path in ["/var/lib/apt/periodic/update-success-stamp", "/var/lib/apt/lists"] {
            if let status = try? machine.status(of: path, followingLinks: true) { return status.modificationTime }
        }
        return 0
    }

    /// Updates the lists when that is asked for and they are too old.
    mutating func updateLists() throws(Failure) -> Bool {
        guard task.updateCache == true || task.cacheValidTime > 0 else { return false }
        let before = cacheTime
        guard before + Double(task.cacheValidTime) < machine.now else { return false }
        guard let editor = try context.editor() else {
            listsUpdated = true
            return true
        }
        let tries = max(1, task.updateCacheRetries)
        for attempt in 0..<tries {
            let done = try run(["apt-get", "-q", "update", "-o", "APT::Update::Error-Mode=any"], editor)
            if done.status == 0 {
                listsUpdated = cacheTime != before
                // Lists that the servers did not change keep their time; they are fresh nevertheless.
                if !listsUpdated, task.cacheValidTime > 0 {
                    let now = editor.now
                    _ = try? editor.setTimes(of: "/var/lib/apt/lists", access: nil, modification: now)
                }
                return listsUpdated
            }
            let errors = done.errorText.trimmed
            if attempt == tries - 1 {
                throw Failure(
                    "Failed to update apt cache after \(tries) retries: \(errors)",
                    result: ["rc": .int(Int(done.status))])
            }
            warnings.append("Failed to update cache after \(attempt + 1) retries due to \(errors), retrying")
            let delay = Swift.min(Double(1 << Swift.min(attempt, 10)), Double(task.updateCacheRetryMaxDelay))
            try pause(delay)
        }
        return false
    }

    private func pause(_ seconds: Double) throws(Failure) {
        try attempt { () throws(MachineError) in try machine.sleep(seconds: seconds) }
    }

    // MARK: Running

    private var environment: [String: String] {
        context.environment.merging([
            "DEBIAN_FRONTEND": "noninteractive", "DEBIAN_PRIORITY": "critical", "LANG": "C", "LC_ALL": "C",
            "LC_MESSAGES": "C", "LC_CTYPE": "C", "LANGUAGE": "C",
        ]) { $1 }
    }

    /// Asks a program that changes nothing.
    func ask(_ arguments: [String]) throws(Failure) -> CommandResult {
        var arguments = arguments
        if context.checkMode, let tool = arguments.first, tool.hasPrefix("apt") {
            // Even a simulation writes apt's caches of its lists, unless they have no name.
            arguments.insert(contentsOf: ["-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache="], at: 1)
        }
        return try attempt { [arguments] () throws(MachineError) in
            try machine.inspect(Command(arguments, environment: environment))
        }
    }

    /// Runs a program, again and again while another one holds apt's lock, up to `lock_timeout`.
    private func run(_ arguments: [String], _ editor: any MachineEditor) throws(Failure) -> CommandResult {
        let deadline = editor.now + Double(task.lockTimeout)
        while true {
            let done = try attempt { () throws(MachineError) in
                try editor.run(Command(arguments, environment: environment))
            }
            let isLocked =
                done.status != 0
                && ["Could not get lock", "Unable to lock", "Unable to acquire the dpkg frontend lock"]
                    .contains { done.errorText.contains($0) }
            guard isLocked, editor.now < deadline else { return done }
            try pause(1)
        }
    }

    /// Options that every changing call of apt-get gets.
    private var options: [String] {
        var options: [String] = []
        for option in task.dpkgOptions.split(separator: ",") {
            options += ["-o", "Dpkg::Options::=--\(option.trimmed)"]
        }
        return options + ["-o", "DPkg::Lock::Timeout=\(task.lockTimeout)"]
    }

    private var force: [String] {
        task.force
            ? [
                "--allow-downgrades", "--allow-remove-essential", "--allow-change-held-packages",
                "--allow-unauthenticated",
            ] : []
    }

    /// What is allowed beyond apt's defaults, and the release to take from.
    private var permissions: [String] {
        var list = force
        if task.allowUnauthenticated { list.append("--allow-unauthenticated") }
        if task.allowDowngrade { list.append("--allow-downgrades") }
        if task.allowChangeHeldPackages { list.append("--allow-change-held-packages") }
        if task.failOnAutoremove { list.append("--no-remove") }
        if let release = task.defaultRelease { list += ["-t", release] }
        if let recommends = task.installRecommends {
            list += ["-o", "APT::Install-Recommends=\(recommends ? "yes" : "no")"]
        }
        return list
    }

    /// Runs the changing call, or simulates it in check mode.
    ///
    /// - Parameter foreseen: simulate first, and leave it at that when nothing would change: whoever has nothing to
    ///   do need not wait for the others.
    private mutating func perform(
        _ arguments: [String], foreseen: ((String) -> Bool)? = nil,
        failing: (CommandResult) -> Failure? = { _ in nil }
    ) throws(Failure) -> (result: CommandResult, changed: Bool) {
        if context.checkMode || foreseen != nil {
            let done = try ask(arguments + ["--simulate"])
            if done.status != 0, context.checkMode || foreseen == nil {
                throw failing(done) ?? failure(arguments, done)
            }
            let changes = foreseen.map { !$0(done.outputText) } ?? true
            if context.checkMode || (done.status == 0 && !changes) { return (done, changes) }
        }
        guard let editor = try context.editor() else {
            throw Failure("apt was about to change something in check mode")
        }
        let done = try withPolicy(editor) { () throws(Failure) in try run(arguments, editor) }
        if done.status != 0 { throw failing(done) ?? failure(arguments, done) }
        return (done, foreseen.map { !$0(done.outputText) } ?? true)
    }

    private func failure(_ arguments: [String], _ done: CommandResult) -> Failure {
        var result: Dict = ["rc": .int(Int(done.status))]
        result.setOutput(done.outputText, done.errorText)
        result.merge(cacheKeys) { $1 }
        let line = arguments.map(ShellWords.quote).joined(separator: " ")
        return Failure("'\(line)' failed: \(done.errorText)", result: result)
    }

    /// A `policy-rc.d` of the given status around `body`; the one that was there comes back.
    private func withPolicy<T>(_ editor: any MachineEditor, _ body: () throws(Failure) -> T) throws(Failure) -> T {
        guard let code = task.policyRcD else { return try body() }
        let path = "/usr/sbin/policy-rc.d"
        let saved = try attempt { () throws(MachineError) in
            let old = try editor.contents(of: path)
            let status = try editor.status(of: path, followingLinks: true)
            try editor.replace(path, with: Array("#!/bin/sh\nexit \(code)\n".utf8), attributes: Attributes(mode: 0o755))
            return old.map { ($0, status?.mode) }
        }
        let result: Result<T, Failure>
        do { result = .success(try body()) } catch { result = .failure(error) }
        try attempt { () throws(MachineError) in
            if let (contents, mode) = saved {
                try editor.replace(path, with: contents, attributes: Attributes(mode: mode))
            } else {
                try editor.remove(path)
            }
        }
        return try result.get()
    }

    private func outcome(_ done: CommandResult, changed: Bool, withCacheKeys: Bool = false) -> Outcome {
        var values = Dict()
        values.setOutput(done.outputText, done.errorText)
        if withCacheKeys { values.merge(cacheKeys) { $1 } }
        let diff = context.diffMode && changed ? [Diff(before: "", after: plan(done.outputText))] : []
        return Outcome(changed: changed, values, diff: diff, warnings: warnings)
    }

    /// The part of apt-get's output that says what it does.
    private func plan(_ output: String) -> String {
        let lines = output.pythonLines
        let start = lines.firstIndex { $0.hasPrefix("Reading state information") }.map { $0 + 1 } ?? 0
        let end = lines.firstIndex { $0.contains(" upgraded, ") } ?? lines.count - 1
        return start <= end ? lines[start...end].joined(separator: "\n") + "\n" : ""
    }

    // MARK: Everything

    mutating func cleanArchives() throws(Failure) -> Outcome {
        guard let editor = try context.editor() else { return Outcome(changed: true) }
        let done = try run(["apt-get", "clean"], editor)
        if done.status != 0 || !done.errors.isEmpty { throw failure(["apt-get", "clean"], done) }
        return outcome(done, changed: true)
    }

    mutating func upgradeAll(_ mode: AptPackages.Upgrade) throws(Failure) -> Outcome {
        let aptitude = !task.forceAptGet && machine.program("aptitude") != nil && mode != .dist
        let arguments: [String]
        if aptitude {
            let command = mode == .full ? "full-upgrade" : "safe-upgrade"
            arguments =
                ["aptitude", "-y"] + options + (task.force ? ["--assume-yes", "--allow-untrusted"] : [])
                + (task.defaultRelease.map { ["-t", $0] } ?? []) + [command]
        } else {
            let command = mode == .dist || mode == .full ? ["dist-upgrade"] : ["upgrade", "--with-new-pkgs"]
            arguments =
                ["apt-get", "-y"] + options + permissions + (task.autoremove ? ["--auto-remove"] : []) + command
        }
        let (done, changed) = try perform(arguments, foreseen: Self.changesNothing)
        var outcome = outcome(done, changed: changed)
        outcome.values["msg"] = .string(done.outputText)
        return outcome
    }

    private static func changesNothing(_ output: String) -> Bool {
        output.contains("\n0 upgraded, 0 newly installed, 0 to remove")
            || output.hasPrefix("0 upgraded, 0 newly installed, 0 to remove")
            || output.contains("0 packages upgraded, 0 newly installed, 0 to remove")
    }

    /// `autoremove` or `autoclean`.
    mutating func tidy(_ operation: String) throws(Failure) -> Outcome {
        let sign = operation == "autoclean" ? "Del " : "The following packages will be REMOVED"
        let arguments = ["apt-get", "-y"] + options + (task.purge ? ["--purge"] : []) + force + [operation]
        let (done, changed) = try perform(arguments, foreseen: { !$0.contains(sign) })
        return outcome(done, changed: changed)
    }

    // MARK: Packages

    mutating func remove(_ specs: [PackageSpec]) throws(Failure) -> Outcome {
        let present = try expanded(specs).filter { spec in
            guard let package = status[spec.name] else { return false }
            return package.isInstalled ? matches(package.version, spec) : task.purge && package.leavesFiles
        }
        if present.isEmpty { return Outcome(warnings: warnings) }
        var arguments = ["apt-get", "-q", "-y"] + options
        if task.purge { arguments.append("--purge") }
        if task.autoremove { arguments.append("--auto-remove") }
        if task.allowChangeHeldPackages { arguments.append("--allow-change-held-packages") }
        let (done, _) = try perform(arguments + force + ["remove"] + present.map(\.name))
        return outcome(done, changed: true)
    }

    mutating func install(_ specs: [PackageSpec]) throws(Failure) -> Outcome {
        let all = try expanded(specs)
        if task.state == .buildDep {
            let arguments = ["apt-get", "-y"] + options + permissions + ["build-dep"] + all.map(\.text)
            let (done, changed) = try perform(arguments, foreseen: Self.changesNothing)
            return outcome(done, changed: changed, withCacheKeys: true)
        }
        let wanted = try missing(all)
        guard !wanted.isEmpty else {
            try markManual(all)
            return Outcome(cacheKeys, warnings: warnings)
        }
        var arguments = ["apt-get", "-y"] + options + permissions
        if task.onlyUpgrade { arguments.append("--only-upgrade") }
        if task.state == .fixed { arguments.append("--fix-broken") }
        if task.autoremove { arguments.append("--auto-remove") }
        let names = wanted.map { $0.relation == "=" ? $0.text : $0.name }
        let unknown = Self.unknownPackage
        let result: (result: CommandResult, changed: Bool)
        do {
            result = try perform(arguments + ["install"] + names, failing: { unknown($0.errorText) })
        } catch {
            // An earlier task may add the repository that knows the package.
            guard context.checkMode, error.message.hasPrefix("No package matching") else { throw error }
            return Outcome(changed: true, cacheKeys, warnings: warnings + [error.message + " yet"])
        }
        try markManual(all)
        return outcome(result.result, changed: true, withCacheKeys: true)
    }

    /// Ansible's words for a package that apt does not know.
    private static func unknownPackage(_ errors: String) -> Failure? {
        for line in errors.split(separator: "\n") {
            if let range = line.firstRange(of: "Unable to locate package ") {
                return Failure("No package matching '\(line[range.upperBound...].trimmed)' is available")
            }
            let words = line.split(separator: "'", omittingEmptySubsequences: false).map(String.init)
            if line.contains("has no installation candidate"), words.count > 1 {
                return Failure("No package matching '\(words[1])' is available")
            }
            if line.hasPrefix("E: Version '"), line.hasSuffix("was not found"), words.count > 3 {
                return Failure("no available installation candidate for \(words[3])=\(words[1])")
            }
        }
        return nil
    }

    /// The specs that are not as wanted.
    private mutating func missing(_ specs: [PackageSpec]) throws(Failure) -> [PackageSpec] {
        var wanted: [PackageSpec] = []
        var open: [PackageSpec] = []
        for spec in specs {
            guard let package = status[spec.name], package.isInstalled else {
                if task.onlyUpgrade { continue }
                if status.provided.contains(spec.name) || spec.relation == ">=" {
                    open.append(spec)
                } else {
                    wanted.append(spec)
                }
                continue
            }
            if !matches(package.version, spec) {
                if spec.relation == ">=" { open.append(spec) } else { wanted.append(spec) }
            } else if task.state == .latest || spec.relation == "=" && spec.versionIsGlob {
                open.append(spec)
            } else if task.state == .fixed {
                wanted.append(spec)
            }
        }
        guard !open.isEmpty else { return wanted }
        // Only apt knows which version it would install.
        let candidates = try candidates(of: open)
        for spec in open {
            let candidate = candidates[spec.name]
            guard let package = status[spec.name], package.isInstalled else {
                // Nothing to install: a virtual package, which something provides.
                if candidate == nil, status.provided.contains(spec.name) { continue }
                wanted.append(try checked(spec, candidate))
                continue
            }
            if spec.relation == ">=", !matches(package.version, spec) {
                wanted.append(try checked(spec, candidate))
            } else if let candidate, candidate != package.version, matches(candidate, spec),
                DpkgVersion(candidate) > DpkgVersion(package.version)
            {
                wanted.append(spec)
            }
        }
        return wanted
    }

    private func checked(_ spec: PackageSpec, _ candidate: String?) throws(Failure) -> PackageSpec {
        if let candidate, matches(candidate, spec) { return spec }
        if spec.relation != ">=" { return spec }
        throw Failure("no available installation candidate for \(spec.text)")
    }

    /// The versions that apt would install, by name.
    private func candidates(of specs: [PackageSpec]) throws(Failure) -> [String: String] {
        let release = task.defaultRelease.map { ["-o", "APT::Default-Release=\($0)"] } ?? []
        let text = try ask(["apt-cache"] + release + ["policy"] + specs.map(\.name)).outputText
        var found: [String: String] = [:]
        var name = ""
        for line in text.split(separator: "\n") {
            if !line.hasPrefix(" "), line.hasSuffix(":") { name = String(line.dropLast()) }
            if line.hasPrefix("  Candidate: "), !line.hasSuffix("(none)") { found[name] = line.dropFirst(13).trimmed }
        }
        return found
    }

    private func matches(_ version: String, _ spec: PackageSpec) -> Bool {
        switch spec.relation {
        case "=" where spec.versionIsGlob: (try? Pattern(glob: spec.version).matchesWhole(version)) == true
        case "=": version == spec.version
        case ">=": DpkgVersion(version) >= DpkgVersion(spec.version)
        default: true
        }
    }

    /// Globs of names replaced by the packages they match.
    private func expanded(_ specs: [PackageSpec]) throws(Failure) -> [PackageSpec] {
        var all: [PackageSpec] = []
        for spec in specs {
            guard spec.nameIsGlob else {
                all.append(spec)
                continue
            }
            guard let pattern = try? Pattern(glob: spec.name) else { throw Failure("'\(spec.name)' is not a glob") }
            func matching(_ names: [String]) -> [String] { names.filter { (try? pattern.matchesWhole($0)) == true } }
            var names = task.state == .absent ? matching(status.names) : []
            if names.isEmpty {
                names = matching(try ask(["apt-cache", "pkgnames"]).outputText.split(separator: "\n").map(String.init))
            }
            if names.isEmpty { throw Failure("No package(s) matching '\(spec.name)' available") }
            for name in names.sorted() {
                var one = spec
                one.name = name
                all.append(one)
            }
        }
        return all
    }

    /// What a task names stays installed, also when nothing else needs it any more.
    private func markManual(_ specs: [PackageSpec]) throws(Failure) {
        guard !context.checkMode, machine.program("apt-mark") != nil else { return }
        let marks = try attempt { () throws(MachineError) in try AptMarks(on: machine) }
        let names = specs.map(\.name).filter { marks.isAutomatic($0) }
        guard !names.isEmpty, let editor = try context.editor() else { return }
        let done = try run(["apt-mark", "manual"] + names, editor)
        if done.status != 0 { throw failure(["apt-mark", "manual"] + names, done) }
    }

    // MARK: Files

    /// Installs .deb files with what they need, except those whose version is installed.
    mutating func installFiles(_ files: [String]) throws(Failure) -> Outcome {
        var folder: String?
        defer { if let folder, let editor = try? context.editor() { try? editor.remove(folder) } }
        var paths: [String] = []
        for file in files {
            var path = try attempt { () throws(MachineError) in try machine.expanded(file, context.environment) }
            if file.contains("://") {
                guard let editor = try context.editor() else { return Outcome(changed: true) }
                let parent: String
                if let folder {
                    parent = folder
                } else {
                    parent = try attempt { () throws(MachineError) in
                        try editor.makeTemporary(folder: true, in: nil, prefix: "gantry-deb-", suffix: "")
                    }
                    folder = parent
                }
                path = parent + "/" + baseName(String(file.prefix { $0 != "?" && $0 != "#" }))
                let done = try run(["/usr/lib/apt/apt-helper", "download-file", file, path], editor)
                if done.status != 0 { throw Failure("Failed to download \(file): \(done.errorText.trimmed)") }
            }
            if try isNeeded(path) { paths.append(path) }
        }
        guard !paths.isEmpty else { return outcome(CommandResult(status: 0), changed: false) }
        // The version was looked at already, so that apt may take what it is given.
        let allowed = ["--allow-downgrades"]
        let (done, _) = try perform(["apt-get", "-y"] + options + permissions + allowed + ["install"] + paths)
        return outcome(done, changed: true)
    }

    private func isNeeded(_ path: String) throws(Failure) -> Bool {
        let done = try ask(["dpkg-deb", "--show", "--showformat=${Package} ${Version} ${Architecture}", path])
        let words = done.outputText.split(separator: " ").map(String.init)
        guard done.status == 0, words.count == 3 else {
            throw Failure("Unable to install package: \(path): \(done.errorText.trimmed)")
        }
        let name = words[2] == "all" || words[2] == status.architecture ? words[0] : words[0] + ":" + words[2]
        guard let installed = status[name], installed.isInstalled else { return true }
        let order = DpkgVersion(words[1]).order(to: DpkgVersion(installed.version))
        if order < 0, !task.force, !task.allowDowngrade { throw Failure("A later version is already installed") }
        return order != 0
    }
}
