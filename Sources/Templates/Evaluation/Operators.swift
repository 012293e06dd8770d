import Glibc
import Values

/// Python's arithmetic, comparison and truth.
extension Evaluator {
    func isTrue(_ datum: Datum) throws(TemplateError) -> Bool {
        switch datum {
        case .null: return false
        case .bool(let bool): return bool
        case .int(let int): return int != 0
        case .big(let big): return !big.isZero
        case .double(let double): return double != 0
        case .string(let text): return !text.string.isEmpty
        case .list(let box): return !box.items.isEmpty
        case .tuple(let items): return !items.isEmpty
        case .dict(let box): return !box.items.isEmpty
        case .undefined(let undefined):
            if undefined.isBlank { return false }
            throw undefined.error
        case .object(let object):
            if let range = object as? RangeObject { return range.count > 0 }
            if let scope = object as? ScopeObject { return !(try scope.keys()).isEmpty }
            return true
        case .raw: return try isTrue(try lifted(datum))
        }
    }

    private enum Number {
        case int(Int), big(BigInt), double(Double)

        var big: BigInt? {
            switch self {
            case .int(let int): BigInt(int)
            case .big(let big): big
            case .double: nil
            }
        }
        var double: Double {
            switch self {
            case .int(let int): Double(int)
            case .big(let big): big.double
            case .double(let double): double
            }
        }
    }

    private func number(_ datum: Datum) -> Number? {
        switch datum {
        case .int(let int): .int(int)
        case .bool(let bool): .int(bool ? 1 : 0)
        case .big(let big): .big(big)
        case .double(let double): .double(double)
        default: nil
        }
    }

    func negated(_ datum: Datum) throws(TemplateError) -> Datum {
        switch number(datum) {
        case .int(let int): return int == .min ? .big(-BigInt(int)) : .int(-int)
        case .big(let big): return .integer(-big)
        case .double(let double): return .double(-double)
        case nil:
            if case .undefined(let undefined) = datum { throw undefined.error }
            throw TemplateError("bad operand type for unary -: '\(datum.typeName)'")
        }
    }

    func binary(_ sign: BinaryOperator, _ left: Datum, _ right: Datum) throws(TemplateError) -> Datum {
        if case .undefined(let undefined) = left { throw undefined.error }
        if case .undefined(let undefined) = right { throw undefined.error }
        if let a = number(left), let b = number(right) { return try arithmetic(sign, a, b) }
        switch (sign, left, right) {
        case (.add, .string(let a), .string(let b)): return try joined(a.string + b.string)
        case (.add, .list(let a), .list(let b)): return .list(a.items + b.items)
        case (.add, .tuple(let a), .tuple(let b)): return .tuple(a + b)
        case (.multiply, _, _):
            if let count = right.int, let result = try repeated(left, count) { return result }
            if let count = left.int, let result = try repeated(right, count) { return result }
        case (.modulo, .string(let format), _): return .string(try PercentFormat.apply(format.string, right, self))
        case (.subtract, .object(let a), _):
            if let date = a as? DateTime { return try date.subtracting(right) }
        case (.add, .object(let a), .object(let b)):
            if let date = a as? DateTime ?? b as? DateTime, let delta = a as? TimeDelta ?? b as? TimeDelta,
                date.kind != .time
            {
                return .object(date.adding(delta.microseconds))
            }
        default: break
        }
        if sign == .add, case .string = left {
            throw TemplateError("can only concatenate str (not \"\(right.typeName)\") to str")
        }
        if sign == .add, case .list = left {
            throw TemplateError("can only concatenate list (not \"\(right.typeName)\") to list")
        }
        let shown = sign == .power ? "** or pow()" : sign.rawValue
        throw TemplateError(
            "unsupported operand type(s) for \(shown): '\(left.typeName)' and '\(right.typeName)'")
    }

    private func joined(_ text: String) throws(TemplateError) -> Datum {
        try countOutput(text.utf8.count)
        return .string(text)
    }

