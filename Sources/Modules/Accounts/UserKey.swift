import Machine
import Values

/// The SSH key of a user, made by `ssh-keygen`.
struct UserKey: Sendable {
    var generate = false
    var bits = 0
    var type = "rsa"
    var file: String?
    var comment: String?
    var passphrase: Secret?

    static let rows: [Parameter<UserKey>] = [
        Parameter(
            "generate_ssh_key", \.generate, default: "false", "Make an SSH key for the user, when there is none."),
        Parameter("ssh_key_bits", \.bits, default: "0", "Bits of the key; 0 leaves it to ssh-keygen."),
        Parameter("ssh_key_type", \.type, default: "rsa", "Kind of the key."),
        Parameter("ssh_key_file", \.file, "The key's path, from the home folder on; .ssh/id_TYPE when unset."),
        Parameter("ssh_key_comment", \.comment, default: "ansible-generated on $HOSTNAME", "The key's comment."),
        Parameter("ssh_key_passphrase", \.passphrase, "The key's passphrase."),
    ]

    /// Makes the key when it is missing and tells about it in the result; whether something changed.
    func provide(
        for user: User, force: Bool, on machine: some MachineReader, _ context: Context, _ result: inout Dict,
        _ warnings: inout [String]
    ) throws(Failure) -> Bool {
        let name = file ?? ".ssh/id_" + type
        let path = name.hasPrefix("/") ? name : user.home + "/" + name
        result["ssh_key_file"] = .string(path)
        var exists = try attempt { () throws(MachineError) in
            let found = [try machine.exists(path), try machine.exists(path + ".pub")]
            return found.contains(true)
        }
        var changed = false
        if exists, !force {
            warnings.append(
                "Found existing ssh key private file \"\(path)\", no force, so skipping ssh-keygen generation")
        } else {
            changed = true
            if exists { warnings.append("Overwriting existing ssh key private file \"\(path)\"") }
            if let editor = try context.editor() {
                try make(path, for: user, on: editor, context)
                exists = true
            }
        }
        guard exists else { return changed }
        let shown = try attempt { () throws(MachineError) in
            try machine.inspect(Command(["ssh-keygen", "-l", "-f", path], environment: context.environment))
        }
        result["ssh_fingerprint"] = .string((shown.status == 0 ? shown.outputText : shown.errorText).trimmed)
        let key = try attempt { () throws(MachineError) in try machine.text(of: path + ".pub") }
        result["ssh_public_key"] = .optional(key?.trimmed)
        return changed
    }

    private func make(_ path: String, for user: User, on editor: any MachineEditor, _ context: Context) throws(Failure)
    {
        let folder = path.split(separator: "/").dropLast().map { "/" + $0 }.joined()
        let owner = Attributes(owner: user.id, group: user.group)
        try attempt { () throws(MachineError) in
            if try !editor.exists(user.home) { throw MachineError("User \(user.name) home directory does not exist") }
            if try !editor.exists(folder) {
                try editor.makeFolder(folder, mode: 0o700)
                try editor.setAttributes(of: folder, owner, followingLinks: false)
            }
            try editor.remove(path)
            try editor.remove(path + ".pub")
        }
        var line = ["ssh-keygen", "-q", "-t", type]
        if bits > 0 { line += ["-b", String(bits)] }
        line += ["-C", comment ?? "ansible-generated on \(editor.identity.hostName)", "-f", path]
        guard let passphrase else {
            _ = try runAccountTool(line + ["-N", ""], on: editor, context, name: user.name)
            return try own(path, owner, on: editor)
        }
        // ssh-keygen asks a program for the passphrase: an argument could be read by everyone.
        let scratch = try attempt { () throws(MachineError) in
            try editor.makeTemporary(folder: true, in: nil, prefix: "gantry-", suffix: "")
        }
        defer { try? editor.remove(scratch) }
        let script = scratch + "/ask"
        try attempt { () throws(MachineError) in
            try editor.replace(
                script, with: Array("#!/bin/sh\nprintf '%s\\n' \"$GANTRY_PASSPHRASE\"\n".utf8),
                attributes: Attributes(mode: 0o700))
        }
        var asking = context
        asking.environment.merge([
            "SSH_ASKPASS": script, "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": ":0",
            "GANTRY_PASSPHRASE": passphrase.exposed,
        ]) { $1 }
        _ = try runAccountTool(line, on: editor, asking, name: user.name)
        try own(path, owner, on: editor)
    }

    private func own(_ path: String, _ owner: Attributes, on editor: any MachineEditor) throws(Failure) {
        try attempt { () throws(MachineError) in
            try editor.setAttributes(of: path, owner, followingLinks: false)
            try editor.setAttributes(of: path + ".pub", owner, followingLinks: false)
        }
    }
}
