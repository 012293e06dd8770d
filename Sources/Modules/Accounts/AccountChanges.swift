import Machine
import Values

/// What has to be done to make an account as wanted: programs with their input, in order.
struct AccountChanges {
    struct Step {
        var arguments: [String]
        var input = Secret("")
    }

    private(set) var steps: [Step] = []
    /// The home folder is missing, and is made for a user who exists.
    private(set) var makesHome = false
    /// What changes, for the diff.
    private(set) var before = ""
    private(set) var after = ""
    private let wanted: UserAccount
    private let isNew: Bool

    init(_ wanted: UserAccount, _ current: AccountRecord?, on machine: some MachineReader) throws(Failure) {
        self.wanted = wanted
        isNew = current == nil
        let primary = try wanted.group.map { (name) throws(Failure) in try Self.existing(name, on: machine) }
        var groups: [String]?
        if let names = wanted.groups {
            var found: [String] = []
            for name in names where !name.isEmpty { found.append(try Self.existing(name, on: machine).name) }
            groups = found
        }
        if let current {
            modify(current, primary, groups)
            let home = wanted.home ?? current.user.home
            let homeExists = try attempt { () throws(MachineError) in try machine.exists(home) }
            makesHome = wanted.createHome && !homeExists
            if makesHome, steps.isEmpty { note("home folder", "missing", home) }
        } else {
            let own = try attempt { () throws(MachineError) in try machine.group(named: wanted.name) }
            create(primary, groups, ownGroupExists: own != nil)
        }
    }

    private static func existing(_ name: String, on machine: some MachineReader) throws(Failure) -> Group {
        let found = try attempt { () throws(MachineError) in try machine.group(meaning: name) }
        guard let found else { throw Failure("Group \(name) does not exist") }
        return found
    }

    private mutating func note(_ field: String, _ old: String, _ new: String) {
        before += "\(field): \(old)\n"
        after += "\(field): \(new)\n"
    }

    // MARK: A new account

    private mutating func create(_ primary: Group?, _ groups: [String]?, ownGroupExists: Bool) {
        var line = ["useradd"]
        if let uid = wanted.uid { line += ["-u", String(uid)] + (wanted.nonUnique ? ["-o"] : []) }
        if let seuser = wanted.seuser { line += ["-Z", seuser] }
        if let primary { line += ["-g", primary.name] } else if ownGroupExists { line.append("-N") }
        if let groups, !groups.isEmpty {
            line += ["-G", groups.filter { $0 != primary?.name }.joined(separator: ",")]
        }
        if let comment = wanted.comment { line += ["-c", comment] }
        if let home = wanted.home { line += ["-d", home] }
        if let shell = wanted.shell { line += ["-s", shell] }
        if let day = Self.day(wanted.expires) { line += ["-e", Self.date(day)] }
        if let inactive = wanted.passwordExpireAccountDisable { line += ["-f", String(inactive)] }
        if wanted.createHome {
            line.append("-m")
            if let skeleton = wanted.skeleton { line += ["-k", skeleton] }
            if let umask = wanted.umask { line += ["-K", "UMASK=" + umask] }
        } else {
            line.append("-M")
        }
        if wanted.system { line.append("-r") }
        if let least = wanted.uidMin { line += ["-K", "UID_MIN=\(least)"] }
        if let most = wanted.uidMax { line += ["-K", "UID_MAX=\(most)"] }
        steps.append(Step(arguments: line + [wanted.name]))
        after = "user: \(wanted.name)\n"
        if let password = wanted.password { setPassword(password.exposed) }
        age(nil)
    }

    /// The hash goes through standard input: other users see a program's arguments.
    private mutating func setPassword(_ hash: String) {
        let bare = String(hash.drop { $0 == "!" && wanted.passwordLock == true })
        let text = wanted.passwordLock == true ? "!" + bare : hash
        steps.append(Step(arguments: ["chpasswd", "-e"], input: Secret("\(wanted.name):\(text)\n")))
    }

    /// `nil` when the account is not to expire, or nothing is asked for.
    private static func day(_ seconds: Double?) -> Int? {
        guard let seconds, seconds >= 0 else { return nil }
        return Int((seconds / 86400).rounded(.down))
    }

    private static func date(_ day: Int) -> String { LocalTime(Double(day) * 86400, utc: true).date }

    // MARK: An existing account

    private mutating func modify(_ current: AccountRecord, _ primary: Group?, _ groups: [String]?) {
        var line = ["usermod"]
        let user = current.user
        if let uid = wanted.uid, uid != Int(user.id) {
            line += ["-u", String(uid)] + (wanted.nonUnique ? ["-o"] : [])
            note("uid", String(user.id), String(uid))
        }
        if let primary, primary.id != user.group {
            line += ["-g", String(primary.id)]
            note("group", String(user.group), String(primary.id))
        }
        if let groups {
            let missing = groups.filter { !current.groups.contains($0) }
            let extra = current.groups.filter { !groups.contains($0) }
            if !missing.isEmpty || !extra.isEmpty && !wanted.append {
                line += (wanted.append ? ["-a"] : []) + ["-G", groups.joined(separator: ",")]
                note(
                    "groups", current.groups.joined(separator: ","),
                    (wanted.append ? current.groups + missing : groups).joined(separator: ","))
            }
        }
        if let comment = wanted.comment, comment != user.comment {
            line += ["-c", comment]
            note("comment", user.comment, comment)
        }
        if let home = wanted.home, home != user.home {
            line += ["-d", home] + (wanted.moveHome ? ["-m"] : [])
            note("home", user.home, home)
        }
        if let shell = wanted.shell, shell != user.shell {
            line += ["-s", shell]
            note("shell", user.shell, shell)
        }
        expire(current, &line)
        password(current, &line)
        if line.count > 1 { steps.insert(Step(arguments: line + [wanted.name]), at: 0) }
        age(current)
    }

