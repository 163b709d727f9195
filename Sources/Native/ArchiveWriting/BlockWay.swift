internal import CZstdRepeats

/// How the next block of a zstd frame is compressed: from a copy that zstd makes, or from where it lies.
///
/// As long as zstd searches for repeats itself it keeps a window of the content, for which it copies all of it: a tenth of the time that
/// writing takes. Where what is known of the repeats suffices it reads nothing before the block at hand, and needs no copy.
///
/// zstd remembers two stretches of memory, the block's own and the one before. When it is to search again, both must be memory of
/// the encoder: a caller's block may be gone by then. So the last block before that is taken from the encoder's own memory, and zstd is
/// kept from searching (`insist`) until then.
///
/// Which way a block goes depends on the content before it alone, so that the same content gives the same bytes.
struct BlockWay {
    /// Blocks in a row of which enough was known before it goes directly.
    private static let enough = 4
    /// After so many returns to searching, a file whose blocks are now such, now such, is searched to its end.
    private static let mostReturns = 2

    private(set) var isDirect = false
    /// Searching begins again behind the next block, which is to lie in the encoder's own memory. Also when the last one did: what memory
    /// a block lay in depends on the pieces that the content came in.
    private(set) var isLeaving = false
    /// Bytes of a block whose rest has not come yet.
    var waiting = 0
    private var inARow = 0
    private var returns = 0

    /// A block is done.
    ///
    /// - Parameter sufficed: enough of its repeats was known.
    mutating func note(sufficed: Bool) {
        if isLeaving {
            (isDirect, isLeaving, inARow) = (false, false, 0)
            returns += 1
        } else if isDirect {
            isLeaving = !sufficed
        } else {
            inARow = sufficed ? inARow + 1 : 0
            isDirect = inARow >= BlockWay.enough && returns < BlockWay.mostReturns && cogni_zstd_takes_blocks() != 0
        }
    }
}
