import Templates
import Values
import Wire

/// `loop_control`, with its defaults.
struct LoopControl {
    var variable = "item"
    var indexVariable: String?
    var rawLabel: Value?
    var pause = 0.0
    var isExtended = false
    var withAllItems = true
    var breakWhen: Value?

    /// - Parameter raw: as written, since the label is rendered for each item.
    init(_ control: Dict, raw: Dict?) {
        if let name = control["loop_var"]?.text { variable = name }
        indexVariable = control["index_var"]?.text
        rawLabel = raw?["label"]
        pause = control["pause"]?.number ?? control["pause"]?.text.flatMap { Double($0) } ?? 0
        isExtended = control["extended"]?.asBool ?? false
        withAllItems = control["extended_allitems"]?.asBool ?? true
        breakWhen = raw?["break_when"]
    }
}

/// One turn of a loop: the variables that it sets.
struct LoopItem {
    let items: [Value]
    let index: Int
    let control: LoopControl

    var item: Value { items[index] }

    var variables: Dict {
        var variables: Dict = ["ansible_loop_var": .string(control.variable)]
        variables[control.variable] = item
        if let name = control.indexVariable {
            variables[name] = .int(index)
            variables["ansible_index_var"] = .string(name)
        }
        guard control.isExtended else { return variables }
        var loop: Dict = [
            "index": .int(index + 1), "index0": .int(index), "first": .bool(index == 0),
            "last": .bool(index == items.count - 1), "length": .int(items.count), "revindex": .int(items.count - index),
            "revindex0": .int(items.count - index - 1),
        ]
        if control.withAllItems { loop["allitems"] = .list(items) }
        if index > 0 { loop["previtem"] = items[index - 1] }
        if index + 1 < items.count { loop["nextitem"] = items[index + 1] }
        variables["ansible_loop"] = .dict(loop)
        return variables
    }
}

extension TaskRun {
    /// A loop's variable that has a value hides it.
    func warnOfHidden(_ control: LoopControl) {
        guard (try? scope.value(of: control.variable)) ?? nil != nil else { return }
        run.coordinator.tell(
            .message(
                Diagnostic(
                    "The loop variable '\(control.variable)' is already in use.",
                    hint: "You should set the `loop_var` value in the `loop_control` option for the task to something "
                        + "else to avoid variable collisions and unexpected behavior.",
                    severity: .warning)))
    }

    /// The items of `loop` or `with_X`; `nil` when the task has no loop.
    ///
    /// A loop over something undefined is none when the task's condition, taken without an item, is false.
    func loopItems() throws(Interruption) -> [Value]? {
        let keywords = task.keywords
        let lookup = keywords.names.first { $0.hasPrefix("with_") }
        guard keywords["loop"] != nil || lookup != nil else { return nil }
        do throws(Interruption) {
            if let value = keywords["loop"] {
                let rendered = try render(value)
                guard let items = rendered.list else { throw notAList(rendered, at: value) }
                return items
            }
            guard let lookup, let value = keywords[lookup] else { return nil }
            return try items(of: lookup, try renderTerms(value, lookup))
        } catch {
            if case .failed = error, let when = keywords["when"], (try? firstFalse(when)) ?? nil != nil { return nil }
            throw error
        }
    }

    private func notAList(_ value: Value, at source: Value) -> Interruption {
        return .failed(
            TaskFailure(
                Diagnostic(
                    "The `loop` value must resolve to a 'list', not '\(value.typeName)'.",
                    at: source.place ?? task.place,
                    hint: value.dict != nil ? "use {{ … | dict2items }} to loop over a mapping" : nil)))
    }

    /// What has no value is passed over in the terms of `with_first_found`, as Ansible does.
    private func renderTerms(_ value: Value, _ lookup: String) throws(Interruption) -> [Value] {
        if lookup.hasSuffix("first_found") {
            do throws(TemplateError) {
                guard let terms = try run.templater.defined(in: value, scope) else { return [] }
                return terms.list ?? [terms]
            } catch { throw interruption(error) }
        }
        let rendered = try render(value)
        if lookup == "with_sequence" { return [rendered] }
        return rendered.list ?? [rendered]
    }

    private func items(of keyword: String, _ terms: [Value]) throws(Interruption) -> [Value] {
        var plugin = String(keyword.dropFirst(5))
        for prefix in ["ansible.builtin.", "ansible.legacy."] where plugin.hasPrefix(prefix) {
            plugin = String(plugin.dropFirst(prefix.count))
        }
        if plugin == "list" { return terms }
        do throws(TemplateError) {
            // `with_first_found` looks where the task's module would look for its files.
            let kind = ["template", "var"].first { task.module.contains($0) } ?? "file"
            let options: Dict = plugin == "first_found" ? ["_kind": .string(kind + "s")] : Dict()
            return try Lookup(plugin, scope: scope).results(terms, options)
        } catch {
            if error.isUndefined { throw interruption(error) }
            throw interruption(error.worded { "The lookup plugin '\(plugin)' failed: \($0)" }, prefix: "")
        }
    }
}
