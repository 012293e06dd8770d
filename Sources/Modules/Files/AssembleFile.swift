import Crypto
import Machine
import Patterns
import Values

/// `assemble`: one file made of the fragments in a folder.
struct AssembleFile: FileAction {
    var common = FileArguments()
    var source: String = ""
    var dest: FilePath = ""
    var delimiter: String?
    var backup = false
    var remoteSource = true
    var regexp: String?
    var ignoreHidden = false
    var validate: String?
    var follow = false
    var decrypt = true
    init() {}

    static let schema = Schema<AssembleFile>(
        "assemble", "Makes a file of the fragments in a folder, in the order of their names.",
        [
            Parameter("src", \.source, required: true, "The folder that holds the fragments."),
            Parameter("dest", \.dest, required: true, "The file to make."),
            Parameter("delimiter", \.delimiter, "A line between the fragments; \\n and other escapes are read."),
            Parameter("backup", \.backup, default: "false", "Keep a dated copy of a file that is replaced."),
            Parameter("remote_src", \.remoteSource, default: "true", "The folder is on the node, not the controller."),
            Parameter("regexp", \.regexp, "Only fragments whose name this regular expression is found in."),
            Parameter("ignore_hidden", \.ignoreHidden, default: "false", "Leave out names that start with a dot."),
            Parameter("validate", \.validate, "A command that may refuse the new content, with %s for its path."),
            Parameter("follow", \.follow, default: "false", "Write through a link at the destination."),
            Parameter("decrypt", \.decrypt, default: "true", "Decrypt fragments of the controller that are vaulted."),
        ] + commonRows,
        options: SchemaOptions(
            returns: [
                ("dest", "The path written."), ("src", "The folder."), ("checksum", "SHA-1 of the content."),
                ("md5sum", "MD5 of the content."), ("backup_file", "The copy that was kept."),
                ("owner", "Owner, likewise group, uid, gid, mode, size, state."),
            ],
            examples: """
                - name: The configuration of its parts
                  ansible.builtin.assemble:
                    src: /etc/app/conf.d
                    dest: /etc/app/app.conf
                    delimiter: '### next part ###'
                """))

    func plan(on machine: some MachineReader, _ context: Context) throws(Failure) -> FilePlan {
        let dest = try dest.expanded(on: machine, context)
        let (bytes, folder) = try remoteSource ? ofNode(on: machine, context) : ofController(context)
        var planner = ContentPlanner(common, context)
        planner.follow = follow
        planner.plan.validate = validate
        planner.plan.refusal = { done in
            Failure(
                "failed to validate: rc:\(done.status) error:\(done.errorText)",
                result: [
                    "validation": [
                        "rc": .int(Int(done.status)), "stdout": .string(done.outputText),
                        "stderr": .string(done.errorText),
                    ]
                ])
        }
        if let validate, !validate.contains("%s") { throw Failure("validate must contain %s: \(validate)") }
        try planner.put(.init(source: .bytes(bytes), origin: folder, mode: common.mode), at: dest, on: machine)
        if backup { planner.plan.backup = planner.plan.shown }
        planner.plan.result["src"] = .string(folder)
        planner.plan.result["checksum"] = .string(DigestAlgorithm.sha1.hex(of: bytes))
        planner.plan.result["md5sum"] = .string(DigestAlgorithm.md5.hex(of: bytes))
        planner.plan.result["msg"] = "OK"
        return planner.plan
    }

    private func ofNode(
        on machine: some MachineReader, _ context: Context
    ) throws(Failure) -> (bytes: [UInt8], folder: String) {
        let folder = try FilePath(stringLiteral: source).expanded(on: machine, context)
        let found = try attempt { () throws(MachineError) in try machine.status(of: folder, followingLinks: true) }
        guard let found else { throw Failure("Source (\(folder)) does not exist") }
        if found.kind != .folder { throw Failure("Source (\(folder)) is not a directory") }
        var fragments: [[UInt8]] = []
        for name in try selected(try attempt { () throws(MachineError) in try machine.names(in: folder) ?? [] }) {
            let bytes = try attempt { () throws(MachineError) -> [UInt8]? in
                let path = joinPath(folder, name)
                guard try machine.status(of: path, followingLinks: true)?.kind == .file else { return nil }
                return try machine.contents(of: path)
            }
            if let bytes { fragments.append(bytes) }
        }
        return (joined(fragments), folder)
    }

    private func ofController(_ context: Context) throws(Failure) -> (bytes: [UInt8], folder: String) {
        let root = try context.courier.file(source, kind: .file, isSealed: !decrypt)
        guard let children = root.children else { throw Failure("Source (\(root.path)) is not a directory") }
        let files = children.filter { $0.children == nil && !$0.path.contains("/") }
        var fragments: [[UInt8]] = []
        for name in try selected(files.map(\.path)) {
            guard var file = files.first(where: { $0.path == name }) else { continue }
            file.path = root.path + "/" + name
            fragments.append(try context.courier.contents(of: file))
        }
        return (joined(fragments), root.path)
    }

    private func selected(_ names: [String]) throws(Failure) -> [String] {
        var selected: [String] = []
        var pattern: Pattern?
        if let regexp {
            do { pattern = try Pattern(regexp) } catch { throw Failure("Invalid Regexp (\(error)) in \"\(regexp)\"") }
        }
        for name in names.sorted() where !(ignoreHidden && name.hasPrefix(".")) {
            if let pattern, try pattern.found(in: Array(name.utf8)) == nil { continue }
            selected.append(name)
        }
        return selected
    }

    /// Each fragment, and between two of them a line end where one is missing and the delimiter.
    private func joined(_ fragments: [[UInt8]]) -> [UInt8] {
        let mark = delimiter.map { Array(unescaped($0).utf8) }
        let newline = UInt8(ascii: "\n")
        var all: [UInt8] = []
        for (index, fragment) in fragments.enumerated() {
            if index > 0 {
                if fragments[index - 1].last != newline { all.append(newline) }
                if let mark, !mark.isEmpty { all += mark.last == newline ? mark : mark + [newline] }
            }
            all += fragment
        }
        return all
    }

    private func unescaped(_ text: String) -> String {
        let known: [Character: Character] = ["n": "\n", "t": "\t", "r": "\r", "\\": "\\", "'": "'", "\"": "\""]
        var out = ""
        var rest = text[...]
        while let character = rest.popFirst() {
            if character == "\\", let next = rest.first, let plain = known[next] {
                out.append(plain)
                rest.removeFirst()
            } else {
                out.append(character)
            }
        }
        return out
    }
}
