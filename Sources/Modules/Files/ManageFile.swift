import Machine
import Values

/// `file`: that a path is a file, folder, link or nothing, and whose it is.
struct ManageFile: FileAction {
    enum State: String, CaseIterable, Choice { case absent, directory, file, hard, link, touch }

    var common = FileArguments()
    var path: FilePath = ""
    var state: State?
    var source: FilePath?
    var recurse = false
    var force = false
    var follow = true
    var modificationTime: String?
    var modificationFormat = "%Y%m%d%H%M.%S"
    var accessTime: String?
    var accessFormat = "%Y%m%d%H%M.%S"
    var peek: Bool?
    init() {}

    static let schema = Schema<ManageFile>(
        "file", "Makes or removes files, folders and links, and sets whose they are.",
        [
            Parameter("path", \.path, aliases: ["dest", "name"], required: true, "The path to manage."),
            Parameter(
                "state", \.state, default: "file, or what is there",
                "absent removes; directory makes folders; file only sets attributes; hard and link make links; "
                    + "touch makes an empty file or updates its times."),
            Parameter("src", \.source, "What a link points to; a hard link's other name."),
            Parameter("recurse", \.recurse, default: "false", "Set the attributes of all that is in the folder too."),
            Parameter("force", \.force, default: "false", "Make a link to nothing, or in place of a file."),
            Parameter("follow", \.follow, default: "true", "Work on what a link points to."),
            Parameter("modification_time", \.modificationTime, "preserve, now, or a time."),
            Parameter(
                "modification_time_format", \.modificationFormat, default: "%Y%m%d%H%M.%S",
                "How that time is written."),
            Parameter("access_time", \.accessTime, "preserve, now, or a time."),
            Parameter("access_time_format", \.accessFormat, default: "%Y%m%d%H%M.%S", "How that time is written."),
            Parameter("_diff_peek", \.peek, "Only tell whether the start of the file looks binary."),
        ] + commonRows,
        options: SchemaOptions(
            returns: [
                ("path", "The path, for states absent, directory and file."),
                ("dest", "The path, for states hard, link and touch."), ("src", "What a link points to."),
                ("state", "What it is now: absent, directory, file, hard or link."),
                ("owner", "Owner, likewise group, uid, gid, mode, size."),
            ],
            examples: """
                - name: A folder for the application
                  ansible.builtin.file:
                    path: /opt/app/data
                    state: directory
                    owner: app
                    mode: "0750"

                - name: The current release
                  ansible.builtin.file:
                    src: /opt/app/releases/42
                    dest: /opt/app/current
                    state: link
                """))

    func plan(on machine: some MachineReader, _ context: Context) throws(Failure) -> FilePlan {
        let strangers = context.checkMode ? try common.strangers(on: machine) : []
        do throws(Failure) {
            var plan = try statePlan(on: machine, context)
            plan.warnings += strangers
            return plan
        } catch {
            var failure = error
            failure.warnings += strangers
            throw failure
        }
    }

    private func statePlan(on machine: some MachineReader, _ context: Context) throws(Failure) -> FilePlan {
        var target = try path.expanded(on: machine, context)
        let linked = try source.map { (path) throws(Failure) in try path.expanded(on: machine, context) }
        if target.count > 1, target.hasSuffix("/") { target = trimmed(target) }
        if state != .link, state != .absent, let linked,
            try status(target, on: machine, following: true)?.kind == .folder
        {
            target = joinPath(target, splitPath(linked).name)
        }
        let found = try status(target, on: machine)
        if peek != nil {
            var plan = FilePlan()
            let start = try? machine.contents(of: target)?.prefix(8192)
            plan.result = ["path": .string(target), "appears_binary": .bool(start?.contains(0) ?? false)]
            return plan
        }
        let state =
            state ?? State(rawValue: stateName(found) == "absent" ? recurse ? "directory" : "file" : stateName(found))
        let problem: Dict = ["path": .string(target)]
        if recurse, state != .directory {
            throw Failure("recurse option requires state to be 'directory'", result: problem)
        }
        if linked != nil, state != .link, state != .hard {
            throw Failure("src option requires state to be 'link' or 'hard'", result: problem)
        }
        if common.mode == .preserve { throw Failure("mode 'preserve' is for copied files only", result: problem) }
        var plan: FilePlan
        switch state ?? .file {
        case .absent: plan = try removal(target, found, on: machine)
        case .directory: plan = try folder(target, found, on: machine, context)
        case .file: plan = try attributes(target, found, on: machine, context)
        case .touch: plan = try touch(target, found, on: machine, context)
        case .link: plan = try link(target, found, to: linked, on: machine, context)
        case .hard: plan = try hardLink(target, found, to: linked, on: machine, context)
        }
        if plan.shown == nil, state != .absent { plan.shown = (plan.result["path"] ?? plan.result["dest"])?.text }
        return plan
    }

    private func trimmed(_ path: String) -> String {
        var path = path
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        return path
    }

    func status(_ path: String, on machine: some MachineReader, following: Bool = false) throws(Failure) -> FileStatus?
    {
        try attempt { () throws(MachineError) in try machine.status(of: path, followingLinks: following) }
    }

    /// The two sides of the diff before anything is known but the states.
    func start(_ path: String, _ before: String, _ after: String, _ context: Context) -> AttributePlan {
        var plan = AttributePlan(common, context)
        plan.before = ["path": .string(path)]
        plan.after = ["path": .string(path)]
        if before != after {
            plan.before["state"] = .string(before)
            plan.after["state"] = .string(after)
        }
        return plan
    }