    private func repeated(_ datum: Datum, _ count: Int) throws(TemplateError) -> Datum? {
        switch datum {
        case .string(let text): return try repeated(text.string, count)
        case .list(let box): return .list(try repeated(box.items, count))
        case .tuple(let items): return .tuple(try repeated(items, count))
        default: return nil
        }
    }

    private func repeated(_ text: String, _ count: Int) throws(TemplateError) -> Datum {
        let (bytes, overflow) = text.utf8.count.multipliedReportingOverflow(by: max(0, count))
        try countOutput(overflow ? limits.outputBytes + 1 : bytes)
        return .string(String(repeating: text, count: max(0, count)))
    }

    private func repeated(_ items: [Datum], _ count: Int) throws(TemplateError) -> [Datum] {
        let (total, overflow) = items.count.multipliedReportingOverflow(by: max(0, count))
        if overflow || total > limits.iterations { throw limitError("a list of more than \(limits.iterations) items") }
        return (0..<max(0, count)).flatMap { _ in items }
    }

    private func arithmetic(_ sign: BinaryOperator, _ a: Number, _ b: Number) throws(TemplateError) -> Datum {
        if let left = a.big, let right = b.big {
            if case .int(let x) = a, case .int(let y) = b, let fast = try small(sign, x, y) { return fast }
            return try whole(sign, left, right)
        }
        let x = a.double
        let y = b.double
        switch sign {
        case .add: return .double(x + y)
        case .subtract: return .double(x - y)
        case .multiply: return .double(x * y)
        case .divide:
            if y == 0 { throw TemplateError("float division by zero") }
            return .double(x / y)
        case .floorDivide:
            if y == 0 { throw TemplateError("float floor division by zero") }
            return .double(Self.floorQuotient(x, y))
        case .modulo:
            if y == 0 { throw TemplateError("float modulo") }
            let rest = fmod(x, y)
            return .double(rest != 0 && (rest < 0) != (y < 0) ? rest + y : rest)
        case .power:
            if x == 0, y < 0 { throw TemplateError("0.0 cannot be raised to a negative power") }
            let result = pow(x, y)
            if result.isInfinite, x.isFinite, y.isFinite { throw TemplateError("numerical result out of range") }
            if result.isNaN, !x.isNaN, !y.isNaN { throw TemplateError("a complex number is no value here") }
            return .double(result)
        }
    }

    /// Whole numbers that stay within 64 bits; `nil` where they do not.
    private func small(_ sign: BinaryOperator, _ x: Int, _ y: Int) throws(TemplateError) -> Datum? {
        switch sign {
        case .add:
            let (sum, overflow) = x.addingReportingOverflow(y)
            return overflow ? nil : .int(sum)
        case .subtract:
            let (difference, overflow) = x.subtractingReportingOverflow(y)
            return overflow ? nil : .int(difference)
        case .multiply:
            let (product, overflow) = x.multipliedReportingOverflow(by: y)
            return overflow ? nil : .int(product)
        case .divide:
            if y == 0 { throw TemplateError("division by zero") }
            return .double(Double(x) / Double(y))
        case .floorDivide, .modulo:
            if y == 0 { throw TemplateError("integer division or modulo by zero") }
            if x == .min { return nil }
            let rest = x % y
            let shifts = rest != 0 && (rest < 0) != (y < 0)
            return .int(sign == .modulo ? (shifts ? rest + y : rest) : x / y - (shifts ? 1 : 0))
        case .power: return nil
        }
    }

