import Machine
import Patterns
import Templates
import Playbooks
import Values

/// A folder that roles or collections are made like: its files are copied, and those that end with `.j2` are templates.
struct Skeleton {
    private let root: String
    private let ignored: [Pattern]

    /// - Throws: when there is no such folder.
    init(from root: String, ignored: [Pattern]) throws(CommandFailure) {
        self.root = Disk.absolute(root)
        self.ignored = ignored
        guard Disk.kind(root) == .folder else {
            throw CommandFailure(
                Diagnostic("the skeleton path '\(root)' does not exist, or is no folder"), status: 1)
        }
    }

    /// Names below the skeleton that are passed over: as the settings say, where they say something.
    static func ignored(
        _ configuration: Configuration, _ setting: Setting
    ) throws(CommandFailure) -> [Pattern] {
        var patterns: [Pattern] = []
        for text in configuration.list(setting) {
            do throws(PatternError) { patterns.append(try Pattern(text)) } catch {
                throw CommandFailure(Diagnostic("'\(text)' in \(setting.name): \(error)"), status: 1)
            }
        }
        return patterns
    }

    func copy(to target: String, _ variables: Dict) throws { try copy("", to: target, variables, depth: 0) }

    private func copy(_ folder: String, to target: String, _ variables: Dict, depth: Int) throws {
        guard depth < 40 else { throw CommandFailure(Diagnostic("'\(root)' has folders within folders"), status: 1) }
        try Output.makeFolders(folder.isEmpty ? target : "\(target)/\(folder)")
        for name in Disk.names(root + (folder.isEmpty ? "" : "/\(folder)")) {
            let path = folder.isEmpty ? name : "\(folder)/\(name)"
            if ignored.contains(where: { (try? $0.match(path)) ?? nil != nil }) { continue }
            if Disk.kind("\(root)/\(path)") == .folder {
                try copy(path, to: target, variables, depth: depth + 1)
                continue
            }
            guard let bytes = try Disk.contents("\(root)/\(path)") else { continue }
            let isTemplate = path.hasSuffix(".j2") && !path.split(separator: "/").dropLast().contains("templates")
            guard isTemplate else {
                try Output.write(bytes, to: "\(target)/\(path)", mode: UInt32(Disk.mode("\(root)/\(path)") & 0o777))
                continue
            }
            let text = try rendered(String(decoding: bytes, as: UTF8.self), "\(root)/\(path)", variables)
            try Output.write(text, to: "\(target)/\(path.dropLast(3))")
        }
    }

    private func rendered(_ text: String, _ path: String, _ variables: Dict) throws(CommandFailure) -> String {
        let file = SourceFile(name: path, text: text)
        let mark = Mark(place: Place(file: file, line: 1, column: 1), isTemplate: true)
        do throws(TemplateError) {
            return try Templater().renderFile(Text(text, mark: mark), in: DictScope(variables))
        } catch { throw CommandFailure(error.diagnostic, status: 1) }
    }
}
