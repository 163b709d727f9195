/// One column of a stream: its name in the archive, where its value stands in the item, and its type.
///
/// - `path`: keys from the row's object inwards; `["amount", "value"]`. A path that is exactly
///   `["{type}"]` stands for the member whose key equals the text of the row's own column `type`.
/// - `origin`: whose fields `path` walks. A report's rows carry their bucket's times; a child's rows
///   carry their parents' ids.
package struct Column: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
        /// A JSON number without fraction; its text is kept.
        case integer
        /// Exact, in plain notation, written as a JSON string. Accepts a number or a numeric string.
        case decimal
        /// Unix seconds in the API, RFC 3339 UTC text in the archive.
        case timestamp
        case string
        case boolean
        /// What has no column of its own: canonical JSON, number text kept.
        case json
    }

    package enum Origin: Sendable, Equatable {
        case row
        /// A field of the bucket that holds the row.
        case bucket
        /// A path parameter of the request: `project_id`.
        case parameter(String)
        /// Written by us, not by the API: `deleted_at`, `extra`.
        case ours
    }

    /// What a reader must know about who could be hurt by the column's value.
    package enum Sensitivity: String, Sendable, CaseIterable {
        case none, label, personName = "person_name", email, pseudonymousID = "pseudonymous_id", ip
        case deviceFingerprint = "device_fingerprint", geolocation, keyFragment = "key_fragment", pem
        case opaque = "opaque_object", cloudIdentifier = "cloud_identifier", url
    }

    /// A value inside a `json` column that needs the same care as a column of its own.
    package struct Inner: Sendable, Equatable {
        /// Keys inwards; `*` stands for any one key, `[]` for every element of an array.
        package var path: [String]
        package var sensitivity: Sensitivity
        package var domain: String?
        /// Holds only in rows whose column `type` has one of these values; empty: in every row. (An audit
        /// event's payload has an `id` that is a user's in `user.added` and a project's in `project.created`.)
        package var types: [String]
        package init(path: [String], sensitivity: Sensitivity, domain: String?, types: [String] = []) {
            self.path = path
            self.sensitivity = sensitivity
            self.domain = domain
            self.types = types
        }
    }

    package var name: String
    package var path: [String]
    /// Other places where older or newer versions of the API keep the value; the first one present counts.
    package var alternatives: [[String]] = []
    package var origin: Origin
    package var kind: Kind
    package var nullable: Bool
    package var sensitivity: Sensitivity = .none
    /// What the value identifies, whatever stream it stands in: `user`, `api_key`, `email`. Equal
    /// domains get equal tokens, so that streams still join after encryption.
    package var domain: String?
    /// Changes without anything else changing (`last_used_at`): left out when snapshots are compared.
    package var isVolatile = false
    package var inner: [Inner] = []
    /// The texts that the API is known to send; any other is reported as drift. Empty: anything.
    package var values: [String] = []
    package var description: String = ""

    package init(_ name: String, path: [String], origin: Origin = .row, kind: Kind, nullable: Bool) {
        self.name = name
        self.path = path
        self.origin = origin
        self.kind = kind
        self.nullable = nullable
    }
}
