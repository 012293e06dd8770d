import Machine
import Values

/// A user as `/etc/passwd`, `/etc/shadow` and `/etc/group` describe it.
struct AccountRecord: Sendable {
    var user: User
    /// The password's hash with its lock mark; empty where it cannot be read.
    var password = Secret("")
    /// Whether /etc/shadow was read and has no entry.
    var lacksShadow = false
    /// Days since 1970 after which the account is expired; `nil` when it never is.
    var expires: Int?
    /// Shortest and longest age of the password, days of warning, days until the account is disabled.
    var minimum: Int?
    var maximum: Int?
    var warning: Int?
    var inactive: Int?
    /// Names of the groups that list the user as a member.
    var groups: [String] = []

    var isLocked: Bool { password.exposed.hasPrefix("!") }
}

extension MachineReader {
    /// The account named; `nil` when there is none.
    ///
    /// - Parameter local: look only into `/etc/passwd`.
    func account(named name: String, local: Bool) throws(MachineError) -> AccountRecord? {
        if local, try !lists(name, in: "/etc/passwd") { return nil }
        guard let user = try user(named: name) else { return nil }
        var record = AccountRecord(user: user)
        record.groups = try groupEntries().filter { $0.members.contains(name) }.map(\.name)
        // Only root can read it; without it the password counts as unknown.
        guard let shadow = try? text(of: "/etc/shadow") else { return record }
        record.lacksShadow = true
        for line in shadow.split(separator: "\n") where line.hasPrefix(name + ":") {
            record.lacksShadow = false
            let fields = line.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            guard fields.count > 7 else { continue }
            record.password = Secret(fields[1])
            record.minimum = Int(fields[3])
            record.maximum = Int(fields[4])
            record.warning = Int(fields[5])
            record.inactive = Int(fields[6])
            record.expires = Int(fields[7])
        }
        return record
    }

    /// Whether a file of accounts has an entry of that name.
    func lists(_ name: String, in file: String) throws(MachineError) -> Bool {
        (try text(of: file) ?? "").split(separator: "\n").contains { $0.hasPrefix(name + ":") }
    }

    func groupEntries() throws(MachineError) -> [Group] {
        (try text(of: "/etc/group") ?? "").split(separator: "\n").compactMap { line in
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            guard fields.count > 3, let id = UInt32(fields[2]) else { return nil }
            return Group(name: String(fields[0]), id: id, members: fields[3].split(separator: ",").map(String.init))
        }
    }

    /// A group by its name or its number.
    func group(meaning text: String) throws(MachineError) -> Group? {
        if let found = try group(named: text) { return found }
        guard let id = UInt32(text) else { return nil }
        return try group(id: id)
    }
}

/// Runs a program that changes accounts; a status other than 0 is a failure with its own words.
func runAccountTool(
    _ arguments: [String], input: String = "", on editor: any MachineEditor, _ context: Context, name: String
) throws(Failure) -> CommandResult {
    let done = try attempt { () throws(MachineError) in
        try editor.run(
            Command(
                arguments, input: Array(input.utf8),
                environment: context.environment.merging(["LC_ALL": "C"]) { $1 }))
    }
    guard done.status == 0 else {
        let text = done.errors.isEmpty ? done.outputText : done.errorText
        throw Failure(text.trimmed, result: ["name": .string(name), "rc": .int(Int(done.status))])
    }
    return done
}
