import Templates
import Values

/// What the names of a debugging session stand for, and what its lines do to them.
///
/// Not Python: expressions, assignments, `del`, and the methods and functions that people use at such a prompt.
struct Interpreter {
    /// What is looked at but never changed, by its names.
    struct Subject {
        /// As Python would print the object.
        var text: String
        var members: Dict
    }

    /// What a term comes to.
    private enum Meaning {
        case value(Value)
        /// An object that has no literal.
        case object(String)
    }

    var arguments: Dict
    /// The task's other fields, `name` among them.
    var fields: Dict
    var variables: Dict
    /// Names that were assigned at the prompt.
    private var own = Dict()
    private let subjects: [String: Subject]
    private let templater: Templater
    /// The arguments are not to be seen.
    private let hidesArguments: Bool
    /// Names of arguments that modules keep to themselves.
    private let secrets: Set<String>
    private(set) var output = ""

    init(
        arguments: Dict, fields: Dict, variables: Dict, subjects: [String: Subject], hidesArguments: Bool,
        secrets: Set<String>, templater: Templater
    ) {
        self.arguments = arguments
        self.fields = fields
        self.variables = variables
        self.subjects = subjects
        self.hidesArguments = hidesArguments
        self.secrets = secrets
        self.templater = templater
    }

    // MARK: Lines

    /// `p`
    mutating func print(_ line: String, masked: (Value) -> Value) throws(PythonError) {
        switch try meaning(of: try TermReader.term(line)) {
        case .value(let value): output += PrettyText(masked(value)).text + "\n"
        case .object(let text): output += text + "\n"
        }
    }

    mutating func run(_ line: String, masked: (Value) -> Value) throws(PythonError) {
        switch try TermReader.sentence(line) {
        case .evaluate(let term):
            switch try meaning(of: term) {
            case .value(.null): break
            case .value(let value): output += masked(value).pythonRepr + "\n"
            case .object(let text): output += text + "\n"
            }
        case .assign(let targets, let term):
            let value = try value(of: term)
            for target in targets { try store(value, in: target) }
        case .augment(let target, let sign, let term):
            let operand = try value(of: term)
            try store(try computed("a \(sign) b", ["a": try value(of: target), "b": operand]), in: target)
        case .delete(let targets): for target in targets { try store(nil, in: target) }
        }
    }

    mutating func add(_ line: String) { output += line + "\n" }

    mutating func takeOutput() -> String {
        defer { output = "" }
        return output
    }

    // MARK: What can be changed

    private enum Root {
        case arguments, variables
        case field(String), own(String)
    }

    /// Where a term's value is kept, and the keys on the way down to it; `nil` for what is computed.
    private mutating func path(of term: Term) throws(PythonError) -> (Root, [Value])? {
        switch term {
        case .name("task_vars"): return (.variables, [])
        case .name(let name): return (.own(name), [])
        case .attribute(.name("task"), "args"): return (.arguments, [])
        case .attribute(.name("task"), let name): return (.field(name), [])
        case .item(let base, let key):
            guard let (root, keys) = try path(of: base) else { return nil }
            return (root, keys + [try value(of: key)])
        default: return nil
        }
    }

    private func value(in root: Root) -> Value? {
        switch root {
        case .arguments: .dict(shownArguments)
        case .variables: .dict(variables)
        case .field(let name): fields[name] ?? Self.blankFields[name]
        case .own(let name): own[name]
        }
    }

    private var shownArguments: Dict {
        var shown = arguments
        for (name, value) in arguments {
            if hidesArguments { shown[name] = .string(Masking.mask) }
            // What is made from it is secret, too.
            if secrets.contains(name.pythonText) { shown[name] = value.mapText(\.secret) }
        }
        return shown
    }

    /// - Parameter value: `nil` takes it away.
    private mutating func store(_ value: Value?, in target: Term) throws(PythonError) {
        guard let (root, keys) = try path(of: target) else {
            throw PythonError("TypeError", "only 'task.args', 'task_vars', fields of the task and own names can be set")
        }
        if case .own(let name) = root, keys.isEmpty {
            if value == nil, own[name] == nil { throw Self.unknown(name) }
            own[name] = value
            return
        }
        var whole = switch root {
        case .arguments: Value.dict(arguments)
        default: self.value(in: root) ?? .null
        }
        if keys.isEmpty { whole = value ?? .null } else { try Self.put(value, at: keys[...], into: &whole) }
        switch root {
        case .arguments, .variables:
            guard case .dict(let dict) = whole else { throw PythonError("TypeError", "a dict is needed here") }
            if case .arguments = root { arguments = dict } else { variables = dict }
        case .field(let name):
            guard Self.blankFields[name] != nil || fields[name] != nil else { throw Self.noAttribute("Task", name) }
            fields[name] = whole
        case .own(let name): own[name] = whole
        }
    }

