import Templates
import Values
import Wire

/// Filters and tests in Python, which the controller runs.
final class AskedPlugins: TemplatePlugins {
    private unowned let coordinator: any Coordinator
    private struct State {
        var isFound = true
        var readsVariables = false
        var failure: String?
    }
    private var known: [String: State] = [:]
    init(_ coordinator: any Coordinator) { self.coordinator = coordinator }

    func has(_ kind: PluginKind, _ name: String) -> Bool { state(of: kind, name).isFound }
    func failure(_ kind: PluginKind, _ name: String) -> String? { state(of: kind, name).failure }

    func readsVariables(_ kind: PluginKind, _ name: String) -> Bool { state(of: kind, name).readsVariables }

    private func state(of kind: PluginKind, _ name: String) -> State {
        let key = "\(kind.rawValue) \(name)"
        if let known = known[key] { return known }
        // Where nobody can tell, using it will.
        var state = State()
        let step: Value = ["has": .string(name), "kind": .string(kind.rawValue)]
        if case .asked(let reply)? = try? coordinator.ask(.converse(step)), let isFound = reply["found"]?.bool {
            state = State(
                isFound: isFound, readsVariables: reply["variables"]?.isTrue ?? false, failure: reply["failure"]?.text)
        }
        known[key] = state
        return state
    }

    func apply(
        _ kind: PluginKind, _ name: String, _ arguments: [Value], _ named: Dict
    ) throws(TemplateError) -> Value {
        let question = Question.plugin(kind: kind.rawValue, name: name, arguments: arguments, named: named)
        do throws(Interruption) {
            switch try coordinator.ask(question) {
            case .value(let value): return value ?? .null
            case .failure(let diagnostic): throw Interruption.failed(TaskFailure(diagnostic))
            default: throw Interruption.unexpectedAnswer
            }
        } catch {
            if case .failed(let failure) = error, let diagnostic = failure.diagnostic {
                throw TemplateError(diagnostic)
            }
            throw TemplateError(error.message)
        }
    }
}
