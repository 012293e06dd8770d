import Values

extension Position: WireCodable {
    package func encode(to writer: inout WireWriter) { writer.write(parts) }
    package init(from reader: inout WireReader) throws(WireError) { self.init(try reader.array()) }
}

extension TaskInfo: WireCodable {
    package func encode(to writer: inout WireWriter) {
        writer.write(name)
        writer.write(module)
        writer.write(place)
        writer.write(isHandler)
        writer.write(isImplicit)
        writer.write(tags)
        writer.write(isCheck)
    }
    package init(from reader: inout WireReader) throws(WireError) {
        self.init(
            name: try reader.string(), module: try reader.string(), place: try reader.optional(),
            isHandler: try reader.bool(), isImplicit: try reader.bool(), tags: try reader.array(),
            isCheck: try reader.bool())
    }
}

extension TaskResult: WireCodable {
    package func encode(to writer: inout WireWriter) {
        writer.write(status.rawValue)
        writer.write(result)
        writer.write(diff)
        writer.write(label)
        writer.write(isHidden)
        writer.write(diagnostic)
        writer.write(warnings)
        writer.write(isFatalToAll)
        writer.write(delegate)
        writer.write(isLoop)
    }
    package init(from reader: inout WireReader) throws(WireError) {
        let word = try reader.string()
        guard let status = Status(rawValue: word) else { throw WireError("an unknown status '\(word)'") }
        self.init(
            status: status, result: try reader.value(), diff: try reader.array(), label: try reader.optional(),
            isHidden: try reader.bool(), diagnostic: try reader.optional(), warnings: try reader.array(),
            isFatalToAll: try reader.bool(), delegate: try reader.optional(), isLoop: try reader.bool())
    }
}

extension Become: WireCodable {
    package func encode(to writer: inout WireWriter) {
        for part in [method, user, flags, executable] { writer.write(part) }
        writer.write(password?.exposed)
        writer.write(folder)
        writer.write(prompts)
        writer.write(patience)
    }
    package init(from reader: inout WireReader) throws(WireError) {
        self.init(
            method: try reader.string(), user: try reader.string(), flags: try reader.string(),
            executable: try reader.string(), password: try reader.optional(String.self).map(Secret.init))
        folder = try reader.string()
        prompts = try reader.array()
        patience = try reader.double()
    }
}

extension ModuleCall: WireCodable {
    package func encode(to writer: inout WireWriter) {
        writer.write(module)
        writer.write(arguments)
        writer.write(checkMode)
        writer.write(diffMode)
        writer.write(environment)
        writer.write(verbosity)
        writer.write(become)
        writer.write(isHidden)
        writer.write(timeout)
        writer.write(basis)
        writer.write(files)
        writer.write(foreign)
        writer.write(python)
        writer.write(job)
    }
    package init(from reader: inout WireReader) throws(WireError) {
        self.init(
            module: try reader.string(), arguments: try reader.value(), checkMode: try reader.bool(),
            diffMode: try reader.bool(), environment: try reader.value(), verbosity: try reader.int(),
            become: try reader.optional(), isHidden: try reader.bool(), timeout: try reader.double(),
            basis: try reader.value(), files: try reader.array())
        foreign = try reader.optional()
        python = try reader.string()
        job = try reader.optional()
    }
}

extension Job: WireCodable {
    package func encode(to writer: inout WireWriter) {
        writer.write(id)
        writer.write(seconds)
        writer.write(folder)
    }
    package init(from reader: inout WireReader) throws(WireError) {
        self.init(id: try reader.string(), seconds: try reader.double(), folder: try reader.string())
    }
}

extension PreparedFile: WireCodable {
    package func encode(to writer: inout WireWriter) {
        writer.write(name)
        writer.write(entry)
        writer.write(rendered)
    }
    package init(from reader: inout WireReader) throws(WireError) {
        self.init(name: try reader.string(), entry: try reader.value(), rendered: try reader.optional())
    }
}

extension CallResult: WireCodable {
    package func encode(to writer: inout WireWriter) {
        writer.write(result)
        writer.write(diff)
        writer.write(warnings)
        writer.write(isStop)
    }
    package init(from reader: inout WireReader) throws(WireError) {
        self.init(
            result: try reader.value(), diff: try reader.array(), warnings: try reader.array(),
            isStop: try reader.bool())
    }
}

