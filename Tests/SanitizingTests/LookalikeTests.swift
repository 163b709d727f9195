import Testing

@testable import Sanitizing

private let sanitizer = Sanitizer()

/// What this product's data is made of, and what only looks like a secret.
private let harmless = [
    "proj_abcDEF1234567890abcDEF12", "user-AbCdEfGhIjKlMnOpQrStUvWx", "key_abc123DEF456ghi789JKL",
    "org-AbCdEfGhIjKlMnOpQrStUvWx", "batch_67abcdef1234567890abcdef12345678", "resp_68a1b2c3d4e5f60718293a4b5c6d7e8f",
    "req_0123456789abcdef0123456789abcdef", "chatcmpl-9abcDEFghiJKLmnoPQRstuVWXyz12",
    "sess_abcdefghijklmnopqrstuvwxyz012345",
    "3f2504e0-4f89-41d3-9a0c-0305e82c3301", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "sha256:3976b1f2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e",
    "eyJwYWdlIjoyfQ", "eyJwYWdlIjoyfQ==", "eyJhIjoxfQ.abcdef", "page_AAAAAGdExdEiJdKOAAAAAGcwjwA=",
    "ef1.s.bjugbow2rs.UOZQ-_zKUTPOFWZnscWS9ck74tQM9befzA", "ef1.s.bjugbow2rs.sk-Q1_zKUTPOFWZnscWS9ck74tQM9befzA",
    "ef1.g.bjugbow2rs.eyJQzKUTPOFWZnscWS9ck74tQM9befzA",
    "-----BEGIN CERTIFICATE-----\nMIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUFADBa\n-----END CERTIFICATE-----",
    "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA\n-----END PUBLIC KEY-----",
    "task-management-system-2024-rollout", "risk-assessment-of-the-year-2025-final",
    "disk-usage-report-for-2025-november",
    "sk-a…wxyz", "sk-abc...def", "sk-a***min", "sk-proj-...abcd", "gpt-4o-mini-2024-07-18", "text-embedding-3-large",
    "https://host.example:8080/path?after=proj_1", "https://a.example:80,b@c.example", "https://user@host.example/",
    "https://user:…@host.example/", "https://user:***@host.example/", "mailto:me@example.com",
    "Bearer authentication is required", "the bearer responsibilities", "Bearer abcd…wxyz", "bearer",
    "monkey business", "they.say.so", "eye.to.eye", "keynote.eyJ.x", "AKIAISNOTAKEY", "askiasia", "hf_short",
    "npm_config_registry", "xoxo, with love", "SG.is.short", "r8_small", "dapifoo", "ghost town",
    "glacier-archive-2025",
    "2025-11-03T00:00:00Z", "0.00001", "", "a", "ab", "sk-", "sk", "://", "://@", "://:@", "-----BEGIN",
    "gpt-4o-2024-08-06, cached input", "costs.dt-2025-11-03.00001", "{\"id\":\"user-abc\",\"email\":\"a@example.com\"}",
]

@Test(arguments: harmless)
func dataThatIsNoSecretIsLeftAlone(text: String) {
    #expect(sanitizer.maskField(Array(text.utf8)) == nil)
    for (name, wrap) in Samples.wrappings {
        #expect(sanitizer.maskField(Array(wrap(text).utf8)) == nil, "\(name)")
    }
}

@Test(arguments: [
    "input_tokens=12345678901234", "token_count: 98765432109876", "api_key_id=key_abc123DEF456",
    "num_model_requests: 17",
    "group_by=project_id,user_id,api_key_id", "page=page_AAAAAGdExdEiJdKOAAAA&after=proj_abc123&limit=100",
    "GET /organization/usage/completions?start_time=1730419200&bucket_width=1h&page=page_AAAA answered 429",
    "apiKey: Environment.GetEnvironmentVariable()", "authorization failed", "the secret: nothing", "token expired",
    "password: wrong", "stream users › page 118 › request req_1234567890abcdef", "cookies are off",
])
func logTextThatIsNoSecretIsLeftAlone(text: String) {
    #expect(sanitizer.clean(text) == text)
}

@Test(arguments: [
    "Authorization: Bearer hunter2", "> authorization: Basic aHVudGVyMg==hunter2",
    "{\"Authorization\":\"Bearer hunter2\"}",
    "Cookie: session=hunter2; other=hunter2", "set-cookie: id=hunter2; Path=/", "x-api-key: 0hunter2long",
    "DB_PASSWORD=hunter2", "password: \"hunter2!\"", "client_secret=abc123hunter2def", "?token=hunter2&x=1",
    "https://h.example/?a=1&sig=hunter2", "access_key => 'AB12hunter2XY'",
    "proxy-authorization: Digest a=\"x\", b=\"hunter2\"",
    "{\"h\":\"Authorization: Digest a=\\\"x\\\", b=\\\"hunter2\\\"\",\"n\":1}", "{\"cookie\": \"a=hunter2\", \"n\": 1}",
    "aws_secret_access_key = abc/hunter2/DEF+1234567890abcdefghijklmn", "API_KEY=hunter2hunter2",
])
func surroundingsGiveSecretsAwayInLogs(text: String) {
    let cleaned = sanitizer.clean(text)
    #expect(!cleaned.contains("hunter2"), "\(cleaned)")
    #expect(sanitizer.clean(cleaned) == cleaned)
}
