import Templates
import Values
import Wire

/// Filters and tests in Python, which the controller runs. Loading has checked their names.
final class AskedPlugins: TemplatePlugins {
    private unowned let coordinator: any Coordinator
    init(_ coordinator: any Coordinator) { self.coordinator = coordinator }

    func has(_ kind: PluginKind, _ name: String) -> Bool { true }

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
