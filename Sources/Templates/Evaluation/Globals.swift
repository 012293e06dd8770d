import Values

/// The functions that every template has.
enum Globals {
    static let names = [
        "range", "dict", "cycler", "joiner", "namespace", "lipsum", "now", "undef", "omit", "lookup", "query", "q",
    ]

    static var all: [String: Datum] {
        var table: [String: Datum] = ["omit": .raw(Templater.omit)]
        func add(_ name: String, _ body: @escaping (Call) throws(TemplateError) -> Datum) {
            table[name] = .object(Function(name, type: "function", body))
        }
        add("range", range)
        add("dict") { (call) throws(TemplateError) in
            let box = DictBox()
            if let first = call.positional.first { try DictMethods.update(box, from: first, call.evaluator) }
            for (key, value) in call.named { box[key] = value }
            return .dict(box)
        }
        add("namespace") { (call) throws(TemplateError) in
            let space = Namespace()
            if let first = call.positional.first {
                let box = DictBox()
                try DictMethods.update(box, from: first, call.evaluator)
                for (key, value) in box.items { space.values[key.pythonText] = try call.evaluator.lifted(value) }
            }
            for (key, value) in call.named { space.values[key] = value }
            return .object(space)
        }
        add("cycler") { (call) throws(TemplateError) in
            if call.positional.isEmpty { throw TemplateError("at least one item has to be provided") }
            return .object(Cycler(call.positional))
        }
        add("joiner") { (call) throws(TemplateError) in
            .object(Joiner(try call.bound(["sep"])[0] ?? .string(", ")))
        }
        add("lipsum") { (call) throws(TemplateError) in
            let bound = try call.bound(["n", "html", "min", "max"])
            let html = try call.evaluator.isTrue(bound[1] ?? .bool(true))
            return .string(Lipsum.text(paragraphs: bound[0]?.int ?? 5, html: html))
        }
        add("now", now)
        add("undef") { (call) throws(TemplateError) in
            let given = try call.bound(["hint"])[0] ?? .null
            let hint = given.text
            if hint == nil, !given.isNull {
                throw TemplateError(
                    "'hint' of undef() takes text, got '\(given.typeName)'",
                    words: "The 'hint' argument must be of type 'str', not '\(given.typeName)'.")
            }
            let message = hint.flatMap { $0.isEmpty ? nil : $0 } ?? AbsentValue.unset
            return .undefined(Undefined(message, name: nil, source: nil, span: Span(0, 1)))
        }
        table["lookup"] = .object(LookupFunction("lookup", wantsList: false))
        table["query"] = .object(LookupFunction("query", wantsList: true))
        table["q"] = .object(LookupFunction("q", wantsList: true))
        return table
    }

    private static func range(_ call: Call) throws(TemplateError) -> Datum {
        var numbers: [Int] = []
        for argument in call.positional {
            guard let int = argument.int else {
                throw TemplateError("'\(argument.typeName)' object cannot be interpreted as an integer")
            }
            numbers.append(int)
        }
        guard (1...3).contains(numbers.count), call.named.isEmpty else {
            throw TemplateError("range expects 1 to 3 arguments, got \(numbers.count)")
        }
        let step = numbers.count == 3 ? numbers[2] : 1
        if step == 0 { throw TemplateError("range() arg 3 must not be zero") }
        return .object(numbers.count == 1 ? RangeObject(0, numbers[0], 1) : RangeObject(numbers[0], numbers[1], step))
    }

    private static func now(_ call: Call) throws(TemplateError) -> Datum {
        let bound = try call.bound(["utc", "fmt"])
        let time = call.evaluator.scope.world.now()
        let utc = try call.evaluator.isTrue(bound[0] ?? .bool(false))
        let offset = utc ? 0 : TimeZone.local(at: time.seconds).offset
        let date = DateTime(microseconds: (time.seconds + offset) * 1_000_000 + time.nanoseconds / 1000)
        if let format = bound[1]?.text, !format.isEmpty { return .string(date.formatted(format)) }
        return .object(date)
    }
}

/// Sentences without meaning, for `lipsum()`.
enum Lipsum {
    static func text(paragraphs: Int, html: Bool) -> String {
        let sentence = "Lorem ipsum dolor sit amet consectetuer adipiscing elit."
        let paragraph = Array(repeating: sentence, count: 8).joined(separator: " ")
        let all = Array(repeating: html ? "<p>\(paragraph)</p>" : paragraph, count: max(0, min(paragraphs, 1000)))
        return all.joined(separator: html ? "\n" : "\n\n")
    }
}
