import Testing

@testable import cogni_simulator

struct PlainPartsTests {
    @Test func `JSON is written as it was read`() throws {
        let text = #"{"a":[1,-2,1e-05,"x\"\\\u0000\u000aé"],"b":{"a.b":null,"c":true},"a":0.10}"#
        let value = try ValueReader.read(Array(text.utf8))
        #expect(String(decoding: value.json, as: UTF8.self) == text)
    }

    @Test(arguments: ["", "{", "[1,]", "{\"a\" 1}", "tru", "\"", "\"\\x\"", "\"\u{1}\"", "1 2", "--1", "[1"])
    func `What is no JSON is refused`(text: String) {
        #expect(throws: ValueReader.Mistake.self) { try ValueReader.read(Array(text.utf8)) }
    }

    @Test func `Numbers are written digit by digit`() {
        var bytes: [UInt8] = []
        for number in [0, 9, 10, -1, -120, .max, .min] {
            bytes.appendDigits(number)
            bytes.append(32)
        }
        #expect(String(decoding: bytes, as: UTF8.self) == "0 9 10 -1 -120 \(Int.max) \(Int.min) ")
    }

    @Test func `Instants are read and written`() {
        #expect(Moment.parse("2026-11-20T12:00:00Z") == 1_795_176_000)
        #expect(Moment.parse("1970-01-01") == 0)
        #expect(Moment.parse("2024-02-29") == 1_709_164_800)
        #expect(Moment.http(1_795_176_000) == "Fri, 20 Nov 2026 12:00:00 GMT")
        #expect(Moment.http(784_111_777) == "Sun, 06 Nov 1994 08:49:37 GMT")
        #expect(Moment.iso(-1) == "1969-12-31T23:59:59Z")
        for text in ["2026-02-29", "2026-13-01", "2026-11-20T24:00:00Z", "2026-11-20T12:00:00", "soon", ""] {
            #expect(Moment.parse(text) == nil, "\(text)")
        }
    }

    @Test func `Every second of a century is its own date`() {
        for seconds in stride(from: -2_208_988_800, to: 4_102_444_800, by: 7_654_321) {
            #expect(Moment.parse(Moment.iso(seconds)) == seconds)
        }
    }

    @Test func `gzip is stored blocks with the right checksum`() {
        #expect(Gzip.checksum(Array("123456789".utf8)) == 0xCBF4_3926)
        let long = [UInt8](repeating: 7, count: 65_536)
        // Header, two blocks of five bytes more than they hold, checksum and length.
        #expect(Gzip.store(long).count == 10 + 65_536 + 2 * 5 + 8)
        #expect(Gzip.store([]).count == 10 + 5 + 8)
    }

    @Test func `Keys are told apart`() {
        let credentials = Credentials(admin: "a", limited: "b")
        #expect(credentials.holder("Bearer a") == .right)
        #expect(credentials.holder("Bearer b") == .limited)
        #expect(credentials.holder("Bearer aa") == .wrong)
        #expect(credentials.holder("a") == .wrong)
        #expect(credentials.holder(nil) == .missing)
    }
}
