import Modules
import Playbooks
import Templates
import Values
import Wire

/// The play of one task that an ad-hoc command is.
enum AdHocPlay {
    static func arguments(_ text: String, _ entry: ModuleEntry?) -> Dict {
        let known = Set(entry?.parameters.flatMap { [$0.name] + $0.aliases } ?? [])
        return OneLine.arguments(written(text), freeForm: entry?.options.freeForm, known: known)
    }

    /// What a person typed is as good as what a playbook's authors wrote.
    static func written(_ text: String) -> Text {
        let place = Place(file: SourceFile(name: "-a", text: text), line: 1, column: 1)
        return Text(text, mark: Mark(place: place, isTemplate: text.contains("{{") || text.contains("{%")))
    }

    static func play(
        pattern: String, module: String, file path: String? = nil, arguments: Dict, keywords: Dict = Dict(),
        folder: String, project: Project
    ) throws -> Play {
        var keywords = keywords
        if let path { keywords["_module"] = .string(path) }
        if module == "meta", arguments["_raw_params"]?.text == "end_role" {
            throw CommandFailure([Diagnostic("Cannot execute 'end_role' from outside of a role")], status: 4)
        }
        // Nothing is read ahead here: what would be imported is included.
        let module = ["import_role": "include_role", "import_tasks": "include_tasks"][module] ?? module
        let file = SourceFile(name: Twin.isCalled ? "<adhoc '\(module)' task>" : "gantry run")
        let place = Place(file: file, line: 1, column: 1)
        if let entry = Registry.entry(module) {
            let wrong = ArgumentCheck.diagnostics(entry, arguments, at: place).map { diagnostic -> Diagnostic in
                var bare = diagnostic
                if bare.place?.file == file { bare.place = nil }
                return bare
            }
            let templates = arguments.values.flatMap { value -> [Diagnostic] in
                guard case .string(let text) = value, text.isTemplate else { return [] }
                return project.templater.check(text, asExpression: false)
            }
            if !templates.isEmpty { throw CommandFailure(templates, status: 2) }
            if !wrong.isEmpty { throw CommandFailure(wrong, status: 2) }
        }
        var play = Play(
            name: "Ad-hoc", place: place, path: joined(folder, "ad-hoc"), hosts: .string(pattern),
            keywords: ["gather_facts": false], variables: Dict(), variableFiles: [], prompts: [])
        play.bases = [SearchBasis(roles: [], taskFolder: folder, playFolder: folder)]
        play.steps = [
            .task(
                TaskPlan(
                    ordinal: 1, place: place, name: Text(module), module: module, arguments: .dict(arguments),
                    keywords: keywords, inherited: Dict(), role: nil, basis: 0))
        ]
        return play
    }
}
