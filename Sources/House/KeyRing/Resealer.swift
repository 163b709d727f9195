package import Model
package import Sealing

/// Gives the tokens of rows another key: opened under the key that sealed them, sealed under the new one.
///
/// Equal tokens become equal tokens. Keyed contexts and a memory of tokens are kept, so make one for each task.
package struct Resealer {
    /// Where the tokens of one stream stand: a column's own domain, and those of values inside of its columns.
    package struct Domains: Sendable {
        /// Column → domain, for columns whose whole value is a token.
        package var columns: [String: String] = [:]
        /// Domains that a token inside of other text may have.
        package var inside: [String] = []
        package init() {}
    }

    /// Tokens that got another key so far.
    package private(set) var resealed = 0

    private let target: DataKey
    private let tenant: String
    private let domains: Domains
    private var opener: TokenOpener
    private var sealers: [String: TokenSealer] = [:]
    /// Old token → new token; emptied when it grows large.
    private var known: [ArraySlice<UInt8>: [UInt8]] = [:]

    package init(_ ring: KeyRing, to target: DataKey, tenant: String, domains: Domains) {
        self.target = target
        self.tenant = tenant
        self.domains = domains
        opener = TokenOpener(ring, tenant: tenant)
    }

    /// The cell's text with its tokens under the new key, or `nil` when it holds none that would change.
    ///
    /// A column of a known domain must open, or `.cannotSeal` is thrown. A token inside of other text that opens under no domain of
    /// the stream is text that someone wrote, and stays.
    package mutating func reseal(_ cell: ArraySlice<UInt8>, column: String) throws(Fault) -> [UInt8]? {
        guard cell.count > FieldToken.headCount else { return nil }
        var out: [UInt8]?
        var copied = cell.startIndex
        var at = cell.startIndex
        let last = cell.endIndex - FieldToken.headCount
        while at < last {
            guard cell[at] == 0x65, let end = TokenText.end(cell, at) else {
                at += 1
                continue
            }
            if let token = try reseal(token: cell[at..<end], column: column) {
                var text = out ?? []
                text.append(contentsOf: cell[copied..<at])
                text.append(contentsOf: token)
                out = text
                copied = end
            }
            at = end
        }
        guard var text = out else { return nil }
        text.append(contentsOf: cell[copied...])
        return text
    }

    private mutating func reseal(token: ArraySlice<UInt8>, column: String) throws(Fault) -> [UInt8]? {
        let kid = String(decoding: token[token.startIndex + 6..<token.startIndex + 16], as: UTF8.self)
        if kid == target.kid { return nil }
        if let done = known[token] { return done }
        let fixed = domains.columns[column]
        guard let algorithm = FieldToken.Algorithm(rawValue: token[token.startIndex + 4]) else { return nil }
        if algorithm == .pseudonym {
            guard fixed != nil else { return nil }
            throw Fault(
                .cannotSeal,
                "a pseudonym can't be given another key: it has no way back",
                at: ["column \(column)", "key \(kid)"],
                mend: "seal these fields anew with `cogni run --full-refresh`"
            )
        }
        for domain in fixed.map({ [$0] }) ?? domains.inside {
            let plain: (kind: FieldToken.Kind, value: [UInt8])
            do throws(Fault) { plain = try opener.open(Array(token), domain: domain) } catch {
                guard fixed == nil else { throw error.within("key \(kid)").within("column \(column)") }
                continue
            }
            let new = try seal(plain, algorithm, domain)
            if known.count > 200_000 { known = [:] }
            known[ArraySlice(Array(token))] = new
            resealed += 1
            return new
        }
        return nil
    }

    private mutating func seal(
        _ plain: (kind: FieldToken.Kind, value: [UInt8]),
        _ algorithm: FieldToken.Algorithm,
        _ domain: String
    ) throws(Fault) -> [UInt8] {
        let name = "\(algorithm.rawValue) \(domain)"
        var out: [UInt8] = []
        do {
            let sealer = try sealers[name] ?? TokenSealer(algorithm, key: target, tenant: tenant, domain: domain)
            sealers[name] = sealer
            try sealer.seal(plain.kind, plain.value.span, into: &out)
        } catch {
            throw Fault(.cannotSeal, "OpenSSL failed: \(error)", mend: "try again; nothing was published")
        }
        return out
    }
}
