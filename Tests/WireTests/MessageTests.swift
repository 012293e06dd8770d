import Testing
import Values
import Wire

/// Every message there and back, and what is no message: damage is an error, never a trap.
@Suite struct MessageTests {
    @Test(arguments: Samples.orders.indices) func ordersComeBack(_ index: Int) throws {
        try comesBack(Samples.orders[index])
    }

    @Test(arguments: Samples.reports.indices) func reportsComeBack(_ index: Int) throws {
        try comesBack(Samples.reports[index])
    }

    /// The bytes of what was read are the bytes that were read.
    private func comesBack<Message: WireCodable>(_ message: Message) throws {
        var buffer = FrameBuffer()
        let bytes = Frame.bytes(of: message)
        for byte in bytes.dropLast() {
            buffer.append([byte])
            #expect(try buffer.next(Message.self) == nil)
        }
        buffer.append(bytes.suffix(1))
        let read = try #require(try buffer.next(Message.self))
        #expect(Frame.bytes(of: read) == bytes)
        #expect(buffer.isEmpty)
    }

    @Test func everyEndIsNoticed() {
        for order in Samples.orders { refusesEveryPart(of: order) }
        for report in Samples.reports { refusesEveryPart(of: report) }
    }

    private func refusesEveryPart<Message: WireCodable>(of message: Message) {
        var writer = WireWriter()
        message.encode(to: &writer)
        for count in 0..<writer.bytes.count {
            var reader = WireReader(Array(writer.bytes[..<count]))
            #expect(throws: WireError.self) { try Message(from: &reader) }
        }
    }

    @Test func damageNeverTraps() {
        var dice = Dice(seed: 0x6761_6e74_7279)
        for order in Samples.orders { damage(order, &dice) }
        for report in Samples.reports { damage(report, &dice) }
    }

    private func damage<Message: WireCodable>(_ message: Message, _ dice: inout Dice) {
        var writer = WireWriter()
        message.encode(to: &writer)
        for _ in 0..<300 {
            var bytes = writer.bytes
            for _ in 0...Int(dice.next() % 4) where !bytes.isEmpty {
                bytes[Int(dice.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: dice.next())
            }
            read(bytes, as: Message.self)
        }
    }

    @Test func garbageNeverTraps() {
        var dice = Dice(seed: 7)
        for _ in 0..<3000 {
            let bytes = (0..<Int(dice.next() % 64)).map { _ in UInt8(truncatingIfNeeded: dice.next() >> 13) }
            read(bytes, as: Order.self)
            read(bytes, as: Report.self)
            var buffer = FrameBuffer()
            buffer.append(bytes)
            _ = try? buffer.next(Report.self)
        }
    }

    /// What is taken for a message can be written again.
    private func read<Message: WireCodable>(_ bytes: [UInt8], as type: Message.Type) {
        var reader = WireReader(bytes)
        guard let message = try? Message(from: &reader) else { return }
        #expect(!Frame.bytes(of: message).isEmpty)
    }

    @Test func depthHasALimit() {
        var value = Value.int(1)
        for _ in 0..<5000 { value = .list([value]) }
        var writer = WireWriter()
        value.encode(to: &writer)
        var reader = WireReader(writer.bytes)
        #expect(throws: WireError.self) { try Value(from: &reader) }
    }

    @Test func positionsAreOrderedAsTheyAreComeTo() {
        let order = [[0], [0, 1], [0, 1, 0, 5], [0, 1, 1], [0, 2], [1, 0]].map(Position.init)
        #expect(order.shuffled().sorted() == order)
    }
}

/// The same numbers in every run.
struct Dice {
    private var state: UInt64
    init(seed: UInt64) { state = seed | 1 }
    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}
