import Crypto
import Machine
import Values

/// `fetch`: a file of the node, for the controller. It is read here; the engine hands it over.
struct FetchFile: Action {
    var source: FilePath = ""
    var destination = ""
    var flat = false
    var failOnMissing = true
    var validateChecksum = true
    init() {}

    static let schema = Schema<FetchFile>(
        "fetch", "Copies a file of the node to the controller.",
        [
            Parameter("src", \.source, required: true, "The file on the node."),
            Parameter(
                "dest", \.destination, required: true,
                "Where it goes: into a folder HOST/PATH in it, relative to the playbook."),
            Parameter("flat", \.flat, default: "false", "To `dest` itself; ending in / it is a folder."),
            Parameter("fail_on_missing", \.failOnMissing, default: "true", "A file that is not there is a failure."),
            Parameter(
                "validate_checksum", \.validateChecksum, default: "true",
                "Taken for compatibility: what travels is always checked."),
        ],
        options: SchemaOptions(
            checkMode: "none",
            returns: [
                ("dest", "Where it was put."), ("checksum", "SHA-1 of the content."), ("md5sum", "MD5 of the content."),
                ("remote_checksum", "SHA-1 of the file on the node."), ("file", "The file, where nothing came of it."),
            ],
            examples: """
                - name: Bring the join key
                  ansible.builtin.fetch:
                    src: /etc/cluster/join.key
                    dest: keys/
                    flat: true
                """, notes: ["The folder must be written out in the play, at least its beginning."]))

    func run(on machine: some MachineReader, _ context: Context) throws(Failure) -> Outcome {
        if context.checkMode {
            return Outcome(["msg": "check mode not (yet) supported for this module"], skipped: true)
        }
        let path = try source.expanded(on: machine, context)
        let isFolder = (try? machine.status(of: path, followingLinks: true))?.kind == .folder
        do throws(Failure) {
            var reading = ReadFile()
            reading.source = FilePath(stringLiteral: path)
            return try reading.run(on: machine, context)
        } catch {
            if error.isStop { throw error }
            var message = error.message
            if isFolder { message = "remote file is a directory, fetch cannot work on directories" }
            if message.contains("not found") {
                message = "the remote file does not exist, not transferring, ignored"
            }
            if failOnMissing { throw Failure(message, result: ["file": .string(path)]) }
            if isFolder { message += ", not transferring, ignored" }
            return Outcome(["msg": .string(message), "file": .string(path)])
        }
    }
}
