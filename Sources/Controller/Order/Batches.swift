package import Values

/// The order of a play's hosts: `order` as Ansible knows it.
package func ordered(_ hosts: [String], by order: Value?, at place: Place?) throws(Diagnostic) -> [String] {
    switch order?.pythonText ?? "inventory" {
    case "inventory", "None", "": return hosts
    case "reverse_inventory": return hosts.reversed()
    case "sorted": return hosts.sorted()
    case "reverse_sorted": return hosts.sorted().reversed()
    case "shuffle": return hosts.shuffled()
    case let word:
        let known = ["inventory", "reverse_inventory", "sorted", "reverse_sorted", "shuffle"]
        throw Diagnostic(
            "'order' is '\(word)'", at: order?.place ?? place,
            hint: suggestion(for: word, among: known) ?? "expected \(known.joined(separator: ", "))")
    }
}

/// A play's hosts, a batch at a time: `serial` is a number, a percentage, or a list of them, whose last one repeats.
package func batches(of hosts: [String], serial: Value?, at place: Place?) throws(Diagnostic) -> [[String]] {
    guard !hosts.isEmpty else { return [] }
    let given = serial.map { $0.list ?? [$0] } ?? []
    var sizes: [Int] = []
    for value in given { sizes.append(try batchSize(value, hosts.count, place)) }
    var rest = hosts[...]
    var batches: [[String]] = []
    while !rest.isEmpty {
        let size = sizes.isEmpty ? 0 : sizes[min(batches.count, sizes.count - 1)]
        let count = size <= 0 ? rest.count : min(size, rest.count)
        batches.append(Array(rest.prefix(count)))
        rest = rest.dropFirst(count)
    }
    return batches
}

/// 0 and less: all of them at once. A percentage is rounded down, to one host at least.
private func batchSize(_ value: Value, _ count: Int, _ place: Place?) throws(Diagnostic) -> Int {
    if value.isNull { return 0 }
    let text = value.pythonText
    if text.hasSuffix("%"), let percent = Double(text.dropLast()), percent.isFinite {
        return max(1, Int(min(percent, 100) / 100 * Double(count)))
    }
    if case .double(let double) = value, let whole = Int(exactly: double) { return whole }
    guard let size = Int(text) else {
        throw Diagnostic(
            "'serial' is \(value.json())", at: value.place ?? place, hint: "expected a number, a percentage, or a list")
    }
    return size
}
