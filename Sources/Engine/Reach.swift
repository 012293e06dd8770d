import Templates
import Values
import Wire

/// How a task says that its host is reached.
extension TaskRun {
    /// The task's own variables of that kind. Those of the play's own host do not go along: a delegate has its own, and
    /// theirs are what the task's variables are made from.
    func variables(ofDelegate host: String) throws(Interruption) -> Dict {
        try scope.seen(from: host) { () throws(Interruption) in
            var variables = Dict()
            for (name, value) in task.keywords["vars"]?.dict ?? Dict() where saysHowReached(name.pythonText) {
                variables[name] = try render(value)
            }
            return variables
        }
    }

    /// The same for the play's own host, with `connection`, `remote_user` and `port` of the task, where variables of
    /// the host say nothing; empty where the host is reached that way already.
    func ownReach() throws(Interruption) -> Dict {
        let names = ["ansible_connection", "ansible_host", "ansible_user", "ansible_port", "ansible_password"]
        var reach = Dict()
        for (name, value) in task.keywords["vars"]?.dict ?? Dict() where names.contains(name.pythonText) {
            reach[name] = try render(value)
        }
        // Facts are stronger than the task's variables.
        for (name, value) in assignedReach { reach[name] = value }
        for (name, value) in task.keywords["_reach"]?.dict ?? Dict() where reach[name] == nil {
            guard try variable(name.pythonText) == nil else { continue }
            let rendered = try render(value)
            if rendered != Templater.omit, !rendered.isNull { reach[name] = rendered }
        }
        let isAsNow = reach["ansible_connection"].map { word in
            word.pythonText.split(separator: ".").last.map(String.init) == run.plan.settings.connection
        } ?? true
        return isAsNow && reach.count == (reach["ansible_connection"] == nil ? 0 : 1) ? Dict() : reach
    }

    /// What `set_fact` said about how the host is reached, where that is not how the engine came there.
    private var assignedReach: Dict {
        let plan = run.plan
        var reach = Dict()
        for name in reachVariables where plan.extra[name] == nil {
            guard let value = run.state.assigned[name], !value.isNull,
                value.pythonText != plan.connection[name]?.pythonText
            else { continue }
            reach[name] = value
        }
        let word = reach["ansible_connection"]?.pythonText.split(separator: ".").last ?? "local"
        // Here nobody logs in.
        return plan.settings.connection == "local" && word == "local" ? Dict() : reach
    }

    private func variable(_ name: String) throws(Interruption) -> Value? {
        do throws(TemplateError) { return try scope.value(of: name) } catch { throw interruption(error) }
    }
}
