/// Where files of tasks are named: by imports, includes, and entries of roles.
package struct Inclusions: Sendable {
    private var places: [String: Place] = [:]
    private static let depthLimit = 16

    package init() {}

    /// The first that names a file counts.
    package mutating func note(_ file: String, namedAt place: Place?) {
        guard let place, place.file.name != file, places[file] == nil else { return }
        places[file] = place
    }

    package mutating func merge(_ other: Inclusions) { places.merge(other.places) { old, _ in old } }

    /// The way that led to a file, the nearest first; nothing where a role's name in a play says it all.
    package func note(of file: String) -> String? {
        var way: [String] = []
        let isOwn = ["/main.yml", "/main.yaml"].contains(where: file.hasSuffix)
        var file = file
        while way.count < Self.depthLimit, let place = places[file] {
            way.append("\(place)")
            file = place.file.name
        }
        guard way.count > 1 || (way.count == 1 && !isOwn) else { return nil }
        return "included from " + way.joined(separator: ", from ")
    }
}