    private static func put(
        _ new: Value?, at keys: ArraySlice<Value>, into value: inout Value
    ) throws(PythonError) {
        guard let key = keys.first else { return }
        let rest = keys.dropFirst()
        switch value {
        case .dict(var dict):
            if rest.isEmpty {
                if new == nil, dict[key] == nil { throw PythonError("KeyError", arguments: key.pythonRepr) }
                dict[key] = new
            } else {
                guard var inner = dict[key] else { throw PythonError("KeyError", arguments: key.pythonRepr) }
                try put(new, at: rest, into: &inner)
                dict[key] = inner
            }
            value = .dict(dict)
        case .list(var list):
            guard let number = key.int, let index = position(number, list.count) else {
                throw PythonError("IndexError", "list assignment index out of range")
            }
            if !rest.isEmpty {
                try put(new, at: rest, into: &list[index])
            } else if let new {
                list[index] = new
            } else {
                list.remove(at: index)
            }
            value = .list(list)
        default: throw PythonError("TypeError", "'\(value.typeName)' object does not support item assignment")
        }
    }

    private static func position(_ index: Int, _ count: Int) -> Int? {
        let position = index < 0 ? index + count : index
        return (0..<count).contains(position) ? position : nil
    }

    private static func unknown(_ name: String) -> PythonError {
        PythonError("NameError", "name '\(name)' is not defined")
    }

    private static func noAttribute(_ type: String, _ name: String) -> PythonError {
        PythonError("AttributeError", "'\(type)' object has no attribute '\(name)'")
    }

    // MARK: Terms

    private mutating func value(of term: Term) throws(PythonError) -> Value {
        switch try meaning(of: term) {
        case .value(let value): value
        case .object(let text): .string(text)
        }
    }

    private mutating func meaning(of term: Term) throws(PythonError) -> Meaning {
        switch term {
        case .constant(let value): return .value(value)
        case .name(let name): return try meaning(ofName: name)
        case .list(let items): return .value(.list(try values(of: items)))
        case .dict(let pairs):
            var dict = Dict()
            for (key, item) in pairs { dict[try value(of: key)] = try value(of: item) }
            return .value(.dict(dict))
        case .attribute(let base, let name): return try attribute(name, of: base)
        case .item(let base, let key): return .value(try item(try value(of: base), try value(of: key)))
        case .slice(let base, let start, let end, let step):
            var names: Dict = ["a": try value(of: base)]
            for (name, bound) in [("b", start), ("c", end), ("d", step)] {
                if let bound { names[name] = try value(of: bound) }
            }
            let bounds = (start == nil ? "" : "b") + ":" + (end == nil ? "" : "c") + (step == nil ? "" : ":d")
            return .value(try computed("a[\(bounds)]", names))
        case .call(let function, let positional, let named): return try call(function, positional, named)
        case .prefix(let sign, let operand):
            let value = try value(of: operand)
            return .value(sign == "not" ? .bool(!value.isTrue) : try computed("\(sign)a", ["a": value]))
        case .infix(let sign, let left, let right): return .value(try infix(sign, left, right))
        case .conditional(let condition, let then, let otherwise):
            return try meaning(of: try value(of: condition).isTrue ? then : otherwise)
        case .comprehension(let body, let name, let source, let condition):
            let outer = own[name]
            defer { own[name] = outer }
            var items: [Value] = []
            for item in try elements(of: try value(of: source)) {
                own[name] = item
                if let condition, !(try value(of: condition).isTrue) { continue }
                items.append(try value(of: body))
            }
            return .value(.list(items))
        }
    }

    private mutating func values(of terms: [Term]) throws(PythonError) -> [Value] {
        var values: [Value] = []
        for term in terms { values.append(try value(of: term)) }
        return values
    }

    private func meaning(ofName name: String) throws(PythonError) -> Meaning {
        if let value = own[name] { return .value(value) }
        if name == "task_vars" { return .value(.dict(variables)) }
        if let subject = subjects[name] { return .object(subject.text) }
        if Self.functions.contains(name) { return .object("<built-in function \(name)>") }
        throw Self.unknown(name)
    }

    private mutating func attribute(_ name: String, of base: Term) throws(PythonError) -> Meaning {
        if case .name("task") = base, own["task"] == nil {
            let root: Root = name == "args" ? .arguments : .field(name)
            guard let value = value(in: root) else { throw Self.noAttribute("Task", name) }
            return .value(value)
        }
        if case .name(let subject) = base, own[subject] == nil, let found = subjects[subject] {
            guard let value = found.members[name] else { throw Self.noAttribute(Self.types[subject] ?? "object", name) }
            return .value(value)
        }
        throw Self.noAttribute(try value(of: base).typeName, name)
    }

