import Glibc
package import Values

extension SSHConfig {
    /// The target that the options make: for everything they leave open, ssh's defaults.
    ///
    /// - Parameters:
    ///   - user: who logs in when the options do not say.
    ///   - hops: reads the options of a jump host, by the name that `ProxyJump` gives.
    /// - Throws: an error about a `ProxyJump` that cannot be understood or runs in a circle.
    package func target(
        user fallback: String? = nil, hops: (String) -> SSHConfig = { SSHConfig.load(host: $0) }
    ) throws(Diagnostic) -> SSHTarget {
        try target(user: fallback, hops: hops, depth: 0)
    }

    private func target(
        user fallback: String?, hops: (String) -> SSHConfig, depth: Int
    ) throws(Diagnostic) -> SSHTarget {
        var target = SSHTarget(
            host: expand(hostName ?? alias, ["h": alias]), port: port ?? 22, user: user ?? fallback ?? localUser)
        let tokens = tokens(of: target)
        target.identities = identityFiles.filter { $0 != "none" }.map { .file(expandingTilde(expand($0, tokens))) }
        target.identitiesOnly = identitiesOnly ?? false
        target.agentSocket = identityAgent.flatMap(SSHConfig.agentSocket).map { expandingTilde(expand($0, tokens)) }
        target.useAgent = identityAgent?.lowercased() != "none"
        target.knownHostsFiles = (userKnownHostsFiles ?? []).map { expandingTilde(expand($0, tokens)) }
        target.globalKnownHostsFiles = globalKnownHostsFiles
        target.hostKeyPolicy =
            switch strictHostKeyChecking {
            case "no", "off", "false": .off
            case "accept-new": .acceptNew
            default: .strict
            }
        target.hostKeyAlias = hostKeyAlias.map { expand($0, tokens) }
        if let connectTimeout, connectTimeout > 0 { target.connectTimeout = connectTimeout }
        if let serverAliveInterval { target.keepAlive = serverAliveInterval }
        target.compression = compression ?? false
        if let proxyCommand, proxyCommand.lowercased() != "none" {
            target.proxyCommand = expand(proxyCommand, tokens)
        } else if let proxyJump, proxyJump.lowercased() != "none" {
            target.jump = try jumps(expand(proxyJump, tokens), hops: hops, depth: depth)
        }
        return target
    }

    /// The chain of hosts that a `ProxyJump` names, with the jump hosts of the first before it.
    private func jumps(_ list: String, hops: (String) -> SSHConfig, depth: Int) throws(Diagnostic) -> [SSHTarget] {
        // ssh would start one process a hop; nobody has eight, but a circle has no end.
        guard depth < 8 else {
            throw Diagnostic("the ProxyJump of '\(alias)' leads through itself", notes: ["it is '\(list)'"])
        }
        var chain: [SSHTarget] = []
        for (index, text) in list.split(separator: ",").enumerated() {
            guard let hop = JumpHost(text) else {
                throw Diagnostic(
                    "ProxyJump of '\(alias)' is '\(list)'", notes: ["expected [USER@]HOST[:PORT], several by commas"])
            }
            var config = hops(hop.host)
            config.override(user: hop.user, port: hop.port)
            var target = try config.target(user: nil, hops: hops, depth: depth + 1)
            // Only the first can have a way of its own: the others are reached from the one before.
            if index == 0 { chain += target.jump }
            target.jump = []
            chain.append(target)
        }
        return chain
    }

    private mutating func override(user: String?, port: Int?) {
        var merged = SSHConfig(host: alias)
        if let user { merged.set("User", [user]) }
        if let port { merged.set("Port", [String(port)]) }
        merged.inherit(self)
        self = merged
    }

    /// `SSH_AUTH_SOCK`, `$VARIABLE`, `none` or a path.
    private static func agentSocket(_ text: String) -> String? {
        if text == "SSH_AUTH_SOCK" || text.lowercased() == "none" { return nil }
        guard text.hasPrefix("$") else { return text }
        return environmentVariable(String(text.dropFirst().filter { $0 != "{" && $0 != "}" }))
    }

    // MARK: tokens

    private func tokens(of target: SSHTarget) -> [Character: String] {
        let name = localHostName
        return [
            "h": target.host, "n": alias, "p": String(target.port), "r": target.user, "u": localUser,
            "d": homeDirectory, "i": String(getuid()), "k": hostKeyAlias ?? alias, "l": name,
            "L": String(name.prefix { $0 != "." }), "j": proxyJump ?? "",
        ]
    }

    /// Replaces `%h` and its like; `%%` is a per cent sign, and what is not known stays as it is.
    private func expand(_ text: String, _ tokens: [Character: String]) -> String {
        guard text.contains("%") else { return text }
        var result = ""
        var isToken = false
        for character in text {
            if isToken {
                result += character == "%" ? "%" : tokens[character] ?? "%\(character)"
                isToken = false
            } else if character == "%" {
                isToken = true
            } else {
                result.append(character)
            }
        }
        return isToken ? result + "%" : result
    }

    private var localHostName: String {
        var name = utsname()
        guard unsafe uname(&name) == 0 else { return "localhost" }
        return unsafe withUnsafeBytes(of: name.nodename) { bytes in
            unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }
}

/// One host of a `ProxyJump`: `[USER@]HOST[:PORT]` or `ssh://[USER@]HOST[:PORT]`.
private struct JumpHost {
    var user: String?
    var host: String
    var port: Int?

    init?(_ text: some StringProtocol) {
        var rest = String(text.filter { $0 != " " })
        if rest.hasPrefix("ssh://") { rest = String(rest.dropFirst(6).prefix { $0 != "/" }) }
        if let at = rest.lastIndex(of: "@") {
            user = String(rest[..<at])
            rest = String(rest[rest.index(after: at)...])
        }
        if rest.hasPrefix("["), let end = rest.firstIndex(of: "]") {
            host = String(rest[rest.index(after: rest.startIndex)..<end])
            rest = String(rest[rest.index(after: end)...])
            guard rest.isEmpty || rest.hasPrefix(":") else { return nil }
            rest = String(rest.dropFirst())
        } else if rest.filter({ $0 == ":" }).count == 1, let colon = rest.firstIndex(of: ":") {
            host = String(rest[..<colon])
            rest = String(rest[rest.index(after: colon)...])
            if rest.isEmpty { return nil }
        } else {
            host = rest
            rest = ""
        }
        if !rest.isEmpty {
            guard let number = Int(rest), (1...65_535).contains(number) else { return nil }
            port = number
        }
        if host.isEmpty || user?.isEmpty == true { return nil }
    }
}
