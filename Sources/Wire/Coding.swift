package import Values

/// What crosses a process boundary, as bytes: numbers as LEB128, strings and lists with their length in front.
package protocol WireCodable: Sendable {
    func encode(to writer: inout WireWriter)
    init(from reader: inout WireReader) throws(WireError)
}

/// Bytes that are not a message of this version.
package struct WireError: Error, Sendable, Hashable, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}

/// Collects a message. File names, which every place repeats, are written once.
package struct WireWriter {
    package private(set) var bytes: [UInt8] = []
    private var files: [SourceFile: Int] = [:]

    package init() {}

    package mutating func write(byte: UInt8) { bytes.append(byte) }
    package mutating func write(_ bool: Bool) { bytes.append(bool ? 1 : 0) }

    package mutating func write(unsigned: UInt64) {
        var rest = unsigned
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    /// Zigzag, so that small negative numbers stay small.
    package mutating func write(_ int: Int) { write(unsigned: UInt64(bitPattern: Int64((int << 1) ^ (int >> 63)))) }
    package mutating func write(_ double: Double) {
        let pattern = double.bitPattern
        for shift in stride(from: 0, to: 64, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: pattern >> UInt64(shift)))
        }
    }
    package mutating func write(_ string: String) {
        write(unsigned: UInt64(string.utf8.count))
        bytes.append(contentsOf: string.utf8)
    }
    package mutating func write(_ data: [UInt8]) {
        write(unsigned: UInt64(data.count))
        bytes.append(contentsOf: data)
    }
    package mutating func write(_ value: some WireCodable) { value.encode(to: &self) }
    package mutating func write(_ value: (some WireCodable)?) {
        write(value != nil)
        if let value { value.encode(to: &self) }
    }
    package mutating func write(_ values: [some WireCodable]) {
        write(unsigned: UInt64(values.count))
        for value in values { value.encode(to: &self) }
    }

    fileprivate mutating func write(_ file: SourceFile) {
        if let known = files[file] { return write(unsigned: UInt64(known)) }
        write(unsigned: UInt64(files.count))
        files[file] = files.count
        write(file.name)
    }
}

/// Takes a message apart. Every length is checked against what is there, so that garbage ends in an error.
package struct WireReader {
    private let bytes: [UInt8]
    private var at = 0
    private var depth = 0
    private var files: [SourceFile] = []
    private static let depthLimit = 600

    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    package var isAtEnd: Bool { at == bytes.count }

    package mutating func byte() throws(WireError) -> UInt8 {
        guard at < bytes.count else { throw WireError("the message ends too early") }
        at += 1
        return bytes[at - 1]
    }
    package mutating func bool() throws(WireError) -> Bool { try byte() != 0 }

    package mutating func unsigned() throws(WireError) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            let next = try byte()
            value |= UInt64(next & 0x7f) << shift
            if next & 0x80 == 0 { return value }
        }
        throw WireError("a number with too many bytes")
    }
    package mutating func int() throws(WireError) -> Int {
        let raw = try unsigned()
        return Int(truncatingIfNeeded: Int64(bitPattern: raw >> 1) ^ -Int64(bitPattern: raw & 1))
    }
    package mutating func double() throws(WireError) -> Double {
        var pattern: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 8) { pattern |= UInt64(try byte()) << shift }
        return Double(bitPattern: pattern)
    }
    package mutating func data() throws(WireError) -> [UInt8] { Array(try slice()) }
    package mutating func string() throws(WireError) -> String { String(decoding: try slice(), as: UTF8.self) }

    private mutating func slice() throws(WireError) -> ArraySlice<UInt8> {
        let count = try length()
        at += count
        return bytes[at - count..<at]
    }
    /// A count of things that take at least a byte each: never more than is left.
    private mutating func length() throws(WireError) -> Int {
        let count = try unsigned()
        guard count <= UInt64(bytes.count - at) else { throw WireError("the message ends too early") }
        return Int(count)
    }
    package mutating func value<T: WireCodable>(_ type: T.Type = T.self) throws(WireError) -> T {
        depth += 1
        defer { depth -= 1 }
        guard depth < Self.depthLimit else { throw WireError("more than \(Self.depthLimit) levels") }
        return try T(from: &self)
    }
    package mutating func optional<T: WireCodable>(_ type: T.Type = T.self) throws(WireError) -> T? {
        try bool() ? try value(type) : nil
    }
    package mutating func array<T: WireCodable>(_ type: T.Type = T.self) throws(WireError) -> [T] {
        var values: [T] = []
        for _ in 0..<(try length()) { values.append(try value(type)) }
        return values
    }
    fileprivate mutating func file() throws(WireError) -> SourceFile {
        let index = try unsigned()
        if index < UInt64(files.count) { return files[Int(index)] }
        let file = SourceFile(name: try string())
        files.append(file)
        return file
    }
}

extension String: WireCodable {
    package func encode(to writer: inout WireWriter) { writer.write(self) }
    package init(from reader: inout WireReader) throws(WireError) { self = try reader.string() }
}

