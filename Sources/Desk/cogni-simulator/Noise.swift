/// A reproducible source of arbitrary numbers: a place in a tree whose root is the seed.
///
/// Two noises are equal exactly when they were reached by the same path (`noise.with("users").with(7)`), so a record never
/// depends on which others were made before it. Not for secrets.
struct Noise: Sendable, Hashable {
    private let state: UInt64

    init(_ seed: UInt64) {
        state = Self.scramble(seed &+ 0x9E37_79B9_7F4A_7C15)
    }

    private init(state: UInt64) {
        self.state = state
    }

    var bits: UInt64 { state }

    func with(_ number: Int) -> Noise {
        Noise(state: Self.scramble(state ^ (UInt64(bitPattern: Int64(number)) &* 0x9E37_79B9_7F4A_7C15 &+ 0x632B_E59B)))
    }

    func with(_ text: String) -> Noise {
        Noise(state: Self.scramble(state ^ fingerprint(text.utf8)))
    }

    /// 0..<`count`; `count` must be above 0.
    func below(_ count: Int) -> Int {
        Int(state % UInt64(count))
    }

    func oneIn(_ count: Int) -> Bool {
        below(count) == 0
    }

    func pick<Element>(_ choices: [Element]) -> Element {
        choices[below(choices.count)]
    }

    /// `count` letters and digits, as the service's identifiers have them.
    func letters(_ count: Int) -> String {
        String(decoding: (0..<count).map { with($0).pick(Self.alphanumerics) }, as: UTF8.self)
    }

    func hexadecimal(_ count: Int) -> String {
        String(decoding: (0..<count).map { with($0).pick(Self.hexadecimals) }, as: UTF8.self)
    }

    private static let alphanumerics = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8)
    private static let hexadecimals = Array("0123456789abcdef".utf8)

    /// The finalizer of SplitMix64 (Steele, Lea and Flood 2014).
    private static func scramble(_ value: UInt64) -> UInt64 {
        var mixed = value
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// FNV-1a, 64 bits.
func fingerprint(_ bytes: some Sequence<UInt8>) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in bytes {
        hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3
    }
    return hash
}
