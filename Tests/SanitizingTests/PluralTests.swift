import Model
import Testing

@testable import Sanitizing

@Suite struct PluralTests {
    @Test(arguments: ["stream project_api_keys: unchanged, fetched 2", "admin_api_keys: published"])
    func namesOfStreamsAreNoAssignments(line: String) { #expect(Sanitizer().clean(line) == line) }

    @Test func aKeyBehindAPluralIsStillHidden() {
        #expect(!Sanitizer().clean("api_keys: abcdef123456").contains("abcdef123456"))
    }
}
