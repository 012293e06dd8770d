import ArgumentParser
import Crypto
import Glibc
import Hosts
import Playbooks
import Values
import Wire

/// `gantry bundle`: what nodes are to be, compiled and signed, for agents that pull.
struct BundleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bundle", abstract: "Compile and sign every host's plan, for agents that pull.",
        discussion: """
            Examples:
              gantry bundle --generate-key keys/pull
                                       a key pair: keys/pull (keep it) and keys/pull.pub (for the nodes)
              gantry bundle -i Inventory/hxn.yml Playbooks/site.yml --key keys/pull -o /srv/bundles
                                       what gantry-agent pull --from /srv/bundles runs
            """)

    @Argument(help: "Playbooks.", completion: .file(extensions: ["yml", "yaml"]))
    var playbooks: [String] = []

    @OptionGroup var inventory: InventoryArguments

    @Option(
        name: [.customShort("o"), .long], help: "The folder to write; the same layout can be served by any web server.")
    var output: String?

    @Option(help: "The key to sign with.")
    var key: String?

    @Option(help: "Make a key pair: NAME and NAME.pub.")
    var generateKey: String?

    @Option(name: [.customShort("t"), .long], help: "Only tasks with these tags.")
    var tags: [String] = []

    @Option(help: "No tasks with these tags.")
    var skipTags: [String] = []

    func run() throws {
        if let generateKey { return try makeKey(generateKey) }
        guard let output, let key else {
            throw CommandFailure(
                Diagnostic("give the folder with -o and the key with --key (--generate-key makes one)"), status: 5)
        }
        guard !playbooks.isEmpty else { throw CommandFailure(Diagnostic("name at least one playbook"), status: 5) }
        let signer = try signingKey(key)
        let project = try Project(inventory)
        let (plays, warnings, _) = try project.plays(playbooks)
        for warning in project.warnings + warnings { Output.printError(warning.shown) }
        var bundler = Bundler(project: project, plays: plays, signer: signer, folder: output)
        bundler.settings.tags = tags.flatMap { $0.split(separator: ",").map(String.init) }
        bundler.settings.skipTags = skipTags.flatMap { $0.split(separator: ",").map(String.init) }
        let written = try bundler.write()
        for (host, count) in written.hosts { Output.print("\(host): \(count) plays") }
        if written.holdsSecrets {
            Output.printError(
                Diagnostic(
                    "the bundle holds secrets as plain text: keep '\(output)' private",
                    notes: ["only root and the nodes themselves may read it"], severity: .warning
                ).shown)
        }
    }

    private func makeKey(_ path: String) throws {
        guard Disk.kind(path) == nil else {
            throw CommandFailure(Diagnostic("'\(path)' is there already; a key is never overwritten"), status: 1)
        }
        let signer = try SigningKey.generate()
        try Output.write(signer.text, to: path, mode: 0o600)
        try Output.write(signer.verifyingKey.text, to: path + ".pub")
        Output.print("wrote \(path) and \(path).pub")
    }

    private func signingKey(_ path: String) throws -> SigningKey {
        guard let bytes = try Disk.contents(path) else {
            throw CommandFailure(
                Diagnostic(
                    "there is no key '\(path)'", notes: ["gantry bundle --generate-key \(path) makes one"]), status: 1)
        }
        return try SigningKey(text: String(decoding: bytes, as: UTF8.self))
    }
}

/// Writes the bundles of all hosts of some plays.
struct Bundler {
    let project: Project
    let plays: [Play]
    let signer: SigningKey
    let folder: String
    var settings = RunSettings()

    init(project: Project, plays: [Play], signer: SigningKey, folder: String) {
        self.project = project
        self.plays = plays
        self.signer = signer
        self.folder = folder
    }

