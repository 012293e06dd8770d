import CYAML
import Values

/// Owns one libyaml emitter and collects what it writes.
@safe struct EventEmitter: ~Copyable {
    private final class Output {
        var bytes: [UInt8] = []
    }

    private let emitter: UnsafeMutablePointer<yaml_emitter_t>
    private let output = Output()
    private let scalarStyle: yaml_scalar_style_t

    /// `nil` when memory is short.
    init?(_ style: YAMLStyle) {
        scalarStyle =
            switch style.scalars {
            case nil: YAML_ANY_SCALAR_STYLE
            case .literal?: YAML_LITERAL_SCALAR_STYLE
            case .folded?: YAML_FOLDED_SCALAR_STYLE
            case .single?: YAML_SINGLE_QUOTED_SCALAR_STYLE
            case .double?: YAML_DOUBLE_QUOTED_SCALAR_STYLE
            }
        unsafe emitter = .allocate(capacity: 1)
        guard unsafe yaml_emitter_initialize(emitter) == 1 else {
            unsafe emitter.deallocate()
            return nil
        }
        unsafe yaml_emitter_set_indent(emitter, Int32(clamping: style.indent))
        unsafe yaml_emitter_set_width(emitter, style.width > 0 ? Int32(clamping: style.width) : -1)
        unsafe yaml_emitter_set_canonical(emitter, style.isCanonical ? 1 : 0)
        unsafe yaml_emitter_set_unicode(emitter, style.unicode ? 1 : 0)
        unsafe yaml_emitter_set_output(
            emitter,
            { context, buffer, count in
                guard let context = unsafe context, let buffer = unsafe buffer else { return 0 }
                let output = unsafe Unmanaged<Output>.fromOpaque(context).takeUnretainedValue()
                unsafe output.bytes.append(contentsOf: UnsafeBufferPointer(start: buffer, count: count))
                return 1
            }, Unmanaged.passUnretained(output).toOpaque())
    }

    deinit {
        unsafe yaml_emitter_delete(emitter)
        unsafe emitter.deallocate()
    }

    private func emit(_ fill: (UnsafeMutablePointer<yaml_event_t>) -> Int32) throws(Diagnostic) {
        var event = unsafe yaml_event_t()
        guard unsafe fill(&event) == 1, unsafe yaml_emitter_emit(emitter, &event) == 1 else {
            let problem = unsafe emitter.pointee.problem.map { unsafe String(cString: $0) }
            throw Diagnostic("the value cannot be written as YAML: \(problem ?? "no memory")")
        }
    }

    mutating func begin(explicit: Bool) throws(Diagnostic) {
        try unsafe emit { unsafe yaml_stream_start_event_initialize($0, YAML_UTF8_ENCODING) }
        try unsafe emit { unsafe yaml_document_start_event_initialize($0, nil, nil, nil, explicit ? 0 : 1) }
    }

    mutating func end() throws(Diagnostic) -> String {
        try unsafe emit { unsafe yaml_document_end_event_initialize($0, 1) }
        try unsafe emit { unsafe yaml_stream_end_event_initialize($0) }
        return String(decoding: output.bytes, as: UTF8.self)
    }

    mutating func startSequence(flow: Bool) throws(Diagnostic) {
        let style = flow ? YAML_FLOW_SEQUENCE_STYLE : YAML_BLOCK_SEQUENCE_STYLE
        try unsafe emit { unsafe yaml_sequence_start_event_initialize($0, nil, nil, 1, style) }
    }

    mutating func endSequence() throws(Diagnostic) { try unsafe emit { unsafe yaml_sequence_end_event_initialize($0) } }

    mutating func startMapping(flow: Bool) throws(Diagnostic) {
        let style = flow ? YAML_FLOW_MAPPING_STYLE : YAML_BLOCK_MAPPING_STYLE
        try unsafe emit { unsafe yaml_mapping_start_event_initialize($0, nil, nil, 1, style) }
    }

    mutating func endMapping() throws(Diagnostic) { try unsafe emit { unsafe yaml_mapping_end_event_initialize($0) } }

    /// A vault's text, as a block under its tag.
    mutating func vault(_ text: String) throws(Diagnostic) {
        let bytes = Array(text.utf8)
        let tag = Array("!vault".utf8) + [0]
        try unsafe emit { event in
            unsafe yaml_scalar_event_initialize(
                event, nil, tag, bytes, Int32(clamping: bytes.count), 0, 0, YAML_LITERAL_SCALAR_STYLE)
        }
    }

    /// - Parameter plain: whether the text without quotes reads back as this kind.
    mutating func scalar(
        _ text: String, _ kind: String, plain: Bool, isLiteral: Bool = false
    ) throws(Diagnostic) {
        let bytes = Array(text.utf8)
        let tag = Array("tag:yaml.org,2002:\(kind)".utf8) + [0]
        try unsafe emit { [scalarStyle] event in
            unsafe yaml_scalar_event_initialize(
                event, nil, tag, bytes, Int32(clamping: bytes.count), plain ? 1 : 0, kind == "str" ? 1 : 0,
                isLiteral ? YAML_LITERAL_SCALAR_STYLE : scalarStyle)
        }
    }
}
