import CYAML

/// A position in the text; lines and columns count from 0, columns count characters.
struct Position {
    var line = 0
    var column = 0
}

/// One event of libyaml in Swift's own types.
struct Event {
    enum Style { case plain, quoted, block }

    struct Scalar {
        let text: String
        let style: Style
    }

    enum Kind {
        case streamStart, streamEnd, documentStart, documentEnd, sequenceEnd, mappingEnd
        case alias
        case scalar(Scalar)
        case sequenceStart, mappingStart
    }

    let kind: Kind
    /// Where the node begins, its anchor and tag included.
    let start: Position
    let end: Position
    /// The anchor it defines, or the one an alias names.
    var anchor: String?
    /// As written, with `!!` spelt out (`tag:yaml.org,2002:str`).
    var tag: String?
}

/// What libyaml found wrong, in its words.
struct SyntaxProblem: Error {
    let problem: String
    let context: String
    let position: Position
    let contextPosition: Position
    /// The byte where reading stopped, for text that has characters YAML forbids.
    let byte: Int?
}

/// Owns one libyaml parser and the bytes it reads.
@safe struct EventParser: ~Copyable {
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let bytes: UnsafeMutableBufferPointer<UInt8>
    private let event: UnsafeMutablePointer<yaml_event_t>

    /// `nil` when memory is short.
    init?(_ text: String) {
        let utf8 = text.utf8
        unsafe bytes = .allocate(capacity: max(1, utf8.count))
        _ = unsafe bytes.initialize(from: utf8)
        unsafe parser = .allocate(capacity: 1)
        unsafe event = .allocate(capacity: 1)
        guard unsafe yaml_parser_initialize(parser) == 1 else {
            unsafe bytes.deallocate()
            unsafe parser.deallocate()
            unsafe event.deallocate()
            return nil
        }
        unsafe yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        unsafe yaml_parser_set_input_string(parser, bytes.baseAddress, utf8.count)
    }

    deinit {
        unsafe yaml_parser_delete(parser)
        unsafe parser.deallocate()
        unsafe event.deallocate()
        unsafe bytes.deallocate()
    }

    mutating func next() throws(SyntaxProblem) -> Event {
        guard unsafe yaml_parser_parse(parser, event) == 1 else { throw problem }
        defer { unsafe yaml_event_delete(event) }
        return unsafe Self.event(event.pointee)
    }

    private var problem: SyntaxProblem {
        let parser = unsafe parser.pointee
        let reader = unsafe parser.error == YAML_READER_ERROR
        return SyntaxProblem(
            problem: unsafe parser.problem.map { unsafe String(cString: $0) } ?? "not YAML",
            context: unsafe parser.context.map { unsafe String(cString: $0) } ?? "",
            position: unsafe Self.position(parser.problem_mark),
            contextPosition: unsafe Self.position(parser.context_mark),
            byte: reader ? unsafe Int(parser.problem_offset) : nil)
    }

    private static func position(_ mark: yaml_mark_t) -> Position { Position(line: mark.line, column: mark.column) }

    private static func event(_ event: yaml_event_t) -> Event {
        let start = unsafe position(event.start_mark)
        let end = unsafe position(event.end_mark)
        let data = unsafe event.data
        switch unsafe event.type {
        case YAML_SCALAR_EVENT:
            let scalar = unsafe data.scalar
            let buffer = unsafe UnsafeBufferPointer(start: scalar.value, count: scalar.length)
            let style: Event.Style =
                switch unsafe scalar.style {
                case YAML_PLAIN_SCALAR_STYLE: .plain
                case YAML_LITERAL_SCALAR_STYLE, YAML_FOLDED_SCALAR_STYLE: .block
                default: .quoted
                }
            let text = unsafe String(decoding: buffer, as: UTF8.self)
            return Event(
                kind: .scalar(.init(text: text, style: style)), start: start, end: end,
                anchor: unsafe string(scalar.anchor), tag: unsafe string(scalar.tag))
        case YAML_SEQUENCE_START_EVENT:
            return Event(
                kind: .sequenceStart, start: start, end: end,
                anchor: unsafe string(data.sequence_start.anchor), tag: unsafe string(data.sequence_start.tag))
        case YAML_MAPPING_START_EVENT:
            return Event(
                kind: .mappingStart, start: start, end: end,
                anchor: unsafe string(data.mapping_start.anchor), tag: unsafe string(data.mapping_start.tag))
        case YAML_ALIAS_EVENT:
            return Event(kind: .alias, start: start, end: end, anchor: unsafe string(data.alias.anchor))
        case YAML_SEQUENCE_END_EVENT: return Event(kind: .sequenceEnd, start: start, end: end)
        case YAML_MAPPING_END_EVENT: return Event(kind: .mappingEnd, start: start, end: end)
        case YAML_DOCUMENT_START_EVENT: return Event(kind: .documentStart, start: start, end: end)
        case YAML_DOCUMENT_END_EVENT: return Event(kind: .documentEnd, start: start, end: end)
        case YAML_STREAM_START_EVENT: return Event(kind: .streamStart, start: start, end: end)
        default: return Event(kind: .streamEnd, start: start, end: end)
        }
    }

    private static func string(_ pointer: UnsafeMutablePointer<UInt8>?) -> String? {
        guard let pointer = unsafe pointer else { return nil }
        return unsafe String(cString: pointer)
    }
}