    private mutating func expire(_ current: AccountRecord, _ line: inout [String]) {
        if let seconds = wanted.expires {
            let day = Self.day(seconds)
            let old = current.expires.flatMap { $0 < 0 ? nil : $0 }
            // usermod makes the entry that is missing.
            if day != old || current.lacksShadow {
                line += ["-e", day.map(Self.date) ?? ""]
                note("expires", old.map(Self.date) ?? "never", day.map(Self.date) ?? "never")
            }
        }
        if let inactive = wanted.passwordExpireAccountDisable, inactive != current.inactive ?? -1 {
            line += ["-f", String(inactive)]
            note("disabled after days", String(current.inactive ?? -1), String(inactive))
        }
    }

    private mutating func password(_ current: AccountRecord, _ line: inout [String]) {
        func bare(_ text: String) -> Substring { text.drop { $0 == "!" } }
        if let password = wanted.password, wanted.updatePassword == .always,
            bare(password.exposed) != bare(current.password.exposed) {
            setPassword(password.exposed)
            note("password", "(hidden)", "(hidden, another)")
            return
        }
        guard let lock = wanted.passwordLock, lock != current.isLocked else { return }
        // A password that is only a lock mark cannot be unlocked: there would be none.
        if !lock, bare(current.password.exposed).isEmpty { return }
        line.append(lock ? "-L" : "-U")
        note("password", lock ? "unlocked" : "locked", lock ? "locked" : "unlocked")
    }

    /// The ages of the password.
    private mutating func age(_ current: AccountRecord?) {
        var line = ["chage"]
        for (flag, name, days, old) in [
            ("-m", "least password age", wanted.passwordExpireMin, current?.minimum),
            ("-M", "greatest password age", wanted.passwordExpireMax, current?.maximum),
            ("-W", "days of warning", wanted.passwordExpireWarn, current?.warning),
        ] {
            guard let days, days != old ?? -1 else { continue }
            line += [flag, String(days)]
            note(name, old.map(String.init) ?? "unset", String(days))
        }
        if line.count > 1 { steps.append(Step(arguments: line + [wanted.name])) }
    }

    // MARK: Doing it

    func apply(on editor: any MachineEditor, _ context: Context) throws(Failure) {
        if isNew, wanted.createHome, let home = wanted.home {
            try makeParents(of: home, on: editor)
        }
        for step in steps {
            _ = try runAccountTool(
                step.arguments, input: step.input.exposed, on: editor, context, name: wanted.name)
        }
        if makesHome { try makeHome(on: editor, context) }
    }

    private func makeParents(of path: String, on editor: any MachineEditor) throws(Failure) {
        try attempt { () throws(MachineError) in
            var parent = ""
            for part in path.split(separator: "/").dropLast() {
                parent += "/" + part
                if try !editor.exists(parent) { try editor.makeFolder(parent, mode: 0o755) }
            }
        }
    }

    /// A home folder for a user who has none: a copy of the skeleton, owned by the user.
    private func makeHome(on editor: any MachineEditor, _ context: Context) throws(Failure) {
        let user = try attempt { () throws(MachineError) in try editor.user(named: wanted.name) }
        guard let user else { throw Failure("failed to look up user name: \(wanted.name)") }
        let home = user.home
        if try attempt({ () throws(MachineError) in try editor.exists(home) }) { return }
        try makeParents(of: home, on: editor)
        let skeleton = wanted.skeleton ?? "/etc/skel"
        let hasSkeleton = try attempt { () throws(MachineError) in try editor.exists(skeleton) }
        if hasSkeleton, skeleton != "/dev/null" {
            _ = try runAccountTool(
                ["cp", "-R", "-P", "-T", skeleton, home], on: editor, context, name: wanted.name)
        } else {
            try attempt { () throws(MachineError) in try editor.makeFolder(home, mode: 0o755) }
        }
        let mode = try homeMode(on: editor)
        try attempt { () throws(MachineError) in
            try editor.setAttributes(of: home, Attributes(mode: mode), followingLinks: true)
        }
        _ = try runAccountTool(
            ["chown", "-R", "-h", "\(user.id):\(user.group)", home], on: editor, context, name: wanted.name)
    }

    /// `HOME_MODE` of `/etc/login.defs`, else what its `UMASK` leaves.
    private func homeMode(on machine: any MachineReader) throws(Failure) -> UInt32 {
        if let umask = wanted.umask.flatMap({ UInt32($0, radix: 8) }) { return 0o777 & ~umask }
        var mode: UInt32 = 0o755
        let text = try attempt { () throws(MachineError) in try machine.text(of: "/etc/login.defs") } ?? ""
        for line in text.split(separator: "\n") {
            let words = line.split { $0 == " " || $0 == "\t" }
            guard words.count == 2, let number = UInt32(words[1], radix: 8) else { continue }
            if words[0] == "HOME_MODE" { return number }
            if words[0] == "UMASK" { mode = 0o777 & ~number }
        }
        return mode
    }
}
