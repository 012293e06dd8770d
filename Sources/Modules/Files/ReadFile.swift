import Crypto
import Glibc
import Machine
import Values

/// `slurp`: the content of a file as Base64.
struct ReadFile: Action {
    var source: FilePath = ""
    init() {}

    static let schema = Schema<ReadFile>(
        "slurp", "Reads a file of the node into a result.",
        [Parameter("src", \.source, aliases: ["path"], required: true, "The file to read.")],
        options: SchemaOptions(
            returns: [
                ("content", "The content in Base64."), ("encoding", "Always 'base64'."), ("source", "The path read."),
            ],
            examples: """
                - name: Fetch the certificate
                  ansible.builtin.slurp:
                    src: /etc/ssl/registry/ca.crt
                  register: ca

                - ansible.builtin.debug:
                    msg: "{{ ca.content | b64decode }}"
                """, onlyReads: true))

    func run(on machine: some MachineReader, _ context: Context) throws(Failure) -> Outcome {
        let path = try source.expanded(on: machine, context)
        let bytes: [UInt8]
        do throws(MachineError) {
            if try machine.status(of: path, followingLinks: true)?.kind == .folder {
                // A folder that cannot be opened is told as a file is.
                if !machine.access(path).contains(.read) { throw MachineError("", code: EACCES) }
                throw MachineError("", code: EISDIR)
            }
            guard let found = try machine.contents(of: path) else { throw MachineError("", code: ENOENT) }
            bytes = found
        } catch { throw Self.failure(error, path, on: machine) }
        return Outcome([
            "content": .string(Base64.encode(bytes)), "source": .string(path), "encoding": "base64",
        ])
    }

    private static func failure(_ error: MachineError, _ path: String, on machine: some MachineReader) -> Failure {
        if error.isStop { return Failure(error) }
        switch error.code {
        case ENOENT:
            // A file among the folders above is no missing file.
            let folder = splitPath(path).folder
            let above = try? machine.status(of: folder, followingLinks: true)
            if let above, above.kind != .folder { return Failure("Unable to slurp file: \(path)") }
            return Failure("File not found: \(path)")
        case EACCES: return Failure("File is not readable: \(path)")
        case EISDIR: return Failure("Source is a directory and must be a file: \(path)")
        default: return Failure("Unable to slurp file: \(path)")
        }
    }
}