    func finished(_ settled: AttributePlan, _ result: Dict, before steps: [FileStep] = []) -> FilePlan {
        var plan = FilePlan()
        plan.steps = steps + settled.steps
        plan.needs = settled.needs
        plan.result = result
        if settled.context.diffMode { plan.result["diff"] = settled.diff().value }
        if !plan.steps.isEmpty || !plan.needs.isEmpty { plan.diff = [settled.diff()] }
        return plan
    }

    private func removal(_ path: String, _ found: FileStatus?, on machine: some MachineReader) throws(Failure)
        -> FilePlan
    {
        var plan = FilePlan()
        plan.result = ["path": .string(path), "state": "absent"]
        guard let found else { return plan }
        var before: Dict = ["path": .string(path), "state": .string(stateName(found))]
        if found.kind == .folder {
            var folders: [Value] = []
            var files: [Value] = []
            try walk(path, on: machine) { (entry, status) throws(Failure) in
                let isFolder = try self.status(entry, on: machine, following: true)?.kind == .folder
                if isFolder { folders.append(.string(entry)) } else { files.append(.string(entry)) }
            }
            before["path_content"] = ["directories": .list(folders), "files": .list(files)]
        }
        plan.steps = [.remove(path)]
        plan.diff = [Diff(before: before, after: ["path": .string(path), "state": "absent"])]
        return plan
    }

    /// Visits all below a folder, a folder's entries before those of the folders in it. Links are not entered.
    func walk(
        _ folder: String, on machine: some MachineReader, _ visit: (String, FileStatus) throws(Failure) -> Void
    ) throws(Failure) {
        let names = try attempt { () throws(MachineError) in try machine.names(in: folder) } ?? []
        var folders: [String] = []
        for name in names {
            let path = joinPath(folder, name)
            guard let found = try status(path, on: machine) else { continue }
            try visit(path, found)
            if found.kind == .folder { folders.append(path) }
        }
        for path in folders { try walk(path, on: machine, visit) }
    }

    private func attributes(
        _ path: String, _ found: FileStatus?, on machine: some MachineReader, _ context: Context
    ) throws(Failure) -> FilePlan {
        var path = path
        var found = found
        if follow, found?.kind == .link {
            path = try realPath(of: path, on: machine)
            found = try status(path, on: machine)
        }
        var settled = start(path, "file", "file", context)
        guard let found else {
            if !context.checkMode {
                throw Failure(
                    "file (\(path)) is absent, cannot continue", result: ["path": .string(path), "state": "absent"])
            }
            settled.needs.append("file '\(path)'")
            return finished(settled, ["path": .string(path)])
        }
        let state = stateName(found)
        if state != "file" && state != "hard" {
            throw Failure(
                "file (\(path)) is \(state), cannot continue", result: ["path": .string(path), "state": .string(state)])
        }
        settled = start(path, state, "file", context)
        try settled.settle(path, found, mode: common.mode, on: machine)
        try settleTimes(&settled, path, found, on: machine)
        return finished(settled, ["path": .string(path)])
    }

    private func folder(
        _ path: String, _ found: FileStatus?, on machine: some MachineReader, _ context: Context
    ) throws(Failure) -> FilePlan {
        var path = path
        var found = found
        if follow, found?.kind == .link {
            path = try realPath(of: path, on: machine)
            found = try status(path, on: machine)
        }
        let result: Dict = ["path": .string(path)]
        guard let found else { return try newFolder(path, result, on: machine, context) }
        guard found.kind == .folder else {
            throw Failure("\(path) already exists as a \(stateName(found))", result: result)
        }
        var settled = start(path, "directory", "directory", context)
        try settled.settle(path, found, mode: common.mode, on: machine)
        try settleTimes(&settled, path, found, on: machine)
        if recurse { try settleTree(&settled, path, on: machine, depth: 0) }
        return finished(settled, result)
    }

    private func newFolder(
        _ path: String, _ result: Dict, on machine: some MachineReader, _ context: Context
    ) throws(Failure) -> FilePlan {
        var settled = start(path, "absent", "directory", context)
        var missing: [String] = []
        var next = path
        while next != "/", next != ".", try status(next, on: machine, following: true) == nil {
            missing.append(next)
            next = splitPath(next).folder
        }
        let attributes = try settled.attributes(forNew: path, isFolder: true, mode: common.mode, on: machine)
        var steps = missing.reversed().map { FileStep.folder($0, attributes) }
        let times = try wantedTimes(on: machine)
        if times.access != nil || times.modification != nil {
            steps.append(.times(path, access: times.access, modification: times.modification))
        }
        return finished(settled, result, before: steps)
    }

    private func settleTree(
        _ settled: inout AttributePlan, _ folder: String, on machine: some MachineReader, depth: Int
    ) throws(Failure) {
        if depth > 40 {
            throw Failure("\(folder) is reached through more than 40 links: one may point to a folder above it")
        }
        var entries: [(String, FileStatus)] = []
        try walk(folder, on: machine) { (path, found) throws(Failure) in entries.append((path, found)) }
        for (path, found) in entries {
            try settled.settle(path, found, mode: common.mode, on: machine, hidden: true)
            if found.kind != .link {
                try settleTimes(&settled, path, found, on: machine, hidden: true)
            } else if follow, let real = machine.realPath(of: path), let target = try status(real, on: machine) {
                // What the walk meets anyway needs no second look.
                if real.hasPrefix(folder + "/") || real == folder { continue }
                if target.kind == .folder { try settleTree(&settled, real, on: machine, depth: depth + 1) }
                try settled.settle(real, target, mode: common.mode, on: machine, hidden: true)
            }
        }
    }
}
