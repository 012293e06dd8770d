import Values

extension Filters {
    static func addTypeTests(_ table: inout FilterTable) {
        func add(_ names: String..., body: @escaping @Sendable (Datum) -> Bool) {
            for name in names { table.add(name) { (c) throws(TemplateError) in .bool(body(c.value)) } }
        }
        for (name, wanted) in [("defined", true), ("undefined", false)] {
            table.add(name, acceptsUndefined: true) { (c) throws(TemplateError) in
                if case .undefined(let undefined) = c.value, undefined.isError { throw undefined.error }
                return .bool(c.value.isUndefined != wanted)
            }
        }
        add("none") { $0.isNull }
        add("boolean") { if case .bool = $0 { true } else { false } }
        add("true") { if case .bool(true) = $0 { true } else { false } }
        add("false") { if case .bool(false) = $0 { true } else { false } }
        add("string") { if case .string = $0 { true } else { false } }
        add("mapping") {
            if case .dict = $0 { true } else { $0.runtimeObject is ScopeObject }
        }
        add("integer") {
            switch $0 {
            case .int, .big: true
            default: false
            }
        }
        add("float") { if case .double = $0 { true } else { false } }
        add("number") {
            switch $0 {
            case .int, .big, .bool, .double: true
            default: false
            }
        }
        add("sequence") {
            switch $0 {
            case .string, .list, .tuple, .dict: true
            case .object(let object): object is RangeObject || object is ScopeObject || object is GroupObject
            default: false
            }
        }
        add("iterable") {
            switch $0 {
            case .string, .list, .tuple, .dict: true
            case .object(let object): object is RangeObject || object is ScopeObject || object is GroupObject
            default: false
            }
        }
        add("callable") { $0.runtimeObject?.isCallable ?? false }
        add("escaped") { _ in false }
        add("nan", "isnan") { if case .double(let double) = $0 { double.isNaN } else { false } }
        table.add("lower") { (c) throws(TemplateError) in
            let text = try c.string()
            return .bool(text.unicodeScalars.contains(where: \.properties.isCased) && text.lowercased() == text)
        }
        table.add("upper") { (c) throws(TemplateError) in
            let text = try c.string()
            return .bool(text.unicodeScalars.contains(where: \.properties.isCased) && text.uppercased() == text)
        }
        table.add("filter") { (c) throws(TemplateError) in .bool(filter(named: try c.string()) != nil) }
        table.add("test") { (c) throws(TemplateError) in .bool(test(named: try c.string()) != nil) }
        addTruthTests(&table)
    }

    private static func addTruthTests(_ table: inout FilterTable) {
        for (name, wanted) in [("truthy", true), ("falsy", false)] {
            table.add(name, parameters: ["convert_bool"]) { (c) throws(TemplateError) in
                if try c.flag(0), let bool = try c.evaluator.value(of: c.value).asBool { return .bool(bool == wanted) }
                return .bool(try c.evaluator.isTrue(c.value) == wanted)
            }
        }
        for (name, rest) in [("odd", 1), ("even", 0)] {
            table.add(name) { (c) throws(TemplateError) in
                .bool(try c.evaluator.areEqual(try c.evaluator.binary(.modulo, c.value, .int(2)), .int(rest)))
            }
        }
        table.add("divisibleby", parameters: ["num"], required: 1) { (c) throws(TemplateError) in
            .bool(try c.evaluator.areEqual(try c.evaluator.binary(.modulo, c.value, c[0] ?? .null), .int(0)))
        }
    }

    static func addComparisonTests(_ table: inout FilterTable) {
        let comparisons: [(names: [String], sign: Comparison)] = [
            (["==", "eq", "equalto"], .equal), (["!=", "ne"], .notEqual), (["<", "lt", "lessthan"], .less),
            (["<=", "le"], .lessOrEqual), ([">", "gt", "greaterthan"], .greater), ([">=", "ge"], .greaterOrEqual),
            (["in"], .isIn),
        ]
        for (names, sign) in comparisons {
            for name in names {
                let parameter = sign == .isIn ? "seq" : "other"
                table.add(name, parameters: [parameter], required: 1) { (c) throws(TemplateError) in
                    .bool(try c.evaluator.compare(sign, c.value, c[0] ?? .null))
                }
            }
        }
        table.add("sameas", parameters: ["other"], required: 1) { (c) throws(TemplateError) in
            .bool(try isSame(c.value, c[0] ?? .null, c.evaluator))
        }
        table.add("contains", parameters: ["value"], required: 1) { (c) throws(TemplateError) in
            .bool(try c.evaluator.contains(c.value, c[0] ?? .null))
        }
        for (name, flipped) in [("subset", false), ("issubset", false), ("superset", true), ("issuperset", true)] {
            table.add(name, parameters: ["b"], required: 1) { (c) throws(TemplateError) in
                let left = try c.items()
                let right = try c.evaluator.items(of: c[0] ?? .null)
                for item in left + right { _ = try c.evaluator.key(item) }
                for item in flipped ? right : left
                where !(try c.evaluator.contains(.list(flipped ? left : right), item)) { return .bool(false) }
                return .bool(true)
            }
        }
        for (name, all) in [("all", true), ("any", false)] {
            table.add(name) { (c) throws(TemplateError) in
                for item in try c.items() where try c.evaluator.isTrue(item) != all { return .bool(!all) }
                return .bool(all)
            }
        }
        table.add(
            "version", "version_compare", parameters: ["version", "operator", "strict", "version_type"], required: 1
        ) { (c) throws(TemplateError) in
            .bool(
                try Version.compare(
                    try c.string(), try c.text(0) ?? "", try c.text(1) ?? "eq",
                    strict: c[2].flatMap { $0.isNull ? nil : $0 }.map { (flag) throws(TemplateError) in
                        try c.evaluator.isTrue(flag)
                    }, type: try c.text(3)))
        }
    }

