/// A way to write text as bytes, by the names that Python has for it: `utf-8`, `windows-1252`, `latin-1`, …
///
/// The tables are part of the program: the static agent cannot load those of the C library.
package struct TextEncoding: Sendable {
    private enum Kind {
        case utf8(hasMark: Bool)
        /// Two bytes a unit; with a mark of the order in front where no order is named.
        case utf16(isBig: Bool, hasMark: Bool)
        case utf32(isBig: Bool, hasMark: Bool)
        /// The first so many characters of Unicode, a byte each.
        case first(UInt32)
        case table([Unicode.Scalar])
    }
    private let kind: Kind

    /// `nil` for a name that is not known. The empty name is UTF-8's.
    package init?(named name: String) {
        let plain = name.lowercased().filter { !"-_ .:".contains($0) }
        switch plain {
        case "", "utf8", "u8", "utf", "utf8ucs2", "utf8ucs4", "cp65001": kind = .utf8(hasMark: false)
        case "utf8sig": kind = .utf8(hasMark: true)
        case "utf16", "u16": kind = .utf16(isBig: false, hasMark: true)
        case "utf16le", "unicodelittleunmarked": kind = .utf16(isBig: false, hasMark: false)
        case "utf16be", "unicodebigunmarked": kind = .utf16(isBig: true, hasMark: false)
        case "utf32", "u32": kind = .utf32(isBig: false, hasMark: true)
        case "utf32le": kind = .utf32(isBig: false, hasMark: false)
        case "utf32be": kind = .utf32(isBig: true, hasMark: false)
        case "ascii", "usascii", "646", "us": kind = .first(0x80)
        case "latin1", "iso88591", "l1", "latin", "8859", "cp819", "88591": kind = .first(0x100)
        default:
            guard let found = byteTables.first(where: { $0.names.split(separator: " ").contains { $0 == plain } })
            else { return nil }
            kind = .table(Array(found.characters.unicodeScalars))
        }
    }

    /// A character that an encoding has no bytes for.
    package struct Missing: Error, Sendable, Hashable {
        package let scalar: Unicode.Scalar
    }

    package func bytes(of text: String) throws(Missing) -> [UInt8] {
        switch kind {
        case .utf8(let hasMark): return (hasMark ? [0xef, 0xbb, 0xbf] : []) + Array(text.utf8)
        case .utf16(let isBig, let hasMark):
            let mark: [UInt16] = hasMark ? [0xfeff] : []
            return (mark + Array(text.utf16)).flatMap { Self.split(UInt32($0), 2, isBig) }
        case .utf32(let isBig, let hasMark):
            let mark: [UInt32] = hasMark ? [0xfeff] : []
            return (mark + text.unicodeScalars.map(\.value)).flatMap { Self.split($0, 4, isBig) }
        case .first(let count):
            var bytes: [UInt8] = []
            for scalar in text.unicodeScalars {
                guard scalar.value < count else { throw Missing(scalar: scalar) }
                bytes.append(UInt8(scalar.value))
            }
            return bytes
        case .table(let upper):
            let pairs = upper.enumerated().map { ($0.element, UInt8($0.offset + 128)) }
            let codes = Dictionary(pairs) { first, _ in first }
            var bytes: [UInt8] = []
            for scalar in text.unicodeScalars {
                let code = scalar.isASCII ? UInt8(scalar.value) : scalar == "\u{fffd}" ? nil : codes[scalar]
                guard let code else { throw Missing(scalar: scalar) }
                bytes.append(code)
            }
            return bytes
        }
    }

    /// The text that bytes stand for; `nil` where they are none of this encoding.
    package func text(of bytes: [UInt8]) -> String? {
        switch kind {
        case .utf8(let hasMark):
            let isMarked = hasMark && bytes.starts(with: [0xef, 0xbb, 0xbf])
            return String(validating: isMarked ? bytes[3...] : bytes[...], as: UTF8.self)
        case .utf16(let isBig, let hasMark):
            guard let units = Self.units(bytes, 2, isBig, hasMark) else { return nil }
            return String(validating: units.map { UInt16(truncatingIfNeeded: $0) }, as: UTF16.self)
        case .utf32(let isBig, let hasMark):
            guard let units = Self.units(bytes, 4, isBig, hasMark) else { return nil }
            return String(validating: units, as: UTF32.self)
        case .first(let count):
            guard bytes.allSatisfy({ $0 < count }) else { return nil }
            return String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
        case .table(let upper):
            let scalars = bytes.map { $0 < 128 ? Unicode.Scalar($0) : upper[Int($0) - 128] }
            return scalars.contains("\u{fffd}") ? nil : String(String.UnicodeScalarView(scalars))
        }
    }

    private static func split(_ unit: UInt32, _ size: Int, _ isBig: Bool) -> [UInt8] {
        let bytes = (0..<size).map { UInt8(truncatingIfNeeded: unit >> UInt32($0 * 8)) }
        return isBig ? bytes.reversed() : bytes
    }

    /// The units of a text whose first may say the order of the bytes in all.
    private static func units(_ bytes: [UInt8], _ size: Int, _ isBig: Bool, _ hasMark: Bool) -> [UInt32]? {
        guard bytes.count.isMultiple(of: size) else { return nil }
        func read(_ isBig: Bool) -> [UInt32] {
            stride(from: 0, to: bytes.count, by: size).map { start in
                let unit = bytes[start..<start + size]
                return (isBig ? Array(unit) : unit.reversed()).reduce(0) { $0 << 8 | UInt32($1) }
            }
        }
        guard hasMark else { return read(isBig) }
        for order in [isBig, !isBig] {
            let units = read(order)
            if units.first == 0xfeff { return Array(units.dropFirst()) }
        }
        return read(isBig)
    }
}
