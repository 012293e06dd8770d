/// `second` over `first`: by key, or, as with `hash_behaviour=merge`, with mappings merged all the way down.
package func combined(_ first: Dict, _ second: Dict, merging: Bool) -> Dict {
    if first.isEmpty { return second }
    var result = first
    for (key, value) in second {
        if merging, case .dict(let old)? = result[key], case .dict(let new) = value {
            result[key] = .dict(combined(old, new, merging: true))
        } else {
            result[key] = value
        }
    }
    return result
}
