import Crypto
import Machine
import Values

/// Plans to put contents at their places: what `copy` and `template` have in common.
struct ContentPlanner {
    /// One content on its way.
    struct Content {
        var source: FileSource
        /// What it is called where the destination is a folder; `nil` when it has no name.
        var name: String?
        /// How results and the diff name where it comes from; `nil` for text that was given directly.
        var origin: String?
        var mode: FileMode?
        /// The SHA-1 that it must have.
        var checksum: String?
    }

    let common: FileArguments
    let context: Context
    var directoryMode: FileMode?
    var follow = false
    var force = true
    var plan = FilePlan()
    /// Contents are compared: results tell of a list then, of one file, too.
    private var hasContents = false
    /// The plan with what its result tells of differences.
    var finished: FilePlan {
        var plan = plan
        if hasContents { plan.result["diff"] = .list(plan.diff.map(\.value)) }
        return plan
    }
    /// Folders that the plan makes.
    private var made: Set<String> = []

    init(_ common: FileArguments, _ context: Context) {
        self.common = common
        self.context = context
    }

    /// Files beyond this are not shown in diffs; Ansible's own limit.
    private static let diffLimit: Int64 = 104_448

    /// Adds what it takes to have the content at `dest`. Where it will be in the end is the plan's `shown`.
    mutating func put(_ content: Content, at dest: String, on machine: some MachineReader) throws(Failure) {
        let (path, found) = try place(of: content, at: dest, on: machine)
        plan.shown = path
        plan.result["dest"] = .string(path)
        if let checksum = content.checksum { try require(checksum, of: content, on: machine) }
        let target = try attempt { () throws(MachineError) in try machine.status(of: path, followingLinks: true) }
        if found != nil, !force {
            plan.result["msg"] = "file already exists"
            return
        }
        if let found, found.kind == .file, try has(path, content.source, on: machine) {
            plan.result["path"] = .string(path)
            var settled = AttributePlan(common, context)
            settled.before = ["path": .string(path)]
            settled.after = settled.before
            try settled.settle(path, found, mode: content.mode, on: machine)
            add(settled)
            if context.diffMode { plan.result["diff"] = settled.diff().value }
            if settled.hasChanges { plan.diff.append(settled.diff()) }
            return
        }
        if let target, target.kind != .file, target.kind != .folder {
            throw Failure("cannot write \(path): it is a \(target.kind.rawValue)", result: ["dest": .string(path)])
        }
        // Ansible brings text that was given directly as a file of this name.
        let ending = path.split(separator: "/").last.flatMap { $0.dropFirst().lastIndex(of: ".").map { path[$0...] } }
        plan.result["src"] = .string(content.origin ?? "~/.ansible/tmp/.source\(ending ?? "")")
        try addFile(path, content, found, on: machine)
        if context.diffMode {
            plan.diff.append(try diff(path, target, content, on: machine))
            hasContents = true
        }
    }

    private mutating func add(_ settled: AttributePlan) {
        plan.steps += settled.steps
        need(settled.needs)
    }

    private mutating func need(_ names: [String]) {
        for name in names where !plan.needs.contains(name) { plan.needs.append(name) }
    }

    private mutating func addFile(
        _ path: String, _ content: Content, _ found: FileStatus?, on machine: some MachineReader
    ) throws(Failure) {
        var settled = AttributePlan(common, context)
        var attributes = try settled.attributes(forNew: path, isFolder: false, mode: content.mode, on: machine)
        if let found, found.kind == .file, let mode = content.mode {
            attributes.mode = mode.bits(from: found.mode, isFolder: false, mask: machine.mask)
        }
        if case .node(let source) = content.source, found?.kind == .file, content.mode == nil {
            // Ansible lets a file of the node that is replaced take the mode of its source.
            attributes.mode = try attempt { () throws(MachineError) in
                try machine.status(of: source, followingLinks: true)?.mode
            }
        }
        need(settled.needs)
        plan.steps.append(.file(path, content.source, attributes))
        if let flags = common.attributes, machine.program("chattr") != nil {
            let first = flags.first.map { "+-".contains($0) } ?? false
            plan.steps.append(.flags(path, first ? flags : "=" + flags))
        }
    }

    /// The final path and what is there now; plans the folders above it that are missing.
    private mutating func place(
        of content: Content, at dest: String, on machine: some MachineReader
    ) throws(Failure) -> (String, FileStatus?) {
        var path = dest
        if path.hasSuffix("/"), let name = content.name { path = joinPath(path, name) }
        if try attempt({ () throws(MachineError) in try machine.status(of: path, followingLinks: true) })?.kind
            == .folder
        {
            guard let name = content.name else { throw Failure("can not use content with a dir as dest") }
            path = joinPath(path, name)
        }
        var found = try attempt { () throws(MachineError) in try machine.status(of: path) }
        if follow, found?.kind == .link {
            path = try realPath(of: path, on: machine)
            let real = path
            found = try attempt { () throws(MachineError) in try machine.status(of: real) }
        }
        let (folder, _) = splitPath(path)
        let isThere = try attempt { () throws(MachineError) in try machine.exists(folder) }
        if !isThere, !made.contains(folder) {
            if dest.hasSuffix("/") {
                try makeFolders(folder, on: machine)
            } else if context.checkMode {
                need(["folder '\(folder)'"])
            } else {
                throw Failure("Destination directory \(folder) does not exist", result: ["dest": .string(path)])
            }
        }
        return (path, found)
    }