    func write() throws -> (hosts: [(host: String, plays: Int)], holdsSecrets: Bool) {
        let planner = Planner(files: project.files, templater: project.templater, home: project.home)
        var now = timespec()
        _ = unsafe clock_gettime(CLOCK_REALTIME, &now)
        let sequence = Int(now.tv_sec) * 1000 + Int(now.tv_nsec) / 1_000_000
        let folders = Array(Set(plays.map(\.folder)))
        var plans: [String: [PlayPlan]] = [:]
        for (index, play) in plays.enumerated() {
            let pattern = try project.playKeywords.patterns(of: play).joined(separator: ",")
            let hosts = try project.inventory.select(pattern, limit: project.limit).hosts
            var context = project.context(settings, playbookFolders: folders)
            (context.batch, context.playHosts, context.allPlayHosts) = (hosts, hosts, hosts)
            let view = HostView(
                inventory: project.inventory, files: project.files, folders: folders, context: context,
                extra: project.loaderOptions.extra)
            // Most hosts of a play speak of the same.
            var others: [Set<String>: Dict] = [[]: Dict()]
            for host in hosts {
                var plan = try planner.plan(
                    play, index: index, host: host, variables: try view.variables(of: host), own: view.own(host),
                    in: context)
                planner.complete(&plan, play, loader: project.loader())
                let words = try wordsBesideHosts(plan, planner)
                if others[words] == nil { others[words] = try named(words, play, view) }
                plan.others = others[words] ?? Dict()
                plans[host, default: []].append(plan)
            }
        }
        guard !plans.isEmpty else { throw CommandFailure(Diagnostic("the plays match no hosts"), status: 1) }
        var holdsSecrets = false
        for (host, list) in plans.sorted(by: { $0.key < $1.key }) {
            let isSecret = try write(host, list, sequence, Int(now.tv_sec), planner)
            holdsSecrets = holdsSecrets || isSecret
        }
        return (plans.sorted { $0.key < $1.key }.map { ($0.key, $0.value.count) }, holdsSecrets)
    }

    /// Every word in a text that speaks of `hostvars` may be a name that the plan's templates ask of other hosts.
    private func wordsBesideHosts(_ plan: PlayPlan, _ planner: Planner) throws -> Set<String> {
        var words: Set<String> = []
        for value in plan.texts { value.forEachText { Self.addWords(of: $0.string, to: &words) } }
        for entry in plan.files.values where entry.children == nil {
            let bytes = try entry.contents ?? planner.contents(of: entry.path).bytes
            Self.addWords(of: String(decoding: bytes, as: UTF8.self), to: &words)
        }
        return words
    }

    private func named(_ words: Set<String>, _ play: Play, _ view: HostView) throws -> Dict {
        var hosts = Dict()
        for host in project.inventory.hosts {
            let all = try view.all(of: host, playFolder: play.folder)
            var values = Dict()
            for (key, value) in all where words.contains(key.pythonText) {
                let name = key.pythonText
                if name == "groups" || name == "ansible_facts" || view.context.magic[name] != nil { continue }
                // What cannot be rendered here is missing there, to those who ask for it.
                values[key] = try? HostView.rendered(value, name, of: host, among: all, by: project.templater)
            }
            hosts[.string(host)] = .dict(values)
        }
        return hosts
    }

    private static func addWords(of text: String, to words: inout Set<String>) {
        guard text.contains("hostvars") else { return }
        for word in text.split(whereSeparator: { !($0.isLetter || $0.isNumber || $0 == "_") }) {
            words.insert(String(word))
        }
    }

    private func write(
        _ host: String, _ plans: [PlayPlan], _ sequence: Int, _ created: Int, _ planner: Planner
    ) throws -> Bool {
        var files: [String: Manifest.Blob] = [:]
        var blobs: [Manifest.Blob] = []
        var isSecret = false
        for plan in plans {
            for entry in plan.files.values { try add(entry, to: &files, planner) }
            var writer = WireWriter()
            plan.encode(to: &writer)
            blobs.append(try blob(writer.bytes))
            let layers = [plan.inventory, plan.variables, plan.extra, plan.others]
            isSecret = isSecret || layers.contains { $0.values.contains { $0.holdsSecrets } }
        }
        let manifest = Manifest(
            host: host, sequence: sequence, created: created, plays: blobs,
            files: files.values.sorted { $0.digest < $1.digest })
        let signature = Base64.encode(try signer.signature(of: Array(manifest.json.utf8)))
        // Last, so that a manifest never names what is not there yet.
        try Output.write(manifest.file(signature: signature), to: "\(folder)/nodes/\(host)", mode: 0o600)
        return isSecret
    }

    private func add(_ entry: FileEntry, to files: inout [String: Manifest.Blob], _ planner: Planner) throws {
        for child in entry.children ?? [] { try add(child, to: &files, planner) }
        guard entry.children == nil, files[entry.digest] == nil, entry.contents == nil else { return }
        files[entry.digest] = try blob(try planner.contents(of: entry.path).bytes)
    }

    private func blob(_ bytes: [UInt8]) throws -> Manifest.Blob {
        let digest = DigestAlgorithm.sha256.hex(of: bytes)
        let path = "\(folder)/blobs/sha256/\(digest)"
        if Disk.kind(path) == nil { try Output.write(bytes, to: path, mode: 0o600) }
        return Manifest.Blob(digest: digest, size: bytes.count)
    }
}

extension Value {
    var holdsSecrets: Bool {
        var found = false
        forEachText { found = found || $0.isSecret }
        return found
    }
}
