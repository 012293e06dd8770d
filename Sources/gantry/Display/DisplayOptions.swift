/// What of a run is shown, and how.
struct DisplayOptions: Sendable {
    var verbosity = 0
    var showsOK = true
    var showsSkipped = true
    var failuresToErrors = false
    var checkMode = false
    var checkMarkers = false
    var customStats = false
    var diffContext = 3
    /// `gantry run`: results only, no banners, as `ansible` prints them.
    var isAdHoc = false
    /// `gantry run -o`: one line a host.
    var isOneLine = false
    /// The module of an ad-hoc command: commands print their output, others their result.
    var module = ""
}
