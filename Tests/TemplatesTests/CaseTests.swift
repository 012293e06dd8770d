import Glibc
import Templates
import Testing
import Values

/// The cases under `Cases`, whose expectations ansible-core wrote (`regenerate.py`).
@Suite struct CaseTests {
    static let folder = #filePath.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } + "/Cases"

    @Test(arguments: files(folder)) func outcomesAreAnsibles(file: String) throws {
        var wrong: [String] = []
        let cases = try CaseFile.cases(read("\(Self.folder)/\(file)"))
        #expect(!cases.isEmpty)
        for item in cases {
            let got = item.outcome()
            if item.accepts(got) { continue }
            wrong.append("line \(item.line): \(item.text)\n   want \(item.wanted)\n   got  \(got)")
        }
        #expect(wrong.isEmpty, "\(wrong.count) of \(cases.count) differ:\n\(wrong.joined(separator: "\n"))")
    }
}

func files(_ folder: String) -> [String] {
    guard let handle = unsafe opendir(folder) else { return [] }
    defer { unsafe closedir(handle) }
    var names: [String] = []
    while let entry = unsafe readdir(handle) {
        let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
            unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
        }
        if name.hasSuffix(".case") { names.append(name) }
    }
    return names.sorted()
}

func read(_ path: String) throws -> String {
    guard let file = unsafe fopen(path, "r") else { throw TemplateError("no file \(path)") }
    defer { unsafe fclose(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65536)
    while true {
        let count = unsafe fread(&buffer, 1, buffer.count, file)
        if count == 0 { return String(decoding: bytes, as: UTF8.self) }
        bytes += buffer[..<count]
    }
}

struct Case {
    enum Kind { case template, condition, file }
    var kind: Kind
    var text: String
    var line: Int
    var variables: Dict
    var files: Dict
    var wanted = ""

    struct Variables: Scope {
        let dict: Dict
        let files: Dict
        func value(of name: String) throws(TemplateError) -> Value? { dict[name] }
        var names: [String] { dict.names }
        func template(named name: String) throws(TemplateError) -> Text? { files[name]?.text.map { Text($0) } }
    }

    func outcome() -> String {
        let templater = Templater()
        let mark = Mark(isTemplate: true)
        let scope = Variables(
            dict: variables.mapValues { $0.mapText { Text($0.string, mark: mark) } }, files: files)
        do throws(TemplateError) {
            switch kind {
            case .template:
                return try templater.render(Text(text, mark: mark), in: scope).json(JSONStyle(asciiOnly: false))
            case .condition: return try templater.condition(Text(text, mark: mark), in: scope) ? "true" : "false"
            case .file:
                let result = try templater.renderFile(Text(text, mark: mark), in: scope)
                return Value.string(result).json(JSONStyle(asciiOnly: false))
            }
        } catch {
            return "error: \(error.message)"
        }
    }

    func accepts(_ got: String) -> Bool {
        if wanted == "error" { return got.hasPrefix("error: ") }
        guard let a = try? Value(json: wanted), let b = try? Value(json: got) else { return wanted == got }
        return a.pythonRepr == b.pythonRepr
    }
}

enum CaseFile {
    static func cases(_ text: String) throws -> [Case] {
        var cases: [Case] = []
        var variables = Dict()
        var files = Dict()
        var current: Case?
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let body = String(line.dropFirst(2))
            switch line.first {
            case "@": variables = try Value(json: body).dict ?? [:]
            case "%": files = try Value(json: body).dict ?? [:]
            case ">", "?", "|":
                let kind: Case.Kind = line.first == ">" ? .template : line.first == "?" ? .condition : .file
                if current == nil {
                    current = Case(kind: kind, text: body, line: index + 1, variables: variables, files: files)
                } else {
                    current?.text += "\n" + body
                }
            case "=":
                guard var done = current else { continue }
                done.wanted = body
                if done.kind == .file { done.text += "\n" }
                cases.append(done)
                current = nil
            default: break
            }
        }
        return cases
    }
}
