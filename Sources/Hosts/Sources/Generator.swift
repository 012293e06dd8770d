import Templates
import Values

/// `plugin: generator`: a host for every combination of the values in `layers`.
struct Generator {
    private let file: PluginFile
    private let source: InventorySource
    private let templater = Templater()
    private var graph: Graph
    /// A bound on what a small file may ask for.
    private static let limit = 1_000_000

    static func read(
        _ file: PluginFile, _ source: InventorySource, into graph: inout Graph
    ) throws(Diagnostic) {
        var generator = Generator(file: file, source: source, graph: graph)
        try generator.run()
        graph = generator.graph
    }

    private init(file: PluginFile, source: InventorySource, graph: Graph) {
        self.file = file
        self.source = source
        self.graph = graph
    }

    private mutating func run() throws(Diagnostic) {
        guard let layers = file["layers"]?.dict, layers.values.allSatisfy({ $0.list != nil }) else {
            throw file.error("'layers' is a mapping of names to lists", at: "layers")
        }
        guard let hosts = file["hosts"]?.dict, let name = hosts["name"] else {
            throw file.error("'hosts' is a mapping with 'name' and 'parents'", at: "hosts")
        }
        var combinations = [Dict()]
        for (layer, values) in layers {
            guard combinations.count * max(1, values.list?.count ?? 0) <= Self.limit else {
                throw file.error("'layers' stand for more than \(Self.limit) hosts", at: "layers")
            }
            combinations = combinations.flatMap { known in
                (values.list ?? []).map { value in
                    var next = known
                    next[layer] = value
                    return next
                }
            }
        }
        for variables in combinations {
            let scope = DictScope(variables)
            let host = try rendered(name, scope).pythonText
            let id = graph.addHost(host, source: source)
            try addParents(hosts["parents"], host, scope, depth: 0) { (graph: inout Graph, group: Int) in
                graph.put(host: id, into: group)
                return true
            }
        }
    }

    /// Only strings are rendered: what is inside of lists and mappings stays a template, for the tasks.
    private func rendered(_ value: Value?, _ scope: DictScope) throws(Diagnostic) -> Value {
        guard case .string(let text)? = value else { return value ?? .null }
        do throws(TemplateError) { return try templater.render(text, in: scope) } catch { throw error.diagnostic }
    }

    private mutating func addParents(
        _ parents: Value?, _ child: String, _ scope: DictScope, depth: Int, put: (inout Graph, Int) -> Bool
    ) throws(Diagnostic) {
        guard let parents, !parents.isNull else { return }
        guard let list = parents.list, depth < 64 else {
            throw file.error("the 'parents' of '\(child)' are a list of mappings with 'name'", at: "hosts")
        }
        for parent in list {
            let name = try rendered(parent["name"], scope)
            guard name.isTrue else {
                throw file.error("Element \(child) has a parent with no name.", at: "hosts")
            }
            let group = graph.addGroup(name.pythonText)
            for (key, value) in parent["vars"]?.dict ?? Dict() {
                graph.set(key, try rendered(value, scope), ofGroup: group)
            }
            guard put(&graph, group) else {
                throw file.error("the group '\(child)' would be inside of itself", at: "hosts")
            }
            try addParents(parent["parents"], name.pythonText, scope, depth: depth + 1) { graph, above in
                graph.put(group: group, into: above) != nil
            }
        }
    }
}
