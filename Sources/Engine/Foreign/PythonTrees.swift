import Machine
import Modules
import Values
import Wire

/// The Python files that modules import, on this machine: sent once, kept while the run lasts.
///
/// Each tree is a folder that only this user can reach. Modules share one as long as they agree on its files. Python
/// itself writes the files that are new, when it is started for the first module that needs them.
final class PythonTrees {
    /// A tree with what it lacks for a module.
    struct Place {
        let index: Int
        let root: String
        let missing: [(path: String, bytes: [UInt8])]
    }

    private struct Tree {
        let root: String
        /// Path in it → digest.
        var files: [String: String] = [:]
    }
    private var trees: [Tree] = []
    private var told: Set<String> = []

    /// Whether it was asked for this interpreter before.
    func hasTold(_ interpreter: String) -> Bool { !told.insert(interpreter).inserted }

    /// - Parameter contents: of files by digest, in the same order.
    func place(
        for module: ForeignModule, on machine: some MachineEditor,
        contents: ([String]) throws(Failure) -> [[UInt8]]
    ) throws(Failure) -> Place {
        for part in module.parts where part.path.hasPrefix("/") || part.path.split(separator: "/").contains("..") {
            throw Failure("'\(part.path)' is no place in a tree of modules")
        }
        let known = trees.firstIndex { tree in
            module.parts.allSatisfy { (tree.files[$0.path] ?? $0.digest) == $0.digest }
        }
        let index: Int
        if let known { index = known } else { index = try make(on: machine) }
        let missing = module.parts.filter { trees[index].files[$0.path] == nil }
        var seen: Set<String> = []
        let digests = missing.map(\.digest).filter { !$0.isEmpty && seen.insert($0).inserted }
        let bytes = digests.isEmpty ? [] : try contents(digests)
        let byDigest = Dictionary(uniqueKeysWithValues: zip(digests, bytes))
        return Place(
            index: index, root: trees[index].root,
            missing: missing.map { ($0.path, byDigest[$0.digest] ?? []) })
    }

    /// Remembers what the tree has from now on.
    func filled(_ place: Place, for module: ForeignModule) {
        guard trees.indices.contains(place.index) else { return }
        for part in module.parts { trees[place.index].files[part.path] = part.digest }
    }

    private func make(on machine: some MachineEditor) throws(Failure) -> Int {
        do throws(MachineError) {
            let root = try machine.makeTemporary(folder: true, in: nil, prefix: "gantry-python-", suffix: "")
            trees.append(Tree(root: root))
            try machine.replace(
                "\(root)/\(PythonBootstrap.name)", with: Array(PythonBootstrap.text.utf8),
                attributes: Attributes(mode: 0o600))
            return trees.count - 1
        } catch { throw Failure(error) }
    }

    func remove(from machine: some MachineEditor) {
        for tree in trees { try? machine.remove(tree.root) }
        trees = []
    }
}
