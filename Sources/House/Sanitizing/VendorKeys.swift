/// Keys that vendors mark with a prefix: the prefix, what follows, and how much of it.
struct KeyShape: Sendable {
    var prefixes: [[UInt8]]
    var letters: Letters
    var least: Int
    var most: Int

    init(_ prefixes: [String], _ letters: Letters, _ least: Int, most: Int = .max) {
        self.prefixes = prefixes.map { Array($0.utf8) }
        self.letters = letters
        self.least = least
        self.most = most
    }

    /// Lengths are left open where vendors have lengthened their keys before.
    static let all: [Rule: KeyShape] = [
        .sessionKey: KeyShape(["sess-"], .alphanumeric, 32),
        .awsKeyID: KeyShape(["AKIA", "ASIA", "ABIA", "ACCA"], [.upper, .digit], 16, most: 16),
        .githubToken: KeyShape(["ghp_", "gho_", "ghu_", "ghs_", "ghr_"], .alphanumeric, 20),
        .githubPAT: KeyShape(["github_pat_"], [.alphanumeric, .underscore], 22),
        .gitlabToken: KeyShape(
            [
                "glpat-", "gldt-", "glrt-", "glcbt-", "glptt-", "glsoat-", "glft-", "glagent-", "gloas-", "glimt-",
            ],
            [.key, .dot],
            20
        ),
        .slackToken: KeyShape(
            ["xoxa-", "xoxb-", "xoxp-", "xoxr-", "xoxs-", "xoxe-", "xoxe.", "xoxo-"],
            [.key, .dot],
            20
        ),
        .slackApp: KeyShape(["xapp-"], .key, 20),
        .slackHook: KeyShape(["hooks.slack.com/services/", "hooks.slack.com/workflows/"], [.alphanumeric, .plus], 20),
        .googleKey: KeyShape(["AIza"], .key, 35, most: 35),
        .googleOAuth: KeyShape(["ya29."], .key, 20),
        .googleSecret: KeyShape(["GOCSPX-"], .key, 20),
        .huggingFace: KeyShape(["hf_"], .alphanumeric, 30),
        .npm: KeyShape(["npm_"], .alphanumeric, 36),
        .pypi: KeyShape(["pypi-"], .key, 50),
        .sendGrid: KeyShape(["SG."], [.key, .dot], 50),
        .vault: KeyShape(["hvs.", "hvb."], .key, 24),
        .stripe: KeyShape(["sk_live_", "sk_test_", "rk_live_", "rk_test_"], .alphanumeric, 16),
        .age: KeyShape(["AGE-SECRET-KEY-1"], [.upper, .digit], 50),
        .groq: KeyShape(["gsk_"], .alphanumeric, 40),
        .xai: KeyShape(["xai-"], .alphanumeric, 40),
        .perplexity: KeyShape(["pplx-"], .alphanumeric, 40),
        .replicate: KeyShape(["r8_"], .alphanumeric, 37),
        .nvidia: KeyShape(["nvapi-"], .key, 40),
        .databricks: KeyShape(["dapi"], [.lower, .digit], 32, most: 32),
        .webhookSecret: KeyShape(["whsec_", "whsk_"], .base64, 16),
        .awsSession: KeyShape(["IQoJb3JpZ2lu"], .base64, 60),
        .awsSessionOld: KeyShape(["FwoGZXIvYXdz"], .base64, 60),
        .bedrock: KeyShape(["ABSK"], .base64, 60),
        .bedrockLong: KeyShape(["bedrock-api-key-"], .base64, 20),
        .digitalOcean: KeyShape(["dop_v1_", "doo_v1_", "dor_v1_"], [.lower, .digit], 40),
        .shopify: KeyShape(["shpat_", "shpca_", "shppa_", "shpss_"], [.alphanumeric], 32),
    ]

    /// What OpenAI, Anthropic and OpenRouter put after `sk-`; strong enough to need no edge before it.
    private static let words = [
        "admin-", "proj-", "svcacct-", "service-", "None-", "org-", "user-", "sess-", "or-v1-", "ant-",
    ].map { Array($0.utf8) }
    /// Base64 of "OpenAI", in the middle of the keys that it makes.
    private static let marker = Array("T3BlbkFJ".utf8)

    /// A key of one of the shapes at `at`, where the rule's trigger stands.
    func find(_ text: Span<UInt8>, at: Int, _ memory: inout ScanMemory) -> Finding? {
        // Not by `for`: triggers stand in every tenth line, and an unoptimized build gets memory for each step of one.
        var index = 0
        while index < prefixes.count {
            let prefix = prefixes[index]
            index += 1
            guard stands(prefix, in: text, at: at) else { continue }
            guard isLeftEdge(text, at) else { return nil }
            let start = at + prefix.count
            let end = letters.end(text, from: start)
            memory.steps += end - start
            guard end - start >= least, end - start <= most else { return nil }
            // A key of fixed length ends where it ends: more letters make it something else.
            if most != .max, end < text.count, Letters.key.contains(text[end]) { return nil }
            return Finding(from: at, to: end)
        }
        return nil
    }

    /// `sk-` and what follows it, which may be one of many.
    static func findSK(_ text: Span<UInt8>, at: Int, _ memory: inout ScanMemory) -> Finding? {
        let start = at + 3
        for word in words where stands(word, in: text, at: start) {
            let end = Letters.key.end(text, from: start + word.count)
            memory.steps += end - start
            if end - start - word.count >= 16 { return Finding(from: at, to: end) }
        }
        guard isLeftEdge(text, at), !followsTokenHead(text, at) else { return nil }
        let end = Letters.key.end(text, from: start)
        memory.steps += end - start
        if end - start >= 20, Letters.found(text, start..<end).contains(.digit) { return Finding(from: at, to: end) }
        var index = start
        while index + marker.count + 8 <= end {
            if text[index] == marker[0], stands(marker, in: text, at: index) { return Finding(from: at, to: end) }
            index += 1
        }
        return nil
    }
}
