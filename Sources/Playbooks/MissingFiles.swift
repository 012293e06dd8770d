import Values

extension Loader {
    /// Reports that a file of tasks is not there: in Ansible's words where it is called by the names of its programs.
    func reportMissing(tasks name: String, _ searched: [String], at place: Place?) {
        missedFiles += 1
        let near = searched.flatMap { path in files.names(in: folder(of: path)) }
        let lists = near.filter { $0.hasSuffix(".yml") || $0.hasSuffix(".yaml") }
        let hint = suggestion(for: lastPart(of: name), among: lists)
        guard options.leavesConditionalErrors else {
            return report(
                Diagnostic(
                    "there is no file of tasks '\(name)'", at: place, hint: hint, notes: [files.searched(searched)]))
        }
        let path = searched.last ?? name
        let missing = "Could not find or access '\(path)' on the Ansible Controller"
        report(
            Diagnostic(
                """
                \(missing): Unable to retrieve file contents.
                \(missing).
                If you are using a module and expect the file to exist on the remote, see the remote_src option: \
                [Errno 2] No such file or directory: '\(path)'
                """, at: place, hint: hint, notes: [files.searched(searched)]))
    }
}
