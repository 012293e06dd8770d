import Machine
import Values

/// Where a download goes, with the owner and mode that it is to have.
struct DownloadPlace {
    let common: FileArguments
    let path: String
    private var plan = FilePlan()

    init(common: FileArguments, path: String) {
        self.common = common
        self.path = path
    }

    /// Puts the content there; a new file has its owner and mode before it has its name.
    mutating func write(_ bytes: [UInt8], on editor: some MachineEditor, _ context: Context) throws(Failure) {
        plan.unsafeWrites = try common.writesUnsafely(on: editor, context)
        var attributes = AttributePlan(common, context)
        let found = try attempt { () throws(MachineError) in try editor.exists(path) }
        let wanted = found
            ? Attributes()
            : try attributes.attributes(forNew: path, isFolder: false, mode: common.mode, on: editor)
        try FileStep.file(path, .bytes(bytes), wanted).perform(plan, on: editor, context)
    }

    /// Gives the file its owner and mode, or finds out that it has them; whether something changes.
    mutating func settle(on machine: some MachineReader, _ context: Context) throws(Failure) -> Bool {
        let found = try attempt { () throws(MachineError) in try machine.status(of: path, followingLinks: false) }
        guard let found else { return false }
        var attributes = AttributePlan(common, context)
        try attributes.settle(path, found, mode: common.mode, on: machine)
        guard attributes.hasChanges else { return false }
        if let editor = try context.editor() {
            for step in attributes.steps { try perform(step, on: editor, context) }
        }
        return true
    }

    private func perform(_ step: FileStep, on editor: some MachineEditor, _ context: Context) throws(Failure) {
        try step.perform(plan, on: editor, context)
    }

    /// Owner, mode, size and kind, which results tell.
    func show(on machine: some MachineReader, _ result: inout Dict) throws(Failure) {
        let facts = try attempt { () throws(MachineError) -> Dict in
            guard let found = try machine.status(of: path) else { return Dict() }
            return [
                "uid": .int(Int(found.owner)), "gid": .int(Int(found.group)),
                "owner": .string(try machine.user(id: found.owner)?.name ?? String(found.owner)),
                "group": .string(try machine.group(id: found.group)?.name ?? String(found.group)),
                "mode": .string(octal(found.mode)), "state": .string(stateName(found)), "size": .int(Int(found.size)),
            ]
        }
        result.merge(facts) { $1 }
    }
}
