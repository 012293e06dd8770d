import Values

extension Evaluator {
    func evaluate(_ expression: Expression, _ frame: Frame) throws(TemplateError) -> Datum {
        do throws(TemplateError) {
            return try plain(expression, frame)
        } catch {
            throw located(error, expression.span)
        }
    }

    private func plain(_ expression: Expression, _ frame: Frame) throws(TemplateError) -> Datum {
        switch expression.kind {
        case .null: return .null
        case .bool(let bool): return .bool(bool)
        case .int(let int): return .int(int)
        case .big(let big): return .big(big)
        case .double(let double): return .double(double)
        case .string(let string): return try constant(string)
        case .name(let name): return try lookUp(name, frame, expression.span)
        case .list(let items): return .list(try evaluateAll(items, frame))
        case .tuple(let items): return .tuple(try evaluateAll(items, frame))
        case .dict(let pairs): return try dict(pairs, frame)
        case .attribute(let object, let name):
            return try attribute(name, of: try evaluate(object, frame), object, expression.span)
        case .item(let object, let key):
            let target = try evaluate(object, frame)
            if case .undefined = target { return target }
            return try item(try evaluate(key, frame), of: target, expression.span)
        case .slice(let object, let start, let stop, let step):
            let bounds = try [start, stop, step].mapThrowing { (part: Expression?) throws(TemplateError) -> Datum? in
                guard let part else { return nil }
                return try self.evaluate(part, frame)
            }
            return try slice(try evaluate(object, frame), bounds[0], bounds[1], bounds[2])
        case .call(let function, let arguments): return try call(function, arguments, frame, expression.span)
        case .filter(let operand, let name, let arguments):
            guard let operand else { throw failure("filter '\(name)' has nothing to work on", expression.span) }
            return try filter(name, try evaluate(operand, frame), arguments, frame, expression.span)
        case .test(let operand, let name, let arguments):
            return try test(name, try evaluate(operand, frame), arguments, frame, expression.span)
        default: return try operation(expression, frame)
        }
    }

    private func operation(_ expression: Expression, _ frame: Frame) throws(TemplateError) -> Datum {
        switch expression.kind {
        case .negative(let operand): return try negated(try evaluate(operand, frame))
        case .positive(let operand):
            let number = try evaluate(operand, frame)
            return try binary(.add, .int(0), number)
        case .not(let operand): return .bool(!(try isTrue(try evaluate(operand, frame))))
        case .and(let left, let right):
            let first = try evaluate(left, frame)
            return try isTrue(first) ? try evaluate(right, frame) : first
        case .or(let left, let right):
            let first = try evaluate(left, frame)
            return try isTrue(first) ? first : try evaluate(right, frame)
        case .binary(let sign, let left, let right):
            let first = try evaluate(left, frame)
            return try binary(sign, first, try evaluate(right, frame))
        case .concatenation(let parts):
            var result = ""
            for part in parts { result += try text(try evaluate(part, frame)) }
            try countOutput(result.utf8.count)
            return .string(result)
        case .comparison(let first, let rest): return try comparison(first, rest, frame)
        case .conditional(let condition, let then, let otherwise):
            if try isTrue(try evaluate(condition, frame)) { return try evaluate(then, frame) }
            if let otherwise { return try evaluate(otherwise, frame) }
            return .undefined(
                Undefined(
                    "the inline if-expression evaluated to false and no else section was defined", name: nil,
                    source: source, span: expression.span, isBlank: true))
        default: throw failure("this cannot be evaluated", expression.span)
        }
    }

    /// A string literal; in conditions of older playbooks it may be a template itself.
    private func constant(_ string: String) throws(TemplateError) -> Datum {
        guard Templater.looksLikeTemplate(string, templater.options) else { return .string(string) }
        guard rendersConstants else {
            constants.insert(string)
            return .string(string)
        }
        return try lifted(.raw(.string(Text(string, mark: Mark(place: nil, isTemplate: true)))))
    }

