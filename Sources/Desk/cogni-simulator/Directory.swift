/// Answers "what is in this list" and "what does this object say": the lists and singletons of the organization.
struct Directory {
    let organization: Organization
    /// The simulated now, Unix seconds.
    let now: Int

    var switches: Switches { organization.settings.switches }
    var origin: Int { organization.origin }

    /// - `path`: the values of the address's parameters.
    /// - `complete`: nothing is hidden for want of a parameter; for reading single items.
    func listing(
        _ name: String,
        path: [String: String],
        query: Query,
        complete: Bool = false
    ) throws(Refusal) -> Listing {
        let project = try project(path["project_id"])
        switch name {
        case "users": return users(query)
        case "invites": return invites()
        case "groups": return groups()
        case "group_users": return groupUsers(try group(path["group_id"]))
        case "admin_api_keys": return adminKeys()
        case "audit_logs": return try AuditTrail(organization: organization, now: now).listing(query)
        case "certificates": return certificates()
        case "external_keys": return externalKeys(query)
        case "external_storage": return externalStorage(query)
        case "workload_identity_providers": return identityProviders()
        case "workload_identity_federation_rules":
            return try federationRules(path["workload_identity_provider_id"] ?? "", query)
        case "roles": return roles()
        case "group_roles": return roles(heldBy: try group(path["group_id"]).id, principal: "group")
        case "user_roles": return roles(heldBy: try user(path["user_id"]).id, principal: "user")
        case "organization_spend_alerts": return spendAlerts(of: nil)
        case "projects":
            return projects(includeArchived: complete || query["include_archived"] == "true")
        default:
            guard let project else { throw .notFound("list", name) }
            return try listing(name, of: project, path: path, query: query, complete: complete)
        }
    }

    private func listing(
        _ name: String,
        of project: Organization.Project,
        path: [String: String],
        query: Query,
        complete: Bool
    ) throws(Refusal) -> Listing {
        switch name {
        case "project_users": projectUsers(project)
        case "project_service_accounts": serviceAccounts(project)
        case "project_api_keys": try keys(project, access: complete ? "any" : query["owner_project_access"])
        case "project_rate_limits": rateLimits(project)
        case "project_certificates": certificates(of: project)
        case "project_groups": groups(of: project)
        case "project_spend_alerts": spendAlerts(of: project)
        case "project_roles": roles(of: project)
        case "project_group_roles":
            roles(heldBy: try group(path["group_id"]).id, principal: "group", in: project)
        case "project_user_roles":
            roles(heldBy: try member(path["user_id"], of: project), principal: "user", in: project)
        default: throw .notFound("list", name)
        }
    }

    /// `nil` for an address without a project. An archived one refuses all that lies under it.
    func project(_ id: String?) throws(Refusal) -> Organization.Project? {
        guard let id else { return nil }
        guard let project = organization.project(id) else { throw .notFound("project", id) }
        guard !isArchived(project) else { throw .archived(id) }
        return project
    }

    func isArchived(_ project: Organization.Project) -> Bool {
        archivedAt(project).map { $0 <= now } ?? false
    }

    func archivedAt(_ project: Organization.Project) -> Int? {
        organization.archived[project.id] ?? project.archivedAt
    }

    private func group(_ id: String?) throws(Refusal) -> Organization.Group {
        guard let group = organization.groups.first(where: { $0.id == id }), organization.stillExists(group.id) else {
            throw .notFound("group", id ?? "")
        }
        return group
    }

    private func user(_ id: String?) throws(Refusal) -> Organization.User {
        guard let user = organization.users.first(where: { $0.id == id }), organization.stillExists(user.id) else {
            throw .notFound("user", id ?? "")
        }
        return user
    }

    private func member(_ id: String?, of project: Organization.Project) throws(Refusal) -> String {
        let user = try user(id)
        guard project.members.contains(where: { organization.users[$0].id == user.id }) else {
            throw .notFound("user in this project", user.id)
        }
        return user.id
    }
}
