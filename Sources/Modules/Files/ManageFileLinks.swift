import Machine
import Values

extension ManageFile {
    func touch(
        _ path: String, _ found: FileStatus?, on machine: some MachineReader, _ context: Context
    ) throws(Failure) -> FilePlan {
        var settled = start(path, stateName(found), "touch", context)
        let result: Dict = ["dest": .string(path)]
        guard let found else {
            let attributes = try settled.attributes(forNew: path, isFolder: false, mode: common.mode, on: machine)
            let (folder, _) = splitPath(path)
            if context.checkMode, try status(folder, on: machine, following: true) == nil {
                settled.needs.append("folder '\(folder)'")
            }
            let times = try wantedTimes(on: machine)
            var steps: [FileStep] = [.file(path, .bytes([]), attributes)]
            // What is new has the time of now already.
            if times.isGiven { steps.append(.times(path, access: times.access, modification: times.modification)) }
            return finished(settled, result, before: steps)
        }
        let real = follow && found.kind == .link ? try realPath(of: path, on: machine) : path
        let target = try status(real, on: machine) ?? found
        try settled.settle(real, target, mode: common.mode, on: machine)
        try settleTimes(&settled, real, target, on: machine)
        return finished(settled, result)
    }

    func link(
        _ path: String, _ found: FileStatus?, to given: String?, on machine: some MachineReader, _ context: Context
    ) throws(Failure) -> FilePlan {
        let now = try attempt { () throws(MachineError) in try machine.linkTarget(of: path) }
        let problem: Dict = ["path": .string(path)]
        let exists = try status(path, on: machine, following: true) != nil
        guard let target = given ?? (follow && exists ? now : nil) else {
            if found?.kind != .link { throw Failure("src is required for creating new symlinks", result: problem) }
            return finished(start(path, "link", "link", context), ["dest": .string(path), "src": .null])
        }
        let base = found?.kind == .folder ? path : splitPath(path).folder
        let full = joinPath(base, target)
        var settled = start(path, stateName(found), "link", context)
        if !force, try status(full, on: machine, following: true) == nil {
            if !context.checkMode {
                throw Failure(
                    "src file does not exist, use 'force=yes' if you really want to create the link: \(full)",
                    result: ["path": .string(path), "src": .string(target)])
            }
            settled.needs.append("file '\(full)'")
        }
        try refuseLink(path, found, on: machine)
        var steps: [FileStep] = []
        if now != target {
            steps = [.link(path, to: target)]
            if let now {
                settled.before["src"] = .string(now)
                settled.after["src"] = .string(target)
            }
        }
        let result: Dict = ["dest": .string(path), "src": .string(target)]
        // What the link will point to; its attributes are set, not the link's, unless told otherwise.
        let real = follow ? machine.realPath(of: full) ?? full : path
        let there = try status(real, on: machine)
        var warnings: [String] = []
        if follow, there == nil, settled.needs.isEmpty {
            warnings = [
                "Cannot set fs attributes on a non-existent symlink target. "
                    + "follow should be set to False to avoid this."
            ]
        } else {
            let attributes = there ?? FileStatus(kind: .link, mode: 0o777, owner: machine.identity.userID)
            try settled.settle(real, attributes, mode: common.mode, on: machine)
            if let there { try settleTimes(&settled, real, there, on: machine) }
        }
        var plan = finished(settled, result, before: steps)
        plan.warnings = warnings
        return plan
    }

    /// A link takes the place of a file or an empty folder only when it is forced to.
    private func refuseLink(_ path: String, _ found: FileStatus?, on machine: some MachineReader) throws(Failure) {
        guard let found, found.kind != .link else { return }
        let problem: Dict = ["path": .string(path)]
        if !force {
            throw Failure("refusing to convert from \(stateName(found)) to symlink for \(path)", result: problem)
        }
        guard found.kind == .folder else { return }
        if try attempt({ () throws(MachineError) in try machine.names(in: path) })?.isEmpty == false {
            throw Failure("the directory \(path) is not empty, refusing to convert it", result: problem)
        }
    }

    func hardLink(
        _ path: String, _ found: FileStatus?, to source: String?, on machine: some MachineReader, _ context: Context
    ) throws(Failure) -> FilePlan {
        let state = stateName(found)
        if source == nil, state != "hard" { throw Failure("src is required for creating new hardlinks") }
        var settled = start(path, state, "hard", context)
        let result: Dict = ["dest": .string(path), "src": source.map { .string($0) } ?? .null]
        guard let source else {
            if let found { try settled.settle(path, found, mode: common.mode, on: machine) }
            return finished(settled, result)
        }
        guard let target = try status(source, on: machine, following: true) else {
            if !context.checkMode { throw Failure("src does not exist", result: result) }
            settled.needs.append("file '\(source)'")
            return finished(settled, result)
        }
        if target.kind == .folder { throw Failure("src is a folder, which cannot have a second name", result: result) }
        var steps: [FileStep] = []
        if found?.inode != target.inode || found?.device != target.device {
            if let found, found.kind != .link, !force {
                let what = found.kind == .folder || state == "hard" ? "different hard link" : state
                throw Failure("Cannot link, \(what) exists at destination", result: result)
            }
            if found?.kind == .folder { throw Failure("Cannot link, directory exists at destination", result: result) }
            let real = follow ? machine.realPath(of: source) ?? source : source
            steps = [.hardLink(path, to: real)]
        }
        try settled.settle(path, target, mode: common.mode, on: machine)
        try settleTimes(&settled, path, target, on: machine)
        return finished(settled, result, before: steps)
    }

    // MARK: Times

    struct Times {
        var access: Double?
        var modification: Double?
        /// At least one is a time that the user wrote.
        var isGiven = false
        /// Both are the time of now.
        var isNow = false
    }

    func wantedTimes(on machine: some MachineReader) throws(Failure) -> Times {
        let touching = state == .touch ? "now" : "preserve"
        let now = machine.now
        let access = try time(accessTime ?? touching, accessFormat, now)
        let modification = try time(modificationTime ?? touching, modificationFormat, now)
        let words = [accessTime ?? "now", modificationTime ?? "now"]
        let isNow = (accessTime ?? touching) == "now" && (modificationTime ?? touching) == "now"
        return Times(
            access: access, modification: modification, isGiven: words.contains { $0 != "now" }, isNow: isNow)
    }

    func settleTimes(
        _ settled: inout AttributePlan, _ path: String, _ found: FileStatus, on machine: some MachineReader,
        hidden: Bool = false
    ) throws(Failure) {
        let times = try wantedTimes(on: machine)
        func left(_ wanted: Double?, _ now: Double) -> Double? { wanted == now && !times.isNow ? nil : wanted }
        let access = left(times.access, found.accessTime)
        let modification = left(times.modification, found.modificationTime)
        if access == nil, modification == nil { return }
        settled.steps.append(
            times.isNow ? .touch(path) : .times(path, access: access, modification: modification))
        if hidden { return }
        if let access {
            settled.before["atime"] = .double(found.accessTime)
            settled.after["atime"] = .double(access)
        }
        if let modification {
            settled.before["mtime"] = .double(found.modificationTime)
            settled.after["mtime"] = .double(modification)
        }
    }

    /// Seconds since 1970, or `nil` for `preserve`. A written time is local.
    private func time(_ text: String, _ format: String, _ now: Double) throws(Failure) -> Double? {
        if text == "preserve" { return nil }
        if text == "now" { return now }
        guard let seconds = localMoment(text, format: format) else {
            throw Failure("Error while obtaining timestamp for time \(text) using format \(format)")
        }
        return seconds
    }
}
