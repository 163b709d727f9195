import Model
import Testing

@testable import Sealing

/// The shipped code: each case goes through the type that seals fields, wraps keys and derives them in a run.
struct WycheproofTests {
    @Test(arguments: Wycheproof.present) func sivAgreesOnEveryKeyOf64BytesWithAMessage(_ vectors: Wycheproof) throws {
        let cases = try vectors.cases("aes_siv_cmac_test") { $0["keySize"]?.integer == 512 }
            // OpenSSL 3.0 has no answer for an empty message, and a field's plaintext never is one.
            .filter { $0.bytes("ct").count > SyntheticIVCipher.tagCount }
        #expect(cases.count >= vectors.least(25, 100))
        for vector in cases {
            let key = try keyBytes(vector.bytes("key"))
            let cipher = try SyntheticIVCipher(key: key, associated: vector.bytes("aad"))
            if vector.isValid {
                #expect(try cipher.seal(vector.bytes("msg")) == vector.bytes("ct"), "\(vector)")
                #expect(try cipher.open(vector.bytes("ct")) == vector.bytes("msg"), "\(vector)")
            } else {
                #expect(throws: SealingError.cannotOpen, "\(vector)") { try cipher.open(vector.bytes("ct")) }
            }
        }
    }

    @Test(arguments: Wycheproof.present) func gcmAgreesOnEvery256BitKeyWithA96BitNonce(_ vectors: Wycheproof) throws {
        let cases = try vectors.cases("aes_gcm_test") {
            $0["keySize"]?.integer == 256 && $0["ivSize"]?.integer == 96 && $0["tagSize"]?.integer == 128
        }
        #expect(cases.count >= vectors.least(20, 60))
        for vector in cases {
            let cipher = try GaloisCipher(key: try keyBytes(vector.bytes("key")))
            let sealed = vector.bytes("iv") + vector.bytes("ct") + vector.bytes("tag")
            if vector.isValid {
                let ours = try cipher.seal(
                    vector.bytes("msg").span,
                    associated: vector.bytes("aad"),
                    nonce: vector.bytes("iv")
                )
                #expect(ours == sealed, "\(vector)")
                let opened = try cipher.open(sealed, associated: vector.bytes("aad"))
                #expect(array(opened) == vector.bytes("msg"), "\(vector)")
            } else {
                #expect(throws: SealingError.cannotOpen, "\(vector)") {
                    try cipher.open(sealed, associated: vector.bytes("aad"))
                }
            }
        }
    }

    @Test(arguments: Wycheproof.present) func hkdfAgreesAndRefusesWhatIsTooLong(_ vectors: Wycheproof) throws {
        let cases = try vectors.cases("hkdf_sha256_test") { _ in true }
        #expect(cases.count >= vectors.least(25, 50))
        for vector in cases {
            let key = try keyBytes(vector.bytes("ikm"))
            let count = vector.fields["size"]?.integer ?? 0
            let derived = try? HKDF.derive(
                from: key,
                salt: vector.bytes("salt"),
                info: vector.bytes("info"),
                count: count
            )
            #expect(derived.map(array) == (vector.isValid ? vector.bytes("okm") : nil), "\(vector)")
        }
    }

    @Test(arguments: Wycheproof.present) func hmacAgreesWhereverTheTagIsWhole(_ vectors: Wycheproof) throws {
        let cases = try vectors.cases("hmac_sha256_test") { $0["tagSize"]?.integer == 256 }
        #expect(cases.count >= vectors.least(16, 60))
        for vector in cases {
            let code = try HMACSHA256(key: try keyBytes(vector.bytes("key")))
            let tag = try code.code(vector.bytes("msg").span)
            #expect(KeyBytes.matches(tag, vector.bytes("tag")) == vector.isValid, "\(vector)")
        }
    }
}

/// A key's bytes in the open, as only tests want them.
func array(_ key: KeyBytes) -> [UInt8] { key.withSpan { span in span.indices.map { span[$0] } } }
