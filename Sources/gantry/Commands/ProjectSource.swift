import Controller
import Engine
import Hosts
import Modules
import Playbooks
import Templates
import Values
import Wire

/// Gives a run its plays, hosts, plans and files.
actor ProjectSource: RunSource {
    private let plays: [Play]
    private let files: DiskFiles
    private let templater = Templater()
    private let planner: Planner
    private let loaderOptions: LoaderOptions
    private var settled: Inventory
    /// What plays added since; taken in when somebody looks.
    private var additions: [Inventory.Addition] = []
    /// All that plays added: an inventory that is read anew takes it in again.
    private var allAdditions: [Inventory.Addition] = []
    private var inventory: Inventory {
        if !additions.isEmpty {
            settled.add(additions)
            additions = []
        }
        return settled
    }
    private let reload: @Sendable () throws(Diagnostics) -> Inventory
    private let limit: String?
    private let mismatches: @Sendable ([Diagnostic]) throws(Diagnostics) -> [Diagnostic]
    private var context: PlanContext
    private let folders: [String]
    private let defaults: ConnectionSettings.Defaults
    /// Keywords that the command line sets where a play says nothing.
    private let fallbacks: Dict
    /// Hosts begin with what a run before this one left.
    private let takesOver: Bool
    private var answers: [Int: Dict] = [:]
    private let lookups: ControllerLookups
    private let ownKeywords: PlayKeywords
    private let configuration: Configuration
    private let packer: ModulePacker
    private let plugins: PluginHost
    private let sink: any EventSink
    private let factCache: FactCache?
    /// What became known of a host during the run.
    private var knowledge: (@Sendable (String) -> HostKnowledge)?
    /// Hosts whose engines have been given what the cache keeps.
    private var informed: Set<String> = []

    init(
        project: Project, plays: [Play], settings: RunSettings, defaults: ConnectionSettings.Defaults, fallbacks: Dict,
        sink: any EventSink
    ) {
        self.plays = plays
        self.sink = sink
        files = project.files
        factCache = project.factCache
        plugins = project.plugins
        templater.plugins = plugins
        let files = project.files
        templater.unseal = { (text: Text) throws(Diagnostic) in try files.decrypted(text) }
        loaderOptions = project.loaderOptions
        settled = project.inventory
        reload = project.reloading
        configuration = project.configuration
        limit = project.limit
        mismatches = { (found: [Diagnostic]) throws(Diagnostics) in try project.mismatches(found) }
        folders = Project.variableFolders(of: plays)
        self.defaults = defaults
        self.fallbacks = fallbacks
        takesOver = settings.reportsVariables
        packer = ModulePacker(files: project.files, paths: loaderOptions.content)
        ownKeywords = project.playKeywords
        let lookups = ownKeywords.lookups
        self.lookups = lookups
        let managed = project.configuration.string(.managed)
        planner = Planner(
            files: project.files, templater: templater, home: project.home,
            tellsOrigins: managed.contains("%") || managed.contains("{")
        ) { play in
            let basis = SearchBasis(roles: [], taskFolder: play.folder, playFolder: play.folder)
            return { (plugin, terms, options) throws(TemplateError) in
                do throws(Diagnostic) { return try lookups.results(plugin, terms, options, basis) } catch {
                    throw TemplateError(error)
                }
            }
        }
        var context = project.context(settings, playbookFolders: folders)
        context.settings.reportsVariables =
            settings.reportsVariables || plays.contains { $0.readsHostVariables }
            || Self.templatesReadHosts(plays, project)
        context.magic["ansible_playbook_python"] = .string(Self.python(project.configuration.environment))
        self.context = context
    }

    /// The Python that a playbook may name for this machine: the first of `PATH`.
    private static func python(_ environment: [String: String]) -> String {
        let folders = (environment["PATH"] ?? "").split(separator: ":")
        return folders.map { "\($0)/python3" }.first { Disk.kind($0) == .file } ?? "/usr/bin/python3"
    }

    /// Whether any template beside the plays' roles reads other hosts: then hosts report what they learn.
    private static func templatesReadHosts(_ plays: [Play], _ project: Project) -> Bool {
        var folders: Set<String> = []
        for play in plays {
            for basis in play.bases {
                for role in basis.roles + [basis.playFolder] { folders.insert("\(role)/templates") }
            }
        }
        return folders.contains { folder in
            Disk.names(folder).contains { name in
                let bytes = (try? Disk.contents("\(folder)/\(name)")).flatMap { $0 } ?? []
                return String(decoding: bytes, as: UTF8.self).contains("hostvars")
            }
        }
    }

    var playCount: Int { plays.count }

    func take(knowledge: @escaping @Sendable (String) -> HostKnowledge) { self.knowledge = knowledge }

    /// What plays say themselves, with what the run knows by now.
    private var keywords: PlayKeywords {
        var keywords = ownKeywords
        keywords.magic = context.magic
        keywords.magic["groups"] = .dict(Dict(inventory.groups.map { ($0.key, Value.strings($0.value)) }))
        keywords.magic["ansible_check_mode"] = .bool(context.settings.checkMode)
        keywords.magic["ansible_diff_mode"] = .bool(context.settings.diffMode)
        keywords.magic["ansible_verbosity"] = .int(context.settings.verbosity)
        keywords.hosts = hostVariables
        let (context, planner) = (context, planner)
        keywords.files = { play, answers, magic in
            var own = context
            own.prompted = answers
            return planner.fileVariables(of: play, known: magic, in: own)
        }
        return keywords
    }

    private func answered(_ index: Int) throws(Diagnostics) -> Dict {
        if let given = answers[index] { return given }
        let keywords = keywords
        let known = keywords.known(plays[index])
        let prompts = PlayPrompts(extra: loaderOptions.extra) { (value: Value) throws(Diagnostics) in
            try keywords.rendered(value, known)
        }
        let given = try prompts.answers(plays[index])
        answers[index] = given
        return given
    }

    func outline(of index: Int) throws(Diagnostics) -> PlayOutline {
        let play = plays[index]
        let answers = try answered(index)
        let known = keywords.known(play, answers: answers)
        var given = fallbacks
        for (name, value) in play.keywords { given[name] = value }
        for name in ["serial", "order", "strategy", "max_fail_percentage", "any_errors_fatal", "throttle"] {
            guard let value = given[name] else { continue }
            let result = try keywords.rendered(value, known)
            given[name] = result == Templater.omit ? nil : result
        }
        if let name = given["strategy"]?.pythonText, Strategy(named: name) == nil {
            throw Diagnostics([Strategy.unknown(name, "keyword: strategy", at: play.keywords["strategy"]?.place)])
        }
        return PlayOutline(name: keywords.name(of: play, answers: answers), place: play.place, keywords: given)
    }

    /// `hostvars` for what plays say themselves.
    private var hostVariables: PlayHosts {
        PlayHosts(names: Array(inventory.hosts)) { (host, name) throws(TemplateError) in
            let known = self.knowledge?(host) ?? HostKnowledge()
            do throws(Diagnostics) { return try self.variable(name, of: host, play: -1, known: known) } catch {
                throw error.all.first.map { TemplateError($0) } ?? TemplateError("there is no host '\(host)'")
            }
        }
    }

    func hosts(of index: Int) throws(Diagnostics) -> [String] {
        let selected = try inventory.select(try pattern(of: plays[index], answers: try answered(index)), limit: limit)
        for warning in try mismatches(selected.warnings) { sink.show(.message(host: nil, warning)) }
        return selected.hosts
    }

    private func pattern(of play: Play, answers: Dict = Dict()) throws(Diagnostics) -> String {
        try keywords.patterns(of: play, answers: answers).joined(separator: ",")
    }

    func plan(
        play index: Int, host: String, batch: [String], hosts: [String], known: HostKnowledge
    ) throws(Diagnostics) -> PlayPlan {
        let play = plays[index]
        if !play.problems.isEmpty { throw Diagnostics(play.problems) }
        context.prompted = try answered(index)
        context.batch = batch
        context.playHosts = hosts
        context.allPlayHosts = try self.hosts(of: index)
        context.groups = Dict(inventory.groups.map { ($0.key, Value.strings($0.value)) })
        let outline = try outline(of: index)
        let gathers = try gathersFacts(play)
        do throws(Diagnostic) {
            var plan = try planner.plan(
                play, index: index, host: host, variables: try view.variables(of: host), own: view.own(host),
                in: context)
            plan.magic["_facts_default"] = .string(configuration.string(.factsModules))
            plan.magic["_facts_modules"] = .dict(
                FactsModules(plan, files: files, content: loaderOptions.content, playFolder: play.folder).paths)
            if !gathers, case .task(let first)? = plan.steps.first, first.isImplicit { plan.steps.removeFirst() }
            plan.settings.isFree = outline.isFree
            plan.settings.debugs = plan.settings.debugs || outline.isDebugging
            for (name, value) in fallbacks {
                apply(name, value, to: &plan.steps)
                apply(name, value, to: &plan.handlers)
                for (key, var file) in plan.taskFiles {
                    apply(name, value, to: &file.steps)
                    plan.taskFiles[key] = file
                }
                for (key, var role) in plan.dynamicRoles {
                    apply(name, value, to: &role.steps)
                    apply(name, value, to: &role.handlers)
                    plan.dynamicRoles[key] = role
                }
            }
            // Where it cannot be said yet how the host is reached, connecting says why.
            plan.connection = (try? connection(to: host, play: index, variables: Dict()))?.variables ?? Dict()
            // A password that was asked for is a variable, too.
            if let password = defaults.password, plan.inventory["ansible_password"] == nil {
                plan.inventory["ansible_password"] = .string(Text(password.exposed, mark: Mark(isSecret: true)))
            }
            if informed.insert(host).inserted { plan.facts = factCache?.facts(of: host) ?? Dict() }
            plan.facts.merge(known.delegated) { $1 }
            if takesOver {
                // An earlier run's: no session on the host has them.
                plan.facts.merge(known.facts) { $1 }
                plan.variables.merge(known.assigned) { $1 }
            }
            return plan
        } catch { throw Diagnostics([error]) }
    }

    /// Whether a play whose `gather_facts` is a template gathers them.
    private func gathersFacts(_ play: Play) throws(Diagnostics) -> Bool {
        guard let value = play.keywords["gather_facts"], value.asBool == nil else { return true }
        let keywords = keywords
        return try keywords.rendered(value, keywords.known(play, answers: context.prompted)).asBool ?? true
    }

    /// What the command line says counts where no play, block or task says otherwise.
    private func apply(_ name: Value, _ value: Value, to steps: inout [Step]) {
        for index in steps.indices {
            switch steps[index] {
            case .task(var task):
                if task.keywords[name] == nil { task.keywords[name] = value }
                if task.inherited[name] == nil, !task.inherited.isEmpty || includesTasks(task) {
                    task.inherited[name] = value
                }
                steps[index] = .task(task)
            case .block(var block):
                apply(name, value, to: &block.block)
                apply(name, value, to: &block.rescue)
                apply(name, value, to: &block.always)
                steps[index] = .block(block)
            }
        }
    }

    private func includesTasks(_ task: TaskPlan) -> Bool {
        ["include_tasks", "include_role", "include"].contains(task.module)
    }

    private var view: HostView {
        HostView(inventory: inventory, files: files, folders: folders, context: context, extra: loaderOptions.extra)
    }

    /// A wrong vault password is found before any host is touched, not when a task needs what it should open.
    func verifyVaults() throws(Diagnostics) {
        guard files.vault.hasSecrets else { return }
        var seen: Set<String> = []
        for play in plays {
            // A pattern that is wrong is told of when its play begins.
            let hosts = (try? inventory.select(try pattern(of: play), limit: limit).hosts) ?? []
            for host in hosts where seen.insert(host).inserted {
                do throws(Diagnostic) { _ = try view.variables(of: host) } catch { throw Diagnostics([error]) }
            }
        }
        let refusals = files.vault.refusals()
        if !refusals.isEmpty { throw Diagnostics(refusals) }
    }

    func connection(to host: String, play index: Int, variables: Dict) throws(Diagnostics) -> ConnectionSettings {
        do throws(Diagnostic) {
            var known = try view.variables(of: host)
            if plays.indices.contains(index) {
                for (name, value) in plays[index].variables { known[name] = value }
            }
            for (name, value) in context.magic where known[name] == nil { known[name] = value }
            for (name, value) in loaderOptions.extra { known[name] = value }
            for (name, value) in variables { known[name] = value }
            known["inventory_hostname"] = .string(host)
            var used = Dict()
            for (name, value) in known where saysHowReached(name.pythonText) {
                do throws(TemplateError) {
                    used[name] = try templater.render(value, in: DictScope(known))
                } catch {
                    var diagnostic = error.diagnostic
                    diagnostic.notes.append("in '\(name.pythonText)', which says how '\(host)' is reached")
                    throw diagnostic
                }
            }
            let isImplicit = !inventory.hosts.contains(host) && ["localhost", "127.0.0.1", "::1"].contains(host)
            var keywords = plays.indices.contains(index) ? plays[index].keywords : Dict()
            for (name, value) in keywords { keywords[name] = try renderedKeyword(value, known) }
            return try ConnectionSettings(
                host: host, variables: used, keywords: keywords, defaults: defaults, isImplicit: isImplicit)
        } catch { throw Diagnostics([error]) }
    }

    private func renderedKeyword(_ value: Value, _ known: Dict) throws(Diagnostic) -> Value {
        guard case .string(let text) = value, text.isTemplate else { return value }
        let scope = PlayScope(variables: known, lookups: lookups)
        do throws(TemplateError) { return try templater.render(text, in: scope) } catch {
            if error.undefinedName != nil { return .null }
            throw error.diagnostic
        }
    }

    func inventory(of host: String) throws(Diagnostics) -> Dict {
        do throws(Diagnostic) { return try view.variables(of: host) } catch { throw Diagnostics([error]) }
    }

    func variable(
        _ name: String?, of host: String, play index: Int, known: HostKnowledge
    ) throws(Diagnostics) -> Value? {
        do throws(Diagnostic) {
            var known = known
            known.facts = combined(factCache?.facts(of: host) ?? Dict(), known.facts, merging: false)
            let play = plays.indices.contains(index) ? plays[index] : nil
            let all = try view.all(of: host, playFolder: play?.folder ?? files.folder, known: known)
            guard let name else { return .strings(all.names) }
            guard let value = all[name] else { return nil }
            // What is not of the host but of the play may stand behind it: how a delegate is reached, say.
            let around = all.merging(play?.variables ?? Dict()) { own, _ in own }
            return try HostView.rendered(value, name, of: host, among: around, by: templater)
        } catch { throw Diagnostics([error]) }
    }

    // MARK: Files

    func file(_ request: FileRequest) -> (entry: FileEntry?, searched: [String]) { planner.entry(request) }

    func contents(digest: String, path: String) throws(Diagnostics) -> [UInt8] {
        do throws(Diagnostic) { return try planner.contents(of: path, digest: digest) } catch {
            throw Diagnostics([error])
        }
    }

    func module(_ path: String, play index: Int) throws(Diagnostics) -> ForeignModule {
        let play = plays[index]
        do throws(Diagnostic) {
            return try packer.module(at: path, roles: roles(of: play), playFolder: play.folder)
        } catch { throw Diagnostics([error]) }
    }

    func converse(_ step: Value, play index: Int) throws(Diagnostics) -> Value {
        do throws(Diagnostic) {
            let asked = try plugins.converse(step)
            guard asked["ask"]?.text == "module", let name = asked["name"]?.text, var reply = asked.dict else {
                return asked
            }
            // A module that is not built in is a file, which only here can be found.
            if Registry.entry(name) == nil {
                let play = plays[index]
                reply["path"] = ForeignModules.file(
                    of: name, files: files, paths: loaderOptions.content, roles: roles(of: play),
                    playFolder: play.folder
                ).map { .string($0.path) }
            }
            return .dict(reply)
        } catch { throw Diagnostics([error]) }
    }

    private func roles(of play: Play) -> [String] {
        let bases = play.bases + play.taskFiles.values.flatMap(\.bases) + play.dynamicRoles.values.flatMap(\.bases)
        var seen: Set<String> = []
        return bases.flatMap(\.roles).filter { seen.insert($0).inserted }
    }

    func plugin(
        _ kind: String, _ name: String, _ arguments: [Value], _ named: Dict
    ) throws(Diagnostics) -> Value {
        do throws(TemplateError) {
            return try plugins.apply(kind == "test" ? .test : .filter, name, arguments, named)
        } catch { throw Diagnostics([error.diagnostic]) }
    }

    func parts(_ digests: [String]) throws(Diagnostics) -> [ModuleContents] {
        var contents: [ModuleContents] = []
        for digest in digests {
            guard let bytes = packer.contents(of: digest) else {
                throw Diagnostics([Diagnostic("no module has a part '\(digest)'")])
            }
            contents.append(ModuleContents(bytes))
        }
        return contents
    }

    func keep(_ file: FetchedFile, of host: String, play index: Int) -> CallResult {
        FetchedFiles(folder: Disk.absolute(plays[index].folder), host: host).keep(file)
    }

    func tasks(_ request: FileRequest, play index: Int) throws(Diagnostics) -> TaskFile {
        let loader = Loader(files: files, options: loaderOptions, templater: templater)
        let file = Inclusion(loader, play: plays[index]).tasks(request, at: nil)
        return try checked(file, loader)
    }

    func role(_ request: RoleRequest, play index: Int) throws(Diagnostics) -> RoleFile {
        let loader = Loader(files: files, options: loaderOptions, templater: templater)
        let role = Inclusion(loader, play: plays[index]).role(request, at: nil)
        return try checked(role, loader)
    }

    private func checked<Part>(_ part: Part?, _ loader: Loader) throws(Diagnostics) -> Part {
        let errors = loader.diagnostics.filter { $0.severity == .error }
        guard let part, errors.isEmpty else { throw Diagnostics(errors) }
        return part
    }

    func lookup(
        _ plugin: String, _ terms: [Value], _ options: Dict, _ basis: SearchBasis
    ) async throws(Diagnostics) -> [Value] {
        if plugin == "inventory_hostnames" {
            let pattern = terms.map(\.pythonText).joined(separator: ",")
            return try inventory.select(pattern).hosts.map { .string($0) }
        }
        do throws(Diagnostic) { return try lookups.results(plugin, terms, options, basis) } catch {
            throw Diagnostics([error])
        }
    }

    // MARK: Inventory

    func addHost(_ name: String, groups: [String], variables: Dict) {
        let addition = Inventory.Addition.host(name, groups: groups, variables: variables)
        additions.append(addition)
        allAdditions.append(addition)
    }

    func addGroup(_ name: String, parents: [String], host: String) {
        let addition = Inventory.Addition.group(name, parents: parents, host: host)
        additions.append(addition)
        allAdditions.append(addition)
    }

    func keep(facts: Dict, of host: String) {
        do throws(CommandFailure) { try factCache?.keep(facts, of: host) } catch {
            for var diagnostic in error.diagnostics {
                diagnostic.severity = .warning
                sink.show(.message(host: host, diagnostic))
            }
        }
    }

    func forgetFacts(of host: String) { factCache?.forget(host) }

    func refreshInventory() throws(Diagnostics) {
        settled = try reload()
        let added = allAdditions.compactMap { if case .host(let name, _, _) = $0 { name } else { nil } }
        // A group goes with a host that is gone.
        additions = allAdditions.filter { addition in
            guard case .group(_, _, let host) = addition else { return true }
            return settled.contains(host) || added.contains(host)
        }
    }
}
