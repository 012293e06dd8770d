package import SSH
package import Values

/// How one host is reached: from its variables, the play's keywords, the command line and `ansible.cfg`, in this order.
package struct ConnectionSettings: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable, CaseIterable { case local, ssh, openssh, docker }

    package var kind: Kind
    /// The address, or a container's name.
    package var address: String
    package var port: Int?
    package var user: String?
    package var password: Secret?
    package var keyFile: String?
    /// Options as one gives them to `ssh`, what is nearest to the host first.
    package var arguments: [String] = []
    package var hostKeyChecking: HostKeys?
    package var timeout: Double?
    package var retries = 0
    /// Where the node keeps agents; `nil` is the usual place.
    package var agentFolder: String?

    package enum HostKeys: String, Sendable, Hashable { case strict, acceptNew, off }

    /// What the command line and `ansible.cfg` say; every host may say otherwise.
    package struct Defaults: Sendable, Hashable {
        package var connection: String?
        package var user: String?
        package var port: Int?
        package var keyFile: String?
        package var password: Secret?
        package var timeout: Double?
        package var retries: Int?
        /// `ssh_args`, `ssh_common_args`, `ssh_extra_args`.
        package var arguments: [String] = []
        package var hostKeyChecking: Bool?
        package init() {}
    }

    /// - Parameters:
    ///   - variables: the host's, rendered.
    ///   - keywords: the play's.
    ///   - isImplicit: the `localhost` that is in no inventory.
    /// - Throws: what a setting is, and what it can be.
    package init(
        host: String, variables: Dict, keywords: Dict, defaults: Defaults, isImplicit: Bool = false
    ) throws(Diagnostic) {
        let lookup = Lookup(host: host, variables: variables, keywords: keywords)
        kind = try Self.kind(lookup, defaults, isImplicit)
        let name = kind == .docker ? "ansible_docker_host" : "ansible_ssh_host"
        address = lookup.text(["ansible_host", name], nil) ?? host
        port = try lookup.number(["ansible_port", "ansible_ssh_port"], "port", 1...65_535).map { Int($0) }
            ?? defaults.port
        user = lookup.text(["ansible_user", "ansible_ssh_user", "ansible_\(kind.rawValue)_user"], "remote_user")
            ?? defaults.user
        password = lookup.text(["ansible_password", "ansible_ssh_pass", "ansible_ssh_password"], nil).map(Secret.init)
            ?? defaults.password
        keyFile = lookup.text(["ansible_ssh_private_key_file", "ansible_private_key_file"], nil) ?? defaults.keyFile
        arguments = ["ansible_ssh_extra_args", "ansible_ssh_common_args", "ansible_ssh_args"].compactMap {
            lookup.text([$0], nil)
        }
        arguments += defaults.arguments
        if let value = lookup.value(["ansible_ssh_host_key_checking", "ansible_host_key_checking"]) {
            hostKeyChecking = try Self.hostKeys(value, host)
        } else if let isStrict = defaults.hostKeyChecking {
            hostKeyChecking = isStrict ? nil : .off
        }
        timeout = try lookup.number(["ansible_ssh_timeout", "ansible_timeout"], nil, 0...86_400) ?? defaults.timeout
        retries = try lookup.number(["ansible_ssh_retries"], nil, 0...1000).map { Int($0) } ?? defaults.retries ?? 0
        agentFolder = lookup.text(["gantry_agent_dir"], nil)
    }

    /// The same as variables, each by its newer and its older name; what `~/.ssh/config` says is not among them.
    package var variables: Dict {
        var all: Dict = [
            "ansible_connection": .string(kind.rawValue), "ansible_ssh_host": .string(address),
            "ansible_host": .string(address),
        ]
        func add(_ value: Value?, _ names: [String]) {
            if let value { for name in names { all[.string(name)] = value } }
        }
        add(user.map { .string($0) }, ["ansible_ssh_user", "ansible_user"])
        add(port.map { .int($0) }, ["ansible_ssh_port", "ansible_port"])
        add(keyFile.map { .string($0) }, ["ansible_ssh_private_key_file", "ansible_private_key_file"])
        add(.int(Int(timeout ?? 10)), ["ansible_ssh_timeout", "ansible_timeout"])
        return all
    }

    private static func kind(
        _ lookup: Lookup, _ defaults: Defaults, _ isImplicit: Bool
    ) throws(Diagnostic) -> Kind {
        let own = lookup.value(["ansible_connection"]) ?? (isImplicit ? "local" : lookup.keywords["connection"])
        let name = own?.pythonText ?? defaults.connection ?? "ssh"
        switch name.split(separator: ".").last.map(String.init) ?? name {
        case "ssh", "smart", "paramiko", "paramiko_ssh", "libssh": return .ssh
        case "openssh": return .openssh
        case "local": return .local
        case "docker", "docker_api": return .docker
        case let word:
            let known = Kind.allCases.map(\.rawValue)
            throw Diagnostic(
                "the connection plugin '\(name)' was not found", at: own?.place,
                hint: suggestion(for: word, among: known) ?? "expected one of \(known.joined(separator: ", "))")
        }
    }

    private static func hostKeys(_ value: Value, _ host: String) throws(Diagnostic) -> HostKeys {
        if value.text == "accept-new" { return .acceptNew }
        guard let flag = value.asBool else {
            throw Diagnostic(
                "host '\(host)': 'ansible_host_key_checking' is \(value.json())", at: value.place,
                hint: "expected true, false or accept-new")
        }
        return flag ? .strict : .off
    }

    // MARK: For SSH

    /// The target for a connection of our own: these settings over `~/.ssh/config`.
    package func target(
        reading files: [String] = ["~/.ssh/config", "/etc/ssh/ssh_config"]
    ) throws(Diagnostic) -> (target: SSHTarget, warnings: [Diagnostic]) {
        var config = SSHConfig(host: address)
        if let port { config.set("Port", [String(port)]) }
        if let user { config.set("User", [user]) }
        if let keyFile { config.set("IdentityFile", [keyFile]) }
        if let timeout, timeout > 0 { config.set("ConnectTimeout", [String(Int(timeout.rounded(.up)))]) }
        if let hostKeyChecking { config.set("StrictHostKeyChecking", [Self.word(hostKeyChecking)]) }
        var only: String?
        for text in arguments { if let file = try config.read(arguments: text) { only = only ?? file } }
        for path in only.map({ [$0] }) ?? files { config.read(file: path) }
        var target = try config.target()
        target.password = password
        return (target, config.warnings)
    }

    private static func word(_ policy: HostKeys) -> String {
        switch policy {
        case .strict: "yes"
        case .acceptNew: "accept-new"
        case .off: "no"
        }
    }

    /// The command line of the `ssh` program.
    package func programArguments(_ command: String) -> [String] {
        var words = ["ssh", "-T", "-o", "BatchMode=yes"]
        if let port { words += ["-p", String(port)] }
        if let user { words += ["-l", user] }
        if let keyFile { words += ["-i", keyFile] }
        if let timeout, timeout > 0 { words += ["-o", "ConnectTimeout=\(Int(timeout.rounded(.up)))"] }
        if let hostKeyChecking { words += ["-o", "StrictHostKeyChecking=\(Self.word(hostKeyChecking))"] }
        for text in arguments { words += shellWords(text) }
        return words + ["--", address, command]
    }
}