    func evaluateAll(_ expressions: [Expression], _ frame: Frame) throws(TemplateError) -> [Datum] {
        var result: [Datum] = []
        result.reserveCapacity(expressions.count)
        for expression in expressions { result.append(try evaluate(expression, frame)) }
        return result
    }

    private func dict(
        _ pairs: [(key: Expression, value: Expression)], _ frame: Frame
    ) throws(TemplateError) -> Datum {
        let box = DictBox()
        for (key, value) in pairs { box.items[try self.key(try evaluate(key, frame))] = try evaluate(value, frame) }
        return .dict(box)
    }

    /// A datum as the key of a mapping.
    func key(_ datum: Datum) throws(TemplateError) -> Value {
        switch datum {
        case .list, .dict: throw TemplateError("unhashable type: '\(datum.typeName)'")
        case .tuple, .raw, .null, .bool, .int, .big, .double, .string, .undefined, .object:
            return try value(of: datum)
        }
    }

    private func comparison(
        _ first: Expression, _ rest: [(Comparison, Expression)], _ frame: Frame
    ) throws(TemplateError) -> Datum {
        var left = try evaluate(first, frame)
        for (sign, expression) in rest {
            let right = try evaluate(expression, frame)
            guard try compare(sign, left, right) else { return .bool(false) }
            left = right
        }
        return .bool(true)
    }

    // MARK: Members

    /// `object.name`: Python's attributes (methods) first, then items, as Ansible has it.
    func attribute(
        _ name: String, of object: Datum, _ expression: Expression?, _ span: Span
    ) throws(TemplateError) -> Datum {
        if case .undefined(let undefined) = object { return .undefined(undefined.needed) }
        if let found = try method(name, of: object) { return found }
        if let found = try member(.string(name), of: object) { return found }
        return missing(name, "'\(name)'", of: object, span)
    }

    /// `object[key]`: items first, then attributes.
    func item(_ key: Datum, of object: Datum, _ span: Span) throws(TemplateError) -> Datum {
        if case .undefined(let undefined) = object { return .undefined(undefined.needed) }
        if case .undefined(let undefined) = key { throw undefined.error }
        if let found = try member(key, of: object) { return found }
        if let name = key.text, let found = try method(name, of: object) { return found }
        let shown = try repr(key)
        // ansible-core leaves the words to Jinja2 where the key is false.
        guard try isTrue(key) || key.text != nil else {
            let owner = object.isNull ? "None" : "\(object.typeName) object"
            return missing(nil, shown, of: object, span, words: "\(owner) has no element \(shown)")
        }
        return missing(key.text, shown, of: object, span)
    }

    private func missing(
        _ name: String?, _ shown: String, of object: Datum, _ span: Span, words: String? = nil
    ) -> Datum {
        var message = words ?? "object of type '\(object.typeName)' has no attribute \(shown)"
        if case .object(let found) = object, let scope = found as? ScopeObject {
            let isHost = scope.name.hasPrefix("hostvars[")
            message = isHost
                ? "object of type 'HostVarsVars' has no attribute \(shown)" : "\(scope.name)[\(shown)]"
        }
        return .undefined(
            Undefined(message, name: name ?? shown, source: source, span: span) {
                switch object {
                case .dict(let box): box.items.keys.compactMap(\.text)
                case .object(let object): (try? (object as? ScopeObject)?.keys())?.compactMap(\.text) ?? []
                default: []
                }
            })
    }

    private func method(_ name: String, of object: Datum) throws(TemplateError) -> Datum? {
        if name.hasPrefix("_") {
            if let int = object.int, let bits = Self.bitwise(name, int) { return bits }
            return nil
        }
        switch object {
        case .string(let text) where StringMethods.names.contains(name):
            return .object(
                Function(name) { (call) throws(TemplateError) in try StringMethods.call(name, text, call) })
        case .list(let box) where ListMethods.names.contains(name):
            return .object(Function(name) { (call) throws(TemplateError) in try ListMethods.call(name, box, call) })
        case .tuple(let items) where name == "count" || name == "index":
            return .object(
                Function(name) { (call) throws(TemplateError) in try ListMethods.call(name, ListBox(items), call) })
        case .dict(let box) where DictMethods.names.contains(name):
            return .object(Function(name) { (call) throws(TemplateError) in try DictMethods.call(name, box, call) })
        case .int, .bool, .double, .big: return NumberMethods.attribute(name, object)
        case .object(let found): return try found.attribute(name, self)
        default: return nil
        }
    }