    private func item(_ base: Value, _ key: Value) throws(PythonError) -> Value {
        switch base {
        case .dict(let dict):
            guard let value = dict[key] else { throw PythonError("KeyError", arguments: key.pythonRepr) }
            return value
        case .list(let list):
            guard let number = key.int else {
                throw PythonError("TypeError", "list indices must be integers or slices, not \(key.typeName)")
            }
            guard let index = Self.position(number, list.count) else {
                throw PythonError("IndexError", "list index out of range")
            }
            return list[index]
        case .string(let text):
            guard let number = key.int, Self.position(number, text.string.unicodeScalars.count) != nil else {
                throw PythonError("IndexError", "string index out of range")
            }
            return try computed("a[b]", ["a": base, "b": key])
        default: throw PythonError("TypeError", "'\(base.typeName)' object is not subscriptable")
        }
    }

    private mutating func infix(_ sign: String, _ left: Term, _ right: Term) throws(PythonError) -> Value {
        let first = try value(of: left)
        if sign == "and" { return first.isTrue ? try value(of: right) : first }
        if sign == "or" { return first.isTrue ? first : try value(of: right) }
        let second = try value(of: right)
        switch sign {
        case "==", "is": return .bool(first == second)
        case "!=", "is not": return .bool(first != second)
        case "|":
            if let one = first.dict, let other = second.dict { return .dict(one.merging(other) { $1 }) }
            if let one = first.int, let other = second.int { return .int(one | other) }
        case "&": if let one = first.int, let other = second.int { return .int(one & other) }
        default: return try computed("a \(sign) b", ["a": first, "b": second])
        }
        throw PythonError(
            "TypeError", "unsupported operand type(s) for \(sign): '\(first.typeName)' and '\(second.typeName)'")
    }

    /// An expression that means the same in a template.
    private func computed(_ expression: String, _ names: Dict) throws(PythonError) -> Value {
        do throws(TemplateError) {
            return try templater.evaluate(
                expression: Text(expression), in: DictScope(names.mapValues(\.untrusted)))
        } catch {
            let isDivision = error.message.contains("zero")
            throw isDivision
                ? PythonError("ZeroDivisionError", "division by zero") : PythonError("TypeError", error.message)
        }
    }

    private func elements(of value: Value) throws(PythonError) -> [Value] {
        switch value {
        case .list(let list): return list
        case .dict(let dict): return Array(dict.keys)
        case .string(let text): return text.string.unicodeScalars.map { .string(String(Character($0))) }
        default: throw PythonError("TypeError", "'\(value.typeName)' object is not iterable")
        }
    }
}

// MARK: - Calls

extension Interpreter {
    private static let functions: Set<String> = [
        "abs", "all", "any", "bool", "dict", "float", "int", "len", "list", "max", "min", "print", "range", "repr",
        "sorted", "str", "sum", "type",
    ]
    private static let types = ["host": "Host", "play_context": "PlayContext", "result": "_RawTaskResult"]

    /// Fields that a task has, whether it says anything about them or not.
    private static let blankFields: Dict = [
        "action": "", "any_errors_fatal": false, "async_val": 0, "become": false, "become_exe": .null,
        "become_flags": .null, "become_method": .null, "become_user": .null, "changed_when": [], "check_mode": .null,
        "collections": [], "connection": .null, "debugger": .null, "delay": 5, "delegate_facts": .null,
        "delegate_to": .null, "diff": .null, "environment": [], "failed_when": [], "ignore_errors": .null,
        "ignore_unreachable": .null, "loop": .null, "loop_control": .null, "module_defaults": [], "name": "",
        "no_log": .null, "notify": [], "poll": 15, "port": .null, "register": .null, "remote_user": .null,
        "retries": .null, "run_once": .null, "tags": [], "throttle": 0, "timeout": 0, "until": [], "vars": [:],
        "when": [],
    ]

    private mutating func call(
        _ function: Term, _ terms: [Term], _ namedTerms: [(String, Term)]
    ) throws(PythonError) -> Meaning {
        let positional = try values(of: terms)
        var named = Dict()
        for (name, term) in namedTerms { named[name] = try value(of: term) }
        switch function {
        case .name(let name): return try call(name, positional, named)
        case .attribute(let base, let name): return .value(try call(name, of: base, positional, named))
        default: throw PythonError("TypeError", "'\(try value(of: function).typeName)' object is not callable")
        }
    }

