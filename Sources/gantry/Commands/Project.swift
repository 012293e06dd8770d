import Glibc
import Crypto
import Engine
import Hosts
import Playbooks
import Templates
import Values
import Wire

/// What a command works with: settings, vault, inventory and files, read once.
final class Project: Sendable {
    let configuration: Configuration
    let files: DiskFiles
    var templater: Templater {
        let templater = Templater()
        templater.lookups = Set(Lookup.names)
        templater.plugins = plugins
        let files = files
        templater.unseal = { (text: Text) throws(Diagnostic) in try files.decrypted(text) }
        return templater
    }
    /// Filters and tests in Python.
    let plugins: PluginHost
    let extra: Dict
    let inventory: Inventory
    let warnings: [Diagnostic]
    let inventorySources: [String]
    let inventoryOptions: InventoryOptions
    let limit: String?
    /// Facts of earlier runs, where the settings keep them.
    let factCache: FactCache?

    /// - Throws: `CommandFailure` with everything that is wrong; nothing has been contacted.
    init(_ arguments: InventoryArguments, needsInventory: Bool = true) throws {
        do {
            configuration = try Configuration(environment: Configuration.processEnvironment())
            plugins = PluginHost(configuration)
            let vault = VaultOpener(
                try VaultSecrets(
                    environment: configuration.environment, identity: configuration.string(.vaultIdentity)
                ).load(VaultSecrets.sources(arguments.vault, configuration)),
                matchesID: configuration.flag(.vaultIDMatch))
            let files = DiskFiles(vault: vault)
            self.files = files
            extra = try ExtraVariables.read(arguments.extraVars, files: files)
            limit = arguments.limit
            let given = arguments.inventory.isEmpty
                ? configuration.paths(.inventory, separator: ",") : arguments.inventory.map(configuration.expanded)
            var sources: [String] = []
            for source in given where !sources.contains(source) { sources.append(source) }
            // Without -i, an inventory that is not there is an empty one, as in Ansible.
            let isDefault = arguments.inventory.isEmpty && configuration.origin(.inventory).origin == "default"
            if isDefault { sources = sources.filter { Disk.kind($0) != nil } }
            inventorySources = sources
            var options = try configuration.inventoryOptions()
            options.extra = extra
            options.python = Installation.python(configuration.environment)
            options.decrypt = { (text: Text) throws(Diagnostic) in
                Vault.isVaulted(text.string) ? try files.opened(text) : text
            }
            let (cache, cacheWarnings) = FactCache.configured(configuration)
            factCache = cache
            if let cache { options.cachedFacts = { cache.facts(of: $0) } }
            inventoryOptions = options
            let loaded = try Inventory.load(sources, options: options)
            inventory = loaded.inventory
            warnings = configuration.warnings + cacheWarnings + loaded.warnings
        } catch let error as Diagnostic {
            throw CommandFailure(error, status: 1)
        } catch let error as Diagnostics {
            throw CommandFailure(error.all, status: 1)
        }
    }

    var home: String? { configuration.environment["HOME"] }

    var loaderOptions: LoaderOptions {
        var options = LoaderOptions(
            rolePaths: rolePaths, home: home, gathering: configuration.string(.gathering), extra: extra)
        options.content = configuration.contentPaths
        options.leavesConditionalErrors = Twin.isCalled
        options.duplicateKeys = DuplicateKeys(rawValue: configuration.string(.duplicateKeys)) ?? .warn
        if configuration.origin(.privateRoleVariables).origin != "default" {
            options.hidesRoleVariables = configuration.flag(.privateRoleVariables)
        }
        options.forgivesUnknownKeywords = !configuration.flag(.unknownKeywordFails)
        options.forgivesMissingHandlers = !configuration.flag(.missingHandlerFails)
        return options
    }

    /// Configured paths, then the roles that come with Gantry.
    private var rolePaths: [String] {
        (configuration.paths(.rolesPath, separator: ":") + Installation.rolePaths(configuration.environment)).map(
            Disk.absolute)
    }

    func loader() -> Loader { Loader(files: files, options: loaderOptions, templater: templater) }

