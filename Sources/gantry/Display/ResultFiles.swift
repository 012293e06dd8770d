import Controller
import Values
import Wire

/// `gantry run --tree`: each host's result in a file of its name, beside what is shown.
struct ResultFiles: EventSink {
    let folder: String
    let inner: any EventSink

    func show(_ event: RunEvent) {
        if case .result(let host, _, let result) = event {
            let name = String(host.map { $0 == "/" ? "_" : $0 })
            do throws(CommandFailure) {
                var kept = result.result
                if kept["failed"]?.isTrue == false { kept["failed"] = nil }
                try Output.write(Value.dict(kept).json(JSONStyle(sortKeys: true)), to: "\(folder)/\(name)")
            } catch {
                for diagnostic in error.diagnostics { inner.show(.message(host: host, diagnostic)) }
            }
        }
        inner.show(event)
    }
}
