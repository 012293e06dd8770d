import Machine
import Patterns
import Values

/// A file whose text a module changes: what `lineinfile`, `blockinfile` and `replace` have in common.
struct TextEdit {
    let path: String
    /// Without a link in its last part: the file that is written.
    let real: String
    let bytes: [UInt8]?
    let status: FileStatus?
    let context: Context

    /// - Parameter create: a missing file is no failure.
    init(
        _ path: String, create: Bool, missing: String, on machine: some MachineReader, _ context: Context
    ) throws(Failure) {
        self.path = path
        self.context = context
        let real = try realPath(of: path, on: machine)
        self.real = real
        let found = try attempt { () throws(MachineError) in try machine.status(of: real, followingLinks: true) }
        if found?.kind == .folder { throw Failure("Path \(path) is a directory !", result: ["rc": 256]) }
        if found == nil, !create, !context.checkMode { throw Failure(missing, result: ["rc": 257]) }
        status = found
        bytes = try attempt { () throws(MachineError) in try machine.contents(of: real) }
    }

    private static let attributesChanged = " and ownership, perms or SE linux context changed"

    /// Whether a new file is to have other attributes than it would have by itself.
    private func differs(_ wanted: Attributes, on machine: some MachineReader) -> Bool {
        let own = machine.identity
        return wanted.mode.map { $0 != 0o666 & ~machine.mask } ?? false
            || wanted.owner.map { $0 != own.userID } ?? false || wanted.group.map { $0 != own.groupID } ?? false
    }

    /// Plans the new text and the file's attributes; the message says what happened.
    func plan(
        _ new: [UInt8], _ message: String, isChanged: Bool, _ common: FileArguments, backup: Bool, validate: String?,
        on machine: some MachineReader
    ) throws(Failure) -> FilePlan {
        var plan = FilePlan()
        plan.validate = validate
        plan.refusal = { done in Failure("failed to validate: rc:\(done.status) error:\(done.errorText)") }
        if backup, status != nil { plan.backup = path }
        var settled = AttributePlan(common, context)
        var message = message
        if let status {
            try settled.settle(real, status, mode: common.mode, on: machine)
            if settled.hasChanges {
                message += isChanged ? Self.attributesChanged : String(Self.attributesChanged.dropFirst(5))
            }
        }
        let contentHeader = "\(path) (content)"
        let before = String(decoding: bytes ?? [], as: UTF8.self)
        let content = Diff(
            before: before, after: isChanged ? String(decoding: new, as: UTF8.self) : before,
            beforeHeader: contentHeader, afterHeader: contentHeader)
        if isChanged {
            let attributes: Attributes
            if status == nil {
                attributes = try settled.attributes(forNew: real, isFolder: false, mode: common.mode, on: machine)
                try addFolders(&plan, on: machine)
                // Ansible makes the file first and finds its attributes different then; in check mode it cannot.
                if !context.checkMode, differs(attributes, on: machine) { message += Self.attributesChanged }
            } else {
                attributes = Attributes()
            }
            plan.steps.append(.file(real, .bytes(new), attributes))
            plan.diff.append(content)
        }
        plan.steps += settled.steps
        plan.needs = settled.needs
        let header = "\(path) (file attributes)"
        var attributes: Value = ["before_header": .string(header), "after_header": .string(header)]
        if settled.before != settled.after {
            let diff = settled.diff(header: header)
            plan.diff.append(diff)
            attributes = diff.value
        }
        // The result has both, whether anything differs or not.
        if context.diffMode { plan.result["diff"] = .list([content.value, attributes]) }
        plan.result["msg"] = .string(message)
        return plan
    }

    /// The missing folders above a file that is to be made.
    private func addFolders(_ plan: inout FilePlan, on machine: some MachineReader) throws(Failure) {
        var missing: [String] = []
        var folder = splitPath(real).folder
        while folder != "/", folder != "." {
            let there = folder
            if try attempt({ () throws(MachineError) in try machine.exists(there) }) { break }
            missing.append(folder)
            folder = splitPath(folder).folder
        }
        plan.steps += missing.reversed().map { .folder($0, Attributes()) }
    }

    /// In check mode, where an earlier task would have made the file.
    var needed: FilePlan {
        var plan = FilePlan()
        plan.needs = ["file '\(path)'"]
        return plan
    }
}

/// Lines with their ends, as Python's `readlines` gives them for bytes: only a newline ends one.
func lines(of bytes: [UInt8]) -> [[UInt8]] {
    var lines: [[UInt8]] = []
    var start = 0
    for (index, byte) in bytes.enumerated() where byte == UInt8(ascii: "\n") {
        lines.append(Array(bytes[start...index]))
        start = index + 1
    }
    if start < bytes.count { lines.append(Array(bytes[start...])) }
    return lines
}

/// Without carriage returns and newlines at the end.
func withoutEnd(_ line: [UInt8]) -> [UInt8] {
    var line = line
    while let last = line.last, last == UInt8(ascii: "\n") || last == UInt8(ascii: "\r") { line.removeLast() }
    return line
}

/// A regular expression of a parameter, for bytes as Ansible's modules use them.
func expression(
    _ text: String, of parameter: String, _ flags: Pattern.Flags = [.bytes]
) throws(Failure) -> Pattern {
    do { return try Pattern(text, flags) } catch {
        throw Failure("parameter '\(parameter)' is not a regular expression: \(error)")
    }
}

extension Pattern {
    /// The first match anywhere in the bytes; a pattern that gives up is a failure.
    func found(in bytes: [UInt8]) throws(Failure) -> Match? {
        do { return try firstMatch(in: bytes) } catch { throw Failure("regular expression '\(source)': \(error)") }
    }
}
