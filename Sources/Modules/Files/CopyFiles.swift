import Crypto
import Machine
import Values

/// `copy`: files of the controller or of the node, or a given text.
struct CopyFiles: FileAction {
    var common = FileArguments()
    var source: String?
    var content: Value?
    var dest: FilePath = ""
    var backup = false
    var force = true
    var follow = false
    var remoteSource = false
    var localFollow: Bool?
    var directoryMode: FileMode?
    var validate: String?
    var checksum: String?
    var decrypt = true
    init() {}

    static let schema = Schema<CopyFiles>(
        "copy", "Copies files to the node, or writes a text into one.",
        [
            Parameter(
                "src", \.source,
                "A file or folder of the controller; a folder that ends with '/' gives what is in it, without itself."),
            Parameter("content", \.content, "The text to write instead; a mapping or list becomes JSON."),
            Parameter(
                "dest", \.dest, required: true,
                "Where it goes; a path that ends with '/' is a folder, made when missing."),
            Parameter("backup", \.backup, default: "false", "Keep a dated copy of a file that is replaced."),
            Parameter("force", \.force, aliases: ["thirsty"], default: "true", "Replace a file whose content differs."),
            Parameter("follow", \.follow, default: "false", "Write through a link at the destination."),
            Parameter("remote_src", \.remoteSource, default: "false", "The source is on the node itself."),
            Parameter(
                "local_follow", \.localFollow, default: "true",
                "Copy what links in a source folder point to, not the links."),
            Parameter("directory_mode", \.directoryMode, "The mode of folders that are made."),
            Parameter(
                "validate", \.validate,
                "A command that may refuse the new content, with %s for its path: 'visudo -cf %s'."),
            Parameter("checksum", \.checksum, "The SHA-1 that the content must have."),
            Parameter("decrypt", \.decrypt, default: "true", "Decrypt a source that is vaulted."),
        ] + commonRows,
        options: SchemaOptions(
            mutuallyExclusive: [["src", "content"]], requiredOneOf: [["src", "content"]],
            returns: [
                ("dest", "The path written."), ("src", "Where the content came from."),
                ("checksum", "SHA-1 of the content."), ("md5sum", "MD5 of the content, when it changed."),
                ("backup_file", "The copy that was kept."),
                ("owner", "Owner, likewise group, uid, gid, mode, size, state."),
            ],
            examples: """
                - name: Trust the registry
                  ansible.builtin.copy:
                    src: ca.crt
                    dest: /etc/docker/certs.d/registry.example:5000/
                    mode: "0644"

                - name: Settings from variables
                  ansible.builtin.copy:
                    content: "{{ settings }}"
                    dest: /etc/app/settings.json
                    validate: /usr/bin/jq . %s
                """,
            notes: [
                "Digests are compared first: content that the node has already does not travel.",
                "The file is replaced by a rename in the same folder, with its owner and mode set before.",
            ], missing: "dest is required", noneGiven: "src (or content) is required",
            untold: ["content"]))

    func plan(on machine: some MachineReader, _ context: Context) throws(Failure) -> FilePlan {
        let dest = try dest.expanded(on: machine, context)
        if content == nil, (source ?? "").isEmpty { throw Failure("src (or content) is required") }
        if dest.isEmpty { throw Failure("dest is required") }
        var planner = ContentPlanner(common, context)
        planner.follow = follow
        planner.force = force
        planner.directoryMode = directoryMode
        planner.plan.validate = validate
        if let content {
            if dest.hasSuffix("/") { throw Failure("can not use content with a dir as dest") }
            let text: String =
                switch content {
                case .list, .dict: content.json()
                default: content.pythonText
                }
            try planner.put(
                .init(source: .bytes(Array(text.utf8)), mode: fileMode(nil), checksum: checksum), at: dest, on: machine)
        } else if remoteSource {
            try planNodeSource(&planner, dest, on: machine, context)
        } else {
            let file = try context.courier.file(source ?? "", kind: .file, isSealed: !decrypt)
            if let children = file.children {
                try planFolder(&planner, file, children, dest, on: machine)
            } else {
                let content = ContentPlanner.Content(
                    source: .controller(file), name: splitPath(file.path).name, origin: file.path,
                    mode: fileMode(file.mode), checksum: checksum)
                try planner.put(content, at: dest, on: machine)
            }
        }
        if backup { planner.plan.backup = planner.plan.shown }
        planner.plan.digests = [("checksum", .sha1)]
        if planner.plan.result["src"] != nil || content != nil { planner.plan.digests.append(("md5sum", .md5)) }
        return planner.finished
    }

    private func fileMode(_ source: UInt32?) -> FileMode? {
        common.mode == .preserve ? source.map { .bits($0 & 0o7777) } : common.mode
    }

