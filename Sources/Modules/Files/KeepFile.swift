import Values

/// `fetch`: a file of the node, kept on the controller.
struct KeepFile: Directive {
    var source = ""
    var destination = ""
    var flat: Value = false
    var failOnMissing: Value = true
    var validateChecksum: Value = true
    init() {}
    static let schema = Schema<KeepFile>(
        "fetch", "Brings a file of the node to the controller.",
        [
            Parameter("src", \.source, required: true, "The file on the node; no folder."),
            Parameter(
                "dest", \.destination, required: true,
                "The folder on the controller: the file gets the path DEST/HOST/SRC in it."),
            Parameter(
                "flat", \.flat, default: "false",
                "Without the host and the path: dest is the file, or with a slash at its end the folder."),
            Parameter("fail_on_missing", \.failOnMissing, default: "true", "A file that is not there is a failure."),
            Parameter(
                "validate_checksum", \.validateChecksum, default: "true",
                "Taken for compatibility: what arrived is always compared."),
        ],
        options: SchemaOptions(
            returns: [
                ("dest", "The file on the controller."), ("checksum", "Its SHA-1."), ("md5sum", "Its MD5."),
                ("remote_checksum", "The SHA-1 of what was read."), ("file", "The file on the node."),
            ],
            examples: """
                - name: Keep each host's log
                  ansible.builtin.fetch:
                    src: /var/log/dpkg.log
                    dest: logs/
                """, notes: ["A path on the controller begins at the playbook's folder, where it is relative."]))
}
