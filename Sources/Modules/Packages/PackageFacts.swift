import Machine
import Values

/// `package_facts`: the installed packages as facts.
struct PackageFacts: Action {
    enum Strategy: String, CaseIterable, Choice { case first, all }

    var managers = ["auto"]
    var strategy = Strategy.first
    init() {}

    static let schema = Schema<PackageFacts>(
        "package_facts", "Tells which packages are installed.",
        [
            Parameter(
                "manager", \.managers, default: "auto",
                "Which to ask: apt, rpm (or dnf, dnf5, yum, zypper), pacman, apk; auto tries all."),
            Parameter("strategy", \.strategy, default: "first", "Whether to end at the first that knows packages."),
        ],
        options: SchemaOptions(
            returns: [
                ("ansible_facts", "'packages': by name a list of mappings with name, version, arch, source and more.")
            ],
            examples: """
                - name: What is installed
                  ansible.builtin.package_facts:

                - ansible.builtin.debug:
                    msg: "{{ ansible_facts.packages['openssh-server'][0].version }}"
                  when: "'openssh-server' in ansible_facts.packages"
                """, notes: ["dpkg's status file is read directly; no process and no Python library is needed."],
            onlyReads: true))

    private static let known = ["apk", "apt", "pacman", "rpm"]
    private static let aliases = ["dnf": "rpm", "dnf5": "rpm", "yum": "rpm", "zypper": "rpm"]

    func run(on machine: some MachineReader, _ context: Context) throws(Failure) -> Outcome {
        let asked = managers.map { $0.lowercased() }
        let isAuto = asked.contains("auto")
        let names = asked.filter { $0 != "auto" } + (isAuto ? Self.known : [])
        let unknown = names.filter { !Self.known.contains($0) && Self.aliases[$0] == nil }
        if !unknown.isEmpty {
            throw Failure(
                isAuto
                    ? "Could not auto detect a usable package manager, check warnings for details."
                    : "Unsupported package managers requested: \(unknown.joined(separator: ", "))")
        }
        var warnings: [String] = []
        var seen: Set<String> = []
        var packages: [(name: String, list: [Value])] = []
        var places: [String: Int] = [:]
        for name in names {
            if strategy == .first, !packages.isEmpty { break }
            let manager = Self.aliases[name] ?? name
            guard seen.insert(manager).inserted else { continue }
            var found: [Dict] = []
            switch try installed(manager, on: machine) {
            case .packages(let list): found = list
            case .refused(let reason): warnings.append("Failed to retrieve packages with \(manager): \(reason)")
            case .absent:
                if asked.contains(manager) {
                    warnings.append(
                        "Requested package manager \(manager) was not usable by this module: it is not on this node")
                }
                continue
            }
            if found.isEmpty { warnings.append("Found \"\(manager)\" but no associated packages") }
            for var package in found {
                let name = package["name"]?.text ?? ""
                package["source"] = .string(manager)
                if let place = places[name] {
                    packages[place].list.append(.dict(package))
                } else {
                    places[name] = packages.count
                    packages.append((name, [.dict(package)]))
                }
            }
        }
        if packages.isEmpty {
            let list = Value.strings(names).pythonRepr
            var failure = Failure(
                "Could not detect a supported package manager from the following list: \(list), or the required "
                    + "Python library is not installed. Check warnings for details.")
            failure.warnings = warnings
            throw failure
        }
        var facts = Dict()
        for (name, list) in packages { facts[.string(name)] = .list(list) }
        return Outcome(facts: ["packages": .dict(facts)], warnings: warnings)
    }

    /// What a package manager says.
    private enum Answer<Content> {
        case absent
        case packages(Content)
        case refused(String)

        func map<New>(_ transform: (Content) -> New) -> Answer<New> {
            switch self {
            case .absent: .absent
            case .packages(let content): .packages(transform(content))
            case .refused(let reason): .refused(reason)
            }
        }
    }

    private func installed(_ manager: String, on machine: some MachineReader) throws(Failure) -> Answer<[Dict]> {
        switch manager {
        case "apt":
            let bytes = try attempt { () throws(MachineError) in try machine.contents(of: DpkgStatus.path) }
            return bytes.map { .packages(Self.debian($0)) } ?? .absent
        case "rpm":
            let format = "%{NAME}\\t%{VERSION}\\t%{RELEASE}\\t%{EPOCH}\\t%{ARCH}\\n"
            return try rows(["rpm", "-qa", "--queryformat", format], on: machine).map { $0.compactMap { line in
                let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map { String($0) }
                guard fields.count == 5 else { return nil }
                return [
                    "name": .string(fields[0]), "version": .string(fields[1]), "release": .string(fields[2]),
                    "epoch": fields[3] == "(none)" ? .null : .string(fields[3]), "arch": .string(fields[4]),
                ]
            } }
        case "apk":
            return try rows(["apk", "info", "-v"], on: machine).map { $0.map { line in
                let parts = line.split(separator: "-").map { String($0) }
                guard parts.count > 2 else { return ["name": .string(line), "version": "", "release": ""] }
                return [
                    "name": .string(parts.dropLast(2).joined(separator: "-")),
                    "version": .string(parts[parts.count - 2]), "release": .string(parts[parts.count - 1]),
                ]
            } }
        default: return try rows(["pacman", "-Qi"], on: machine).map(Self.arch)
        }
    }

    private func rows(_ words: [String], on machine: some MachineReader) throws(Failure) -> Answer<[String]> {
        guard machine.program(words[0]) != nil else { return .absent }
        let done = try attempt { () throws(MachineError) in
            try machine.inspect(Command(words, environment: ["LC_ALL": "C"]))
        }
        if done.status != 0 {
            return .refused("Unable to list packages rc=\(done.status) : \(done.errorText.trimmed)")
        }
        return .packages(done.outputText.pythonLines)
    }

    private static func debian(_ bytes: [UInt8]) -> [Dict] {
        var all: [Dict] = []
        var fields: [String: String] = [:]
        let wanted = ["Package", "Status", "Version", "Architecture", "Section"]
        for field in Deb822.fields(bytes, wanted) + [nil] {
            if let (name, value) = field {
                fields[name] = value
                continue
            }
            if fields["Status"]?.hasSuffix(" installed") ?? false {
                all.append([
                    "name": .optional(fields["Package"]), "version": .optional(fields["Version"]),
                    "arch": .optional(fields["Architecture"]), "category": .optional(fields["Section"]),
                    "origin": "",
                ])
            }
            fields = [:]
        }
        return all.sorted { ($0["name"]?.text ?? "") < ($1["name"]?.text ?? "") }
    }

    /// Paragraphs of `Name            : value` lines.
    private static func arch(_ lines: [String]) -> [Dict] {
        var all: [Dict] = []
        var fields: [String: String] = [:]
        for line in lines + [""] {
            if line.isEmpty {
                if let name = fields["Name"] {
                    let provides = fields["Provides"].flatMap { $0 == "None" ? nil : $0 }
                    all.append([
                        "name": .string(name), "version": .optional(fields["Version"]),
                        "arch": .optional(fields["Architecture"]),
                        "provides": provides.map { text in
                            .strings(text.split(separator: " ").map { String($0.prefix { $0 != "=" }) })
                        } ?? .null,
                    ])
                }
                fields = [:]
            } else if let colon = line.firstIndex(of: ":"), !line.hasPrefix(" ") {
                fields[line[..<colon].trimmed] = line[line.index(after: colon)...].trimmed
            }
        }
        return all
    }
}