    /// A folder of the controller, file by file.
    private func planFolder(
        _ planner: inout ContentPlanner, _ root: ControllerFile, _ children: [ControllerFile], _ dest: String,
        on machine: some MachineReader
    ) throws(Failure) {
        let base = source?.hasSuffix("/") == true ? "" : splitPath(root.path).name + "/"
        let folder = dest.hasSuffix("/") ? dest : dest + "/"
        // A link that leads to nothing stays a link.
        let links = children.filter { file in
            file.target != nil && (localFollow == false || file.digest.isEmpty && file.children == nil)
        }
        func isBelowLink(_ file: ControllerFile) -> Bool { links.contains { file.path.hasPrefix($0.path + "/") } }
        let own = children.filter { file in
            !isBelowLink(file) && !links.contains { $0.path == file.path }
        }
        let folders = own.filter { $0.children != nil }
        let files = own.filter { $0.children == nil }
        planner.follow = folders.isEmpty && follow
        for file in files {
            let content = ContentPlanner.Content(
                source: .controller(file), name: base + file.path, origin: root.path + "/" + file.path,
                mode: fileMode(file.mode))
            try planner.put(content, at: folder, on: machine)
        }
        if !base.isEmpty && files.isEmpty { try planner.putFolder(folder + base.dropLast(), on: machine) }
        for child in folders { try planner.putFolder(folder + base + child.path, on: machine) }
        for link in links where !isBelowLink(link) {
            try planner.putLink(folder + base + link.path, to: link.target ?? "", on: machine)
        }
        if files.count == 1 { return }
        planner.plan.result = ["dest": .string(folder), "src": .string(root.path)]
        planner.plan.shown = nil
    }

    // MARK: Sources on the node

    private func planNodeSource(
        _ planner: inout ContentPlanner, _ dest: String, on machine: some MachineReader, _ context: Context
    ) throws(Failure) {
        let path = try FilePath(stringLiteral: source ?? "").expanded(on: machine, context)
        let found = try attempt { () throws(MachineError) in try machine.status(of: path, followingLinks: true) }
        guard let found else {
            if !context.checkMode { throw Failure("Source \(path) not found") }
            planner.plan.needs.append("file '\(path)'")
            return
        }
        if found.kind == .folder { return try planTree(&planner, path, dest, found, on: machine, context) }
        if found.kind != .file { throw Failure("Cannot copy invalid source '\(path)': not a file") }
        let content = ContentPlanner.Content(
            source: .node(path), name: splitPath(path).name, origin: path, mode: fileMode(found.mode),
            checksum: checksum)
        try planner.put(content, at: dest, on: machine)
        planner.plan.result["src"] = .string(path)
    }

    private func planTree(
        _ planner: inout ContentPlanner, _ source: String, _ dest: String, _ found: FileStatus,
        on machine: some MachineReader, _ context: Context
    ) throws(Failure) {
        var root = source
        while root.count > 1, root.hasSuffix("/") { root.removeLast() }
        let target = source.hasSuffix("/") ? dest : joinPath(dest, splitPath(root).name)
        try planLevel(&planner, root, target.hasSuffix("/") ? String(target.dropLast()) : target, on: machine, depth: 0)
        if let now = try attempt({ () throws(MachineError) in try machine.status(of: target, followingLinks: true) }),
            let mode = fileMode(found.mode)
        {
            var settled = AttributePlan(common, context)
            try settled.settle(target, now, mode: mode, on: machine)
            planner.plan.steps += settled.steps
        }
        planner.plan.result = ["dest": .string(dest), "src": .string(source)]
        planner.plan.shown = nil
    }

    /// One folder of a tree on the node and all below it.
    private func planLevel(
        _ planner: inout ContentPlanner, _ source: String, _ target: String, on machine: some MachineReader, depth: Int
    ) throws(Failure) {
        if depth > 100 {
            throw Failure("\(source) is more than 100 folders deep: a link in it may point to a folder above")
        }
        let status = try attempt { () throws(MachineError) in try machine.status(of: source, followingLinks: true) }
        planner.directoryMode = status.map { .bits($0.mode) }
        let isThere = try attempt { () throws(MachineError) in try machine.exists(target) }
        // A folder that is there keeps its mode; only its owner is set.
        if isThere { planner.directoryMode = nil }
        try planner.putFolder(target, on: machine)
        for name in try attempt({ () throws(MachineError) in try machine.names(in: source) }) ?? [] {
            let from = joinPath(source, name)
            let to = joinPath(target, name)
            let (own, real) = try attempt { () throws(MachineError) in
                (try machine.status(of: from), try machine.status(of: from, followingLinks: true))
            }
            guard let own else { continue }
            if own.kind == .link, localFollow != true || real == nil {
                let link = try attempt { () throws(MachineError) in try machine.linkTarget(of: from) }
                try planner.putLink(to, to: link ?? "", on: machine)
            } else if real?.kind == .folder {
                try planLevel(&planner, from, to, on: machine, depth: depth + 1)
            } else if let real, real.kind == .file {
                try planNodeFile(&planner, from, to, real, on: machine)
            }
        }
    }

    private func planNodeFile(
        _ planner: inout ContentPlanner, _ source: String, _ target: String, _ found: FileStatus,
        on machine: some MachineReader
    ) throws(Failure) {
        let isThere = try attempt { () throws(MachineError) in try machine.exists(target) }
        // A file whose content is as wanted keeps its mode.
        let mode: FileMode? = isThere ? nil : .bits(found.mode)
        try planner.put(
            .init(source: .node(source), name: splitPath(source).name, origin: source, mode: mode), at: target,
            on: machine)
    }
}
