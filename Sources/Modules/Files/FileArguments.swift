import Machine
import Values

/// What every module that makes files takes beside its own parameters: whose they are and who may do what.
struct FileArguments: Sendable {
    var mode: FileMode?
    var owner: String?
    var group: String?
    var attributes: String?
    var seuser: String?
    var serole: String?
    var setype: String?
    var selevel: String?
    /// What the task says; where it says nothing, the environment may.
    var unsafeWrites: Bool?
}

/// A module with those parameters.
protocol FileMaker: Action {
    var common: FileArguments { get set }
}

extension FileMaker {
    static var commonRows: [Parameter<Self>] {
        [
            Parameter(
                "mode", \.common.mode,
                "Permissions: octal as a string ('0644'), symbolic ('u=rw,g=r'), or 'preserve' for copies."),
            Parameter("owner", \.common.owner, "Name or number of the user who is to own it."),
            Parameter("group", \.common.group, "Name or number of the group that is to own it."),
            Parameter(
                "attributes", \.common.attributes, aliases: ["attr"],
                "Flags for chattr, such as 'i' or '+a'; without chattr on the node nothing happens."),
            Parameter("seuser", \.common.seuser, "User of the SELinux context; '_default' takes the policy's."),
            Parameter("serole", \.common.serole, "Role of the SELinux context."),
            Parameter("setype", \.common.setype, "Type of the SELinux context."),
            Parameter("selevel", \.common.selevel, "Level of the SELinux context."),
            Parameter(
                "unsafe_writes", \.common.unsafeWrites, default: "false",
                "Write into the file where it cannot be replaced by a rename (a file mounted into a container)."),
        ]
    }
}

extension FileArguments {
    private static let unsafeVariable = "ANSIBLE_UNSAFE_WRITES"

    /// Whether a file that cannot be replaced may be written into: as the task says, or the environment.
    func writesUnsafely(on machine: some MachineReader, _ context: Context) throws(Failure) -> Bool {
        if let unsafeWrites { return unsafeWrites }
        let name = Self.unsafeVariable
        guard let text = context.environment[name] ?? machine.environment[name] else { return false }
        do { return try Bool(parameter: .string(text)) } catch {
            let shown = Value.string(text).pythonRepr
            throw Failure(
                "argument 'unsafe_writes' is of type str and we were unable to convert to bool: \(shown) of the "
                    + "environment variable \(name), expected \(error.expected)")
        }
    }

    /// Says which of owner and group the machine does not know: an earlier task may be the one that makes them.
    func strangers(on machine: some MachineReader) throws(Failure) -> [String] {
        try attempt { () throws(MachineError) in
            var found: [String] = []
            if let owner, !owner.isEmpty {
                let number = UInt32(owner)
                let user = if let number { try machine.user(id: number) } else { try machine.user(named: owner) }
                if user == nil { found.append(Self.stranger("user", number == nil ? owner : "with uid \(owner)")) }
            }
            if let group, !group.isEmpty {
                let number = UInt32(group)
                let known = if let number { try machine.group(id: number) } else { try machine.group(named: group) }
                if known == nil { found.append(Self.stranger("group", number == nil ? group : "with gid \(group)")) }
            }
            return found
        }
    }

    private static func stranger(_ kind: String, _ name: String) -> String {
        "failed to look up \(kind) \(name). Create \(kind) up to this point in real play"
    }

    /// Owner and group as numbers, without a mode. A name that is not known yet is a failure; in check mode it is a
    /// need, since an earlier task may be the one that makes it.
    func owners(
        of path: String, on machine: some MachineReader, _ context: Context, needs: inout [String]
    ) throws(Failure) -> Attributes {
        var found = Attributes()
        if let owner, !owner.isEmpty {
            if let number = UInt32(owner) {
                found.owner = number
            } else {
                found.owner = try attempt { () throws(MachineError) in try machine.user(named: owner)?.id }
            }
            if found.owner == nil {
                if !context.checkMode {
                    throw Failure("chown failed: failed to look up user \(owner)", result: ["path": .string(path)])
                }
                needs.append("user '\(owner)'")
            }
        }
        if let group, !group.isEmpty {
            if let number = UInt32(group) {
                found.group = number
            } else {
                found.group = try attempt { () throws(MachineError) in try machine.group(named: group)?.id }
            }
            if found.group == nil {
                if !context.checkMode {
                    throw Failure("chgrp failed: failed to look up group \(group)", result: ["path": .string(path)])
                }
                needs.append("group '\(group)'")
            }
        }
        return found
    }
}

/// A `mode` parameter.
enum FileMode: ParameterValue, Hashable {
    case bits(UInt32)
    /// Changes as `chmod` reads them: `u=rw,g+X`.
    case changes(String)
    case preserve