    /// Plays of all playbooks; every error of all of them, together.
    func plays(
        _ paths: [String]
    ) throws(CommandFailure) -> (plays: [Play], warnings: [Diagnostic], inclusions: Inclusions) {
        var plays: [Play] = []
        var errors: [Diagnostic] = []
        var warnings: [Diagnostic] = []
        var inclusions = Inclusions()
        if let missing = paths.first(where: { Disk.kind($0) == nil }), Twin.isCalled {
            throw CommandFailure(Diagnostic("the playbook: \(missing) could not be found"), status: 1)
        }
        for path in paths {
            let loader = loader()
            do throws(Diagnostics) { plays += try loader.plays(of: Disk.absolute(path)) } catch { errors += error.all }
            warnings += loader.diagnostics.filter { $0.severity != .error }
            inclusions.merge(loader.inclusions)
        }
        errors += files.vault.refusals()
        // What several playbooks name is wrong once.
        var seen: Set<String> = []
        errors = errors.filter { seen.insert($0.shown).inserted }
        warnings = warnings.filter { seen.insert($0.shown).inserted }
        if !errors.isEmpty { throw CommandFailure(errors, status: errors.lazy.compactMap(\.status).first ?? 4) }
        return (plays, warnings, inclusions)
    }

    /// With vaulted values open, as far as there are secrets for them.
    static func opened(_ variables: Dict, _ files: DiskFiles) -> Dict {
        variables.mapValues { value in
            var isSealed = false
            value.forEachText { isSealed = isSealed || $0.isSealed }
            return isSealed ? value.mapText { $0.isSealed ? (try? files.decrypted($0)) ?? $0 : $0 } : value
        }
    }

    /// `--flush-cache`
    func flushFacts() {
        for host in inventory.hosts + ["localhost"] { factCache?.forget(host) }
    }

    /// What templates of every host see of the run.
    func context(_ settings: RunSettings, playbookFolders: [String]) -> PlanContext {
        var context = PlanContext()
        context.settings = settings
        context.settings.forgivesMissingHandlers = !configuration.flag(.missingHandlerFails)
        context.settings.reportsFacts = factCache != nil
        context.settings.hidesFacts = !configuration.flag(.injectsFacts)
        context.settings.debugs = configuration.flag(.taskDebugger)
        context.settings.debuggerIgnoresErrors = configuration.flag(.debuggerIgnoresErrors)
        context.settings.gathersOnce = configuration.string(.gathering) == "smart"
        context.settings.mergesHashes = configuration.string(.hashBehaviour) == "merge"
        context.settings.controllerHost = Installation.hostName
        context.settings.controllerUser = Installation.userName
        context.extra = extra
        context.groups = Dict(inventory.groups.map { ($0.key, Value.strings($0.value)) })
        context.magic = [
            "ansible_version": [
                "full": .string(languageVersion), "major": 2, "minor": 19, "revision": 14,
                "string": .string(languageVersion),
            ],
            "gantry_version": .string(gantryVersion),
            "ansible_forks": .int(configuration.number(.forks) ?? 0),
            "ansible_inventory_sources": .strings(
                inventorySources.map { $0.contains(",") ? $0 : Disk.absolute($0) }),
            "ansible_config_file": configuration.path.map { .string($0) } ?? .null,
            "ansible_managed": .string(configuration.string(.managed)),
            "_interpreter_python": .string(configuration.string(.interpreterPython)),
        ]
        if let python = Installation.python(configuration.environment) {
            context.magic["ansible_playbook_python"] = .string(python)
        }
        if let folder = configuration.environment["ANSIBLE_ASYNC_DIR"] { context.magic["_async_dir"] = .string(folder) }
        if let limit { context.magic["ansible_limit"] = .string(limit) }
        return context
    }
}

/// Where the parts of Gantry are that are not this program.
enum Installation {
    static var hostName: String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard unsafe gethostname(&buffer, 255) == 0 else { return "localhost" }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The name of the user who runs this, or its number.
    static var userName: String {
        unsafe getpwuid(geteuid()).map { unsafe String(cString: $0.pointee.pw_name) } ?? "\(geteuid())"
    }

    /// The folder of the running program, links resolved.
    private static var programFolder: String { Disk.folder(of: Disk.realPath("/proc/self/exe") ?? "/usr/bin/gantry") }

    /// The agent to send to nodes: `GANTRY_AGENT`, beside the program, or in its `lib` folder.
    static func agent(_ environment: [String: String]) throws(CommandFailure) -> String {
        if let given = environment["GANTRY_AGENT"], !given.isEmpty {
            if Disk.kind(given) == .file { return Disk.realPath(given) ?? given }
            throw CommandFailure(
                Diagnostic(
                    "GANTRY_AGENT names '\(given)', and no file is there",
                    notes: ["unset it, and the agent beside gantry is taken"]), status: 1)
        }
        let candidates = ["\(programFolder)/gantry-agent", "\(programFolder)/../lib/gantry/gantry-agent"]
        for candidate in candidates where Disk.kind(candidate) == .file { return Disk.realPath(candidate) ?? candidate }
        throw CommandFailure(
            Diagnostic(
                "the agent is not there", notes: [
                    "searched: " + candidates.joined(separator: ", "),
                    "build it with 'make build', or name it in GANTRY_AGENT",
                ]), status: 1)
    }

