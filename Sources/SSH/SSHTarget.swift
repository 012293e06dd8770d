package import Values

/// Everything that is needed to log in to one host.
package struct SSHTarget: Sendable {
    /// A private key to log in with.
    package enum Identity: Sendable, Hashable {
        /// A key file, or the public half (`.pub`) of a key that the agent has.
        case file(String)
        /// The text of a private key, and what to call it.
        case text(Secret, name: String)
    }

    package enum HostKeyPolicy: Sendable, Hashable {
        /// Only keys that are in a known-hosts file.
        case strict
        /// A host that is in no known-hosts file is added; a changed key is refused.
        case acceptNew
        /// Any key. Says so in the connection's warnings.
        case off
    }

    /// A name or an address.
    package var host: String
    package var port: Int
    package var user: String

    /// Tried in this order. Empty: the usual files in `~/.ssh`.
    package var identities: [Identity] = []
    /// Of the agent's keys, use only those among `identities`.
    package var identitiesOnly = false
    package var useAgent = true
    /// The agent's socket; `nil` takes `SSH_AUTH_SOCK`.
    package var agentSocket: String?
    /// For the methods password and keyboard-interactive.
    package var password: Secret?
    /// Asked once per key file that has a passphrase, with its path, and again while the answer is wrong, three times
    /// at most; `nil` when there is nobody to ask.
    package var passphrase: (@Sendable (_ keyPath: String, _ isAgain: Bool) async -> Secret?)?

    package var hostKeyPolicy = HostKeyPolicy.strict
    /// The user's files; a new key is added to the first. Empty: `~/.ssh/known_hosts` and `~/.ssh/known_hosts2`.
    package var knownHostsFiles: [String] = []
    /// The system's files. `nil`: `/etc/ssh/ssh_known_hosts` and `/etc/ssh/ssh_known_hosts2`.
    package var globalKnownHostsFiles: [String]?
    /// The name under which the key is looked up, instead of host and port.
    package var hostKeyAlias: String?

    /// Seconds for each step of logging in: connecting, the handshake, each method of authentication.
    package var connectTimeout = 10.0
    /// Seconds of silence after which the host is asked for a sign of life; 0 never. The third time in vain ends it.
    package var keepAlive = 30.0
    package var compression = false

    /// Hosts to go through, the nearest first; their own `jump` is not looked at.
    package var jump: [SSHTarget] = []
    /// A command whose standard input and output are the connection, instead of TCP. Given to `/bin/sh`.
    package var proxyCommand: String?

    package init(host: String, port: Int = 22, user: String) {
        self.host = host
        self.port = port
        self.user = user
    }

    /// Jump hosts with the same key are one connection.
    var sharingKey: String {
        "\(user)@\(endpoint) \(identities) \(hostKeyPolicy) \(hostKeyAlias ?? "") \(proxyCommand ?? "")"
    }

    /// `10.0.0.12:22`, `[fe80::1]:22`.
    package var endpoint: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
