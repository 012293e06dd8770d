import Crypto
import Machine
import Patterns
import Values

/// `known_hosts`: the keys by which SSH recognises hosts.
struct HostKeys: FileAction {
    enum State: String, CaseIterable, Choice { case absent, present }

    var common = FileArguments()
    var name = ""
    var key: String?
    var path: FilePath = "~/.ssh/known_hosts"
    var hashHost = false
    var state = State.present
    init() {}

    static let schema = Schema<HostKeys>(
        "known_hosts", "Adds host keys to a known_hosts file, or removes them.",
        [
            Parameter("name", \.name, aliases: ["host"], required: true, "The host; '[NAME]:PORT' for another port."),
            Parameter("key", \.key, "The line for the file: host, type and key. Needed to add one."),
            Parameter("path", \.path, default: "~/.ssh/known_hosts", "The file."),
            Parameter("hash_host", \.hashHost, default: "false", "Hide the host's name in the file."),
            Parameter("state", \.state, default: "present", "Without a key, absent removes all keys of the host."),
        ],
        options: SchemaOptions(
            returns: [
                ("name", "The host, likewise key, path, hash_host and state as given.")
            ],
            examples: """
                - name: The registry's key
                  ansible.builtin.known_hosts:
                    name: registry.example
                    key: "registry.example ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI…"
                """,
            notes: ["Several keys of a host may have different types; a key of the same type is replaced."]))

    /// A line of the file, in its parts.
    private struct Entry: Equatable {
        var marker: String?
        var host: String
        var type: String
        var key: String

        init?(_ line: String) {
            var words = line.split { $0.isWhitespace }.map(String.init)
            guard let first = words.first, !first.hasPrefix("#") else { return nil }
            marker = first.hasPrefix("@") ? words.removeFirst() : nil
            guard words.count >= 3 else { return nil }
            (host, type, key) = (words[0], words[1], words[2])
        }

        /// As `ssh` compares names: a hashed name by its digest, others as patterns that `!` takes back.
        func names(_ host: String) -> Bool {
            if self.host.hasPrefix("|1|") {
                let parts = self.host.split(separator: "|")
                guard parts.count == 3, let salt = try? Base64.decode(parts[1]),
                    let digest = try? Base64.decode(parts[2])
                else { return false }
                return HMAC.code(.sha1, key: salt, of: Array(host.utf8)) == digest
            }
            var isNamed = false
            for part in self.host.lowercased().split(separator: ",") {
                let isTakenBack = part.hasPrefix("!")
                guard Self.fits(Array(host), Array(isTakenBack ? part.dropFirst() : part)[...]) else { continue }
                if isTakenBack { return false }
                isNamed = true
            }
            return isNamed
        }

        /// Only `*` and `?` are special.
        private static func fits(_ name: [Character], _ pattern: ArraySlice<Character>) -> Bool {
            guard let first = pattern.first else { return name.isEmpty }
            let rest = pattern.dropFirst()
            if first == "*" { return (0...name.count).contains { fits(Array(name.dropFirst($0)), rest) } }
            guard let next = name.first, first == "?" || first == next else { return false }
            return fits(Array(name.dropFirst()), rest)
        }
    }

    /// What the file says of the host.
    private struct Found {
        var isThere = false
        /// A key is to be added, in place of the line if there is one.
        var isOther = false
        var line: Int?
    }

    func plan(on machine: some MachineReader, _ context: Context) throws(Failure) -> FilePlan {
        let host = name.lowercased()
        let path = try path.expanded(on: machine, context)
        if (key ?? "").isEmpty, state == .present { throw Failure("No key specified when adding a host") }
        var line = key.flatMap { $0.isEmpty ? nil : $0 }
        if let given = line {
            if hashHost { line = hashed(host, given) }
            if line?.hasSuffix("\n") == false { line? += "\n" }
            try check(host, line ?? "")
        }
        let old = try attempt { () throws(MachineError) in try machine.text(of: path) }
        let found = search(host, line, old ?? "")
        var lines = (old ?? "").linesWithEnds
        var plan = FilePlan()
        plan.result = [
            "name": .string(name), "key": .optional(key), "path": .string(path), "hash_host": .bool(hashHost),
            "state": .string(state.rawValue),
        ]
        var isChanged = found.isOther || (state == .present) != found.isThere
        if state == .absent {
            // As ansible-core does: any key of that type goes.
            isChanged = line == nil ? found.isThere : found.line != nil
            if line == nil {
                lines.removeAll { text in Entry(text).map { $0.marker == nil && $0.names(host) } ?? false }
                isChanged = isChanged && lines.count < (old ?? "").linesWithEnds.count
            } else if let number = found.line, isChanged {
                lines.remove(at: number - 1)
            }
        } else if isChanged, let line {
            if found.isOther, let number = found.line { lines.remove(at: number - 1) }
            if let last = lines.last, !last.hasSuffix("\n") { lines[lines.count - 1] += "\n" }
            lines.append(line)
        }
        plan.diff = [
            Diff(
                before: old ?? "", after: lines.joined(), beforeHeader: old == nil ? "/dev/null" : path,
                afterHeader: path)
        ]
        plan.result["diff"] = plan.diff[0].value
        if isChanged { plan.steps = [.file(path, .bytes(Array(lines.joined().utf8)), Attributes())] }
        return plan
    }

    /// The key has to be one of the host.
    private func check(_ host: String, _ line: String) throws(Failure) {
        if host.contains(",") {
            throw Failure(
                "Comma separated list of names is not supported. "
                    + "Please pass a single name to lookup in the known_hosts file.")
        }
        guard let entry = Entry(line), entry.names(host) else {
            throw Failure("Host parameter does not match hashed host field in supplied key")
        }
    }

    private func search(_ host: String, _ line: String?, _ text: String) -> Found {
        var found = Found()
        guard let wanted = line.flatMap(Entry.init) else {
            found.isThere = text.linesWithEnds.contains { Entry($0)?.names(host) ?? false }
            return found
        }
        for (index, line) in text.linesWithEnds.enumerated() {
            guard let entry = Entry(line), entry.names(host) else { continue }
            found.isThere = true
            var same = wanted
            // A name that is hidden already stays as it is.
            if wanted.host.hasPrefix("|1|"), entry.host.hasPrefix("|1|") { same.host = entry.host }
            if same == entry { return Found(isThere: true, isOther: false, line: index + 1) }
            if entry.marker == nil, same.type == entry.type {
                return Found(isThere: true, isOther: true, line: index + 1)
            }
        }
        found.isOther = found.isThere
        return found
    }

    private func hashed(_ host: String, _ line: String) -> String {
        let salt = randomBytes(20)
        let digest = HMAC.code(.sha1, key: salt, of: Array(host.utf8))
        var words = line.split { $0.isWhitespace }.map(String.init)
        let place = words.first?.hasPrefix("@") ?? false ? 1 : 0
        guard words.indices.contains(place) else { return line }
        words[place] = "|1|\(Base64.encode(salt))|\(Base64.encode(digest))"
        return words.joined(separator: " ")
    }
}

extension String {
    /// Lines with their ends.
    var linesWithEnds: [String] { lines(of: Array(utf8)).map { String(decoding: $0, as: UTF8.self) } }
}
