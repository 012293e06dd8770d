/// A string of the language, with what must not be lost on its way: its place, whether it may be evaluated as a
/// template, and whether it is secret.
package struct Text: Sendable {
    package var string: String
    package var mark: Mark?

    package init(_ string: String, mark: Mark? = nil) {
        self.string = string
        self.mark = mark
    }

    /// Whether the string was written by the playbook's authors and holds template syntax.
    ///
    /// Only the loaders of YAML and inventories set this. Results, facts and file contents never carry it, so that
    /// nothing that came from a node is ever evaluated.
    package var isTemplate: Bool { mark?.isTemplate ?? false }
    package var isSecret: Bool { mark?.isSecret ?? false }
    package var place: Place? { mark?.place }
    /// Whether the string is a vault's text, which stands for what is in it.
    package var isSealed: Bool { mark?.seal != nil }

    /// The same string, never to be evaluated.
    package var untrusted: Text {
        guard let mark, mark.isTemplate, mark.seal == nil else { return self }
        return Text(
            string,
            mark: Mark(
                place: mark.place, isSecret: mark.isSecret, isDeclaredUnsafe: mark.isDeclaredUnsafe,
                isVouchedFor: mark.isVouchedFor))
    }

    /// The same string, never to be evaluated because its authors said so.
    package var unsafe: Text {
        Text(string, mark: Mark(place: place, isSecret: isSecret, isDeclaredUnsafe: true))
    }

    /// The same string, to be masked wherever it is shown.
    package var secret: Text {
        if isSecret || isSealed { return self }
        return Text(
            string,
            mark: Mark(
                place: place, isTemplate: isTemplate, isSecret: true,
                isDeclaredUnsafe: mark?.isDeclaredUnsafe ?? false, isVouchedFor: mark?.isVouchedFor ?? false,
                moment: mark?.moment))
    }
}

/// What a `Text` carries beside its characters.
package final class Mark: Sendable {
    package let place: Place?
    package let isTemplate: Bool
    package let isSecret: Bool
    /// `!unsafe` in YAML, `__ansible_unsafe` in JSON: inventories are written with it as they were read.
    package let isDeclaredUnsafe: Bool
    /// Declared to be as good as what a playbook's authors wrote; only tests ask for it.
    package let isVouchedFor: Bool
    /// A date or time of YAML or TOML, whose string is what Python prints for it.
    package let moment: Moment?
    /// What is to be opened before it is read; such a text passes for a template.
    package let seal: Seal?

    package init(
        place: Place? = nil, isTemplate: Bool = false, isSecret: Bool = false, isDeclaredUnsafe: Bool = false,
        isVouchedFor: Bool = false, moment: Moment? = nil, seal: Seal? = nil
    ) {
        self.isVouchedFor = isVouchedFor
        self.moment = moment
        self.isDeclaredUnsafe = isDeclaredUnsafe
        self.seal = seal
        self.place = place
        self.isTemplate = isTemplate || seal != nil
        self.isSecret = isSecret
    }
}

/// How it stands with a value under `!vault`, whose string is the vault's text.
package enum Seal: Sendable, Hashable {
    /// Nobody has tried to open it.
    case closed
    /// It could not be opened: that matters to whoever reads it.
    case unopenable(String)
}

extension Text: Hashable, ExpressibleByStringLiteral, CustomStringConvertible {
    package static func == (left: Text, right: Text) -> Bool { left.string == right.string }
    package func hash(into hasher: inout Hasher) { hasher.combine(string) }
    package init(stringLiteral value: String) { self.init(value) }
    /// The characters, or `(hidden)` for a secret: what reaches a log by accident must not tell.
    package var description: String { isSecret || isSealed ? "(hidden)" : string }
}

/// A value that must not be shown: prints as `(hidden)`.
package struct Secret: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible {
    /// The secret itself. Name it only where it is used.
    package let exposed: String
    package init(_ exposed: String) { self.exposed = exposed }
    package var description: String { "(hidden)" }
    package var debugDescription: String { "(hidden)" }
}
