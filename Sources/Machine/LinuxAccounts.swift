import Values
import Glibc

/// Users, groups and hosts: the files, then `getent`. A static executable must not load the system's name service.
extension LinuxMachine {
    package func user(named name: String) throws(MachineError) -> User? {
        try account("passwd", name, User.init(line:)) { $0.name == name }
    }
    package func user(id: UInt32) throws(MachineError) -> User? {
        try account("passwd", String(id), User.init(line:)) { $0.id == id }
    }
    package func group(named name: String) throws(MachineError) -> Group? {
        try account("group", name, Group.init(line:)) { $0.name == name }
    }
    package func group(id: UInt32) throws(MachineError) -> Group? {
        try account("group", String(id), Group.init(line:)) { $0.id == id }
    }

    private func account<Entry>(
        _ database: String, _ key: String, _ parse: (Substring) -> Entry?, _ fits: (Entry) -> Bool
    ) throws(MachineError) -> Entry? {
        if key.isEmpty || key.contains(where: { ":\n\0".contains($0) }) { return nil }
        let file = try text(of: "/etc/\(database)") ?? ""
        // Most lines are another's, which is seen without taking them apart.
        let lines = file.split(separator: "\n").lazy.filter { $0.contains(key) }
        if let found = lines.compactMap(parse).first(where: fits) { return found }
        return try getent(database, key).lazy.compactMap(parse).first(where: fits)
    }

    private func getent(_ database: String, _ key: String) throws(MachineError) -> [Substring] {
        guard !key.hasPrefix("-"), let program = program("getent") else { return [] }
        let result = try run(Command([program, database, key], timeout: 30))
        return result.status == 0 ? result.outputText.split(separator: "\n") : []
    }

    package func addresses(of host: String) throws(MachineError) -> [String] {
        if SocketAddress(host, port: 0) != nil { return [host] }
        if host.isEmpty || host.contains(where: { $0.isWhitespace || $0 == "\0" }) { return [] }
        let wanted = host.lowercased()
        var found: [String] = []
        func add(_ line: Substring) {
            let words = line.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace).map(String.init)
            guard let address = words.first, !found.contains(address) else { return }
            found.append(address)
        }
        for line in (try text(of: "/etc/hosts") ?? "").split(separator: "\n") {
            let words = line.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace)
            if words.dropFirst().contains(where: { $0.lowercased() == wanted }) { add(line) }
        }
        if found.isEmpty { for line in try getent("ahosts", host) { add(line) } }
        return found
    }
}

extension User {
    /// A line of `/etc/passwd`.
    package init?(line: Substring) {
        let fields = line.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard fields.count >= 7, let id = UInt32(fields[2]), let group = UInt32(fields[3]) else { return nil }
        self.init(name: fields[0], id: id, group: group, comment: fields[4], home: fields[5], shell: fields[6])
    }
}

extension Group {
    /// A line of `/etc/group`.
    package init?(line: Substring) {
        let fields = line.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard fields.count >= 4, let id = UInt32(fields[2]) else { return nil }
        self.init(name: fields[0], id: id, members: fields[3].split(separator: ",").map(String.init))
    }
}
