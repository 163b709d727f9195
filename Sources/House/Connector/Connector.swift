/// An API described as data: where it lives, how it wants to be asked, what it answers.
package struct Connector: Sendable, Equatable {
    package var name: String
    package var title: String
    package var version: Int
    /// Used when the pipeline names none: `https://api.openai.com/v1`.
    package var baseURL: String
    /// The environment variable a credential usually stands in, for messages and `init`.
    package var credentialVariable: String
    /// The header that carries the credential, and what stands before it: `Authorization`, `Bearer `.
    package var credentialHeader: String
    package var credentialPrefix: String
    /// Headers the pipeline file can fill: `organization` → `OpenAI-Organization`.
    package var optionHeaders: [String: String]
    /// Sent with every request: a version header, say.
    package var fixedHeaders: [StreamSpec.Parameter]
    package var requestIDHeader: String
    /// The reply's header that names whose data this is; `nil`: the API names nobody.
    package var organizationHeader: String?
    package var errors: ErrorRules
    package var pacing: Pacing
    /// In the order they are listed; parents before their children.
    package var streams: [StreamSpec]
    package var relations: [Relation]
    package var reconcile: ReconcileSpec?

    package struct Pacing: Sendable, Equatable {
        /// Requests a minute for the whole connector, and for one path template; `nil`: no limit.
        package var total: Int?
        package var perPath: Int?
        package init(total: Int?, perPath: Int?) {
            self.total = total
            self.perPath = perPath
        }
    }

    /// How refusals are told apart. Codes are the `error.code` of the API's envelope.
    package struct ErrorRules: Sendable, Equatable {
        /// A 429 with one of these never clears.
        package var finalCodes: [String]
        /// A 400 with one of these means "history does not reach that far back".
        package var historyCodes: [String]
        package init(finalCodes: [String] = [], historyCodes: [String] = []) {
            self.finalCodes = finalCodes
            self.historyCodes = historyCodes
        }
    }

    package init(
        name: String,
        title: String = "",
        version: Int = 1,
        baseURL: String,
        credentialVariable: String,
        credentialHeader: String,
        credentialPrefix: String,
        optionHeaders: [String: String] = [:],
        fixedHeaders: [StreamSpec.Parameter] = [],
        requestIDHeader: String = "x-request-id",
        organizationHeader: String? = nil,
        errors: ErrorRules = ErrorRules(),
        pacing: Pacing = Pacing(total: nil, perPath: nil),
        streams: [StreamSpec],
        relations: [Relation] = [],
        reconcile: ReconcileSpec? = nil
    ) {
        self.name = name
        self.title = title
        self.version = version
        self.baseURL = baseURL
        self.credentialVariable = credentialVariable
        self.credentialHeader = credentialHeader
        self.credentialPrefix = credentialPrefix
        self.optionHeaders = optionHeaders
        self.fixedHeaders = fixedHeaders
        self.requestIDHeader = requestIDHeader
        self.organizationHeader = organizationHeader
        self.errors = errors
        self.pacing = pacing
        self.streams = streams
        self.relations = relations
        self.reconcile = reconcile
    }

    package func stream(_ name: String) -> StreamSpec? { streams.first { $0.name == name } }
}
