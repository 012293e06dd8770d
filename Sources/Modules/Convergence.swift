import Machine
import Values

/// Reads, compares, changes when asked to, reads again and requires that the change arrived.
func converge<R: Resource>(
    _ resource: R, on machine: some MachineEditor, _ context: Context
) throws(Failure) -> Outcome {
    let before = try resource.current(on: machine, context)
    let wanted = try resource.desired(given: before, on: machine, context)
    if before == wanted {
        return Outcome(try resource.report(from: before, to: wanted, on: machine))
    }
    let diff = context.diffMode ? resource.diff(from: before, to: wanted) : []
    guard let editor = try context.editor() else {
        return Outcome(changed: true, try resource.report(from: before, to: wanted, on: machine), diff: diff)
    }
    try change(resource, before, to: wanted, on: editor, context)
    let after = try resource.current(on: editor, context)
    guard after == wanted else {
        throw Failure("the change did not hold: \(difference(wanted, after)) after the module had run")
    }
    return Outcome(changed: true, try resource.report(from: before, to: after, on: editor), diff: diff)
}

/// Opens the existential, so that modules see one concrete machine.
private func change<R: Resource>(
    _ resource: R, _ before: R.State?, to wanted: R.State?, on editor: some MachineEditor, _ context: Context
) throws(Failure) {
    try resource.change(before, to: wanted, on: editor, context)
}

func act(_ action: some Action, on machine: some MachineEditor, _ context: Context) throws(Failure) -> Outcome {
    try action.run(on: machine, context)
}

/// Which fields are not as wanted.
private func difference(_ wanted: (some ResourceState)?, _ found: (some ResourceState)?) -> String {
    guard let wanted else { return "it is still there" }
    guard let found else { return "it is not there" }
    let left = wanted.fields
    let right = found.fields
    let names = left.names.filter { left[$0] != right[$0] }
    return names.map { name in
        let values = [left[name] ?? .null, right[name] ?? .null]
        let hidden = values.contains { $0.holdsSecret || $0.pythonText.utf8.count > 200 }
        return hidden ? "'\(name)' is not as wanted" : "'\(name)' is \(values[1].json()), wanted \(values[0].json())"
    }.joined(separator: ", ")
}