    private mutating func call(_ name: String, _ given: [Value], _ named: Dict) throws(PythonError) -> Meaning {
        guard own[name] == nil, Self.functions.contains(name) else {
            _ = try meaning(ofName: name)
            throw PythonError("TypeError", "'\(own[name]?.typeName ?? "object")' object is not callable")
        }
        if name == "print" {
            output += given.map(\.pythonText).joined(separator: " ") + "\n"
            return .value(.null)
        }
        if name == "dict" { return .value(.dict((given.first?.dict ?? Dict()).merging(named) { $1 })) }
        if name == "range" {
            let names = Dict(given.enumerated().map { ("a\($0.offset)", $0.element) })
            return .value(try computed("range(\(names.names.joined(separator: ", "))) | list", names))
        }
        guard let value = given.first else { throw PythonError("TypeError", "\(name)() takes an argument") }
        switch name {
        case "len":
            if value.dict == nil, value.list == nil, value.text == nil {
                throw PythonError("TypeError", "object of type '\(value.typeName)' has no len()")
            }
            return .value(.int(try elements(of: value).count))
        case "str": return .value(.string(value.pythonText))
        case "repr": return .value(.string(value.pythonRepr))
        case "bool": return .value(.bool(value.isTrue))
        case "type": return .object("<class '\(value.typeName)'>")
        case "any": return .value(.bool(try elements(of: value).contains(where: \.isTrue)))
        case "all": return .value(.bool(try elements(of: value).allSatisfy(\.isTrue)))
        case "list": return .value(.list(try elements(of: value)))
        case "sorted": return .value(try computed("a | sort", ["a": .list(try elements(of: value))]))
        case "max", "min", "sum":
            let all = given.count > 1 ? given : try elements(of: value)
            return .value(try computed("a | \(name)", ["a": .list(all)]))
        default: return .value(try computed("a | \(name)", ["a": value]))
        }
    }

    /// A method: of what can be changed in its place, or of a value.
    private mutating func call(
        _ name: String, of base: Term, _ given: [Value], _ named: Dict
    ) throws(PythonError) -> Value {
        if case .name(let subject) = base, own[subject] == nil, let found = subjects[subject] {
            guard let value = found.members[name] else { throw Self.noAttribute(Self.types[subject] ?? "Task", name) }
            return value
        }
        var receiver = try value(of: base)
        if case .attribute(.name("task"), "args") = base { receiver = .dict(arguments) }
        if let result = try Self.changed(&receiver, name, given, named) {
            if try path(of: base) != nil { try store(receiver, in: base) }
            return result
        }
        if case .attribute(.name("task"), "args") = base { receiver = try value(of: base) }
        var names: Dict = ["a": receiver]
        var parts: [String] = []
        for (index, value) in given.enumerated() {
            names["p\(index)"] = value
            parts.append("p\(index)")
        }
        for (key, value) in named {
            names["k_\(key.pythonText)"] = value
            parts.append("\(key.pythonText)=k_\(key.pythonText)")
        }
        let listed = ["keys", "values", "items"].contains(name) && receiver.dict != nil ? " | list" : ""
        do throws(PythonError) {
            return try computed("a.\(name)(\(parts.joined(separator: ", ")))\(listed)", names)
        } catch {
            throw error.arguments.contains("has no attribute") ? Self.noAttribute(receiver.typeName, name) : error
        }
    }

    /// What a method that changes its object gives; `nil` where it is no such method.
    private static func changed(
        _ receiver: inout Value, _ name: String, _ given: [Value], _ named: Dict
    ) throws(PythonError) -> Value? {
        switch receiver {
        case .dict(var dict):
            defer { receiver = .dict(dict) }
            switch (name, given.first) {
            case ("clear", nil): dict = Dict()
            case ("update", let other):
                for (key, value) in other?.dict ?? Dict() { dict[key] = value }
                for (key, value) in named { dict[key] = value }
            case ("pop", let key?):
                guard let value = dict.removeValue(forKey: key) ?? given.dropFirst().first else {
                    throw PythonError("KeyError", arguments: key.pythonRepr)
                }
                return value
            case ("setdefault", let key?):
                dict[key] = dict[key] ?? given.dropFirst().first ?? .null
                return dict[key]
            default: return nil
            }
        case .list(var list):
            defer { receiver = .list(list) }
            switch (name, given.first) {
            case ("append", let item?): list.append(item)
            case ("extend", let more?): list += more.list ?? []
            case ("insert", let index?):
                list.insert(given.dropFirst().first ?? .null, at: max(0, min(list.count, index.int ?? 0)))
            case ("remove", let item?):
                guard let index = list.firstIndex(of: item) else {
                    throw PythonError("ValueError", "list.remove(x): x not in list")
                }
                list.remove(at: index)
            case ("pop", let index):
                guard let index = position(index?.int ?? -1, list.count) else {
                    throw PythonError("IndexError", "pop index out of range")
                }
                return list.remove(at: index)
            case ("clear", nil): list = []
            default: return nil
            }
        default: return nil
        }
        return .null
    }
}
