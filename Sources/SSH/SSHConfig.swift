import Glibc
package import Values

/// What `~/.ssh/config` and options given by hand say about one host: for every option the first value wins.
package struct SSHConfig: Sendable {
    /// The name the user gave, before `HostName` changed it.
    package let alias: String
    package private(set) var hostName: String?
    package private(set) var port: Int?
    package private(set) var user: String?
    package private(set) var identityFiles: [String] = []
    package private(set) var identitiesOnly: Bool?
    package private(set) var identityAgent: String?
    /// `none` stops a later `ProxyJump` or `ProxyCommand`.
    package private(set) var proxyJump: String?
    package private(set) var proxyCommand: String?
    package private(set) var userKnownHostsFiles: [String]?
    package private(set) var globalKnownHostsFiles: [String]?
    package private(set) var strictHostKeyChecking: String?
    package private(set) var connectTimeout: Double?
    package private(set) var serverAliveInterval: Double?
    package private(set) var hostKeyAlias: String?
    package private(set) var compression: Bool?
    /// What was passed over or is wrong, with its place.
    package private(set) var warnings: [Diagnostic] = []

    package init(host: String) { alias = host }

    /// The options of the given files for a host, the first file first; a file that is missing says nothing.
    package static func load(
        _ paths: [String] = ["~/.ssh/config", "/etc/ssh/ssh_config"], host: String
    ) -> SSHConfig {
        var config = SSHConfig(host: host)
        for path in paths { config.read(file: path) }
        return config
    }

    // MARK: files

    /// Takes what a configuration file says about the host, for options that are not set yet.
    package mutating func read(file path: String) { read(file: expandingTilde(path), depth: 0) }

    private mutating func read(file path: String, depth: Int) {
        guard case .success(let bytes) = contents(of: path) else { return }
        let text = String(decoding: bytes, as: UTF8.self)
        let file = SourceFile(name: abbreviated(path), text: text)
        read(text, file: file, isUsers: !path.hasPrefix("/etc/"), depth: depth)
    }

    /// Takes what the text of a configuration file says.
    package mutating func read(_ text: String, named name: String) {
        read(text, file: SourceFile(name: name, text: text), isUsers: true, depth: 0)
    }

    private mutating func read(_ text: String, file: SourceFile, isUsers: Bool, depth: Int) {
        var applies = true
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            guard let (keyword, words, column) = SSHConfig.split(line) else { continue }
            let place = Place(file: file, line: index + 1, column: column)
            switch keyword.lowercased() {
            case "host": applies = matches(alias, patterns: words.joined(separator: " "), separator: " ")
            case "match": applies = matchApplies(words, at: place)
            case "include":
                guard applies else { continue }
                // As deep as ssh goes itself.
                if depth >= 16 {
                    warn("Include is nested more than 16 deep", at: place)
                    continue
                }
                for word in words {
                    for path in SSHConfig.files(word, isUsers: isUsers) { read(file: path, depth: depth + 1) }
                }
            default:
                if applies { set(keyword, words, at: place) }
            }
        }
    }

    /// The files an `Include` means: relative to `~/.ssh` or `/etc/ssh`, with wildcards.
    private static func files(_ word: String, isUsers: Bool) -> [String] {
        let expanded = expandingTilde(word)
        let path = expanded.hasPrefix("/") ? expanded : (isUsers ? homeDirectory + "/.ssh/" : "/etc/ssh/") + expanded
        var found = unsafe glob_t()
        defer { unsafe globfree(&found) }
        guard unsafe glob(path, 0, nil, &found) == 0, let names = unsafe found.gl_pathv else { return [] }
        return (0..<Int(unsafe found.gl_pathc)).compactMap { index in
            unsafe names[index].map { name in unsafe String(cString: name) }
        }
    }

    private mutating func matchApplies(_ words: [String], at place: Place) -> Bool {
        var applies = true
        var rest = words[...]
        while let word = rest.popFirst() {
            let isNegated = word.hasPrefix("!")
            let criterion = word.drop { $0 == "!" }.lowercased()
            let isMet: Bool
            switch criterion {
            case "all", "final", "canonical":
                // The names are not read a second time, as for `final`; what it says holds the first time.
                isMet = criterion == "all"
            case "host", "originalhost", "user", "localuser":
                guard let patterns = rest.popFirst() else { return false }
                let name =
                    switch criterion {
                    case "host": hostName ?? alias
                    case "originalhost": alias
                    case "user": user ?? localUser
                    default: localUser
                    }
                isMet = matches(name, patterns: patterns, separator: ",")
            default:
                warn("'Match \(word)' is not supported, the block is passed over", at: place)
                return false
            }
            if isMet == isNegated { applies = false }
        }
        return applies
    }

    // MARK: options

    /// Sets an option that is not set yet: from a file, or from `-o`.
    ///
    /// Options that make no difference here are passed over; unknown ones get a warning.
    package mutating func set(_ keyword: String, _ words: [String], at place: Place? = nil) {
        guard let first = words.first else { return warn("'\(keyword)' has no value", at: place) }
        switch keyword.lowercased() {
        case "hostname": keep(&hostName, first)
        case "user": keep(&user, first)
        case "port":
            guard let number = Int(first), (1...65_535).contains(number) else {
                return warn("Port is '\(first)', not a number from 1 to 65535", at: place)
            }
            keep(&port, number)
        case "identityfile": identityFiles.append(first)
        case "identitiesonly": keep(&identitiesOnly, isYes(keyword, first, at: place))
        case "identityagent": keep(&identityAgent, first)
        case "proxyjump":
            if proxyCommand == nil { keep(&proxyJump, first) }
        case "proxycommand":
            if proxyJump == nil { keep(&proxyCommand, words.joined(separator: " ")) }
        case "userknownhostsfile": keep(&userKnownHostsFiles, words)
        case "globalknownhostsfile": keep(&globalKnownHostsFiles, words)
        case "stricthostkeychecking":
            let known = ["yes", "no", "ask", "accept-new", "off", "true", "false"]
            guard known.contains(first.lowercased()) else {
                return warn("StrictHostKeyChecking is '\(first)', not yes, accept-new or no", at: place)
            }
            keep(&strictHostKeyChecking, first.lowercased())
        case "connecttimeout": keep(&connectTimeout, seconds(keyword, first, at: place))
        case "serveraliveinterval": keep(&serverAliveInterval, seconds(keyword, first, at: place))
        case "hostkeyalias": keep(&hostKeyAlias, first)
        case "compression": keep(&compression, isYes(keyword, first, at: place))
        case let name where SSHConfig.indifferent.contains(name): break
        default:
            let hint = suggestion(for: keyword.lowercased(), among: SSHConfig.used)
            warn("the ssh option '\(keyword)' is not supported and passed over", hint: hint, at: place)
        }
    }

    private static let used = [
        "hostname", "user", "port", "identityfile", "identitiesonly", "identityagent", "proxyjump", "proxycommand",
        "userknownhostsfile", "globalknownhostsfile", "stricthostkeychecking", "connecttimeout",
        "serveraliveinterval", "hostkeyalias", "compression",
    ]

    /// What ssh knows and what changes nothing here: sharing of connections, forwarding, the choice of algorithms.
    private static let indifferent: Set<String> = [
        "addkeystoagent", "addressfamily", "batchmode", "canonicaldomains", "canonicalizefallbacklocal",
        "canonicalizehostname", "canonicalizemaxdots", "canonicalizepermittedcnames", "casignaturealgorithms",
        "checkhostip", "ciphers", "clearallforwardings", "connectionattempts", "controlmaster", "controlpath",
        "controlpersist", "dynamicforward", "enablesshkeysign", "escapechar", "exitonforwardfailure",
        "fingerprinthash", "forkafterauthentication", "forwardagent", "forwardx11", "forwardx11timeout",
        "forwardx11trusted", "gatewayports", "gssapiauthentication", "gssapidelegatecredentials", "hashknownhosts",
        "hostbasedauthentication", "hostkeyalgorithms", "ignoreunknown", "ipqos", "kbdinteractiveauthentication",
        "kbdinteractivedevices", "kexalgorithms", "localcommand", "localforward", "loglevel", "logverbose", "macs",
        "nohostauthenticationforlocalhost", "numberofpasswordprompts", "obscurekeystroketiming",
        "passwordauthentication", "permitlocalcommand", "permitremoteopen", "preferredauthentications",
        "pubkeyacceptedalgorithms", "pubkeyacceptedkeytypes", "pubkeyauthentication", "rekeylimit", "remotecommand",
        "remoteforward", "requesttty", "requiredrsasize", "sendenv", "serveralivecountmax", "sessiontype", "setenv",
        "stdinnull", "streamlocalbindmask", "streamlocalbindunlink", "tag", "tcpkeepalive", "updatehostkeys",
        "usekeychain", "verifyhostkeydns", "visualhostkey", "xauthlocation", "challengeresponseauthentication",
        "protocol", "userroaming",
    ]

    /// Takes over every option of `other` that is not set yet.
    mutating func inherit(_ other: SSHConfig) {
        hostName = hostName ?? other.hostName
        port = port ?? other.port
        user = user ?? other.user
        identityFiles += other.identityFiles
        identitiesOnly = identitiesOnly ?? other.identitiesOnly
        identityAgent = identityAgent ?? other.identityAgent
        if proxyJump == nil, proxyCommand == nil { (proxyJump, proxyCommand) = (other.proxyJump, other.proxyCommand) }
        userKnownHostsFiles = userKnownHostsFiles ?? other.userKnownHostsFiles
        globalKnownHostsFiles = globalKnownHostsFiles ?? other.globalKnownHostsFiles
        strictHostKeyChecking = strictHostKeyChecking ?? other.strictHostKeyChecking
        connectTimeout = connectTimeout ?? other.connectTimeout
        serverAliveInterval = serverAliveInterval ?? other.serverAliveInterval
        hostKeyAlias = hostKeyAlias ?? other.hostKeyAlias
        compression = compression ?? other.compression
        warnings += other.warnings
    }

    private mutating func isYes(_ keyword: String, _ word: String, at place: Place?) -> Bool? {
        switch word.lowercased() {
        case "yes", "true": return true
        case "no", "false": return false
        default:
            warn("\(keyword) is '\(word)', not yes or no", at: place)
            return nil
        }
    }

    /// `90`, `10s`, `5m`, `1h30m`.
    private mutating func seconds(_ keyword: String, _ word: String, at place: Place?) -> Double? {
        let factors: [Character: Double] = ["s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800]
        var total = 0.0
        var digits = ""
        for character in word.lowercased() + (word.last?.isNumber == true ? "s" : "") {
            if character.isNumber {
                digits.append(character)
            } else if let factor = factors[character], let number = Double(digits) {
                total += number * factor
                digits = ""
            } else {
                warn("\(keyword) is '\(word)', not a time such as 10 or 5m", at: place)
                return nil
            }
        }
        return total
    }

    private mutating func warn(_ message: String, hint: String? = nil, at place: Place?) {
        warnings.append(Diagnostic(message, at: place, hint: hint, severity: .warning))
    }

    mutating func warn(_ message: String) { warn(message, at: nil) }

    // MARK: lines

    /// A line's keyword, its words and the keyword's column; `nil` for an empty line or a comment.
    static func split(_ line: some StringProtocol) -> (keyword: String, words: [String], column: Int)? {
        let indent = line.prefix { $0 == " " || $0 == "\t" }.count
        let rest = line.dropFirst(indent)
        guard let first = rest.first, first != "#", !first.isNewline else { return nil }
        let keyword = rest.prefix { $0 != " " && $0 != "\t" && $0 != "=" && $0 != "\r" }
        var value = rest.dropFirst(keyword.count).drop { $0 == " " || $0 == "\t" }
        if value.first == "=" { value = value.dropFirst() }
        return (String(keyword), words(of: value, comments: true), indent + 1)
    }

    /// Splits at white space, outside of quotes.
    static func words(of text: some StringProtocol, comments: Bool = false) -> [String] {
        var words: [String] = []
        var word: String?
        var quote: Character?
        var isEscaped = false
        for character in text {
            if isEscaped {
                word = (word ?? "") + String(character)
                isEscaped = false
            } else if let open = quote {
                if character == open {
                    quote = nil
                } else if character == "\\", open == "\"" {
                    isEscaped = true
                } else {
                    word = (word ?? "") + String(character)
                }
            } else if character == "\"" || character == "'" {
                quote = character
                word = word ?? ""
            } else if character == "\\" {
                isEscaped = true
            } else if character == " " || character == "\t" || character.isNewline {
                if let done = word { words.append(done) }
                word = nil
            } else if comments, character == "#", word == nil {
                break
            } else {
                word = (word ?? "") + String(character)
            }
        }
        if let word { words.append(word) }
        return words
    }
}

/// Sets an option that has no value yet.
private func keep<Value>(_ option: inout Value?, _ value: Value?) {
    if option == nil { option = value }
}

/// The name of the user who runs this.
let localUser: String = {
    if let entry = unsafe getpwuid(getuid()), let name = unsafe entry.pointee.pw_name {
        return unsafe String(cString: name)
    }
    return environmentVariable("USER") ?? "root"
}()
