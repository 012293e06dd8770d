package import Values

/// TOML text of a mapping, as Python's `tomli_w` writes it. What is null has no form in TOML and is left out.
package func tomlText(_ dict: Dict) -> String {
    var out = ""
    writeTable(dict, "", inList: false, to: &out)
    return out
}

private func writeTable(_ table: Dict, _ name: String, inList: Bool, to out: inout String) {
    var literals: [(key: String, value: Value)] = []
    var tables: [(key: String, value: Dict, inList: Bool)] = []
    for (key, value) in table {
        let key = key.pythonText
        switch value {
        case .null: continue
        case .dict(let dict): tables.append((key, dict, false))
        case .list(let list) where !list.isEmpty && list.allSatisfy({ $0.dict != nil }):
            let dicts = list.compactMap(\.dict)
            if dicts.allSatisfy(fitsOnLine) {
                literals.append((key, value))
            } else {
                tables += dicts.map { (key, $0, true) }
            }
        default: literals.append((key, value))
        }
    }
    var isFirst = true
    if inList || (!name.isEmpty && (!literals.isEmpty || tables.isEmpty)) {
        out += inList ? "[[\(name)]]\n" : "[\(name)]\n"
        isFirst = false
    }
    for (key, value) in literals {
        out += "\(tomlKey(key)) = \(literal(value, depth: 0))\n"
        isFirst = false
    }
    for (key, value, inList) in tables {
        if !isFirst { out += "\n" }
        isFirst = false
        writeTable(value, name.isEmpty ? tomlKey(key) : "\(name).\(tomlKey(key))", inList: inList, to: &out)
    }
}

private func fitsOnLine(_ dict: Dict) -> Bool {
    let line = "    \(inline(dict)),"
    return line.unicodeScalars.count <= 100 && !line.utf8.contains(0x0a)
}

private func inline(_ dict: Dict) -> String {
    let pairs = dict.filter { !$0.value.isNull }.map { pair in
        "\(tomlKey(pair.key.pythonText)) = \(literal(pair.value, depth: 0))"
    }
    return pairs.isEmpty ? "{}" : "{ \(pairs.joined(separator: ", ")) }"
}

private func literal(_ value: Value, depth: Int) -> String {
    switch value {
    case .null: "\"\""
    case .bool(let bool): bool ? "true" : "false"
    case .int(let int): String(int)
    case .big(let big): big.description
    case .double(let double) where double.isInfinite: double < 0 ? "-inf" : "inf"
    case .double(let double): double.isNaN ? "nan" : Value.repr(of: double)
    case .string(let text): quoted(text.string)
    case .dict(let dict): inline(dict)
    case .list(let list) where list.isEmpty: "[]"
    case .list(let list):
        "[\n"
            + list.map { String(repeating: "    ", count: depth + 1) + literal($0, depth: depth + 1) }
            .joined(separator: ",\n") + ",\n" + String(repeating: "    ", count: depth) + "]"
    }
}

private func tomlKey(_ key: String) -> String {
    let isBare = !key.isEmpty && key.utf8.allSatisfy { byte in
        (byte >= 0x30 && byte <= 0x39) || (byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7a)
            || byte == 0x2d || byte == 0x5f
    }
    return isBare ? key : quoted(key)
}

private func quoted(_ text: String) -> String {
    var out = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\u{8}": out += "\\b"
        case "\n": out += "\\n"
        case "\u{c}": out += "\\f"
        case "\r": out += "\\r"
        case "\"": out += "\\\""
        case "\\": out += "\\\\"
        case "\t": out.unicodeScalars.append(scalar)
        case let control where control.value < 0x20 || control.value == 0x7f:
            let hex = String(control.value, radix: 16)
            out += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
        default: out.unicodeScalars.append(scalar)
        }
    }
    return out + "\""
}