    /// Ansible lets these through its sandbox: `flags.__and__(4)`.
    private static func bitwise(_ name: String, _ left: Int) -> Datum? {
        let operations: [String: (Int, Int) -> Int] = [
            "__and__": { $0 & $1 }, "__or__": { $0 | $1 }, "__xor__": { $0 ^ $1 }, "__lshift__": { $0 << $1 },
            "__rshift__": { $0 >> $1 },
        ]
        guard let operation = operations[name] else { return nil }
        return .object(
            Function(name) { (call) throws(TemplateError) in
                guard let right = call.positional.first?.int else { throw TemplateError("'\(name)' takes one integer") }
                return .int(operation(left, right))
            })
    }

    /// What is under the key; `nil` where there is nothing or the object has no items.
    func member(_ key: Datum, of object: Datum) throws(TemplateError) -> Datum? {
        switch object {
        case .dict(let box):
            let plain = try self.key(key)
            guard let found = box.items[plain] else { return nil }
            guard case .raw = found else { return found }
            let datum = try lifted(found)
            box.items[plain] = datum
            return datum
        case .list(let box):
            guard let index = key.int, let position = Self.position(index, box.items.count) else { return nil }
            guard case .raw = box.items[position] else { return box.items[position] }
            let datum = try lifted(box.items[position])
            box.items[position] = datum
            return datum
        case .tuple(let items):
            guard let index = key.int, let position = Self.position(index, items.count) else { return nil }
            return try lifted(items[position])
        case .string(let text):
            guard let index = key.int else { return nil }
            let scalars = Array(text.string.unicodeScalars)
            guard let position = Self.position(index, scalars.count) else { return nil }
            return .string(String(Character(scalars[position])))
        case .object(let found): return try found.item(key, self)
        default: return nil
        }
    }

    private static func position(_ index: Int, _ count: Int) -> Int? {
        let position = index < 0 ? index + count : index
        return (0..<count).contains(position) ? position : nil
    }

    /// What a loop goes over: items, keys, characters.
    func items(of datum: Datum, _ span: Span? = nil) throws(TemplateError) -> [Datum] {
        switch datum {
        case .list(let box):
            for (index, item) in box.items.enumerated() {
                if case .raw = item { box.items[index] = try lifted(item) }
            }
            return box.items
        case .tuple(let items):
            var result: [Datum] = []
            for item in items { result.append(try lifted(item)) }
            return result
        case .dict(let box): return box.items.keys.map { Self.plain($0) }
        case .string(let text): return text.string.unicodeScalars.map { .string(String(Character($0))) }
        case .undefined(let undefined):
            if undefined.isBlank { return [] }
            throw undefined.error
        case .object(let object):
            if let items = try object.items(self) { return items }
        case .raw: return try items(of: try lifted(datum), span)
        default: break
        }
        let error = TemplateError("'\(datum.typeName)' object is not iterable")
        throw span.map { located(error, $0) } ?? error
    }

    /// A key as datum; keys are never templates.
    static func plain(_ key: Value) -> Datum {
        if case .string(let text) = key { return .string(text.untrusted) }
        if case .list(let items) = key { return .tuple(items.map(plain)) }
        return .raw(key)
    }

    // MARK: Calls

    func call(
        _ function: Expression, _ arguments: Arguments, _ frame: Frame, _ span: Span, caller: Datum? = nil
    ) throws(TemplateError) -> Datum {
        let target = try evaluate(function, frame)
        if case .undefined = target { return target }
        guard case .object(let object) = target, object.isCallable else {
            throw failure("'\(target.typeName)' object is not callable", span)
        }
        var call = try self.arguments(arguments, frame, name: Self.name(of: function))
        if let caller { call.named.append(("caller", caller)) }
        if !(object is MacroObject), !(object is LookupFunction), let undefined = call.firstUndefined {
            return .undefined(undefined)
        }
        if object is MacroObject { return try object.call(call) }
        return try undefinedInstead(span) { () throws(TemplateError) in try self.lifted(try object.call(call)) }
    }