    /// The controller's Python, where it has one: playbooks name it as an interpreter.
    static func python(_ environment: [String: String]) -> String? {
        let folders = (environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":").map(String.init)
        return folders.map { "\($0)/python3" }.first { Disk.kind($0) == .file }
    }

    static func rolePaths(_ environment: [String: String]) -> [String] {
        ["\(programFolder)/../share/gantry/Roles", "\(programFolder)/../../../Roles"]
            .compactMap { Disk.realPath($0) }.filter { Disk.kind($0) == .folder }
    }
}

let gantryVersion = "0.1.0"

extension Project {
    /// The hosts of a pattern; none is an error with the nearest name.
    func selected(_ pattern: String) throws(CommandFailure) -> [String] {
        if pattern.allSatisfy(\.isWhitespace) {
            throw CommandFailure(
                Diagnostic("the pattern is empty", notes: ["name a host, a group, 'all' or 'localhost'"]), status: 1)
        }
        do throws(Diagnostics) {
            let (hosts, warnings) = try inventory.select(pattern, limit: limit)
            // With an empty inventory there is nothing to do; with hosts in it, a pattern of none is a slip.
            if hosts.isEmpty, inventory.hosts.isEmpty {
                let known = "provided hosts list is empty, only localhost is available."
                let warning = Diagnostic(
                    known + " Note that the implicit localhost does not match 'all'", severity: .warning)
                for warning in self.warnings + [warning] { Output.printError(warning.shown) }
                return []
            }
            if hosts.isEmpty, Twin.isCalled, limit == nil {
                for warning in self.warnings + (try mismatches(warnings)) { Output.printError(warning.shown) }
                return []
            }
            if hosts.isEmpty { throw Diagnostics([nothing(pattern)]) }
            for warning in try mismatches(warnings) { Output.printError(warning.shown) }
            return hosts
        } catch { throw CommandFailure(error.all, status: 1) }
    }

    private func nothing(_ pattern: String) -> Diagnostic {
        let known = inventory.hosts + inventory.groups.keys
        if let limit {
            return Diagnostic(
                "the pattern '\(pattern)' with --limit '\(limit)' matches no hosts",
                hint: suggestion(for: limit, among: known) ?? suggestion(for: pattern, among: known))
        }
        return Diagnostic("the pattern '\(pattern)' matches no hosts", hint: suggestion(for: pattern, among: known))
    }

    /// What matched nothing, as `host_pattern_mismatch` wants it: an error, warnings, or nothing.
    func mismatches(_ warnings: [Diagnostic]) throws(Diagnostics) -> [Diagnostic] {
        switch configuration.string(.patternMismatch) {
        case "ignore": return []
        case "error" where !warnings.isEmpty:
            throw Diagnostics(
                warnings.map { warning in
                    var error = warning
                    error.severity = .error
                    return error
                })
        default: return warnings
        }
    }

    /// A `--limit` that no host of the inventory matches is a slip, not a wish to do nothing.
    func checkLimit() throws(CommandFailure) {
        guard let limit, !inventory.hosts.isEmpty else { return }
        do throws(Diagnostics) {
            if try !inventory.select("all", limit: limit).hosts.isEmpty { return }
        } catch { throw CommandFailure(error.all, status: 1) }
        let known = inventory.hosts + inventory.groups.keys
        throw CommandFailure(
            Diagnostic(
                Twin.isCalled
                    ? "Specified inventory, host pattern and/or --limit leaves us with no hosts to target."
                    : "--limit '\(limit)' matches no hosts", hint: suggestion(for: limit, among: known)), status: 1)
    }

    /// Folders whose `group_vars` and `host_vars` count beside the inventory's.
    static func variableFolders(of plays: [Play]) -> [String] {
        var seen: Set<String> = []
        let current = Disk.currentFolder
        return plays.map { shown($0.folder, in: current) }.filter { seen.insert($0).inserted }
    }

    /// Reads the inventory again.
    var reloading: @Sendable () throws(Diagnostics) -> Inventory {
        let sources = inventorySources
        let options = inventoryOptions
        return { () throws(Diagnostics) in try Inventory.load(sources, options: options).inventory }
    }
}