    init(parameter: Value) throws(ParameterError) {
        let expected = "an octal mode as a string ('0644'), a symbolic one ('u=rw,g=r') or 'preserve'"
        let number: Int?
        if let int = parameter.int {
            number = int
        } else {
            let text = parameter.pythonText.trimmed
            number = Int(text.hasPrefix("0o") ? String(text.dropFirst(2)) : text, radix: 8)
            if number == nil {
                self = text == "preserve" ? .preserve : .changes(text)
                if self != .preserve, Self.apply(text, to: 0, isFolder: false, mask: 0) == nil {
                    throw ParameterError(expected: expected)
                }
                return
            }
        }
        guard let number, (0...0o7777).contains(number) else { throw ParameterError(expected: expected) }
        self = .bits(UInt32(number))
    }

    static var typeName: String { "mode" }

    /// The bits for something that has `current` now; `preserve` leaves those.
    func bits(from current: UInt32, isFolder: Bool, mask: UInt32) -> UInt32 {
        switch self {
        case .bits(let bits): bits
        case .changes(let text): Self.apply(text, to: current, isFolder: isFolder, mask: mask) ?? current
        case .preserve: current
        }
    }

    /// `nil` where the text is not a symbolic mode.
    static func apply(_ text: String, to current: UInt32, isFolder: Bool, mask: UInt32) -> UInt32? {
        var mode = current
        for clause in text.split(separator: ",", omittingEmptySubsequences: false) {
            let who = clause.prefix { !"+-=".contains($0) }
            // Without a user the mask decides what may be given.
            let allowed = who.isEmpty ? ~mask & 0o7777 : 0o7777
            let users = who.isEmpty || who == "a" ? "ugo" : who
            guard users.allSatisfy({ "ugo".contains($0) }), who.endIndex < clause.endIndex else { return nil }
            var rest = clause[who.endIndex...]
            while let sign = rest.popFirst() {
                let letters = rest.prefix { !"+-=".contains($0) }
                rest = rest.dropFirst(letters.count)
                guard letters.allSatisfy({ "rwxXstugo".contains($0) }) else { return nil }
                for user in users {
                    let bits = letters.reduce(UInt32(0)) { $0 | Self.bits($1, user, mode, isFolder, allowed) }
                    switch sign {
                    case "+": mode |= bits
                    case "-": mode &= ~bits
                    default: mode = mode & ~Self.all(user) | bits
                    }
                }
            }
        }
        return mode
    }

    private static func shift(_ user: Character) -> UInt32 { user == "u" ? 6 : user == "g" ? 3 : 0 }

    /// Everything that belongs to a user: the three permissions and the special bit.
    private static func all(_ user: Character) -> UInt32 {
        7 << shift(user) | (user == "u" ? 0o4000 : user == "g" ? 0o2000 : 0o1000)
    }

    private static func bits(
        _ letter: Character, _ user: Character, _ mode: UInt32, _ isFolder: Bool, _ allowed: UInt32
    ) -> UInt32 {
        switch letter {
        case "r": (4 << shift(user)) & allowed
        case "w": (2 << shift(user)) & allowed
        case "x": (1 << shift(user)) & allowed
        case "X": isFolder || mode & 0o111 != 0 ? 1 << shift(user) : 0
        case "s": user == "u" ? 0o4000 : user == "g" ? 0o2000 : 0
        case "t": user == "o" ? 0o1000 : 0
        default: (mode >> shift(letter) & 7) << shift(user)
        }
    }
}

/// A `path` parameter as the user wrote it; `~` and variables are replaced on the node.
struct FilePath: ParameterValue, Hashable, ExpressibleByStringLiteral {
    var text: String
    init(parameter: Value) throws(ParameterError) {
        text = parameter.pythonText
    }
    init(stringLiteral text: String) { self.text = text }
    static var typeName: String { "path" }

    func expanded(on machine: some MachineReader, _ context: Context) throws(Failure) -> String {
        try attempt { () throws(MachineError) in try machine.expanded(text, context.environment) }
    }
}

/// `0644`: at least four digits, as Ansible writes modes into results and diffs.
func octal(_ mode: UInt32) -> String {
    let digits = String(mode, radix: 8)
    return "0" + String(repeating: "0", count: max(0, 3 - digits.count)) + digits
}

/// Joins as Python's `os.path.join`: an absolute second part stands alone.
func joinPath(_ folder: String, _ name: String) -> String {
    if name.hasPrefix("/") { return name }
    return folder.isEmpty || folder.hasSuffix("/") ? folder + name : folder + "/" + name
}