    /// What fails gives a value that is not there, with the error: it counts when somebody needs the value. So
    /// `default` works behind what lacks a value, and what no one uses does no harm.
    private func undefinedInstead(
        _ span: Span?, _ body: () throws(TemplateError) -> Datum
    ) throws(TemplateError) -> Datum {
        do throws(TemplateError) {
            return try body()
        } catch {
            if error.isLimit { throw error }
            return .undefined(Undefined(span.map { located(error, $0) } ?? error))
        }
    }

    private static func name(of function: Expression) -> String {
        switch function.kind {
        case .name(let name), .attribute(_, let name): name
        default: "function"
        }
    }

    func arguments(_ arguments: Arguments, _ frame: Frame, name: String) throws(TemplateError) -> Call {
        var call = Call(evaluator: self, name: name, positional: try evaluateAll(arguments.positional, frame))
        for (name, expression) in arguments.named { call.named.append((name, try evaluate(expression, frame))) }
        if let list = arguments.list { call.positional += try items(of: try evaluate(list, frame), list.span) }
        if let mapping = arguments.mapping {
            guard case .dict(let box) = try evaluate(mapping, frame) else {
                throw failure("argument behind ** must be a mapping", mapping.span)
            }
            for (key, value) in box.items { call.named.append((key.pythonText, try lifted(value))) }
        }
        return call
    }

    /// A filter of a block or a `set` block, whose innermost operand is the block's text.
    func apply(_ filter: Expression, to datum: Datum, _ frame: Frame) throws(TemplateError) -> Datum {
        guard case .filter(let operand, let name, let arguments) = filter.kind else { return datum }
        let value = if let operand { try apply(operand, to: datum, frame) } else { datum }
        return try self.filter(name, value, arguments, frame, filter.span)
    }

    func filter(
        _ name: String, _ value: Datum, _ arguments: Arguments, _ frame: Frame, _ span: Span
    ) throws(TemplateError) -> Datum {
        try filter(name, value, try self.arguments(arguments, frame, name: name), span)
    }

    func filter(_ name: String, _ value: Datum, _ call: Call, _ span: Span?) throws(TemplateError) -> Datum {
        guard let filter = templater.filter(named: name) else { throw templater.unknown(.filter, name) }
        return try undefinedInstead(span) { () throws(TemplateError) in
            do throws(TemplateError) {
                return try self.lifted(try filter.apply(value, call))
            } catch { throw error.worded { "The filter plugin '\(Filters.shownName(name, .filter))' failed: \($0)" } }
        }
    }

    func test(
        _ name: String, _ value: Datum, _ arguments: Arguments, _ frame: Frame, _ span: Span
    ) throws(TemplateError) -> Datum {
        do throws(TemplateError) {
            return try test(name, value, try self.arguments(arguments, frame, name: name), span)
        } catch {
            throw located(error, span)
        }
    }

    func test(
        _ name: String, _ value: Datum, _ call: Call, _ span: Span? = nil
    ) throws(TemplateError) -> Datum {
        guard let test = templater.test(named: name) else { throw templater.unknown(.test, name) }
        return try undefinedInstead(span) { () throws(TemplateError) in
            do throws(TemplateError) {
                return try test.apply(value, call)
            } catch { throw error.worded { "The test plugin '\(Filters.shownName(name, .test))' failed: \($0)" } }
        }
    }
}

extension Array {
    /// `map` with a closure that throws template errors: the standard one cannot tell their type.
    func mapThrowing<T>(_ change: (Element) throws(TemplateError) -> T) throws(TemplateError) -> [T] {
        var result: [T] = []
        result.reserveCapacity(count)
        for element in self { result.append(try change(element)) }
        return result
    }
}