extension PlayEnd: WireCodable {
    package func encode(to writer: inout WireWriter) {
        writer.write(outcome.rawValue)
        writer.write(ends)
        writer.write(pendingHandlers)
    }
    package init(from reader: inout WireReader) throws(WireError) {
        let word = try reader.string()
        guard let outcome = Outcome(rawValue: word) else { throw WireError("an unknown end '\(word)'") }
        self.init(outcome, ends: try reader.optional(), pendingHandlers: try reader.array())
    }
}

extension Event: WireCodable {
    package func encode(to writer: inout WireWriter) {
        switch self {
        case .started(let position, let info): writer.write(tag: 0, position, info)
        case .item(let position, let info, let result):
            writer.write(tag: 1, position, info)
            writer.write(result)
        case .result(let position, let info, let result):
            writer.write(tag: 2, position, info)
            writer.write(result)
        case .included(let position, let info, let path, let label):
            writer.write(tag: 3, position, info)
            writer.write(path)
            writer.write(label)
        case .passed(let position, let info): writer.write(tag: 4, position, info)
        case .variables(let variables, let facts): writer.write(tag: 5, variables, facts)
        case .notified(let handler, let position): writer.write(tag: 6, handler, position)
        case .message(let diagnostic):
            writer.write(byte: 7)
            writer.write(diagnostic)
        case .addHost(let name, let groups, let variables):
            writer.write(tag: 8, name, variables)
            writer.write(groups)
        case .groupBy(let group, let parents):
            writer.write(byte: 9)
            writer.write(group)
            writer.write(parents)
        case .stats(let stats, let perHost, let aggregate):
            writer.write(byte: 10)
            writer.write(stats)
            writer.write(perHost)
            writer.write(aggregate)
        case .retry(let position, let info, let left):
            writer.write(tag: 11, position, info)
            writer.write(left)
        case .polled(let position, let info, let job):
            writer.write(tag: 12, position, info)
            writer.write(job)
        case .redone(let position, let statuses):
            writer.write(byte: 13)
            writer.write(position)
            writer.write(statuses.map(\.rawValue))
        }
    }
    package init(from reader: inout WireReader) throws(WireError) {
        switch try reader.byte() {
        case 0: self = .started(try reader.value(), try reader.value())
        case 1: self = .item(try reader.value(), try reader.value(), try reader.value())
        case 2: self = .result(try reader.value(), try reader.value(), try reader.value())
        case 3:
            self = .included(
                try reader.value(), try reader.value(), path: try reader.string(), label: try reader.string())
        case 4: self = .passed(try reader.value(), try reader.value())
        case 5: self = .variables(try reader.value(), facts: try reader.value())
        case 6: self = .notified(handler: try reader.string(), try reader.value())
        case 7: self = .message(try reader.value())
        case 8:
            let name = try reader.string()
            let variables: Dict = try reader.value()
            self = .addHost(name: name, groups: try reader.array(), variables: variables)
        case 9: self = .groupBy(group: try reader.string(), parents: try reader.array())
        case 10: self = .stats(try reader.value(), perHost: try reader.bool(), aggregate: try reader.bool())
        case 11: self = .retry(try reader.value(), try reader.value(), left: try reader.int())
        case 12: self = .polled(try reader.value(), try reader.value(), job: try reader.string())
        case 13:
            let position: Position = try reader.value()
            let statuses: [String] = try reader.array()
            self = .redone(position, statuses.compactMap(Status.init))
        case let tag: throw WireError("an event of unknown kind \(tag)")
        }
    }
}

