/// How much a play needs a task to work.
enum Need: Comparable {
    /// It runs, and its failure ends the play.
    case always
    /// It may not run at all: it has a condition, or is a handler.
    case conditional
    /// Its failure is provided for: `ignore_errors`, `failed_when`, `rescue`.
    case never
}
