import Crypto
import Machine
import Values

/// `template`: a template of the controller, rendered for this host, as a file.
struct PutTemplate: FileAction {
    var common = FileArguments()
    var source = ""
    var dest: FilePath = ""
    var backup = false
    var force = true
    var follow = false
    var validate: String?
    var outputEncoding = "utf-8"
    var rendering = Rendering()
    init() {}

    /// How the template is written; `nil` and absent options are the renderer's defaults.
    struct Rendering: Sendable {
        var newlineSequence: String?
        var blockStart: String?
        var blockEnd: String?
        var variableStart: String?
        var variableEnd: String?
        var commentStart: String?
        var commentEnd: String?
        var trimBlocks: Bool?
        var lstripBlocks: Bool?

        /// The options by Ansible's names, those that were given.
        var options: Dict {
            var all = Dict()
            let texts: [(String, String?)] = [
                ("newline_sequence", newlineSequence), ("block_start_string", blockStart),
                ("block_end_string", blockEnd), ("variable_start_string", variableStart),
                ("variable_end_string", variableEnd), ("comment_start_string", commentStart),
                ("comment_end_string", commentEnd),
            ]
            for (name, text) in texts { if let text { all[name] = .string(text) } }
            if let trimBlocks { all["trim_blocks"] = .bool(trimBlocks) }
            if let lstripBlocks { all["lstrip_blocks"] = .bool(lstripBlocks) }
            return all
        }
    }

    static let schema = Schema<PutTemplate>(
        "template", "Renders a template of the controller into a file of the node.",
        [
            Parameter(
                "src", \.source, required: true, "The template, looked for in 'templates' of the role or playbook."),
            Parameter("dest", \.dest, required: true, "Where it goes; in a folder it has the template's name."),
            Parameter("backup", \.backup, default: "false", "Keep a dated copy of a file that is replaced."),
            Parameter("force", \.force, default: "true", "Replace a file whose content differs."),
            Parameter("follow", \.follow, default: "false", "Write through a link at the destination."),
            Parameter(
                "validate", \.validate,
                "A command that may refuse the new content, with %s for its path: 'nginx -t -c %s'."),
            Parameter(
                "output_encoding", \.outputEncoding, default: "utf-8",
                "How the text is written, by the names of Python: utf-8, utf-16, latin-1, windows-1252, …"),
            Parameter(
                "newline_sequence", \.rendering.newlineSequence, default: "\\n",
                "What ends lines: \\n, \\r or \\r\\n."),
            Parameter("block_start_string", \.rendering.blockStart, default: "{%", "What starts a block."),
            Parameter("block_end_string", \.rendering.blockEnd, default: "%}", "What ends a block."),
            Parameter("variable_start_string", \.rendering.variableStart, default: "{{", "What starts an expression."),
            Parameter("variable_end_string", \.rendering.variableEnd, default: "}}", "What ends an expression."),
            Parameter("comment_start_string", \.rendering.commentStart, default: "{#", "What starts a comment."),
            Parameter("comment_end_string", \.rendering.commentEnd, default: "#}", "What ends a comment."),
            Parameter(
                "trim_blocks", \.rendering.trimBlocks, default: "true", "Drop the line end behind a block."),
            Parameter(
                "lstrip_blocks", \.rendering.lstripBlocks, default: "false", "Drop blanks in front of a block."),
        ] + commonRows,
        options: SchemaOptions(
            returns: [
                ("dest", "The path written."), ("src", "The template."), ("checksum", "SHA-1 of the content."),
                ("md5sum", "MD5 of the content, when it changed."), ("backup_file", "The copy that was kept."),
                ("owner", "Owner, likewise group, uid, gid, mode, size, state."),
            ],
            examples: """
                - name: Configure nginx
                  ansible.builtin.template:
                    src: nginx.conf.j2
                    dest: /etc/nginx/nginx.conf
                    mode: "0644"
                    validate: /usr/sbin/nginx -t -c %s
                  notify: Reload nginx
                """))

    func plan(on machine: some MachineReader, _ context: Context) throws(Failure) -> FilePlan {
        let dest = try dest.expanded(on: machine, context)
        var options = rendering.options
        if let newline = rendering.newlineSequence {
            let known = ["\\n": "\n", "\\r": "\r", "\\r\\n": "\r\n", "\n": "\n", "\r": "\r", "\r\n": "\r\n"]
            guard let sequence = known[newline] else {
                throw Failure("newline_sequence needs to be one of: \\n, \\r or \\r\\n")
            }
            options["newline_sequence"] = .string(sequence)
        }
        options["dest"] = .string(dest)
        let (text, file) = try context.courier.rendered(source, options: options)
        var planner = ContentPlanner(common, context)
        planner.follow = follow
        planner.force = force
        planner.plan.validate = validate
        let mode: FileMode? = common.mode == .preserve ? .bits(file.mode & 0o7777) : common.mode
        let content = ContentPlanner.Content(
            source: .bytes(try encoded(text)), name: splitPath(file.path).name, origin: file.path, mode: mode)
        try planner.put(content, at: dest, on: machine)
        if backup { planner.plan.backup = planner.plan.shown }
        planner.plan.digests = [("checksum", .sha1)]
        if planner.plan.result["src"] != nil { planner.plan.digests.append(("md5sum", .md5)) }
        return planner.finished
    }

    private func encoded(_ text: String) throws(Failure) -> [UInt8] {
        guard let encoding = TextEncoding(named: outputEncoding) else {
            throw Failure(
                "output_encoding '\(outputEncoding)' is not known here: use a name such as utf-8, utf-16, latin-1, "
                    + "windows-1252 or iso-8859-15")
        }
        do throws(TextEncoding.Missing) { return try encoding.bytes(of: text) } catch {
            throw Failure("the rendered template holds '\(error.scalar)', which \(outputEncoding) cannot write")
        }
    }
}
