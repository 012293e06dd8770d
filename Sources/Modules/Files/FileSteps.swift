import Glibc
import Machine
import Values

/// This process, for the names of backups.
func processNumber() -> Int { Int(getpid()) }

extension FileSource {
    func contents(on machine: some MachineReader, _ context: Context) throws(Failure) -> [UInt8] {
        switch self {
        case .bytes(let bytes): return bytes
        case .controller(let file): return try context.courier.contents(of: file)
        case .node(let path):
            let found = try attempt { () throws(MachineError) in try machine.contents(of: path) }
            guard let found else { throw Failure("Source \(path) not found") }
            return found
        }
    }
}

extension FileStep {
    func perform(_ plan: FilePlan, on editor: some MachineEditor, _ context: Context) throws(Failure) {
        if case .file(let path, let source, let attributes) = self {
            let bytes = try source.contents(on: editor, context)
            return try write(path, bytes, attributes, plan, on: editor, context)
        }
        if case .flags(let path, let flags) = self { return try setFlags(path, flags, on: editor) }
        if case .context(let path, let options) = self { return try setContext(path, options, on: editor) }
        try attempt { () throws(MachineError) in
            switch self {
            case .folder(let path, let attributes):
                try editor.makeFolder(path, mode: attributes.mode)
                try editor.setAttributes(of: path, attributes, followingLinks: false)
            case .remove(let path): try editor.remove(path)
            case .link(let path, let target):
                try editor.inPlace(of: path) { (new) throws(MachineError) in
                    try editor.makeSymbolicLink(at: new, to: target)
                }
            case .hardLink(let path, let existing):
                try editor.inPlace(of: path) { (new) throws(MachineError) in
                    try editor.makeHardLink(at: new, to: existing)
                }
            case .attributes(let path, let attributes):
                try editor.setAttributes(of: path, attributes, followingLinks: false)
            case .times(let path, let access, let modification):
                try editor.setTimes(of: path, access: access, modification: modification)
            case .touch(let path): try editor.touch(path)
            case .file, .flags, .context: break
            }
        }
    }

    private func write(
        _ path: String, _ bytes: [UInt8], _ attributes: Attributes, _ plan: FilePlan, on editor: some MachineEditor,
        _ context: Context
    ) throws(Failure) {
        var refusal: Failure?
        var isValidated = plan.validate == nil
        func check(_ temporary: String) throws(MachineError) {
            guard let validate = plan.validate else { return }
            isValidated = true
            do throws(Failure) { try run(validate, temporary, plan, on: editor, context) } catch {
                refusal = error
                throw MachineError(error.message)
            }
        }
        do throws(MachineError) {
            do throws(MachineError) {
                try editor.replace(path, with: bytes, attributes: attributes, check: check)
            } catch {
                guard plan.unsafeWrites, [EPERM, EXDEV, EACCES, ETXTBSY, EBUSY].contains(error.code) else {
                    throw error
                }
                if !isValidated {
                    let trial = try editor.makeTemporary(folder: false, in: nil, prefix: "gantry-", suffix: "")
                    try editor.replace(trial, with: bytes, attributes: Attributes(mode: 0o600), check: check)
                    try editor.remove(trial)
                }
                try editor.overwrite(path, with: bytes)
                try editor.setAttributes(of: path, attributes, followingLinks: true)
            }
        } catch { throw refusal ?? Failure(error) }
    }

    /// Runs the command that may refuse the new content; its `%s` is the path of the content.
    private func run(
        _ validate: String, _ path: String, _ plan: FilePlan, on editor: some MachineEditor, _ context: Context
    ) throws(Failure) {
        guard validate.contains("%s") else { throw Failure("validate must contain %s: \(validate)") }
        let words: [String]
        do { words = try ShellWords.split(validate) } catch {
            throw Failure("\(error.message) in validate: \(validate)")
        }
        let command = Command(words.map { $0.replacing("%s", with: path) }, environment: context.environment)
        let done = try attempt { () throws(MachineError) in try editor.run(command) }
        if done.status != 0 { throw plan.refusal(done) }
    }

    private func setFlags(_ path: String, _ flags: String, on editor: some MachineEditor) throws(Failure) {
        let done = try attempt { () throws(MachineError) in try editor.run(Command(["chattr", flags, path])) }
        if done.status != 0 || !done.errors.isEmpty {
            let text = "Error while setting attributes: " + done.outputText + done.errorText
            throw Failure("chattr failed", result: ["path": .string(path), "details": .string(text)])
        }
    }

    private func setContext(_ path: String, _ options: [String], on editor: some MachineEditor) throws(Failure) {
        let done = try attempt { () throws(MachineError) in try editor.run(Command(["chcon", "-h"] + options + [path]))
        }
        if done.status != 0 {
            throw Failure(
                "set selinux context failed", result: ["path": .string(path), "stderr": .string(done.errorText)])
        }
    }

    /// Reads again: what was asked for must be there now.
    func verify(on machine: some MachineReader) throws(Failure) {
        let found = try attempt { () throws(MachineError) in try machine.status(of: path) }
        func fail(_ what: String) -> Failure {
            Failure("the change did not hold: \(path) \(what) after the module had run")
        }
        func check(_ attributes: Attributes, _ found: FileStatus) throws(Failure) {
            if let owner = attributes.owner, owner != found.owner { throw fail("belongs to user \(found.owner)") }
            if let group = attributes.group, group != found.group { throw fail("belongs to group \(found.group)") }
            if let mode = attributes.mode, mode != found.mode, found.kind != .link {
                throw fail("has mode \(octal(found.mode))")
            }
        }
        if case .remove = self {
            return
        }
        guard let found else { throw fail("is not there") }
        switch self {
        case .folder(_, let attributes):
            if found.kind != .folder { throw fail("is no folder") }
            try check(attributes, found)
        case .file(_, let source, let attributes):
            if found.kind != .file && found.kind != .link { throw fail("is no file") }
            if case .bytes(let bytes) = source, bytes.count != found.size { throw fail("has \(found.size) bytes") }
            if found.kind == .file { try check(attributes, found) }
        case .attributes(_, let attributes): try check(attributes, found)
        case .link(_, let target):
            let now = try attempt { () throws(MachineError) in try machine.linkTarget(of: path) }
            if now != target { throw fail("points to \(now ?? "nothing")") }
        case .remove, .hardLink, .times, .touch, .flags, .context: break
        }
    }
}

extension MachineEditor {
    /// Makes something new and lets it take the place of what is there, so that there is never nothing.
    func inPlace(of path: String, _ make: (String) throws(MachineError) -> Void) throws(MachineError) {
        guard let found = try status(of: path) else { return try make(path) }
        if found.kind == .folder {
            try remove(path)
            return try make(path)
        }
        let (folder, name) = splitPath(path)
        let new = joinPath(folder, ".\(name.prefix(200)).\(UInt32.random(in: 0 ... .max)).gantry")
        try make(new)
        do throws(MachineError) { try rename(new, to: path) } catch {
            try? remove(new)
            throw error
        }
        // Two names of one file: the rename has done nothing and leaves both.
        try remove(new)
    }
}
