import Values

/// The known-hosts files of one connection: who has which key.
struct KnownHosts: Sendable {
    struct Entry: Sendable {
        enum Marker: Sendable { case none, revoked, authority }
        let marker: Marker
        /// The first field: patterns, or one hashed name.
        let hosts: String
        let kind: String
        /// In Base64.
        let key: String
        let file: String
        let line: Int

        var publicKey: PublicKey? { base64Decoded(key.utf8).map { PublicKey(blob: $0) } }
        var place: String { "\(abbreviated(file)):\(line)" }
    }

    enum Verdict: Sendable {
        case known
        case revoked(Entry)
        /// Other keys are known: of the same kind first.
        case changed([Entry])
        /// Only certificates of this authority would be known, which are not understood.
        case authority(Entry)
        case unknown
    }

    let files: [KnownHostsFile]

    /// The name a host goes by: brackets where the port is not 22.
    static func name(host: String, port: Int, alias: String?) -> String {
        if let alias { return alias.lowercased() }
        return port == 22 ? host.lowercased() : "[\(host.lowercased())]:\(port)"
    }

    /// The entries that are about the host.
    func entries(for name: String) -> [Entry] { files.flatMap { $0.entries(for: name) } }

    static func verdict(on key: PublicKey, among entries: [Entry]) -> Verdict {
        let text = base64(key.blob)
        if let entry = entries.first(where: { $0.marker == .revoked && $0.key == text }) { return .revoked(entry) }
        let plain = entries.filter { $0.marker == .none }
        if plain.contains(where: { $0.key == text }) { return .known }
        let kind = key.kind
        let others = plain.filter { $0.kind == kind } + plain.filter { $0.kind != kind }
        if !others.isEmpty { return .changed(others) }
        if let entry = entries.first(where: { $0.marker == .authority }) { return .authority(entry) }
        return .unknown
    }
}

/// One known-hosts file, read.
struct KnownHostsFile: Sendable {
    let path: String
    private let plain: [KnownHosts.Entry]
    private let hashed: [(entry: KnownHosts.Entry, salt: [UInt8], digest: [UInt8])]

    /// Lines that are not entries are passed over, as ssh does.
    init(path: String, text: [UInt8]) {
        var plain: [KnownHosts.Entry] = []
        var hashed: [(KnownHosts.Entry, [UInt8], [UInt8])] = []
        for (index, line) in text.split(separator: 10, omittingEmptySubsequences: false).enumerated() {
            guard let entry = KnownHostsFile.entry(line, path: path, number: index + 1) else { continue }
            guard entry.hosts.hasPrefix("|1|") else {
                plain.append(entry)
                continue
            }
            let parts = entry.hosts.split(separator: "|")
            guard parts.count == 3, let salt = base64Decoded(parts[1].utf8), let digest = base64Decoded(parts[2].utf8)
            else { continue }
            hashed.append((entry, salt, digest))
        }
        self.path = path
        self.plain = plain
        self.hashed = hashed
    }

    func entries(for name: String) -> [KnownHosts.Entry] {
        let bytes = Array(name.utf8)
        return plain.filter { matches(name, patterns: $0.hosts, separator: ",") }
            + hashed.filter { hmacSHA1(key: $0.salt, bytes) == $0.digest }.map(\.entry)
    }

    private static func entry(_ line: ArraySlice<UInt8>, path: String, number: Int) -> KnownHosts.Entry? {
        var words = line.split(whereSeparator: { $0 == 32 || $0 == 9 || $0 == 13 }).map {
            String(decoding: $0, as: UTF8.self)
        }
        guard let first = words.first, !first.hasPrefix("#") else { return nil }
        var marker = KnownHosts.Entry.Marker.none
        if first.hasPrefix("@") {
            switch first {
            case "@revoked": marker = .revoked
            case "@cert-authority": marker = .authority
            default: return nil
            }
            words.removeFirst()
        }
        guard words.count >= 3 else { return nil }
        return KnownHosts.Entry(
            marker: marker, hosts: words[0].hasPrefix("|") ? words[0] : words[0].lowercased(), kind: words[1],
            key: words[2], file: path, line: number)
    }
}

/// Whether `name` matches a list of patterns with `*` and `?`, and none of those after `!`.
func matches(_ name: String, patterns: some StringProtocol, separator: Character) -> Bool {
    var isMatched = false
    for pattern in patterns.split(separator: separator) {
        if pattern.hasPrefix("!") {
            if matches(name, pattern: pattern.dropFirst()) { return false }
        } else if !isMatched {
            isMatched = matches(name, pattern: pattern)
        }
    }
    return isMatched
}

/// Whether `name` matches one pattern with `*` and `?`.
func matches(_ name: String, pattern: some StringProtocol) -> Bool {
    let text = Array(name.utf8)
    let mask = Array(pattern.utf8)
    var (at, index) = (0, 0)
    var retry: (mask: Int, text: Int)?
    while at < text.count {
        if index < mask.count, mask[index] == UInt8(ascii: "*") {
            retry = (index + 1, at)
            index += 1
        } else if index < mask.count, mask[index] == UInt8(ascii: "?") || mask[index] == text[at] {
            at += 1
            index += 1
        } else if let (afterStar, from) = retry {
            retry = (afterStar, from + 1)
            (index, at) = (afterStar, from + 1)
        } else {
            return false
        }
    }
    return mask[index...].allSatisfy { $0 == UInt8(ascii: "*") }
}