extension Question: WireCodable {
    package func encode(to writer: inout WireWriter) {
        switch self {
        case .turn(let position, let info, let throttle):
            writer.write(tag: 0, position, info)
            writer.write(throttle)
        case .once(let position, let info): writer.write(tag: 1, position, info)
        case .onceDone(let position, let result, let variables, let facts):
            writer.write(tag: 2, position, result)
            writer.write(variables)
            writer.write(facts)
        case .file(let request):
            writer.write(byte: 3)
            writer.write(request)
        case .contents(let digest, let path): writer.write(tag: 4, digest, path)
        case .tasks(let request):
            writer.write(byte: 5)
            writer.write(request)
        case .role(let request):
            writer.write(byte: 6)
            writer.write(request)
        case .hostVariable(let host, let name, let position):
            writer.write(tag: 7, host, position)
            writer.write(name)
        case .lookup(let plugin, let terms, let options, let basis):
            writer.write(tag: 8, plugin, options)
            writer.write(terms)
            writer.write(basis)
        case .delegate(let host, let call, let variables, let position, let throttle):
            writer.write(tag: 9, host, call)
            writer.write(variables)
            writer.write(position)
            writer.write(throttle)
        case .delegateFacts(let host, let facts, let isAssigned):
            writer.write(tag: 10, host, facts)
            writer.write(isAssigned)
        case .pause(let prompt, let seconds, let echo, let position):
            writer.write(tag: 11, prompt, position)
            writer.write(echo)
            writer.write(seconds != nil)
            writer.write(seconds ?? 0)
        case .line(let text, let prompt, let position):
            writer.write(tag: 15, text, position)
            writer.write(prompt)
        case .debugged(let text, let ends):
            writer.write(byte: 16)
            writer.write(text)
            writer.write(ends)
        case .step(let position, let info): writer.write(tag: 17, position, info)
        case .meta(let action, let position): writer.write(tag: 12, action, position)
        case .verdict(let position, let failed):
            writer.write(byte: 13)
            writer.write(position)
            writer.write(failed)
        case .revival(let position, let isUnreachable):
            writer.write(byte: 14)
            writer.write(position)
            writer.write(isUnreachable)
        case .brought(let position):
            writer.write(byte: 18)
            writer.write(position)
        case .module(let path):
            writer.write(byte: 20)
            writer.write(path)
        case .parts(let digests):
            writer.write(byte: 21)
            writer.write(digests)
        case .plugin(let kind, let name, let arguments, let named):
            writer.write(tag: 22, kind, name)
            writer.write(named)
            writer.write(arguments)
        case .keep(let file):
            writer.write(tag: 23, file.source, file.destination)
            writer.write(file.isFlat)
            writer.write(file.contents)
        case .converse(let step):
            writer.write(byte: 24)
            writer.write(step)
        }
    }
    package init(from reader: inout WireReader) throws(WireError) {
        switch try reader.byte() {
        case 0: self = .turn(try reader.value(), try reader.value(), throttle: try reader.int())
        case 1: self = .once(try reader.value(), try reader.value())
        case 2:
            self = .onceDone(
                try reader.value(), try reader.value(), variables: try reader.value(), facts: try reader.value())
        case 3: self = .file(try reader.value())
        case 4: self = .contents(digest: try reader.string(), path: try reader.string())
        case 5: self = .tasks(try reader.value())
        case 6: self = .role(try reader.value())
        case 7:
            let host = try reader.string()
            let position: Position = try reader.value()
            self = .hostVariable(host: host, name: try reader.optional(), position)
        case 8:
            let plugin = try reader.string()
            let options: Dict = try reader.value()
            self = .lookup(plugin: plugin, terms: try reader.array(), options: options, try reader.value())
        case 9:
            self = .delegate(
                host: try reader.string(), try reader.value(), variables: try reader.value(), try reader.value(),
                throttle: try reader.int())
        case 10:
            self = .delegateFacts(host: try reader.string(), try reader.value(), isAssigned: try reader.bool())
        case 11:
            let prompt = try reader.string()
            let position: Position = try reader.value()
            let echo = try reader.bool()
            let isTimed = try reader.bool()
            let seconds = try reader.double()
            self = .pause(prompt: prompt, seconds: isTimed ? seconds : nil, echo: echo, position)
        case 12: self = .meta(try reader.string(), try reader.value())
        case 13: self = .verdict(try reader.value(), failed: try reader.bool())
        case 14: self = .revival(try reader.value(), isUnreachable: try reader.bool())
        case 15:
            let text = try reader.string()
            let position: Position = try reader.value()
            self = .line(showing: text, prompt: try reader.string(), position)
        case 16: self = .debugged(showing: try reader.string(), ends: try reader.bool())
        case 17: self = .step(try reader.value(), try reader.value())
        case 18: self = .brought(within: try reader.value())
        case 20: self = .module(path: try reader.string())
        case 21: self = .parts(try reader.array())
        case 22:
            let kind = try reader.string()
            let name = try reader.string()
            let named: Dict = try reader.value()
            self = .plugin(kind: kind, name: name, arguments: try reader.array(), named: named)
        case 23:
            let source = try reader.string()
            let destination = try reader.string()
            let isFlat = try reader.bool()
            self = .keep(
                FetchedFile(
                    source: source, destination: destination, isFlat: isFlat, contents: try reader.data()))
        case 24: self = .converse(try reader.value())
        case let tag: throw WireError("a question of unknown kind \(tag)")
        }
    }
}

