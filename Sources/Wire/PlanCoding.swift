import Values

// Fields are read in the order in which they are written; the version in `Order.begin` guards the rest.

extension RunSettings: WireCodable {
    package func encode(to writer: inout WireWriter) {
        for flag in [
            checkMode, diffMode, forceHandlers, forgivesMissingHandlers, isFree, reportsVariables, step,
            changesInventory, isAway, allowsBrokenConditions, warnsOfUntrusted, reportsFacts, hidesFacts,
            gathersOnce, mergesHashes, allowsSurrogates, debugs, debuggerIgnoresErrors,
        ] { writer.write(flag) }
        writer.write(verbosity)
        writer.write(tags)
        writer.write(skipTags)
        writer.write(folder)
        writer.write(controllerHost)
        writer.write(controllerUser)
        writer.write(connection)
    }
    package init(from reader: inout WireReader) throws(WireError) {
        self.init()
        checkMode = try reader.bool()
        diffMode = try reader.bool()
        forceHandlers = try reader.bool()
        forgivesMissingHandlers = try reader.bool()
        isFree = try reader.bool()
        reportsVariables = try reader.bool()
        step = try reader.bool()
        changesInventory = try reader.bool()
        isAway = try reader.bool()
        allowsBrokenConditions = try reader.bool()
        warnsOfUntrusted = try reader.bool()
        reportsFacts = try reader.bool()
        hidesFacts = try reader.bool()
        gathersOnce = try reader.bool()
        mergesHashes = try reader.bool()
        allowsSurrogates = try reader.bool()
        debugs = try reader.bool()
        debuggerIgnoresErrors = try reader.bool()
        verbosity = try reader.int()
        tags = try reader.array()
        skipTags = try reader.array()
        folder = try reader.string()
        controllerHost = try reader.string()
        controllerUser = try reader.string()
        connection = try reader.string()
    }
}

extension Step: WireCodable {
    package func encode(to writer: inout WireWriter) {
        switch self {
        case .task(let task):
            writer.write(byte: 0)
            writer.write(task)
        case .block(let block):
            writer.write(byte: 1)
            writer.write(block)
        }
    }
    package init(from reader: inout WireReader) throws(WireError) {
        switch try reader.byte() {
        case 0: self = .task(try reader.value())
        case 1: self = .block(try reader.value())
        case let tag: throw WireError("a step of unknown kind \(tag)")
        }
    }
}

extension TaskPlan: WireCodable {
    package func encode(to writer: inout WireWriter) {
        writer.write(ordinal)
        writer.write(place)
        writer.write(name)
        writer.write(module)
        writer.write(arguments)
        writer.write(keywords)
        writer.write(inherited)
        writer.write(role)
        writer.write(basis)
        writer.write(isImplicit)
    }
    package init(from reader: inout WireReader) throws(WireError) {
        self.init(
            ordinal: try reader.int(), place: try reader.value(), name: try reader.optional(),
            module: try reader.string(), arguments: try reader.value(), keywords: try reader.value(),
            inherited: try reader.value(), role: try reader.optional(), basis: try reader.int(),
            isImplicit: try reader.bool())
    }
}

extension BlockPlan: WireCodable {
    package func encode(to writer: inout WireWriter) {
        writer.write(place)
        writer.write(name)
        writer.write(role)
        writer.write(block)
        writer.write(rescue)
        writer.write(always)
    }
    package init(from reader: inout WireReader) throws(WireError) {
        self.init(
            place: try reader.value(), name: try reader.optional(), role: try reader.optional(),
            block: try reader.array(), rescue: try reader.array(), always: try reader.array())
    }
}

extension RolePlan: WireCodable {
    package func encode(to writer: inout WireWriter) {
        writer.write(name)
        writer.write(path)
        writer.write(defaults)
        writer.write(variables)
        writer.write(parameters)
        writer.write(parents)
        writer.write(parentPaths)
        writer.write(isPublic)
        writer.write(key)
        writer.write(allowsDuplicates)
    }
    package init(from reader: inout WireReader) throws(WireError) {
        self.init(
            name: try reader.string(), path: try reader.string(), defaults: try reader.value(),
            variables: try reader.value(), parameters: try reader.value(), parents: try reader.array(),
            parentPaths: try reader.array(), isPublic: try reader.bool(), key: try reader.string(),
            allowsDuplicates: try reader.bool())
    }
}

extension SearchBasis: WireCodable {
    package func encode(to writer: inout WireWriter) {
        writer.write(roles)
        writer.write(taskFolder)
        writer.write(playFolder)
    }
    package init(from reader: inout WireReader) throws(WireError) {
        self.init(roles: try reader.array(), taskFolder: try reader.string(), playFolder: try reader.string())
    }
}

extension FileRequest: WireCodable {
    package func encode(to writer: inout WireWriter) {
        writer.write(kind.rawValue)
        writer.write(name)
        writer.write(basis)
        writer.write(isSealed)
    }
    package init(from reader: inout WireReader) throws(WireError) {
        let word = try reader.string()
        guard let kind = Kind(rawValue: word) else { throw WireError("a file of unknown kind '\(word)'") }
        self.init(kind: kind, name: try reader.string(), basis: try reader.value(), isSealed: try reader.bool())
    }
}