    private func whole(_ sign: BinaryOperator, _ x: BigInt, _ y: BigInt) throws(TemplateError) -> Datum {
        switch sign {
        case .add: return .integer(x + y)
        case .subtract: return .integer(x - y)
        case .multiply: return .integer(x * y)
        case .divide:
            if y.isZero { throw TemplateError("division by zero") }
            return .double(x.double / y.double)
        case .floorDivide, .modulo:
            if y.isZero { throw TemplateError("integer division or modulo by zero") }
            let (quotient, rest) = x.floorDivided(by: y)
            return .integer(sign == .modulo ? rest : quotient)
        case .power:
            if y.isNegative {
                if x.isZero { throw TemplateError("0.0 cannot be raised to a negative power") }
                return .double(pow(x.double, y.double))
            }
            let bits = y.int.map { max(1, x.bitWidth).multipliedReportingOverflow(by: $0) }
            guard let exponent = y.int, let bits, x.bitWidth <= 1 || (!bits.overflow && bits.partialValue <= 100_000)
            else { throw limitError("a power of more than 100000 bits") }
            if x.bitWidth <= 1, exponent > 2 { return .integer(x.power(2 - exponent % 2)) }
            return .integer(x.power(exponent))
        }
    }

    // MARK: Comparison

    func areEqual(_ left: Datum, _ right: Datum) throws(TemplateError) -> Bool {
        switch (left, right) {
        case (.undefined(let a), .undefined(let b)) where a.isBlank && b.isBlank: return true
        case (.undefined(let undefined), _) where !undefined.isBlank: throw undefined.error
        case (_, .undefined(let undefined)) where !undefined.isBlank: throw undefined.error
        case (.raw, _): return try areEqual(try lifted(left), right)
        case (_, .raw): return try areEqual(left, try lifted(right))
        case (.null, .null): return true
        case (.string(let a), .string(let b)): return Self.same(a.string, b.string)
        case (.list(let a), .list(let b)): return try areEqual(a.items, b.items)
        case (.tuple(let a), .tuple(let b)): return try areEqual(a, b)
        case (.dict(let a), .dict(let b)):
            guard a.items.count == b.items.count else { return false }
            for (key, value) in a.items {
                guard let other = b.items[key], try areEqual(value, other) else { return false }
            }
            return true
        case (.object(let a), .object(let b)):
            if let x = a as? DateTime, let y = b as? DateTime {
                return x.isComparable(with: y) && x.absolute == y.absolute
            }
            if let x = a as? TimeDelta, let y = b as? TimeDelta { return x.microseconds == y.microseconds }
            if let x = a as? ScopeObject, let y = b as? ScopeObject {
                return try areEqual(.dict(try x.contents(self)), .dict(try y.contents(self)))
            }
            if let x = a as? RangeObject, let y = b as? RangeObject {
                return try areEqual(try x.items(self) ?? [], try y.items(self) ?? [])
            }
            return a === b
        case (.object(let a), .dict):
            if let scope = a as? ScopeObject { return try areEqual(.dict(try scope.contents(self)), right) }
            return false
        default:
            guard let a = number(left), let b = number(right) else { return false }
            return order(a, b) == 0
        }
    }

    /// Python compares code points; Swift's strings would take composed and decomposed letters for equal.
    static func same(_ left: String, _ right: String) -> Bool { left.utf8.elementsEqual(right.utf8) }

    private func areEqual(_ left: [Datum], _ right: [Datum]) throws(TemplateError) -> Bool {
        guard left.count == right.count else { return false }
        for (a, b) in zip(left, right) where !(try areEqual(a, b)) { return false }
        return true
    }

    /// Negative, zero or positive; `nil` where one is no number at all.
    private func order(_ left: Number, _ right: Number) -> Int? {
        if let a = left.big, let b = right.big { return a < b ? -1 : a == b ? 0 : 1 }
        let a = left.double
        let b = right.double
        return a < b ? -1 : a == b ? 0 : a > b ? 1 : nil
    }

    /// Python's `//`: by the remainder, so that `7 // 0.1` is what fits into it whole.
    private static func floorQuotient(_ x: Double, _ y: Double) -> Double {
        let rest = fmod(x, y)
        var quotient = (x - rest) / y
        if rest != 0, (y < 0) != (rest < 0) { quotient -= 1 }
        if quotient == 0 { return Double(signOf: x / y, magnitudeOf: 0) }
        let floor = quotient.rounded(.down)
        return quotient - floor > 0.5 ? floor + 1 : floor
    }

