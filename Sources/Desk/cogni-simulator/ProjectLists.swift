// Projects, and what lies under one of them.
extension Directory {
    func projects(includeArchived: Bool) -> Listing {
        let projects = organization.projects.filter { includeArchived || !isArchived($0) }
        return Listing(projects, in: organization, id: \.id) { project in
            let archived = self.isArchived(project)
            return [
                "id": .string(project.id),
                "object": "organization.project",
                "name": self.organization.projectName(project),
                "created_at": .integer(project.createdAt),
                "archived_at": archived ? .optional(self.archivedAt(project)) : .null,
                "status": archived ? "archived" : "active",
                "residency": .string(project.residency),
                "external_key_id": .null,
            ]
        }
    }

    func projectUsers(_ project: Organization.Project) -> Listing {
        Listing(project.members.map { organization.users[$0] }, in: organization, id: \.id) { user in
            [
                "object": "organization.project.user",
                "id": .string(user.id),
                "name": .optional(user.name),
                "email": .optional(user.email),
                "role": .string(self.role(of: user.id, in: project)),
                "added_at": .integer(max(user.addedAt, project.createdAt)),
            ]
        }
    }

    func serviceAccounts(_ project: Organization.Project) -> Listing {
        Listing(project.serviceAccounts, in: organization, id: \.id) { account in
            [
                "object": "organization.project.service_account",
                "id": .string(account.id),
                "name": .string(account.name),
                "role": .string(account.role),
                "created_at": .integer(account.createdAt),
            ]
        }
    }

    /// - `access`: `active`, `inactive` or `any`; without it some keys stay hidden, also ones that work.
    func keys(_ project: Organization.Project, access: String?) throws(Refusal) -> Listing {
        guard access.map({ ["any", "active", "inactive"].contains($0) }) ?? true else {
            throw .badParameter("owner_project_access", "Must be one of 'active', 'inactive', 'any'.")
        }
        let keys = project.keys.filter { key in
            switch access {
            case "any": true
            case "active": key.ownerHasAccess
            case "inactive": !key.ownerHasAccess
            default: key.ownerHasAccess && key.shownByDefault
            }
        }
        return Listing(keys, in: organization, id: \.id) { key in
            [
                "object": "organization.project.api_key",
                "id": .string(key.id),
                "name": .string(key.name),
                "redacted_value": .string(key.redacted),
                "created_at": .integer(key.createdAt),
                "last_used_at": .optional(key.lastUsedAt),
                "expires_at": .optional(key.expiresAt),
                "owner": self.owner(key, project),
                "owner_project_access": key.ownerHasAccess ? "active" : "inactive",
            ]
        }
    }

    private func owner(_ key: Organization.Key, _ project: Organization.Project) -> Value {
        switch key.owner {
        case .user(let index):
            let user = organization.users[index]
            return [
                "type": "user",
                "user": [
                    "object": "organization.project.user", "id": .string(user.id), "name": .string(user.name ?? ""),
                    "email": .string(user.email ?? ""), "created_at": .integer(user.addedAt),
                    "role": .string(role(of: user.id, in: project)),
                ],
            ]
        case .serviceAccount(let index):
            let account = project.serviceAccounts[index]
            return [
                "type": "service_account",
                "service_account": [
                    "object": "organization.project.service_account", "id": .string(account.id),
                    "name": .string(account.name), "created_at": .integer(account.createdAt),
                    "role": .string(account.role),
                ],
            ]
        }
    }

    /// The ids are made from the models' names, so they repeat in every project.
    func rateLimits(_ project: Organization.Project) -> Listing {
        Listing(organization.models, in: organization, id: { "rl-" + $0 }) { model in
            let step = self.organization.noise.with(project.id).with(model).below(8) + 1
            var limit: [Value.Member] = [
                .init(name: "object", value: "project.rate_limit"),
                .init(name: "id", value: .string("rl-" + model)),
                .init(name: "model", value: .string(model)),
                .init(name: "max_requests_per_1_minute", value: .integer(500 * step)),
                .init(name: "max_tokens_per_1_minute", value: .integer(100_000 * step)),
            ]
            if model.hasPrefix("gpt-image") {
                limit.append(.init(name: "max_images_per_1_minute", value: .integer(50)))
            }
            if model.contains("tts") || model.contains("whisper") {
                limit.append(.init(name: "max_audio_megabytes_per_1_minute", value: .integer(100)))
            }
            if model.contains("mini") {
                limit.append(.init(name: "max_requests_per_1_day", value: .integer(10_000 * step)))
                limit.append(.init(name: "batch_1_day_max_input_tokens", value: .integer(90_000_000 * step)))
            }
            return .object(limit)
        }
    }

    /// Items have no id of their own: the cursor is the group's.
    func groups(of project: Organization.Project) -> Listing {
        let groups = organization.groups.filter { organization.noise.with(project.id).with($0.id).oneIn(2) }
        return Listing(groups, in: organization, id: \.id) { group in
            [
                "object": "project.group",
                "project_id": .string(project.id),
                "group_id": .string(group.id),
                "group_name": .string(group.name),
                "group_type": group.isTenant ? "tenant_group" : "group",
                "created_at": .integer(max(group.createdAt, project.createdAt)),
            ]
        }
    }
}
