import Templates
import Values
import Wire

/// The syntax of template files that tasks name literally: found before any host is touched.
struct TemplateFiles {
    let loader: Loader

    func check(_ play: Play) {
        check(play.steps + play.handlers, play.bases)
        for file in play.taskFiles.values { check(file.steps, file.bases) }
        for role in play.dynamicRoles.values { check(role.steps + role.handlers, role.bases) }
    }

    private func check(_ steps: [Step], _ bases: [SearchBasis], isRescued: Bool = false) {
        let around = loader.need
        defer { loader.need = around }
        for step in steps {
            switch step {
            case .block(let block):
                check(block.block, bases, isRescued: isRescued || !block.rescue.isEmpty)
                check(block.rescue + block.always, bases, isRescued: isRescued)
            case .task(let task):
                let mayFail = isRescued || task.keywords["ignore_errors"] != nil || task.keywords["failed_when"] != nil
                loader.need = mayFail ? .never : task.keywords["when"] != nil ? .conditional : .always
                guard task.module == "template", bases.indices.contains(task.basis) else { continue }
                check(task, bases[task.basis])
            }
        }
    }

    /// One that is not there may be made by an earlier task; one with delimiters of its own is read on the host.
    private func check(_ task: TaskPlan, _ basis: SearchBasis) {
        guard case .string(let name)? = task.arguments["src"], !name.isTemplate else { return }
        let markers = ["block", "variable", "comment"].flatMap { ["\($0)_start_string", "\($0)_end_string"] }
        guard !markers.contains(where: { task.arguments[$0] != nil }) else { return }
        let candidates = loader.files.candidates(
            for: SearchRequest(
                kind: "templates", name: name.string, roles: basis.roles, taskFolder: basis.taskFolder,
                playFolder: basis.playFolder, home: loader.options.home))
        guard let path = candidates.first(where: { loader.files.kind(of: $0) == .file }) else { return }
        do throws(Diagnostic) {
            let bytes = try loader.files.contents(of: path) ?? []
            let opened = try loader.files.opened(String(decoding: bytes, as: UTF8.self), path: path)
            // What came out of a vault is in no excerpt.
            let file = SourceFile(name: path, text: opened.isSecret ? nil : opened.text)
            let text = Text(opened.text, mark: Mark(place: Place(file: file, line: 1, column: 1), isTemplate: true))
            for diagnostic in loader.templater.check(file: text) { loader.reportUnlessLeft(diagnostic) }
        } catch {
            loader.reportUnlessLeft(error)
        }
    }
}