    /// Python's `<` for what has an order.
    func isLess(_ left: Datum, _ right: Datum, sign: Comparison = .less) throws(TemplateError) -> Bool {
        switch (left, right) {
        case (.undefined(let undefined), _), (_, .undefined(let undefined)): throw undefined.error
        case (.raw, _): return try isLess(try lifted(left), right, sign: sign)
        case (_, .raw): return try isLess(left, try lifted(right), sign: sign)
        case (.string(let a), .string(let b)): return Value.precedes(a.string, b.string)
        case (.list(let a), .list(let b)): return try precedes(a.items, b.items, sign)
        case (.tuple(let a), .tuple(let b)): return try precedes(a, b, sign)
        case (.object(let a), .object(let b)):
            if let x = a as? DateTime, let y = b as? DateTime, x.kind == y.kind {
                guard x.isComparable(with: y) else {
                    throw TemplateError("can't compare offset-naive and offset-aware datetimes")
                }
                return x.absolute < y.absolute
            }
            if let x = a as? TimeDelta, let y = b as? TimeDelta { return x.microseconds < y.microseconds }
        default:
            if let a = number(left), let b = number(right) { return order(a, b).map { $0 < 0 } ?? false }
        }
        throw TemplateError(
            "'\(sign.rawValue)' not supported between instances of '\(left.typeName)' and '\(right.typeName)'")
    }

    private func precedes(_ left: [Datum], _ right: [Datum], _ sign: Comparison) throws(TemplateError) -> Bool {
        for (a, b) in zip(left, right) where !(try areEqual(a, b)) { return try isLess(a, b, sign: sign) }
        return left.count < right.count
    }

    func compare(_ sign: Comparison, _ left: Datum, _ right: Datum) throws(TemplateError) -> Bool {
        switch sign {
        case .equal: return try areEqual(left, right)
        case .notEqual: return !(try areEqual(left, right))
        case .less: return try isLess(left, right, sign: sign)
        case .greater: return try swapped(right, left, sign)
        case .lessOrEqual:
            let less = try isLess(left, right, sign: sign)
            return less ? true : try areEqual(left, right)
        case .greaterOrEqual:
            let more = try swapped(right, left, sign)
            return more ? true : try areEqual(left, right)
        case .isIn: return try contains(right, left)
        case .isNotIn: return !(try contains(right, left))
        }
    }

    private func swapped(_ right: Datum, _ left: Datum, _ sign: Comparison) throws(TemplateError) -> Bool {
        do throws(TemplateError) {
            return try isLess(right, left, sign: sign)
        } catch {
            let shown = "between instances of '\(left.typeName)' and '\(right.typeName)'"
            if error.message.contains("not supported between") {
                throw TemplateError("'\(sign.rawValue)' not supported \(shown)")
            }
            throw error
        }
    }

    func contains(_ container: Datum, _ item: Datum) throws(TemplateError) -> Bool {
        if case .undefined(let undefined) = container { throw undefined.error }
        if case .undefined(let undefined) = item { throw undefined.error }
        switch container {
        case .string(let text):
            guard case .string(let part) = try lifted(item) else {
                throw TemplateError("'in <string>' requires string as left operand, not \(item.typeName)")
            }
            return StringMethods.find(part.string, in: text.string) != nil
        case .dict(let box): return box.items[try key(item)] != nil
        case .object(let object):
            if let scope = object as? ScopeObject { return try scope.keys().contains(try key(item)) }
            if let range = object as? RangeObject, let number = item.int { return range.contains(number) }
            fallthrough
        case .list, .tuple, .raw:
            for other in try items(of: container) where try areEqual(other, item) { return true }
            return false
        default: throw TemplateError("argument of type '\(container.typeName)' is not iterable")
        }
    }

    // MARK: Slices