    /// Plans a folder and the missing ones above it, all with the same owner, group and `directory_mode`.
    mutating func makeFolders(_ folder: String, on machine: some MachineReader) throws(Failure) {
        var missing: [String] = []
        var path = folder
        while !made.contains(path), !path.isEmpty, path != "/", path != "." {
            let there = path
            if try attempt({ () throws(MachineError) in try machine.exists(there) }) { break }
            missing.append(path)
            path = splitPath(path).folder
        }
        for path in missing.reversed() {
            var settled = AttributePlan(common, context)
            let attributes = try settled.attributes(forNew: path, isFolder: true, mode: directoryMode, on: machine)
            need(settled.needs)
            plan.steps.append(.folder(path, attributes))
            made.insert(path)
        }
    }

    /// Plans a folder of a copied tree: that it is there, and its attributes.
    mutating func putFolder(_ path: String, on machine: some MachineReader) throws(Failure) {
        if made.contains(path) { return }
        let found = try attempt { () throws(MachineError) in try machine.status(of: path, followingLinks: true) }
        guard let found else { return try makeFolders(path, on: machine) }
        guard found.kind == .folder else {
            throw Failure("\(path) already exists as a \(stateName(found))", result: ["path": .string(path)])
        }
        var settled = AttributePlan(common, context)
        try settled.settle(path, found, mode: directoryMode, on: machine)
        add(settled)
    }

    /// Plans a link of a copied tree.
    mutating func putLink(_ path: String, to target: String, on machine: some MachineReader) throws(Failure) {
        let now = try attempt { () throws(MachineError) in try machine.linkTarget(of: path) }
        if now != target { plan.steps.append(.link(path, to: target)) }
        let found = try attempt { () throws(MachineError) in try machine.status(of: path) }
        var settled = AttributePlan(common, context)
        try settled.settle(path, found ?? FileStatus(kind: .link, mode: 0o777), mode: nil, on: machine)
        add(settled)
    }

    // MARK: Comparing

    /// Whether the file at the path has that content; sizes are compared before digests, digests before bytes.
    private func has(_ path: String, _ source: FileSource, on machine: some MachineReader) throws(Failure) -> Bool {
        let size = try attempt { () throws(MachineError) in try machine.status(of: path)?.size }
        switch source {
        case .bytes(let bytes):
            if Int64(bytes.count) != size { return false }
            return try attempt { () throws(MachineError) in try machine.contents(of: path) } == bytes
        case .controller(let file):
            if Int64(file.size) != size { return false }
            return try digest(.sha256, of: path, on: machine) == file.digest
        case .node(let other):
            let found = try attempt { () throws(MachineError) in try machine.status(of: other, followingLinks: true) }
            if found?.size != size { return false }
            return try digest(.sha256, of: path, on: machine) == digest(.sha256, of: other, on: machine)
        }
    }

    private func require(_ checksum: String, of content: Content, on machine: some MachineReader) throws(Failure) {
        let found = DigestAlgorithm.sha1.hex(of: try content.source.contents(on: machine, context))
        if found == checksum { return }
        throw Failure(
            "Copied file does not match the expected checksum. Transfer failed.",
            result: ["checksum": .string(found), "expected_checksum": .string(checksum)])
    }

    /// Content before and after, with the headers and the limits that Ansible has.
    private func diff(
        _ path: String, _ found: FileStatus?, _ content: Content, on machine: some MachineReader
    ) throws(Failure) -> Diff {
        var diff = Diff(before: "", after: "")
        var isComplete = true
        if let found, found.kind == .file {
            if found.size > Self.diffLimit {
                diff.note += "diff skipped: destination file size is greater than \(Self.diffLimit)\n"
                isComplete = false
            } else {
                let bytes = try attempt { () throws(MachineError) in try machine.contents(of: path) } ?? []
                if bytes.prefix(8192).contains(0) {
                    diff.note += "diff skipped: destination file appears to be binary\n"
                    isComplete = false
                }
                diff.before = String(decoding: bytes, as: UTF8.self)
                diff.beforeHeader = path
            }
        }
        if try sourceSize(content.source, on: machine) > Self.diffLimit {
            diff.note += "diff skipped: source file size is greater than \(Self.diffLimit)\n"
            isComplete = false
        } else {
            let bytes = try content.source.contents(on: machine, context)
            if bytes.contains(0) {
                diff.note += "diff skipped: source file appears to be binary\n"
                isComplete = false
            }
            diff.after = String(decoding: bytes, as: UTF8.self)
            diff.afterHeader = content.origin ?? path
        }
        return isComplete ? diff : Diff(before: "", after: "", note: diff.note)
    }

    private func sourceSize(_ source: FileSource, on machine: some MachineReader) throws(Failure) -> Int64 {
        switch source {
        case .bytes(let bytes): Int64(bytes.count)
        case .controller(let file): Int64(file.size)
        case .node(let path):
            try attempt { () throws(MachineError) in try machine.status(of: path, followingLinks: true)?.size ?? 0 }
        }
    }
}

/// Where a link leads in the end; a link to nothing leads to where its target would be.
func realPath(of path: String, on machine: some MachineReader) throws(Failure) -> String {
    if let real = machine.realPath(of: path) { return real }
    let target = try attempt { () throws(MachineError) in try machine.linkTarget(of: path) }
    guard let target else { return path }
    return joinPath(splitPath(path).folder, target)
}
