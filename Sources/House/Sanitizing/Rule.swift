/// What the sanitizer looks for. Each rule owns one bit of the trigger tables, so that one step over a byte
/// asks for all of them at once.
enum Rule: Int, CaseIterable, Sendable {
    // Secrets by their own shape: in data and in logs.
    case skKey, sessionKey, awsKeyID, githubToken, githubPAT, gitlabToken, slackToken, slackApp, slackHook
    case googleKey, googleOAuth, googleSecret, huggingFace, npm, pypi, sendGrid, vault, stripe, age, groq, xai
    case perplexity, replicate, nvidia, databricks, webhookSecret, awsSession, awsSessionOld, bedrock, bedrockLong
    case digitalOcean, shopify, jwt, jwtSpaced, pem, bearer, userinfo, userinfoEscaped
    // Secrets by what stands around them: in logs only, since in data they'd hide too much.
    case authorization, cookie, query, password, secret, token, apiKey, accessKey, privateKey, credential
    // People.
    case email

    var bit: UInt64 { 1 << UInt64(rawValue) }

    /// Texts whose first three bytes wake the rule; lower case when `folds`.
    var triggers: [String] {
        switch self {
        case .skKey: ["sk-"]
        case .sessionKey: ["sess-"]
        case .awsKeyID: ["AKIA", "ASIA", "ABIA", "ACCA"]
        case .githubToken: ["ghp", "gho", "ghu", "ghs", "ghr"]
        case .githubPAT: ["github_pat_"]
        case .gitlabToken: ["glp", "gld", "glr", "glc", "gls", "glf", "gla", "glo", "gli"]
        case .slackToken: ["xox"]
        case .slackApp: ["xapp-"]
        case .slackHook: ["hooks.slack.com"]
        case .googleKey: ["AIza"]
        case .googleOAuth: ["ya29."]
        case .googleSecret: ["GOCSPX-"]
        case .huggingFace: ["hf_"]
        case .npm: ["npm_"]
        case .pypi: ["pypi-"]
        case .sendGrid: ["SG."]
        case .vault: ["hvs.", "hvb."]
        case .stripe: ["sk_", "rk_"]
        case .age: ["AGE-SECRET-KEY-1"]
        case .groq: ["gsk_"]
        case .xai: ["xai-"]
        case .perplexity: ["pplx-"]
        case .replicate: ["r8_"]
        case .nvidia: ["nvapi-"]
        case .databricks: ["dapi"]
        case .webhookSecret: ["whsec_", "whsk_"]
        case .awsSession: ["IQoJb3JpZ2lu"]
        case .awsSessionOld: ["FwoGZXIvYXdz"]
        case .bedrock: ["ABSK"]
        case .bedrockLong: ["bedrock-api-key-"]
        case .digitalOcean: ["dop_v1_", "doo_v1_", "dor_v1_"]
        case .shopify: ["shpat_", "shpca_", "shppa_", "shpss_"]
        case .jwt: ["ey"]
        case .jwtSpaced: ["ewo"]
        case .pem: ["---"]
        case .bearer: ["bearer"]
        case .userinfo: ["://"]
        case .userinfoEscaped: [":\\/"]
        case .authorization: ["authorization"]
        case .cookie: ["cookie"]
        case .query: ["?", "&", ";"]
        case .password: ["password", "passwd"]
        case .secret: ["secret"]
        case .token: ["token"]
        case .apiKey: ["api"]
        case .accessKey: ["access"]
        case .privateKey: ["private"]
        case .credential: ["credential"]
        case .email: ["@"]
        }
    }

    /// Whether upper and lower case are the same to the rule.
    var folds: Bool { rawValue >= Rule.authorization.rawValue || self == .bearer }

    /// Every text of three bytes that wakes the rule; shorter triggers are followed by any byte.
    var beginnings: Set<[UInt8]> {
        // `{"` and `{ ` in base64, and not the end of every `key`.
        if self == .jwt { return Set("ABCDIJKL".utf8.map { Array("ey".utf8) + [$0] }) }
        var all: Set<[UInt8]> = []
        for trigger in triggers {
            var texts: [[UInt8]] = [[]]
            let bytes = Array(trigger.utf8)
            for place in 0..<3 {
                var choices = place < bytes.count ? [bytes[place]] : Array(UInt8.min...UInt8.max)
                if folds, place < bytes.count, bytes[place] >= 0x61, bytes[place] <= 0x7A {
                    choices.append(bytes[place] & 0xDF)
                }
                texts = texts.flatMap { text in choices.map { text + [$0] } }
            }
            all.formUnion(texts)
        }
        return all
    }

    /// Rules for data: API keys of known vendors, bearer tokens, JWTs, private keys, URLs with passwords.
    static let forData: UInt64 = allCases.filter { $0.rawValue < Rule.authorization.rawValue }
        .reduce(0) { $0 | $1.bit }
    static let forLogs: UInt64 = allCases.filter { $0 != .email }.reduce(0) { $0 | $1.bit }
}

/// Three tables, one for each of the bytes at, after and second after a position: where all three have a
/// rule's bit, its trigger stands. 6 KiB, made once.
struct TriggerTables: Sendable {
    let first: [UInt64]
    let second: [UInt64]
    let third: [UInt64]

    static let shared = TriggerTables()

    private init() {
        var tables = [[UInt64]](repeating: [UInt64](repeating: 0, count: 256), count: 3)
        for rule in Rule.allCases {
            for trigger in rule.triggers {
                let bytes = Array(trigger.utf8)
                for place in 0..<3 {
                    guard place < bytes.count else {
                        for code in 0..<256 { tables[place][code] |= rule.bit }
                        continue
                    }
                    tables[place][Int(bytes[place])] |= rule.bit
                    let isLetter = bytes[place] >= 0x61 && bytes[place] <= 0x7A
                    if rule.folds, isLetter { tables[place][Int(bytes[place] & 0xDF)] |= rule.bit }
                }
            }
        }
        first = tables[0]
        second = tables[1]
        third = tables[2]
    }
}