    /// Python's slice positions.
    static func positions(_ count: Int, _ start: Int?, _ stop: Int?, _ step: Int) -> [Int] {
        func clamp(_ index: Int, _ low: Int, _ high: Int) -> Int {
            min(max(index < 0 ? index + count : index, low), high)
        }
        var result: [Int] = []
        if step > 0 {
            var index = start.map { clamp($0, 0, count) } ?? 0
            let end = stop.map { clamp($0, 0, count) } ?? count
            while index < end {
                result.append(index)
                let (next, overflow) = index.addingReportingOverflow(step)
                index = overflow ? end : next
            }
        } else {
            var index = start.map { clamp($0, -1, count - 1) } ?? count - 1
            let end = stop.map { clamp($0, -1, count - 1) } ?? -1
            while index > end {
                result.append(index)
                let (next, overflow) = index.addingReportingOverflow(step)
                index = overflow ? end : next
            }
        }
        return result
    }

    func slice(_ object: Datum, _ start: Datum?, _ stop: Datum?, _ step: Datum?) throws(TemplateError) -> Datum {
        func bound(_ datum: Datum?) throws(TemplateError) -> Int? {
            guard let datum, !datum.isNull else { return nil }
            if case .undefined(let undefined) = datum { throw undefined.error }
            guard let int = datum.int else {
                throw TemplateError("slice indices must be integers or None, not '\(datum.typeName)'")
            }
            return int
        }
        let width = try bound(step) ?? 1
        if width == 0 { throw TemplateError("slice step cannot be zero") }
        func cut<T>(_ items: [T]) throws(TemplateError) -> [T] {
            Self.positions(items.count, try bound(start), try bound(stop), width).map { items[$0] }
        }
        switch object {
        case .string(let text):
            let cut = try cut(Array(text.string.unicodeScalars))
            return .string(Text(String(String.UnicodeScalarView(cut)), mark: text.mark))
        case .list: return .list(try cut(try items(of: object)))
        case .tuple(let items): return .tuple(try cut(items))
        case .object(let found) where found is RangeObject: return .list(try cut(try items(of: object)))
        case .undefined: return object
        default: throw TemplateError("'\(object.typeName)' object is not subscriptable")
        }
    }

    // MARK: Text

    /// Python's `str()`.
    func text(_ datum: Datum) throws(TemplateError) -> String {
        switch datum {
        case .string(let text): return text.string
        case .object(let object): return try object.text(self)
        case .undefined(let undefined):
            if undefined.isBlank { return "" }
            throw undefined.error
        case .raw: return try text(try lifted(datum))
        default: return try repr(datum)
        }
    }

    /// Python's `repr()`.
    func repr(_ datum: Datum) throws(TemplateError) -> String {
        switch datum {
        case .null: return "None"
        case .bool(let bool): return bool ? "True" : "False"
        case .int(let int): return String(int)
        case .big(let big): return big.description
        case .double(let double): return Value.repr(of: double)
        case .string(let text): return Value.string(text).pythonRepr
        case .list(let box): return try deeper { () throws(TemplateError) in "[" + (try reprs(box.items)) + "]" }
        case .tuple(let items): return "(" + (try reprs(items)) + (items.count == 1 ? ",)" : ")")
        case .dict(let box):
            return try deeper { () throws(TemplateError) in
                var parts: [String] = []
                for (key, value) in box.items { parts.append(try repr(Self.plain(key)) + ": " + (try repr(value))) }
                return "{" + parts.joined(separator: ", ") + "}"
            }
        case .undefined(let undefined): throw undefined.error
        case .object(let object):
            if object is DateTime { return try value(of: datum).pythonRepr }
            return try object.text(self)
        case .raw: return try repr(try lifted(datum))
        }
    }

    private func reprs(_ items: [Datum]) throws(TemplateError) -> String {
        try items.mapThrowing { (item) throws(TemplateError) in try repr(item) }.joined(separator: ", ")
    }
}
