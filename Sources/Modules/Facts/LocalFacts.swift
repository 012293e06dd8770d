import Machine
import Values

extension FactSource {
    /// The node's own facts: JSON or INI files and programs in the fact folder, by file name.
    mutating func local() -> Dict {
        var facts = Dict()
        for file in names(options.factPath).filter({ $0.hasSuffix(".fact") && !$0.hasPrefix(".") }) {
            let path = options.factPath + "/" + file
            facts[String(file.dropLast(5))] = fact(path)
        }
        return ["local": .dict(facts)]
    }

    private mutating func fact(_ path: String) -> Value {
        guard let status = try? machine.status(of: path, followingLinks: true) else {
            return warn("Could not stat fact (\(path))")
        }
        var text = ""
        if status.mode & 0o100 != 0 {
            let command = Command([path], environment: context.environment, timeout: Double(options.gatherTimeout))
            do throws(MachineError) {
                let done = try machine.inspect(command)
                guard done.status == 0 else {
                    return warn(
                        "Failure executing fact script (\(path)), rc: \(done.status), err: \(done.errorText)")
                }
                text = done.outputText
            } catch { return warn("Could not execute fact script (\(path)): \(error.message)") }
        } else {
            text = whole(path) ?? ""
        }
        if let value = try? Value(json: text) { return value }
        do throws(INI.NotINI) { return .dict(try INI.sections(of: text)) } catch {
            guard let problem = error.interpolation else {
                return warn("error loading facts as JSON or ini - please check content: \(path)")
            }
            return warn("error loading facts as ini - please check content: \(path) (\(problem))")
        }
    }

    private mutating func warn(_ text: String) -> Value {
        warnings.append(text)
        return .string(text)
    }
}

/// INI text as Python's `configparser` reads it: names of options in lower case, values are strings.
enum INI {
    struct NotINI: Error {
        /// What is wrong with a `%` in a value.
        var interpolation: String?
    }

    static func sections(of text: String) throws(NotINI) -> Dict {
        var sections: [(name: String, options: Dict)] = []
        var option: String?
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            let content = line.trimmed
            if content.isEmpty || content.hasPrefix("#") || content.hasPrefix(";") { continue }
            if line.first?.isWhitespace == true, let option, var last = sections.popLast() {
                last.options[option] = .string((last.options[option]?.text ?? "") + "\n" + content)
                sections.append(last)
            } else if content.hasPrefix("["), let end = content.firstIndex(of: "]") {
                let name = String(content[..<end].dropFirst())
                if sections.contains(where: { $0.name == name }) { throw NotINI() }
                sections.append((name, Dict()))
                option = nil
            } else {
                guard var last = sections.popLast(), let mark = content.firstIndex(where: { $0 == "=" || $0 == ":" })
                else { throw NotINI() }
                let name = content[..<mark].trimmed.lowercased()
                if name.isEmpty || last.options[name] != nil { throw NotINI() }
                last.options[name] = .string(content[content.index(after: mark)...].trimmed)
                sections.append(last)
                option = name
            }
        }
        let common = sections.first { $0.name == "DEFAULT" }?.options ?? Dict()
        var filled = Dict()
        for section in sections where section.name != "DEFAULT" {
            let options = common.merging(section.options) { $1 }
            var values = Dict()
            for (name, value) in options {
                values[name] = .string(try filledIn(value.text ?? "", name.text ?? "", section.name, options))
            }
            filled[section.name] = .dict(values)
        }
        return filled
    }

    /// `%%` is a percent sign and `%(name)s` another option of the section, as Python's basic interpolation has it.
    private static func filledIn(
        _ text: String, _ option: String, _ section: String, _ options: Dict, depth: Int = 1
    ) throws(NotINI) -> String {
        var out = ""
        var rest = text[...]
        while let percent = rest.firstIndex(of: "%") {
            out += rest[..<percent]
            rest = rest[percent...]
            if rest.hasPrefix("%%") {
                out += "%"
                rest = rest.dropFirst(2)
                continue
            }
            guard rest.hasPrefix("%("), let end = rest.firstIndex(of: ")"),
                rest[rest.index(after: end)...].hasPrefix("s")
            else {
                let problem = rest.hasPrefix("%(")
                    ? "bad interpolation variable reference '\(rest)'"
                    : "'%' must be followed by '%' or '(', found: '\(rest)'"
                throw NotINI(interpolation: problem)
            }
            let name = rest[..<end].dropFirst(2).lowercased()
            guard depth < 10, let value = options[name]?.text else {
                throw NotINI(
                    interpolation: "Bad value substitution: option '\(option)' in section '\(section)' contains an "
                        + "interpolation key '\(name)' which is not a valid option name. Raw value: '\(text)'")
            }
            out += try filledIn(value, option, section, options, depth: depth + 1)
            rest = rest[end...].dropFirst(2)
        }
        return out + rest
    }
}