extension FileEntry: WireCodable {
    package func encode(to writer: inout WireWriter) {
        writer.write(path)
        writer.write(digest)
        writer.write(size)
        writer.write(mode)
        writer.write(contents != nil)
        if let contents { writer.write(contents) }
        writer.write(isSecret)
        writer.write(children != nil)
        if let children { writer.write(children) }
        writer.write(opened)
        writer.write(target ?? "")
        writer.write(problem ?? "")
        writer.write(modified ?? "")
        writer.write(owner ?? "")
    }
    package init(from reader: inout WireReader) throws(WireError) {
        path = try reader.string()
        digest = try reader.string()
        size = try reader.int()
        mode = try reader.int()
        contents = try reader.bool() ? try reader.data() : nil
        isSecret = try reader.bool()
        children = try reader.bool() ? try reader.array() : nil
        opened = try reader.value()
        let link = try reader.string()
        let reason = try reader.string()
        problem = reason.isEmpty ? nil : reason
        target = link.isEmpty ? nil : link
        modified = try reader.string()
        if modified?.isEmpty ?? true { modified = nil }
        owner = try reader.string()
        if owner?.isEmpty ?? true { owner = nil }
    }
}

extension TaskFile: WireCodable {
    package func encode(to writer: inout WireWriter) {
        writer.write(path)
        writer.write(steps)
        writer.write(roles)
        writer.write(bases)
    }
    package init(from reader: inout WireReader) throws(WireError) {
        self.init(
            path: try reader.string(), steps: try reader.array(), roles: try reader.array(), bases: try reader.array())
    }
}

extension RoleFile: WireCodable {
    package func encode(to writer: inout WireWriter) {
        writer.write(steps)
        writer.write(handlers)
        writer.write(roles)
        writer.write(bases)
    }
    package init(from reader: inout WireReader) throws(WireError) {
        self.init(
            steps: try reader.array(), handlers: try reader.array(), roles: try reader.array(),
            bases: try reader.array())
    }
}

extension RoleRequest: WireCodable {
    package func encode(to writer: inout WireWriter) {
        for part in [name, tasksFrom, varsFrom, defaultsFrom, handlersFrom] { writer.write(part) }
        writer.write(basis)
        writer.write(allowsDuplicates)
        writer.write(isChecked)
    }
    package init(from reader: inout WireReader) throws(WireError) {
        self.init(
            name: try reader.string(), tasksFrom: try reader.string(), varsFrom: try reader.string(),
            defaultsFrom: try reader.string(), handlersFrom: try reader.string(), basis: try reader.value())
        allowsDuplicates = try reader.bool()
        isChecked = try reader.bool()
    }
}

extension PlayPlan: WireCodable {
    package func encode(to writer: inout WireWriter) {
        writer.write(name)
        writer.write(place)
        writer.write(index)
        writer.write(host)
        writer.write(settings)
        for layer in [inventory, variables, extra, facts, magic, connection, others] { writer.write(layer) }
        writer.write(roles)
        writer.write(bases)
        writer.write(steps)
        writer.write(handlers)
        // Sorted, so that equal plans are equal bytes: bundles are named by their digest.
        writer.write(files.sorted { $0.key.order < $1.key.order }.map { Pair(key: $0.key, value: $0.value) })
        writer.write(taskFiles.sorted { $0.key.order < $1.key.order }.map { Pair(key: $0.key, value: $0.value) })
        writer.write(dynamicRoles.sorted { $0.key < $1.key }.map { Pair(key: $0.key, value: $0.value) })
        writer.write(pendingHandlers)
    }
    package init(from reader: inout WireReader) throws(WireError) {
        self.init(
            name: try reader.string(), place: try reader.optional(), index: try reader.int(),
            host: try reader.string(), settings: try reader.value())
        inventory = try reader.value()
        variables = try reader.value()
        extra = try reader.value()
        facts = try reader.value()
        magic = try reader.value()
        connection = try reader.value()
        others = try reader.value()
        roles = try reader.array()
        bases = try reader.array()
        steps = try reader.array()
        handlers = try reader.array()
        for pair in try reader.array(Pair<FileRequest, FileEntry>.self) { files[pair.key] = pair.value }
        for pair in try reader.array(Pair<FileRequest, TaskFile>.self) { taskFiles[pair.key] = pair.value }
        for pair in try reader.array(Pair<String, RoleFile>.self) { dynamicRoles[pair.key] = pair.value }
        pendingHandlers = try reader.array()
    }
}

private struct Pair<Key: WireCodable, Content: WireCodable>: WireCodable {
    let key: Key
    let value: Content
    init(key: Key, value: Content) {
        self.key = key
        self.value = value
    }
    func encode(to writer: inout WireWriter) {
        writer.write(key)
        writer.write(value)
    }
    init(from reader: inout WireReader) throws(WireError) {
        key = try reader.value()
        value = try reader.value()
    }
}

extension FileRequest {
    fileprivate var order: String {
        let own = [kind.rawValue, name, isSealed ? "sealed" : "", basis.taskFolder, basis.playFolder]
        return (own + basis.roles).joined(separator: "\u{0}")
    }
}
