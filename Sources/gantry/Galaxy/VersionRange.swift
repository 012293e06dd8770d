import Values

/// `>=1.0,<2`, `1.2.3` or `*`.
struct VersionRange {
    private let conditions: [(sign: String, version: [Int])]

    init(_ text: String) {
        conditions = text.split(separator: ",").map { part in
            let word = part.trimmed
            let sign = String(word.prefix { "<>=!".contains($0) })
            return (sign.isEmpty ? "==" : sign, Self.numbers(word.dropFirst(sign.count).trimmed))
        }.filter { !$0.1.isEmpty }
    }

    private static func numbers(_ text: String) -> [Int] {
        if text == "*" { return [] }
        return text.split(separator: ".").map { Int($0.prefix { $0.isNumber }) ?? 0 }
    }

    func contains(_ version: String) -> Bool {
        let own = Self.numbers(version)
        return conditions.allSatisfy { condition in
            let count = max(own.count, condition.version.count)
            func padded(_ parts: [Int]) -> [Int] { parts + Array(repeating: 0, count: count - parts.count) }
            let (left, right) = (padded(own), padded(condition.version))
            let isLess = left.lexicographicallyPrecedes(right)
            switch condition.sign {
            case ">=": return !isLess
            case "<=": return isLess || left == right
            case ">": return !isLess && left != right
            case "<": return isLess
            case "!=": return left != right
            default: return left == right
            }
        }
    }
}
