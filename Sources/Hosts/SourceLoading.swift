import Patterns
import Values

/// Reads sources one after another into one graph.
struct SourceLoading {
    private(set) var graph: Graph
    private(set) var warnings: [Diagnostic] = []
    /// Why sources could not be read.
    private(set) var failures: [Diagnostic] = []
    private(set) var readCount = 0
    private let options: InventoryOptions
    private let ignored: [Pattern]

    init(_ options: InventoryOptions) throws(Diagnostics) {
        self.options = options
        graph = Graph(mergesHashes: options.mergesHashes)
        var patterns: [Pattern] = []
        for pattern in options.ignoredPatterns {
            do { patterns.append(try Pattern(pattern)) } catch {
                throw Diagnostics([Diagnostic("inventory_ignore_patterns: '\(pattern)': \(error)")])
            }
        }
        ignored = patterns
    }

    /// Reads what the user named with `-i`.
    mutating func read(_ source: String) {
        if source.isEmpty { return }
        let path = source.contains(",") ? source : Files.absolute(source)
        if readAny(path, name: source) {
            readCount += 1
        } else if Files.kind(path) == .folder {
            failures.append(
                Diagnostic(
                    "no file in the folder '\(source)' is an inventory",
                    hint: "name the inventory file with -i, or move what is not an inventory out of the folder"))
        }
    }

    private mutating func readAny(_ path: String, name: String) -> Bool {
        guard Files.kind(path) == .folder else { return readOne(path, name: name) }
        guard let names = Files.names(in: path) else {
            failures.append(Diagnostic("the folder '\(name)' cannot be read"))
            return false
        }
        var found = false
        for entry in names where !isIgnored(entry) {
            let shown = name.hasSuffix("/") ? name + entry : name + "/" + entry
            if readAny(path + "/" + entry, name: shown) { found = true }
        }
        return found
    }

    private func isIgnored(_ name: String) -> Bool {
        name.hasPrefix(".") || name == "host_vars" || name == "group_vars" || name == "vars_plugins"
            || options.ignoredEndings.contains { name.hasSuffix($0) }
            || ignored.contains { ((try? $0.search(name)) ?? nil) != nil }
    }

    private mutating func readOne(_ path: String, name: String) -> Bool {
        let source = InventorySource(path: path, name: name)
        guard Files.kind(path) != nil else {
            if path.contains(",") { return readList(source) }
            let siblings = Files.names(in: Files.parent(path)) ?? []
            let own = path.split(separator: "/").last.map(String.init) ?? ""
            failures.append(
                Diagnostic(
                    "the inventory '\(name)' does not exist",
                    hint: suggestion(for: own, among: siblings) ?? "a list of hosts needs a comma: -i \(name),"))
            return false
        }
        if let failure = readFile(source) {
            failures.append(failure)
            return false
        }
        return true
    }

    /// `-i 'a,b:2222,web[1:3],'`
    private mutating func readList(_ source: InventorySource) -> Bool {
        for part in source.path.split(separator: ",") {
            let word = part.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed()
            let text = String(word)
            if text.isEmpty { continue }
            let (name, port) = parsedAddress(text, ranges: true) ?? (text, nil)
            let names: [String]
            do { names = try expandedRanges(name) } catch {
                failures.append(Diagnostic(error.message))
                return false
            }
            for name in names where graph.hostIDs[name] == nil {
                graph.put(host: graph.addHost(name, port: port, source: source), into: Graph.ungrouped)
            }
        }
        return true
    }

    /// - Returns: why the file is no inventory: the words of the form that it seems to be meant in.
    private mutating func readFile(_ source: InventorySource) -> Diagnostic? {
        var scriptFailure: Diagnostic?
        if Files.isExecutable(source.path) {
            do throws(Diagnostic) {
                try ScriptSource.read(source, options, into: &graph)
                return nil
            } catch { scriptFailure = error }
        }
        let text: SourceText
        do throws(Diagnostic) {
            text = try SourceText(path: source.path, name: source.name, options: options)
        } catch { return error }
        let ending = source.path.split(separator: "/").last?.split(separator: ".").dropFirst().last ?? ""
        if ending == "toml" {
            return Diagnostic(
                "'\(source.name)': inventories in TOML cannot be read",
                hint: "ansible-inventory -i \(source.name) --list --yaml --export writes what can be read")
        }
        var yamlFailure: Diagnostic?
        if ["", "yml", "yaml", "json"].contains(ending) {
            do throws(Diagnostic) {
                warnings += try YAMLSource.read(text, source, options, into: &graph)
                return nil
            } catch { yamlFailure = error }
        }
        do throws(Diagnostic) {
            try INISource.read(text, source, into: &graph)
            return nil
        } catch {
            if let scriptFailure, text.text.hasPrefix("#!") { return scriptFailure }
            guard let yamlFailure else { return error }
            return !ending.isEmpty || Self.looksLikeYAML(text.text) ? yamlFailure : error
        }
    }

    private static func looksLikeYAML(_ text: String) -> Bool {
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            return line.hasPrefix("---") || (!line.hasPrefix("[") && line.hasSuffix(":"))
        }
        return false
    }
}
