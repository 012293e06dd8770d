package import Templates
package import Values
package import Wire
import YAML

/// What a plan says of the run and its surroundings, the same for every host of a batch.
package struct PlanContext: Sendable {
    package var settings = RunSettings()
    package var extra = Dict()
    /// Group → hosts, as `groups` shows it.
    package var groups = Dict()
    /// Hosts of the batch, of the play now, and of the play at its beginning.
    package var batch: [String] = []
    package var playHosts: [String] = []
    package var allPlayHosts: [String] = []
    /// Answers to `vars_prompt`.
    package var prompted = Dict()
    /// Everything else that is magic and the same for all: `ansible_version`, `ansible_forks`, `ansible_limit`, …
    package var magic = Dict()
    package init() {}
}

/// Makes one host's plan from a play.
package final class Planner {
    private let files: any ProjectFiles
    private let templater: Templater
    private let home: String?
    private let lookups: Lookups?
    /// Every template is sent with its time and owner: `ansible_managed` tells them.
    private let tellsOrigins: Bool
    private var entries: [String: FileEntry] = [:]
    private var variableFiles: [String: Dict] = [:]
    private var resolved: [FileRequest: FileEntry] = [:]

    /// Lookup plugins, for a play.
    package typealias Lookups = @Sendable (Play) -> DictScope.Lookups

    package init(
        files: any ProjectFiles, templater: Templater, home: String?, tellsOrigins: Bool = false,
        lookups: Lookups? = nil
    ) {
        self.lookups = lookups
        self.tellsOrigins = tellsOrigins
        self.files = files
        self.templater = templater
        self.home = home
    }

    /// - Parameters:
    ///   - variables: levels 3 to 10 of the host, merged.
    ///   - own: magic of this host: `group_names`, `inventory_dir`, ….
    package func plan(
        _ play: Play, index: Int, host: String, variables: Dict, own: Dict, in context: PlanContext
    ) throws(Diagnostic) -> PlayPlan {
        var settings = context.settings
        settings.forceHandlers = play.keywords["force_handlers"]?.asBool ?? settings.forceHandlers
        settings.changesInventory = play.changesInventory
        settings.folder = files.folder
        var plan = PlayPlan(name: play.name.string, place: play.place, index: index, host: host, settings: settings)
        plan.inventory = variables
        plan.extra = context.extra
        plan.variables = play.variables
        plan.magic = magic(play, host, own, context)
        let files = try loaded(play, variables.merging(plan.magic) { $1 }, context)
        for layer in [context.prompted, files.variables] {
            plan.variables = combined(plan.variables, layer, merging: settings.mergesHashes)
        }
        if !files.open.isEmpty { plan.magic["_vars_files"] = .list(files.open) }
        plan.roles = play.roles
        plan.bases = play.bases
        plan.steps = play.steps
        plan.handlers = play.handlers
        plan.taskFiles = play.taskFiles
        plan.dynamicRoles = play.dynamicRoles
        plan.files = literalFiles(play)
        return plan
    }

    private func magic(_ play: Play, _ host: String, _ own: Dict, _ context: PlanContext) -> Dict {
        var magic = context.magic.merging(Self.magic(ofPlaysIn: play.folder, context.settings)) { $1 }
        magic["groups"] = .dict(context.groups)
        magic["inventory_hostname"] = .string(host)
        magic["inventory_hostname_short"] = .string(host.split(separator: ".").first.map(String.init) ?? host)
        magic["play_hosts"] = .strings(context.batch)
        magic["ansible_play_batch"] = .strings(context.batch)
        magic["ansible_play_hosts"] = .strings(context.playHosts)
        magic["ansible_play_hosts_all"] = .strings(context.allPlayHosts)
        magic["ansible_play_name"] = .string(play.name)
        for name in ["ansible_play_role_names", "role_names"] { magic[name] = .strings(play.roleNames) }
        magic["ansible_dependent_role_names"] = .strings(play.dependencyNames)
        let others = play.dependencyNames.filter { !play.roleNames.contains($0) }
        var seen: Set<String> = []
        magic["ansible_role_names"] = .strings((others + play.roleNames).filter { seen.insert($0).inserted })
        for (name, value) in own { magic[name] = value }
        return magic
    }

    /// What is the same for all hosts: how the run was asked for, and where its playbooks are.
    package static func magic(ofPlaysIn folder: String, _ settings: RunSettings) -> Dict {
        [
            "playbook_dir": .string(folder), "ansible_check_mode": .bool(settings.checkMode),
            "ansible_diff_mode": .bool(settings.diffMode), "ansible_verbosity": .int(settings.verbosity),
            "ansible_run_tags": .strings(settings.tags.isEmpty ? ["all"] : settings.tags),
            "ansible_skip_tags": .strings(settings.skipTags),
        ]
    }

    // MARK: vars_files

    /// What the files hold, up to the first whose name hangs on what only the host can tell; that one and those behind
    /// it are left open.
    private func loaded(
        _ play: Play, _ variables: Dict, _ context: PlanContext
    ) throws(Diagnostic) -> (variables: Dict, open: [Value]) {
        var all = Dict()
        for (index, entry) in play.variableFiles.enumerated() {
            var known = variables
            for layer in [play.variables, context.prompted, all, context.extra] {
                for (name, value) in layer { known[name] = value }
            }
            guard let more = try fileVariables(in: entry, play, known) else {
                return (all, Array(play.variableFiles[index...]))
            }
            all = combined(all, more, merging: context.settings.mergesHashes)
        }
        return (all, [])
    }

    /// What they hold as far as their names hang on no host.
    ///
    /// - Parameter known: what they may hang on beside the play's variables.
    package func fileVariables(of play: Play, known: Dict, in context: PlanContext) -> Dict {
        var all = Dict()
        for entry in play.variableFiles {
            var around = known
            for layer in [play.variables, context.prompted, all, context.extra] {
                for (name, value) in layer { around[name] = value }
            }
            guard let more = try? fileVariables(in: entry, play, around) ?? nil else { continue }
            all = combined(all, more, merging: context.settings.mergesHashes)
        }
        return all
    }

    /// One entry: a name, or a list of which the first that is there counts. `nil`: its name is not known yet.
    private func fileVariables(in entry: Value, _ play: Play, _ known: Dict) throws(Diagnostic) -> Dict? {
        var searched: [String] = []
        for candidate in entry.list ?? [entry] {
            guard case .string(let text) = candidate else { continue }
            let name: String
            do throws(TemplateError) {
                name = text.isTemplate
                    ? try templater.render(text, in: DictScope(known, lookups: lookups?(play))).pythonText
                    : text.string
            } catch {
                if error.isUndefined { return nil }
                throw error.diagnostic
            }
            let request = SearchRequest(
                kind: "vars", name: name, roles: [], taskFolder: play.folder, playFolder: play.folder, home: home)
            let candidates = files.candidates(for: request)
            searched += candidates
            if let path = candidates.first(where: { files.kind(of: $0) == .file }) { return try read(path) }
        }
        throw Diagnostic(
            "there is no file of variables '\(entry.list?.first?.pythonText ?? entry.pythonText)'",
            at: entry.place ?? entry.list?.first?.place ?? play.place,
            notes: [files.searched(searched)])
    }

    private func read(_ path: String) throws(Diagnostic) -> Dict {
        if let known = variableFiles[path] { return known }
        let bytes = try files.contents(of: path) ?? []
        let opened = try files.opened(String(decoding: bytes, as: UTF8.self), path: path)
        let name = files.shown(path)
        let file = opened.isSecret ? SourceFile(name: name) : SourceFile(name: name, text: opened.text)
        let (nodes, _) = try YAMLReader.documents(opened.text, file: file)
        var options = ValueOptions()
        let files = files
        options.decrypt = { (text: Text) throws(Diagnostic) in try files.decrypted(text) }
        guard let node = nodes.first else { return Dict() }
        let value = try node.value(options)
        guard let dict = value.dict ?? (value.isNull ? Dict() : merged(value.list)) else {
            throw Diagnostic("a file of variables holds \(value.typeName), expected a mapping", at: node.place)
        }
        let result = opened.isSecret ? dict.mapValues { $0.mapText(\.secret) } : dict
        variableFiles[path] = result
        return result
    }

    /// A list of mappings is one, too: the later ones count.
    private func merged(_ list: [Value]?) -> Dict? {
        guard let mappings = list?.compactMap(\.dict), mappings.count == list?.count else { return nil }
        return mappings.reduce(Dict()) { all, next in all.merging(next) { $1 } }
    }

    // MARK: Files

    /// Entries of all files that tasks name literally.
    private func literalFiles(_ play: Play) -> [FileRequest: FileEntry] {
        var all: [FileRequest: FileEntry] = [:]
        add(play.steps + play.handlers, play.bases, to: &all)
        for file in play.taskFiles.values { add(file.steps, file.bases, to: &all) }
        for role in play.dynamicRoles.values { add(role.steps + role.handlers, role.bases, to: &all) }
        return all
    }

    private func add(_ steps: [Step], _ bases: [SearchBasis], to all: inout [FileRequest: FileEntry]) {
        for step in steps {
            switch step {
            case .block(let block): add(block.block + block.rescue + block.always, bases, to: &all)
            case .task(let task):
                guard bases.indices.contains(task.basis), let request = literal(task, bases[task.basis]) else {
                    continue
                }
                if let known = resolved[request] ?? self.entry(request).entry {
                    resolved[request] = known
                    all[request] = known
                }
            }
        }
    }

    /// The file that a task will ask for, where its name hangs on nothing.
    private func literal(_ task: TaskPlan, _ basis: SearchBasis) -> FileRequest? {
        let kind: FileRequest.Kind
        var name: Value?
        switch task.module {
        case "template": (kind, name) = (.templates, task.arguments["src"])
        case "copy", "unarchive", "assemble", "patch":
            if task.arguments["remote_src"]?.asBool ?? false { return nil }
            (kind, name) = (.files, task.arguments["src"])
        case "script": (kind, name) = (.files, task.arguments["_raw_params"] ?? task.arguments["cmd"])
        case "include_vars": (kind, name) = (.vars, task.arguments["file"] ?? task.arguments["_raw_params"])
        default: return nil
        }
        guard case .string(let text)? = name, !text.isTemplate else { return nil }
        let string = task.module == "script" ? OneLine.words(text.string).first.map(String.init) : text.string
        let isSealed = task.arguments["decrypt"]?.asBool == false
        return string.map { FileRequest(kind: kind, name: $0, basis: basis, isSealed: isSealed) }
    }

    /// Where the file is and what is in it; with where it was looked for.
    package func entry(_ request: FileRequest) -> (entry: FileEntry?, searched: [String]) {
        let candidates = files.candidates(
            for: SearchRequest(
                kind: request.kind.rawValue, name: request.name, roles: request.basis.roles,
                taskFolder: request.basis.taskFolder, playFolder: request.basis.playFolder, home: home))
        guard let path = candidates.first(where: { files.kind(of: $0) != nil }) else {
            return (nil, candidates.map(files.shown))
        }
        let description = FileDescription(request, files) { (path) throws(Diagnostic) in try self.contents(of: path) }
        let entry = description.entry(path, known: &entries)
        switch request.kind {
        case .vars: return (entry.map(withOpenedValues), candidates)
        case .templates: return (entry.map(withOrigin), candidates)
        default: return (entry, candidates)
        }
    }

    /// Only where it is asked for: a plan is not to change because a file was written anew.
    private func withOrigin(_ entry: FileEntry) -> FileEntry {
        var entry = entry
        let text = String(decoding: entry.contents ?? [], as: UTF8.self)
        guard tellsOrigins || entry.contents == nil || text.contains("template_mtime") || text.contains("template_uid"),
            let origin = files.origin(of: entry.path)
        else { return entry }
        entry.modified = origin.modified
        entry.owner = origin.owner
        return entry
    }

    /// The secrets stay here: values under `!vault` go along opened.
    private func withOpenedValues(_ entry: FileEntry) -> FileEntry {
        var entry = entry
        entry.children = entry.children?.map(withOpenedValues)
        guard let contents = entry.contents else { return entry }
        let text = String(decoding: contents, as: UTF8.self)
        // What is no YAML is told of where it is read.
        guard text.contains("!vault"),
            let (nodes, _) = try? YAMLReader.documents(text, file: SourceFile(name: entry.path)),
            let value = try? nodes.first?.value()
        else { return entry }
        value.forEachText { sealed in
            guard sealed.isSealed, let plain = try? files.decrypted(sealed) else { return }
            entry.opened[sealed.string] = .string(plain)
        }
        return entry
    }

    /// The content, out of its vault.
    package func contents(of path: String) throws(Diagnostic) -> (bytes: [UInt8], isSecret: Bool) {
        guard let bytes = try files.contents(of: path) else {
            throw Diagnostic("there is no file '\(files.shown(path))'")
        }
        guard bytes.starts(with: "$ANSIBLE_VAULT;".utf8) else { return (bytes, false) }
        let opened = try files.opened(String(decoding: bytes, as: UTF8.self), path: path)
        return (Array(opened.text.utf8), opened.isSecret)
    }

    /// The content of which the digest was told, in its vault or out of it.
    package func contents(of path: String, digest: String) throws(Diagnostic) -> [UInt8] {
        if let bytes = try files.contents(of: path), files.digest(of: bytes) == digest { return bytes }
        return try contents(of: path).bytes
    }

    /// For pull, where nobody can be asked: also what tasks may name by a template, as far as their folders hold it.
    package func complete(_ plan: inout PlayPlan, _ play: Play, loader: Loader) {
        let inclusion = Inclusion(loader, play: play)
        let included = plan.taskFiles.values.flatMap(\.bases) + plan.dynamicRoles.values.flatMap(\.bases)
        for basis in Set(plan.bases + included) {
            for folder in basis.roles + [basis.playFolder] {
                for kind in [FileRequest.Kind.templates, .files, .vars] {
                    for name in below(joined(folder, kind.rawValue), depth: 0) {
                        let request = FileRequest(kind: kind, name: name, basis: basis)
                        if plan.files[request] == nil, let entry = self.entry(request).entry {
                            plan.files[request] = entry
                        }
                    }
                }
            }
            guard let role = basis.roles.first else { continue }
            for name in below(joined(role, "tasks"), depth: 0) where name.hasSuffix(".yml") || name.hasSuffix(".yaml") {
                let request = FileRequest(kind: .tasks, name: name, basis: basis)
                if plan.taskFiles[request] == nil, let file = inclusion.tasks(request, at: nil) {
                    plan.taskFiles[request] = file
                }
            }
        }
    }

    /// Files in a folder and those below it, by their names relative to it.
    private func below(_ folder: String, depth: Int) -> [String] {
        guard depth < 16, files.kind(of: folder) == .folder else { return [] }
        return files.names(in: folder).flatMap { name -> [String] in
            let path = joined(folder, name)
            if files.kind(of: path) == .folder { return below(path, depth: depth + 1).map { "\(name)/\($0)" } }
            return [name]
        }
    }
}
