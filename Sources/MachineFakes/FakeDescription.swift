import Machine
package import Values

/// A description of a machine that cannot be understood.
package struct FakeError: Error, CustomStringConvertible {
    package let description: String
}

extension FakeMachine {
    /// A machine as a case file describes it; see the type's documentation.
    package convenience init(description: Value) throws {
        let given = description["environment"]?.dict.map { dict in
            Dictionary(dict.map { ($0.key.pythonText, $0.value.pythonText) }) { $1 }
        }
        self.init(environment: ["PATH": "/usr/bin:/bin", "HOME": "/root"].merging(given ?? [:]) { $1 })
        try apply(description)
    }

    /// Adds what the description holds.
    package func apply(_ description: Value) throws {
        for (index, group) in (description["groups"]?.list ?? []).enumerated() {
            add(
                Group(
                    name: (group["name"] ?? group).pythonText, id: UInt32(group["id"]?.int ?? 1001 + index),
                    members: (group["members"]?.list ?? []).map(\.pythonText)))
        }
        for (index, user) in (description["users"]?.list ?? []).enumerated() {
            let name = (user["name"] ?? user).pythonText
            let id = UInt32(user["id"]?.int ?? 1001 + index)
            let group = UInt32(user["group"]?.int ?? Int(id))
            if try self.group(id: group) == nil { add(Group(name: name, id: group)) }
            add(
                User(
                    name: name, id: id, group: group, comment: user["comment"]?.text ?? "",
                    home: user["home"]?.text ?? "/home/\(name)", shell: user["shell"]?.text ?? "/bin/sh"))
        }
        for path in description["mounted"]?.list ?? [] { mount(over: path.pythonText) }
        for name in description["programs"]?.list ?? [] { add(program: name.pythonText) }
        for (host, list) in description["hosts"]?.dict ?? Dict() {
            set(addresses: (list.list ?? []).map(\.pythonText), of: host.pythonText)
        }
        for (place, answer) in description["probes"]?.dict ?? Dict() { try apply(probe: place.pythonText, answer) }
        try apply(files: description["files"]?.dict ?? Dict())
        for rule in description["commands"]?.list ?? [] { try apply(command: rule) }
    }

    private func apply(probe place: String, _ answer: Value) throws {
        guard let colon = place.lastIndex(of: ":"), let port = Int(place[place.index(after: colon)...]) else {
            throw FakeError(description: "a probe is 'address:port', not '\(place)'")
        }
        let probe: Probe =
            switch answer.text {
            case "refused": .refused("Connection refused")
            case "timeout": .timedOut
            default: .open(Array((answer.text ?? "").utf8))
            }
        set(probe, at: String(place[..<colon]), port: port)
    }

    private func apply(command rule: Value) throws {
        let words = rule["run"]?.list?.map(\.pythonText) ?? rule["run"]?.text?.split(separator: " ").map(String.init)
        guard let words else { throw FakeError(description: "a command needs 'run'") }
        let result = CommandResult(
            status: Int32(rule["status"]?.int ?? 0), output: Array((rule["output"]?.text ?? "").utf8),
            errors: Array((rule["errors"]?.text ?? "").utf8))
        let files = rule["files"]?.dict ?? Dict()
        answer(words, times: rule["times"]?.int ?? .max) { (_, machine) throws(MachineError) in
            do { try machine.apply(files: files) } catch { throw MachineError("\(error)") }
            return result
        }
    }

    /// Makes the files of a description, links and hard links behind the others.
    package func apply(files: Dict) throws {
        let late = files.filter { $0.value["hard"] != nil }
        for (path, file) in files.filter({ $0.value["hard"] == nil }) { try apply(path.pythonText, file) }
        for (path, file) in late { try apply(path.pythonText, file) }
    }

    private func apply(_ path: String, _ file: Value) throws {
        let owner = try number(file["owner"]) { (name: String) in try user(named: name)?.id }
        let group = try number(file["group"]) { (name: String) in try self.group(named: name)?.id }
        let mode = try Self.mode(file["mode"])
        let content = Array((file.text ?? file["content"]?.text ?? "").utf8)
        let modified = file["modified"]?.number
        try with { (state: inout sending State) in
            let time = modified ?? state.time
            state.files.remove(path)
            if file.isNull { return }
            state.files.makeParents(of: path, time)
            if let target = file["link"]?.text {
                try state.files.makeLink(path, target, time)
            } else if let other = file["hard"]?.text {
                try state.files.makeHardLink(path, other)
            } else if file["folder"]?.isTrue == true {
                try state.files.makeFolder(path, 0o755, time)
            } else {
                state.files.put(path, content, time)
            }
            try state.files.setAttributes(
                path, Attributes(owner: owner, group: group, mode: mode), following: false)
        }
    }

    private func number(_ value: Value?, _ find: (String) throws -> UInt32?) throws -> UInt32? {
        guard let value else { return nil }
        if let int = value.int { return UInt32(int) }
        guard let found = try find(value.pythonText) else {
            throw FakeError(description: "the machine has no user or group '\(value.pythonText)'")
        }
        return found
    }

    private static func mode(_ value: Value?) throws -> UInt32? {
        guard let value else { return nil }
        if let int = value.int { return UInt32(int) }
        guard let mode = UInt32(value.pythonText, radix: 8) else {
            throw FakeError(description: "'\(value.pythonText)' is not an octal mode")
        }
        return mode
    }

    /// What differs between this machine and the files that a case expects, one line each. Only what is named counts.
    package func differences(from files: Dict) throws -> [String] {
        var all: [String] = []
        for (key, wanted) in files { all += try differences(at: key.pythonText, from: wanted) }
        return all
    }

    private func differences(at path: String, from wanted: Value) throws -> [String] {
        guard let found = try status(of: path) else {
            return wanted.isNull ? [] : ["\(path) is not there"]
        }
        if wanted.isNull { return ["\(path) is there"] }
        var all: [String] = []
        func check(_ what: String, _ found: some CustomStringConvertible, _ wanted: some CustomStringConvertible) {
            if found.description != wanted.description {
                all.append("\(path): \(what) is \(found), expected \(wanted)")
            }
        }
        if let content = wanted.text ?? wanted["content"]?.text {
            check("content", try text(of: path).debugDescription, Optional(content).debugDescription)
        }
        if let target = wanted["link"]?.text { check("target", try linkTarget(of: path) ?? "(no link)", target) }
        if wanted["folder"]?.isTrue == true { check("kind", found.kind.rawValue, "folder") }
        if let mode = try Self.mode(wanted["mode"]) {
            check("mode", String(found.mode, radix: 8), String(mode, radix: 8))
        }
        if let owner = try number(wanted["owner"], { try user(named: $0)?.id }) { check("owner", found.owner, owner) }
        if let group = try number(wanted["group"], { try self.group(named: $0)?.id }) {
            check("group", found.group, group)
        }
        if let modified = wanted["modified"]?.number { check("modification", found.modificationTime, modified) }
        if let other = wanted["hard"]?.text { check("inode", found.inode, try status(of: other)?.inode ?? 0) }
        return all
    }
}
