import CurlTransport

/// What an operator runs beside cogni: a Pushgateway, a lineage server. They are told no secret, and may stand in private networks.
enum OwnServices {
    static let networks = NetworkRange.ownNetworks
}
