import Crypto
import Machine
import Modules
import Values
import Wire

/// `fetch` has two halves: the file is read where the task runs, and written on the controller.
extension TaskItem {
    func fetched(_ call: ModuleCall, _ way: Way) throws(Interruption) -> CallResult {
        if call.checkMode {
            let message: Value = "check mode not (yet) supported for this module"
            return CallResult(result: ["changed": false, "skipped": true, "msg": message])
        }
        guard let source = call.arguments["src"]?.text, let given = call.arguments["dest"]?.text else {
            throw .failed(TaskFailure("src and dest are required"))
        }
        let isNeeded = call.arguments["fail_on_missing"]?.asBool ?? true
        var reading = call
        reading.module = "slurp"
        reading.arguments = ["src": .string(source)]
        let read = try send(reading, way)
        guard let content = read.result["content"], !(read.result["failed"]?.isTrue ?? false) else {
            return missing(read, source, isNeeded)
        }
        let isFlat = call.arguments["flat"]?.asBool ?? false
        var folder = given
        if !given.hasPrefix("/"), !given.hasPrefix("~") { folder = task.scope.basis.playFolder + "/" + given }
        var keeping = ModuleCall(
            module: "fetch", arguments: ["src": .string(source), "dest": .string(folder), "_content": content],
            checkMode: false, diffMode: false, environment: Dict(), verbosity: call.verbosity, become: nil,
            isHidden: call.isHidden, basis: call.basis)
        if !isFlat { keeping.arguments["_host"] = .string(task.run.plan.host) }
        return try send(keeping, Way(delegate: "localhost", reach: Dict(), throttle: way.throttle))
    }

    private func missing(_ read: CallResult, _ source: String, _ isNeeded: Bool) -> CallResult {
        var result = read.result
        if result["unreachable"]?.isTrue ?? false { return read }
        var message = result["msg"]?.pythonText ?? ""
        if message.contains("not found") {
            message = "the remote file does not exist, not transferring, ignored"
        } else if message.hasPrefix("Source is a directory") {
            message = "remote file is a directory, fetch cannot work on directories"
            if !isNeeded { message += ", not transferring, ignored" }
        }
        if !isNeeded { result = ["changed": false, "file": .string(source)] }
        result["msg"] = .string(message)
        return CallResult(result: result)
    }
}

/// The half of `fetch` on the controller: the file gets its content, where it has another.
struct KeptFile {
    let call: ModuleCall
    let machine: any MachineEditor

    func result(_ turn: () throws(Interruption) -> Void) -> CallResult {
        guard let text = call.arguments["_content"]?.text, let content = try? Base64.decode(text) else {
            return failed("Failed to fetch the file.")
        }
        do throws(Failure) {
            let source = call.arguments["src"]?.text ?? ""
            let path = try destination(source)
            let checksum = DigestAlgorithm.sha1.hex(of: content)
            var result: Dict = [
                "dest": .string(path), "checksum": .string(checksum),
                "md5sum": .string(DigestAlgorithm.md5.hex(of: content)),
            ]
            if try reading({ () throws(MachineError) in try machine.contents(of: path) }) == content {
                result["changed"] = false
                result["file"] = .string(source)
                return CallResult(result: result)
            }
            do throws(Interruption) { try turn() } catch { throw Failure(error.message, isStop: true) }
            try reading { () throws(MachineError) in
                try makeFolders(above: path)
                try machine.replace(path, with: content, attributes: Attributes())
            }
            result["changed"] = true
            result["remote_checksum"] = .string(checksum)
            result["remote_md5sum"] = .null
            return CallResult(result: result)
        } catch { return failed(error) }
    }

    /// Below the folder that the task names, whatever the source's path is.
    private func destination(_ source: String) throws(Failure) -> String {
        let given = call.arguments["dest"]?.text ?? ""
        let folder = try reading { () throws(MachineError) in try machine.expanded(given, [:]) }
        if let host = call.arguments["_host"]?.text {
            let root = normalized(folder)
            let path = normalized("\(root)/\(host)/\(source)")
            guard path.hasPrefix(root == "/" ? root : root + "/") else {
                throw Failure("Detected directory traversal, expected to be contained in '\(root)' but got '\(path)'")
            }
            return path
        }
        let isFolder = try isFolder(folder)
        guard given.hasSuffix("/") else {
            if isFolder {
                throw Failure(
                    "dest is an existing directory, use a trailing slash if you want to fetch src into that directory")
            }
            return normalized(folder)
        }
        let name = source.split(separator: "/").last.map(String.init) ?? source
        let path = normalized(folder + "/" + name)
        guard name != "..", try !self.isFolder(path) else {
            throw Failure(
                "calculated dest '\(path)' is an existing directory, use another path that does not point to an "
                    + "existing directory")
        }
        return path
    }

    private func isFolder(_ path: String) throws(Failure) -> Bool {
        try reading { () throws(MachineError) in
            try machine.status(of: path, followingLinks: true)?.kind == .folder
        }
    }

    private func makeFolders(above path: String) throws(MachineError) {
        var folder = ""
        for part in path.split(separator: "/").dropLast() {
            folder += "/" + part
            if try machine.status(of: folder, followingLinks: true) == nil {
                try machine.makeFolder(folder, mode: nil)
            }
        }
    }

    private func reading<T>(_ body: () throws(MachineError) -> T) throws(Failure) -> T {
        do throws(MachineError) { return try body() } catch { throw Failure(error) }
    }
}

/// A path without `.`, `..` and doubled slashes, as `os.path.normpath` has it; an absolute one stays absolute.
package func normalized(_ path: String) -> String {
    var parts: [Substring] = []
    let isAbsolute = path.hasPrefix("/")
    for part in path.split(separator: "/") where part != "." {
        if part == "..", let last = parts.last, last != ".." {
            parts.removeLast()
        } else if part != ".." || !isAbsolute {
            parts.append(part)
        }
    }
    let joined = parts.joined(separator: "/")
    return isAbsolute ? "/" + joined : joined.isEmpty ? "." : joined
}