    private static func isSame(_ left: Datum, _ right: Datum, _ evaluator: Evaluator) throws(TemplateError) -> Bool {
        switch (left, right) {
        case (.list(let a), .list(let b)): a === b
        case (.dict(let a), .dict(let b)): a === b
        case (.object(let a), .object(let b)): a === b
        case (.null, .null): true
        case (.bool(let a), .bool(let b)): a == b
        case (.int, .int), (.string, .string), (.double, .double): try evaluator.areEqual(left, right)
        default: false
        }
    }

    static func addResultTests(_ table: inout FilterTable) {
        func add(_ names: [String], _ body: @escaping @Sendable (DictBox, Evaluator) throws(TemplateError) -> Bool) {
            for name in names {
                table.add(name) { (c) throws(TemplateError) in
                    guard case .dict(let box) = c.value else {
                        throw TemplateError("the '\(name)' test expects a dictionary, got '\(c.value.typeName)'")
                    }
                    return .bool(try body(box, c.evaluator))
                }
            }
        }
        @Sendable func flag(_ box: DictBox, _ name: String, _ evaluator: Evaluator) throws(TemplateError) -> Bool {
            guard let found = try evaluator.member(.string(name), of: .dict(box)) else { return false }
            return try evaluator.isTrue(found)
        }
        add(["failed", "failure"]) { (box, evaluator) throws(TemplateError) in try flag(box, "failed", evaluator) }
        add(["succeeded", "success", "successful"]) { (box, evaluator) throws(TemplateError) in
            !(try flag(box, "failed", evaluator))
        }
        add(["unreachable"]) { (box, evaluator) throws(TemplateError) in try flag(box, "unreachable", evaluator) }
        add(["reachable"]) { (box, evaluator) throws(TemplateError) in !(try flag(box, "unreachable", evaluator)) }
        add(["skipped", "skip"]) { (box, evaluator) throws(TemplateError) in try flag(box, "skipped", evaluator) }
        for name in ["started", "finished"] {
            add([name]) { (box, evaluator) throws(TemplateError) in
                try box[name] == nil ? true : flag(box, name, evaluator)
            }
        }
        add(["timedout"]) { (box, evaluator) throws(TemplateError) in
            let found = try evaluator.member(.string("timedout"), of: .dict(box))
            guard case .dict(let inner) = found else { return false }
            return try flag(inner, "period", evaluator)
        }
        add(["changed", "change"]) { (box, evaluator) throws(TemplateError) in
            if box["changed"] != nil { return try flag(box, "changed", evaluator) }
            guard case .list = try evaluator.member(.string("results"), of: .dict(box)) else { return false }
            for item in try evaluator.items(of: try evaluator.member(.string("results"), of: .dict(box)) ?? .null) {
                guard case .dict(let result) = item else { return false }
                if try flag(result, "changed", evaluator) { return true }
            }
            return false
        }
    }

    /// What Python takes as a path; numbers are files that the program has open.
    private static func path(_ datum: Datum) throws(TemplateError) -> String {
        if let text = datum.text { return text }
        if let number = datum.int { return "/proc/self/fd/\(number)" }
        throw TemplateError("stat: path should be string, bytes, os.PathLike or integer, not \(datum.typeName)")
    }

    static func addFileTests(_ table: inout FilterTable) {
        func add(_ names: String..., follow: Bool = true, body: @escaping @Sendable (World.FileStatus) -> Bool) {
            for name in names {
                table.add(name) { (c) throws(TemplateError) in
                    .bool(c.evaluator.scope.world.status(try path(c.value), follow).map(body) ?? false)
                }
            }
        }
        add("directory", "is_dir") { $0.kind == .directory }
        add("file", "is_file") { $0.kind == .file }
        add("link", "is_link", follow: false) { $0.kind == .link }
        add("exists") { _ in true }
        add("link_exists", follow: false) { _ in true }
        table.add("abs", "is_abs") { (c) throws(TemplateError) in .bool(try c.strictString().hasPrefix("/")) }
        table.add("same_file", "is_same_file", parameters: ["f2"], required: 1) { (c) throws(TemplateError) in
            let world = c.evaluator.scope.world
            let path = try path(c.value)
            guard let left = world.status(path, true) else { throw TemplateError("no such file: '\(path)'") }
            guard let right = world.status(try self.path(c[0] ?? .null), true) else {
                throw TemplateError("no such file: '\(try c.text(0) ?? "")'")
            }
            return .bool(left.inode == right.inode && left.device == right.device)
        }
        table.add("mount", "is_mount") { (c) throws(TemplateError) in
            let world = c.evaluator.scope.world
            let path = try path(c.value)
            guard let own = world.status(path, false), own.kind != .link,
                let parent = world.status(world.realPath(Paths.joined([path, ".."])), false)
            else { return .bool(false) }
            return .bool(own.device != parent.device || own.inode == parent.inode)
        }
        table.add("vault_encrypted") { (c) throws(TemplateError) in
            // What was in a vault was decrypted when it was loaded, and is secret since.
            if case .string(let text) = c.value { return .bool(text.isSecret) }
            return .bool(false)
        }
        table.add("vaulted_file") { (c) throws(TemplateError) in
            let path = try c.string()
            guard let head = c.evaluator.scope.world.head(path, 14) else {
                throw TemplateError("cannot test if the file '\(path)' is a vault")
            }
            return .bool(head == Array("$ANSIBLE_VAULT".utf8))
        }
    }
}
