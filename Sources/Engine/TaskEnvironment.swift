import Templates
import Values
import Wire

extension TaskItem {
    /// The layers of `environment`, the inner ones over the outer ones.
    func environment() throws(Interruption) -> Dict {
        let isGathering = ["setup", "gather_facts"].contains(task.task.module)
        var environment = Dict()
        for layer in keywords["environment"].map({ $0.list ?? [$0] }) ?? [] {
            guard case .dict(let written) = layer else {
                let rendered = try task.render(layer, of: "environment")
                if rendered == Templater.omit || rendered.isNull { continue }
                guard let more = rendered.dict else {
                    warnOfEnvironment(layer)
                    continue
                }
                for (key, value) in more { environment[key] = value }
                continue
            }
            for (key, value) in written {
                do throws(Interruption) {
                    let rendered = try task.render(value, of: "environment")
                    if rendered != Templater.omit { environment[key] = rendered }
                } catch {
                    // What gathering is about to find out may be what a variable is made from.
                    guard isGathering, error.message.contains("ansible_env") || error.message.contains("ansible_facts")
                    else { throw error }
                }
            }
        }
        return environment
    }

    private func warnOfEnvironment(_ layer: Value) {
        let shown = layer.holdsSecretText ? "(hidden)" : layer.pythonText
        run.coordinator.tell(
            .message(
                Diagnostic(
                    "could not parse environment value, skipping: \(shown)", at: layer.place ?? task.task.place,
                    severity: .warning)))
    }
}
