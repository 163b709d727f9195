package import Model

/// One stream of a connector: everything the runner must know to fetch it, and its schema.
package struct StreamSpec: Sendable, Equatable {
    package enum Mode: String, Sendable, CaseIterable {
        /// Time buckets with rows inside; windows, lookback, restatement.
        case report
        /// Immutable events with a time of their own.
        case log
        /// The whole list each time, compared with the one before.
        case snapshot
        /// One object.
        case singleton
    }

    package var name: String
    package var title: String
    package var mode: Mode
    /// Path template below the base URL: `/organization/projects/{project_id}/users`.
    package var path: String
    /// Sent with every request, in this order: `include_archived=true`.
    package var parameters: [Parameter]
    package var pagination: Pagination
    /// Where rows lie.
    package var rows: RowPlace
    /// What the path's parameters are taken from, in the order they nest. Empty for a stream of its own.
    package var parents: [Parent]
    package var window: WindowSpec?
    package var grouping: Grouping?
    /// Walks that together cover the stream, each with parameters of its own; one empty walk otherwise.
    /// (Audit logs: tenant-scoped events come only with `tenant_only=true`.)
    package var walks: [[Parameter]]
    /// All possible key columns. Of a report's dimensions only the grouped ones take part.
    package var primaryKey: [String]
    /// The column whose time decides the partition; `nil` for snapshots and singletons.
    package var timeColumn: String?
    /// The column that says until when a row is valid, such as a certificate's; `nil`: rows do not expire.
    package var expiryColumn: String?
    package var columns: [Column]
    /// Keys of an item that are known and on purpose have no column (`object`).
    package var ignoredFields: [[String]]
    /// Expected `object` of each row, where the API states one.
    package var objectName: String?
    /// What a 404 (and for children of a parent the API refuses, a 400) means.
    package var absent: Absent
    /// The scope a key needs, for messages.
    package var scope: String

    package struct Parameter: Sendable, Equatable {
        package var name: String
        package var value: String
        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// Where rows lie in a reply. `members` are keys from the envelope inwards; each names an array.
    /// `["data"]` is a list, `["data", "results"]` buckets with rows, `[]` the reply itself is the row.
    package struct RowPlace: Sendable, Equatable {
        package var members: [String]
        package init(members: [String]) { self.members = members }
    }

    package struct Parent: Sendable, Equatable {
        /// The path parameter it fills: `project_id`.
        package var parameter: String
        /// The stream that lists it, and the column that holds it: `projects`, `id`.
        package var stream: String
        package var column: String
        /// Parents whose column has one of these values are not walked: `status` in `["archived"]`.
        package var skip: [Skip]

        package struct Skip: Sendable, Equatable {
            package var column: String
            package var values: [String]
            package init(column: String, values: [String]) {
                self.column = column
                self.values = values
            }
        }

        package init(parameter: String, stream: String, column: String, skip: [Skip]) {
            self.parameter = parameter
            self.stream = stream
            self.column = column
            self.skip = skip
        }
    }

    package enum Absent: String, Sendable, CaseIterable {
        /// 404 is a failure of the stream.
        case failure
        /// 404 means "not set": no row. (Unset singletons; children of a parent that vanished.)
        case empty
    }

    package init(
        name: String,
        title: String = "",
        mode: Mode,
        path: String,
        parameters: [Parameter] = [],
        pagination: Pagination,
        rows: RowPlace,
        parents: [Parent] = [],
        window: WindowSpec? = nil,
        grouping: Grouping? = nil,
        walks: [[Parameter]] = [[]],
        primaryKey: [String],
        timeColumn: String? = nil,
        expiryColumn: String? = nil,
        columns: [Column],
        ignoredFields: [[String]] = [],
        objectName: String? = nil,
        absent: Absent = .failure,
        scope: String = ""
    ) {
        self.name = name
        self.title = title
        self.mode = mode
        self.path = path
        self.parameters = parameters
        self.pagination = pagination
        self.rows = rows
        self.parents = parents
        self.window = window
        self.grouping = grouping
        self.walks = walks
        self.primaryKey = primaryKey
        self.timeColumn = timeColumn
        self.expiryColumn = expiryColumn
        self.columns = columns
        self.ignoredFields = ignoredFields
        self.objectName = objectName
        self.absent = absent
        self.scope = scope
    }

    package func column(_ name: String) -> Column? { columns.first { $0.name == name } }

    /// Where a report's buckets say when they begin: its time column's place, or the usual one.
    package var bucketStart: [String] {
        let column = timeColumn.flatMap(column)
        return column?.origin == .bucket ? column?.path ?? [] : ["start_time"]
    }

    /// Where they say when they end: the place of the buckets' other timestamp, or the usual one.
    package var bucketEnd: [String] {
        columns.first { $0.origin == .bucket && $0.kind == .timestamp && $0.name != timeColumn }?.path ?? ["end_time"]
    }
}
