import Values

/// The fields of a message's head, in order; names are equal in any case.
package struct Headers: Sendable, Hashable, ExpressibleByDictionaryLiteral {
    package struct Field: Sendable, Hashable {
        package let name: String
        package let value: String
    }

    package private(set) var fields: [Field]

    package init() { fields = [] }

    package init(dictionaryLiteral elements: (String, String)...) {
        fields = elements.map { Field(name: $0.0, value: $0.1) }
    }

    /// The value of a field, the values of one that stands several times joined by `, `. Setting replaces all of
    /// them; `nil` removes them.
    package subscript(_ name: String) -> String? {
        get {
            let values = self.values(of: name)
            return values.isEmpty ? nil : values.joined(separator: ", ")
        }
        set {
            let key = name.lowercased()
            let index = fields.firstIndex { $0.name.lowercased() == key }
            fields.removeAll { $0.name.lowercased() == key }
            guard let newValue else { return }
            fields.insert(Field(name: name, value: newValue), at: min(index ?? fields.count, fields.count))
        }
    }

    /// The values of all fields with this name.
    package func values(of name: String) -> [String] {
        let key = name.lowercased()
        return fields.lazy.filter { $0.name.lowercased() == key }.map(\.value)
    }

    /// Adds a field and keeps others of the same name.
    package mutating func add(_ name: String, _ value: String) { fields.append(Field(name: name, value: value)) }

    /// Refuses what would end a line and begin another.
    func check() throws(HTTPError) {
        for field in fields {
            guard !field.name.isEmpty, field.name.utf8.allSatisfy(isTokenCharacter) else {
                throw HTTPError(.request, "'\(field.name.prefix(60))' cannot be the name of a header field")
            }
            guard field.value.utf8.allSatisfy({ $0 >= 32 && $0 != 127 || $0 == 9 }) else {
                throw HTTPError(
                    .request, "the value of header field '\(field.name)' holds a line end or control character")
            }
        }
    }
}

/// Whether a byte may stand in a field's name or a method (RFC 9110, 5.6.2).
func isTokenCharacter(_ byte: UInt8) -> Bool {
    switch byte {
    case 48...57, 65...90, 97...122: true
    default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }
}
