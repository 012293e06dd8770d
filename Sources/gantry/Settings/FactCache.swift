import Engine
import Glibc
import Synchronization
import Values

/// `fact_caching = jsonfile`: what is known of hosts, kept between runs in a folder, one file a host, in the form that
/// ansible-core 2.19 writes and reads.
final class FactCache: Sendable {
    private let folder: String
    private let prefix: String
    /// Seconds for which a file counts; 0 is for ever.
    private let timeout: Double
    private let known = Mutex<[String: Dict]>([:])

    private init(folder: String, prefix: String, timeout: Double) {
        self.folder = folder
        self.prefix = prefix
        self.timeout = timeout
    }

    /// The cache that the settings name, or none where facts live as long as the run (`memory`).
    static func configured(_ configuration: Configuration) -> (cache: FactCache?, warnings: [Diagnostic]) {
        let kind = configuration.string(.factCaching)
        let name = kind.split(separator: ".").last.map(String.init) ?? kind
        if name == "memory" { return (nil, []) }
        guard name == "jsonfile" else {
            return (nil, [Diagnostic(
                "Unable to load the cache plugin '\(kind)'.",
                hint: "facts are kept between runs by 'jsonfile' only", severity: .warning)])
        }
        guard let given = configuration.optional(.factCachingConnection), !given.isEmpty else {
            return (nil, [Diagnostic(
                "'fact_caching = jsonfile' needs 'fact_caching_connection', a folder for its files",
                severity: .warning)])
        }
        let isPrefixed = configuration.origin(.factCachingPrefix).origin != "default"
        let cache = FactCache(
            folder: Disk.absolute(configuration.expanded(given)),
            prefix: (isPrefixed ? configuration.string(.factCachingPrefix) : "") + "s1_",
            timeout: Double(configuration.number(.factCacheTimeout) ?? 86400))
        return (cache, [])
    }

    private func path(of host: String) -> String? {
        host.isEmpty || host.contains("/") ? nil : "\(folder)/\(prefix)\(host)"
    }

    /// What is kept of the host; what is too old, or cannot be read, is nothing.
    func facts(of host: String) -> Dict {
        if let facts = known.withLock({ $0[host] }) { return facts }
        let facts = read(host)
        known.withLock { $0[host] = facts }
        return facts
    }

    private func read(_ host: String) -> Dict {
        guard let path = path(of: host), let changed = Disk.modified(path),
            timeout == 0 || Double(time(nil) - changed) <= timeout,
            let bytes = (try? Disk.contents(path)).flatMap({ $0 }),
            let file = try? Value(json: String(decoding: bytes, as: UTF8.self)),
            let payload = file["__payload__"]?.text,
            let facts = (try? Value(json: payload))?.dict
        else { return Dict() }
        return facts.mapValues { Self.plain($0).untrusted }
    }

    /// Without the notes that ansible-core keeps beside values.
    private static func plain(_ value: Value) -> Value {
        switch value {
        case .list(let list): return .list(list.map(plain))
        case .dict(let dict):
            if dict["__ansible_type"] != nil, let inner = dict["value"] { return plain(inner) }
            return .dict(dict.mapValues(plain))
        default: return value
        }
    }

    /// Keeps what became known of a host; values that are secret stay out of the file.
    func keep(_ facts: Dict, of host: String) throws(CommandFailure) {
        _ = self.facts(of: host)
        let all = known.withLock { known in
            let all = combined(known[host] ?? Dict(), facts, merging: false)
            known[host] = all
            return all
        }
        guard let path = path(of: host) else { return }
        let open = all.filter { entry in
            var isSecret = false
            entry.value.forEachText { isSecret = isSecret || $0.isSecret }
            return !isSecret
        }
        let payload = Value.dict(Dict(uniqueKeysWithValues: open.elements)).json()
        try Output.write(Value.dict(["__payload__": .string(payload)]).json(), to: path, mode: 0o600)
    }

    func forget(_ host: String) {
        known.withLock { $0[host] = Dict() }
        if let path = path(of: host) { _ = unsafe unlink(path) }
    }
}
