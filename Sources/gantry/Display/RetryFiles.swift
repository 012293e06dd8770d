import Controller
import Values

/// `retry_files_enabled`: writes the hosts that failed or could not be reached beside the playbook, for
/// `--limit @PLAYBOOK.retry`, before the recap is shown.
struct RetryFiles: EventSink {
    let path: String
    let inner: any EventSink

    /// - Parameter playbook: the run's first.
    init?(_ configuration: Configuration, playbook: String, inner: any EventSink) {
        guard configuration.flag(.retryFiles) else { return nil }
        let full = Disk.absolute(playbook)
        let folder = configuration.file(.retryFilesFolder) ?? Disk.folder(of: full)
        let name = full.split(separator: "/").last.map(String.init) ?? full
        let stem = name.lastIndex(of: ".").map { String(name[..<$0]) } ?? name
        path = "\(folder)/\(stem).retry"
        self.inner = inner
    }

    func show(_ event: RunEvent) {
        if case .recap(let hosts) = event {
            let failed = hosts.filter { $0.1.failed > 0 || $0.1.unreachable > 0 }.map(\.host)
            if !failed.isEmpty { write(failed) }
        }
        inner.show(event)
    }

    private func write(_ hosts: [String]) {
        do throws(CommandFailure) {
            try Output.write(hosts.map { $0 + "\n" }.joined(), to: path)
            Output.print("\tto retry, use: --limit @\(path)\n")
        } catch {
            for var diagnostic in error.diagnostics {
                diagnostic.severity = .warning
                inner.show(.message(host: nil, diagnostic))
            }
        }
    }
}