extension Answer: WireCodable {
    package func encode(to writer: inout WireWriter) {
        switch self {
        case .proceed: writer.write(byte: 0)
        case .stop(let reason):
            writer.write(byte: 1)
            writer.write(reason)
        case .once(let result, let variables, let facts):
            writer.write(tag: 2, result, variables)
            writer.write(facts)
        case .file(let entry, let searched):
            writer.write(byte: 3)
            writer.write(entry)
            writer.write(searched)
        case .contents(let bytes):
            writer.write(byte: 4)
            writer.write(bytes)
        case .tasks(let file):
            writer.write(byte: 5)
            writer.write(file)
        case .role(let role):
            writer.write(byte: 6)
            writer.write(role)
        case .value(let value):
            writer.write(byte: 7)
            writer.write(value)
        case .values(let values):
            writer.write(byte: 8)
            writer.write(values)
        case .call(let result):
            writer.write(byte: 9)
            writer.write(result)
        case .input(let text, let interrupted):
            writer.write(byte: 10)
            writer.write(text)
            writer.write(interrupted)
        case .failure(let diagnostic):
            writer.write(byte: 11)
            writer.write(diagnostic)
        case .module(let module):
            writer.write(byte: 20)
            writer.write(module)
        case .parts(let contents):
            writer.write(byte: 21)
            writer.write(contents)
        case .asked(let value):
            writer.write(byte: 22)
            writer.write(value)
        }
    }
    package init(from reader: inout WireReader) throws(WireError) {
        switch try reader.byte() {
        case 0: self = .proceed
        case 1: self = .stop(reason: try reader.string())
        case 2: self = .once(try reader.value(), variables: try reader.value(), facts: try reader.value())
        case 3: self = .file(try reader.optional(), searched: try reader.array())
        case 4: self = .contents(try reader.data())
        case 5: self = .tasks(try reader.value())
        case 6: self = .role(try reader.value())
        case 7: self = .value(try reader.optional())
        case 8: self = .values(try reader.array())
        case 9: self = .call(try reader.value())
        case 10: self = .input(try reader.string(), interrupted: try reader.bool())
        case 11: self = .failure(try reader.value())
        case 20: self = .module(try reader.value())
        case 21: self = .parts(try reader.array())
        case 22: self = .asked(try reader.value())
        case let tag: throw WireError("an answer of unknown kind \(tag)")
        }
    }
}

extension Order: WireCodable {
    package func encode(to writer: inout WireWriter) {
        switch self {
        case .begin(let version, let verbosity): writer.write(tag: 0, version, verbosity)
        case .play(let plan):
            writer.write(byte: 1)
            writer.write(plan)
        case .call(let call):
            writer.write(byte: 2)
            writer.write(call)
        case .answer(let answer):
            writer.write(byte: 3)
            writer.write(answer)
        case .finish: writer.write(byte: 4)
        case .abort: writer.write(byte: 5)
        }
    }
    package init(from reader: inout WireReader) throws(WireError) {
        switch try reader.byte() {
        case 0: self = .begin(version: try reader.int(), verbosity: try reader.int())
        case 1: self = .play(try reader.value())
        case 2: self = .call(try reader.value())
        case 3: self = .answer(try reader.value())
        case 4: self = .finish
        case 5: self = .abort
        case let tag: throw WireError("an order of unknown kind \(tag)")
        }
    }
}

extension Report: WireCodable {
    package func encode(to writer: inout WireWriter) {
        switch self {
        case .ready(let version, let user, let host):
            writer.write(tag: 0, version, user)
            writer.write(host)
        case .events(let events):
            writer.write(byte: 1)
            writer.write(events)
        case .question(let question):
            writer.write(byte: 2)
            writer.write(question)
        case .played(let end):
            writer.write(byte: 3)
            writer.write(end)
        case .called(let result):
            writer.write(byte: 4)
            writer.write(result)
        case .broken(let reason):
            writer.write(byte: 5)
            writer.write(reason)
        }
    }
    package init(from reader: inout WireReader) throws(WireError) {
        switch try reader.byte() {
        case 0: self = .ready(version: try reader.int(), user: try reader.string(), host: try reader.string())
        case 1: self = .events(try reader.array())
        case 2: self = .question(try reader.value())
        case 3: self = .played(try reader.value())
        case 4: self = .called(try reader.value())
        case 5: self = .broken(try reader.string())
        case let tag: throw WireError("a report of unknown kind \(tag)")
        }
    }
}

extension WireWriter {
    fileprivate mutating func write(tag: UInt8, _ first: some WireCodable, _ second: some WireCodable) {
        write(byte: tag)
        write(first)
        write(second)
    }
}
