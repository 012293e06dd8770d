import Playbooks
import Templates
import Values

/// `vars_prompt`: asked once a play, before its hosts are known, since these may hang on the answers.
struct PlayPrompts {
    let extra: Dict
    /// Renders with the play's variables.
    let render: (Value) throws(Diagnostics) -> Value

    func answers(_ play: Play) throws(Diagnostics) -> Dict {
        var answers = Dict()
        for written in play.prompts {
            guard let entry = try render(.dict(written)).dict, let name = entry["name"]?.pythonText else { continue }
            if extra[name] != nil { continue }
            var answer = try self.answer(entry, name)
            if let scheme = entry["encrypt"], !scheme.isNull { answer = try hashed(answer, scheme, entry) }
            let isSecret = entry["private"]?.asBool ?? false
            let isTemplate = !(entry["unsafe"]?.asBool ?? false) && Templater.looksLikeTemplate(answer)
            answers[name] = .string(Text(answer, mark: Mark(isTemplate: isTemplate, isSecret: isSecret)))
        }
        return answers
    }

    private func answer(_ entry: Dict, _ name: String) throws(Diagnostics) -> String {
        let fallback = entry["default"].flatMap { $0.isNull ? nil : $0.pythonText }
        let text = entry["prompt"]?.pythonText ?? name
        let question = text.isEmpty ? "input for \(name): " : text + (fallback.map { " [\($0)]" } ?? "") + ": "
        // What is not said is typed unseen, but only who says that it is private means a secret.
        let echo = !(entry["private"]?.asBool ?? true)
        do throws(Diagnostic) {
            while true {
                let answer = try Prompt.ask(question, echo: echo)
                if entry["confirm"]?.asBool ?? false, try Prompt.ask("confirm " + question, echo: echo) != answer {
                    Output.print("***** VALUES ENTERED DO NOT MATCH ****")
                    continue
                }
                return answer.isEmpty ? fallback ?? "" : answer
            }
        } catch {
            if let fallback { return fallback }
            throw Diagnostics([error])
        }
    }

    private func hashed(_ answer: String, _ scheme: Value, _ entry: Dict) throws(Diagnostics) -> String {
        let templater = Templater()
        let known: Dict = [
            "answer": .string(Text(answer)), "scheme": scheme, "salt": entry["salt"] ?? .null,
            "size": entry["salt_size"] ?? .null,
        ]
        let text = Text("{{ answer | password_hash(scheme, salt, size) }}", mark: Mark(isTemplate: true))
        do throws(TemplateError) { return try templater.render(text, in: DictScope(known)).pythonText } catch {
            throw Diagnostics([error.diagnostic])
        }
    }
}
