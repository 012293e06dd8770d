import Values
@main struct Main { static func main() { print(Value.string("x").json()) } }
