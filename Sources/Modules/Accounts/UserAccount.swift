import Machine
import Values

/// `user`: an account.
struct UserAccount: Action {
    enum State: String, CaseIterable, Choice { case absent, present }
    enum PasswordUpdate: String, CaseIterable, Choice {
        case always
        case onCreate = "on_create"
    }

    var name = ""
    var state = State.present
    var uid: Int?
    var nonUnique = false
    var group: String?
    var groups: [String]?
    var append = false
    var comment: String?
    var home: String?
    var moveHome = false
    var createHome = true
    var skeleton: String?
    var shell: String?
    var system = false
    var password: Secret?
    var updatePassword = PasswordUpdate.always
    var passwordLock: Bool?
    var passwordExpireMax: Int?
    var passwordExpireMin: Int?
    var passwordExpireWarn: Int?
    var passwordExpireAccountDisable: Int?
    var expires: Double?
    var umask: String?
    var uidMin: Int?
    var uidMax: Int?
    var seuser: String?
    var local = false
    var force = false
    var remove = false
    var key = UserKey()
    /// Parameters for other systems, taken and without effect on Linux.
    var foreign: String?
    var hidden: Bool?
    init() {}

    static let schema = Schema<UserAccount>(
        "user", "Manages user accounts.", rows + passwordRows + UserKey.rows.map { Parameter($0, in: \.key) },
        options: SchemaOptions(
            returns: [
                ("name", "The user."), ("state", "The state asked for."), ("uid", "The user's number."),
                ("group", "The number of the primary group."), ("groups", "The groups asked for."),
                ("comment", "The comment."), ("home", "The home folder."), ("shell", "The shell."),
                ("ssh_key_file", "The key's path."), ("ssh_public_key", "The public key."),
                ("ssh_fingerprint", "The key's fingerprint."),
            ],
            examples: """
                - name: A user for the application
                  ansible.builtin.user:
                    name: app
                    system: true
                    home: /srv/app
                    shell: /usr/sbin/nologin

                - name: An administrator
                  ansible.builtin.user:
                    name: ada
                    groups: [sudo, docker]
                    append: true
                    password: "{{ ada_password | password_hash('sha512') }}"
                    update_password: on_create
                """,
            notes: ["The password is a hash; it never appears among a program's arguments."]))

    private static let rows: [Parameter<UserAccount>] = [
        Parameter("name", \.name, aliases: ["user"], required: true, "The user."),
        Parameter("state", \.state, default: "present", "Whether the user is there."),
        Parameter("uid", \.uid, "The user's number; unset takes the next free one."),
        Parameter("non_unique", \.nonUnique, default: "false", "Allow a number that another user has."),
        Parameter("group", \.group, "The primary group: name or number."),
        Parameter("groups", \.groups, "Further groups; an empty list leaves all of them."),
        Parameter("append", \.append, default: "false", "Keep groups that are not named."),
        Parameter("comment", \.comment, "The comment (GECOS)."),
        Parameter("home", \.home, "The home folder."),
        Parameter("move_home", \.moveHome, default: "false", "Move the old home folder's content to a new home."),
        Parameter(
            "create_home", \.createHome, aliases: ["createhome"], default: "true", "Create a missing home folder."),
        Parameter("skeleton", \.skeleton, "Folder that a new home folder is a copy of."),
        Parameter("shell", \.shell, "The login shell."),
        Parameter("system", \.system, default: "false", "Take a number of the system's range, for a new user."),
        Parameter("umask", \.umask, "Mask for the mode of a new home folder."),
        Parameter("uid_min", \.uidMin, "Lowest number to take."),
        Parameter("uid_max", \.uidMax, "Highest number to take."),
        Parameter("seuser", \.seuser, "The SELinux user, for a new user."),
        Parameter("local", \.local, default: "false", "Look only into /etc/passwd, whatever a directory says."),
        Parameter("force", \.force, default: "false", "Remove a user who is logged in; overwrite an SSH key."),
        Parameter("remove", \.remove, default: "false", "Remove the home folder and mail with the user."),
        Parameter("hidden", \.hidden, "For macOS only."),
        Parameter("login_class", \.foreign, "For BSD only."),
        Parameter("profile", \.foreign, "For Solaris only."),
        Parameter("authorization", \.foreign, "For Solaris only."),
        Parameter("role", \.foreign, "For Solaris only."),
    ]

    private static let passwordRows: [Parameter<UserAccount>] = [
        Parameter("password", \.password, "The password's hash."),
        Parameter(
            "update_password", \.updatePassword, default: "always",
            "Whether the password of an existing user is set too."),
        Parameter("password_lock", \.passwordLock, "Lock the password, or unlock it."),
        Parameter("password_expire_max", \.passwordExpireMax, "Days until the password must be changed."),
        Parameter("password_expire_min", \.passwordExpireMin, "Days before the password may be changed again."),
        Parameter("password_expire_warn", \.passwordExpireWarn, "Days of warning before the password must be changed."),
        Parameter(
            "password_expire_account_disable", \.passwordExpireAccountDisable,
            "Days after that until the account is disabled."),
        Parameter("expires", \.expires, "When the account expires, in seconds since 1970; negative: never."),
    ]