/// Looks a setting up under its variables' names, then under a keyword.
private struct Lookup {
    let host: String
    let variables: Dict
    let keywords: Dict

    func value(_ names: [String]) -> Value? {
        for name in names { if let value = variables[name], !value.isNull { return value } }
        return nil
    }

    func text(_ names: [String], _ keyword: String?) -> String? {
        let value = value(names) ?? keyword.flatMap { keywords[$0] }
        guard let value, !value.isNull else { return nil }
        let text = value.pythonText
        return text.isEmpty ? nil : text
    }

    func number(
        _ names: [String], _ keyword: String?, _ range: ClosedRange<Double>
    ) throws(Diagnostic) -> Double? {
        guard let value = value(names) ?? keyword.flatMap({ keywords[$0] }), !value.isNull else { return nil }
        guard let number = value.number ?? Double(value.pythonText), range.contains(number) else {
            throw Diagnostic(
                "host '\(host)': '\(names[0])' is \(value.json())", at: value.place,
                hint: "expected a number from \(Int(range.lowerBound)) to \(Int(range.upperBound))")
        }
        return number
    }
}

/// Words as a shell splits them: quotes hold together, a backslash takes the next character as it is.
func shellWords(_ text: String) -> [String] {
    var words: [String] = []
    var word: String?
    var quote: Character?
    var isEscaped = false
    for character in text {
        if isEscaped {
            word = (word ?? "") + String(character)
            isEscaped = false
        } else if character == "\\", quote != "'" {
            isEscaped = true
        } else if character == quote {
            quote = nil
        } else if quote == nil, character == "'" || character == "\"" {
            quote = character
            word = word ?? ""
        } else if quote == nil, character.isWhitespace {
            if let done = word { words.append(done) }
            word = nil
        } else {
            word = (word ?? "") + String(character)
        }
    }
    if let word { words.append(word) }
    return words
}
