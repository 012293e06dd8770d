/// Messages on a stream: four bytes of length, little end first, and the message.
package enum Frame {
    /// A plan with its small files; larger content travels in pieces of its own.
    package static let limit = 256 << 20

    package static func bytes(of message: some WireCodable) -> [UInt8] {
        var writer = WireWriter()
        message.encode(to: &writer)
        let count = UInt32(writer.bytes.count)
        return (0..<4).map { UInt8(truncatingIfNeeded: count >> UInt32(8 * $0)) } + writer.bytes
    }
}

/// Takes messages out of a stream as bytes arrive.
package struct FrameBuffer: Sendable {
    private var bytes: [UInt8] = []
    private var start = 0

    package init() {}

    package mutating func append(_ more: some Collection<UInt8>) { bytes.append(contentsOf: more) }

    /// Whether part of a message is waiting for its rest.
    package var isEmpty: Bool { start == bytes.count }

    /// What has arrived and not been taken, as text: an error message where a protocol was expected.
    package var remainder: String { String(decoding: bytes[start...].prefix(4096), as: UTF8.self) }

    /// The next whole message, or `nil` until more has arrived.
    package mutating func next<M: WireCodable>(_ type: M.Type = M.self) throws(WireError) -> M? {
        guard bytes.count - start >= 4 else { return nil }
        var count = 0
        for index in 0..<4 { count |= Int(bytes[start + index]) << (8 * index) }
        guard count <= Frame.limit else { throw WireError("what arrived is not a message: \(remainder.prefix(80))") }
        guard bytes.count - start - 4 >= count else { return nil }
        var reader = WireReader(Array(bytes[start + 4..<start + 4 + count]))
        start += 4 + count
        if start == bytes.count {
            bytes.removeAll(keepingCapacity: true)
            start = 0
        } else if start > 1 << 20 {
            bytes.removeFirst(start)
            start = 0
        }
        return try M(from: &reader)
    }
}