    func run(on machine: some MachineReader, _ context: Context) throws(Failure) -> Outcome {
        var own = self
        try attempt { () throws(MachineError) in
            own.shell = try shell.map { (path) throws(MachineError) in
                try machine.expanded(path, context.environment)
            }
            own.home = try home.map { (path) throws(MachineError) in try machine.expanded(path, context.environment) }
        }
        return try own.manage(on: machine, context)
    }

    private func manage(on machine: some MachineReader, _ context: Context) throws(Failure) -> Outcome {
        let others = [("umask", umask != nil), ("uid_min", uidMin != nil), ("uid_max", uidMax != nil)]
        if local, let other = others.first(where: \.1) {
            throw Failure("'\(other.0)' can not be used with 'local'")
        }
        var warnings = hashWarnings
        if append, groups == nil {
            warnings.append(
                "'append' is set, but no 'groups' are specified. Use 'groups' for appending new groups."
                    + "This will change to an error in Ansible 2.14.")
        }
        let before = try record(on: machine)
        var result: Dict = ["name": .string(name), "state": .string(state.rawValue)]
        if state == .absent {
            guard before != nil else { return Outcome(result, warnings: warnings) }
            guard let editor = try context.editor() else { return Outcome(changed: true, result, warnings: warnings) }
            let command = ["userdel"] + (force ? ["-f"] : []) + (remove ? ["-r"] : []) + [name]
            let done = try runAccountTool(command, on: editor, context, name: name)
            if !done.output.isEmpty { result.setStdout(done.outputText) }
            if !done.errors.isEmpty { result.setStderr(done.errorText) }
            result["force"] = .bool(force)
            result["remove"] = .bool(remove)
            return Outcome(changed: true, result, warnings: warnings)
        }
        return try present(before, result, warnings, on: machine, context)
    }

    private func present(
        _ before: AccountRecord?, _ start: Dict, _ startWarnings: [String], on machine: some MachineReader,
        _ context: Context
    ) throws(Failure) -> Outcome {
        var result = start
        var warnings = startWarnings
        let changes: AccountChanges
        do {
            changes = try AccountChanges(self, before, on: machine)
        } catch {
            // An earlier task may create the group.
            guard context.checkMode else { throw error }
            return Outcome(changed: true, result, warnings: warnings + ["would change (\(error.message))"])
        }
        if password != nil { result["password"] = "NOT_LOGGING_PASSWORD" }
        if before == nil {
            result["system"] = .bool(system)
            result["create_home"] = .bool(createHome)
        } else {
            result["append"] = .bool(append)
            result["move_home"] = .bool(moveHome)
        }
        var changed = !changes.steps.isEmpty || changes.makesHome
        let diff = context.diffMode && changed ? [Diff(before: changes.before, after: changes.after)] : []
        var after = before
        if changed, let editor = try context.editor() {
            try changes.apply(on: editor, context)
            after = try record(on: editor)
            let rest = try AccountChanges(self, after, on: editor)
            guard after != nil, rest.steps.isEmpty else {
                throw Failure("the change of user '\(name)' did not hold: \(rest.after.trimmed)")
            }
        }
        if let user = after?.user {
            result["uid"] = .int(Int(user.id))
            result["group"] = .int(Int(user.group))
            result["comment"] = .string(user.comment)
            result["home"] = .string(user.home)
            result["shell"] = .string(user.shell)
            if let groups { result["groups"] = .string(groups.joined(separator: ",")) }
            if key.generate {
                changed = try key.provide(for: user, force: force, on: machine, context, &result, &warnings) || changed
            }
        }
        return Outcome(changed: changed, result, diff: diff, warnings: warnings)
    }

    private func record(on machine: some MachineReader) throws(Failure) -> AccountRecord? {
        try attempt { () throws(MachineError) in try machine.account(named: name, local: local) }
    }

    /// A password that is no hash would lock the user out, and be readable in `/etc/shadow`.
    private var hashWarnings: [String] {
        guard let text = password?.exposed, !text.isEmpty, !["*", "!", "*************"].contains(text) else {
            return []
        }
        let fields = text.split(separator: "$", omittingEmptySubsequences: false).map(String.init)
        let lengths = ["1": 22, "5": 43, "6": 86, "y": 43]
        let last = fields.last ?? ""
        let isHash =
            fields.count >= 3 && !text.contains { ":*!".contains($0) }
            && last.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "./=".contains($0)) }
            && lengths[fields[1]].map { $0 == last.count } ?? true
        if isHash { return [] }
        return [
            "The input password appears not to have been hashed. The 'password' argument must be encrypted for this "
                + "module to work properly."
        ]
    }
}