extension Int: WireCodable {
    package func encode(to writer: inout WireWriter) { writer.write(self) }
    package init(from reader: inout WireReader) throws(WireError) { self = try reader.int() }
}

extension Place: WireCodable {
    package func encode(to writer: inout WireWriter) {
        writer.write(file)
        writer.write(unsigned: UInt64(UInt32(bitPattern: line)))
        writer.write(unsigned: UInt64(UInt32(bitPattern: column)))
    }
    package init(from reader: inout WireReader) throws(WireError) {
        let file = try reader.file()
        self.init(
            file: file, line: Int(truncatingIfNeeded: try reader.unsigned()),
            column: Int(truncatingIfNeeded: try reader.unsigned()))
    }
}

extension Text: WireCodable {
    package func encode(to writer: inout WireWriter) {
        let flags: UInt8 = (isTemplate ? 1 : 0) | (isSecret ? 2 : 0) | (place != nil ? 4 : 0) | (isSealed ? 8 : 0)
            | (mark?.isDeclaredUnsafe ?? false ? 16 : 0) | (mark?.isVouchedFor ?? false ? 32 : 0)
            | (moment.map { $0 == .date ? 64 : $0 == .dateTime ? 128 : 192 } ?? 0)
        writer.write(byte: flags)
        writer.write(string)
        if let place { writer.write(place) }
        if let seal = mark?.seal {
            if case .unopenable(let why) = seal { writer.write(why) } else { writer.write("") }
        }
    }
    package init(from reader: inout WireReader) throws(WireError) {
        let flags = try reader.byte()
        let string = try reader.string()
        let place: Place? = flags & 4 != 0 ? try reader.value() : nil
        let why = flags & 8 != 0 ? try reader.string() : nil
        let seal = why.map { $0.isEmpty ? Seal.closed : .unopenable($0) }
        let moment: Moment? = [nil, .date, .dateTime, .time][Int(flags >> 6)]
        let mark = flags == 0 ? nil : Mark(
            place: place, isTemplate: flags & 1 != 0, isSecret: flags & 2 != 0, isDeclaredUnsafe: flags & 16 != 0,
            isVouchedFor: flags & 32 != 0, moment: moment, seal: seal)
        self.init(string, mark: mark)
    }
}

extension Value: WireCodable {
    package func encode(to writer: inout WireWriter) {
        switch self {
        case .null: writer.write(byte: 0)
        case .bool(let bool): writer.write(byte: bool ? 2 : 1)
        case .int(let int):
            writer.write(byte: 3)
            writer.write(int)
        case .double(let double):
            writer.write(byte: 4)
            writer.write(double)
        case .string(let text):
            writer.write(byte: 5)
            writer.write(text)
        case .list(let list):
            writer.write(byte: 6)
            writer.write(list)
        case .dict(let dict):
            writer.write(byte: 7)
            dict.encode(to: &writer)
        case .big(let big):
            writer.write(byte: 8)
            writer.write(big.description)
        }
    }
    package init(from reader: inout WireReader) throws(WireError) {
        switch try reader.byte() {
        case 0: self = .null
        case 1: self = .bool(false)
        case 2: self = .bool(true)
        case 3: self = .int(try reader.int())
        case 4: self = .double(try reader.double())
        case 5: self = .string(try reader.value(Text.self))
        case 6: self = .list(try reader.array())
        case 7: self = .dict(try Dict(from: &reader))
        case 8:
            let digits = try reader.string()
            guard let big = BigInt(digits: digits) else { throw WireError("'\(digits)' is no whole number") }
            self = .integer(big)
        case let tag: throw WireError("a value of unknown kind \(tag)")
        }
    }
}

/// Inside the extension below, `Value` is the dictionary's own parameter.
package typealias WireValue = Value

extension OrderedDictionary: WireCodable where Key == WireValue, Value == WireValue {
    package func encode(to writer: inout WireWriter) {
        writer.write(unsigned: UInt64(count))
        for (key, value) in self {
            key.encode(to: &writer)
            value.encode(to: &writer)
        }
    }
    package init(from reader: inout WireReader) throws(WireError) {
        self.init()
        let count = try reader.unsigned()
        for _ in 0..<count {
            let key: WireValue = try reader.value()
            self[key] = try reader.value(WireValue.self)
        }
    }
}

extension Diagnostic: WireCodable {
    package func encode(to writer: inout WireWriter) {
        writer.write(severity.rawValue)
        writer.write(place)
        writer.write(length)
        writer.write(message)
        writer.write(hint)
        writer.write(notes)
    }
    package init(from reader: inout WireReader) throws(WireError) {
        let word = try reader.string()
        guard let severity = Severity(rawValue: word) else { throw WireError("an unknown severity '\(word)'") }
        let place: Place? = try reader.optional()
        let length = try reader.int()
        let message = try reader.string()
        let hint: String? = try reader.optional()
        self.init(
            message, at: place, length: length, hint: hint, notes: try reader.array(),
            severity: severity)
    }
}
