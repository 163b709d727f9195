// Users, invites, groups and admin keys.
extension Directory {
    func users(_ query: Query) -> Listing {
        let emails = query.all("emails")
        let users = organization.users.enumerated().filter { _, user in
            emails.isEmpty || user.email.map(emails.contains) ?? false
        }
        return Listing(users, in: organization, id: \.element.id) { self.render($0.element, at: $0.offset) }
    }

    private func render(_ user: Organization.User, at index: Int) -> Value {
        let noise = organization.noise.with(user.id)
        let projects = organization.projects.filter { project in
            !isArchived(project) && project.members.contains(index)
        }
        return [
            "object": "organization.user",
            "id": .string(user.id),
            "name": .optional(user.name),
            "email": .optional(user.email),
            "role": .optional(user.role),
            "added_at": switches.oddTimes ? Self.oddTimes[index % Self.oddTimes.count] : .integer(user.addedAt),
            "created": .integer(user.addedAt - 3 * Moment.day),
            "api_key_last_used_at": noise.oneIn(3) ? .null : .integer(origin - noise.below(9 * Moment.day)),
            "developer_persona": .null,
            "is_default": .bool(user.id == organization.users.first?.id),
            "is_scale_tier_authorized_purchaser": noise.oneIn(4) ? .null : false,
            "is_scim_managed": .bool(noise.with("scim").oneIn(2)),
            "is_service_account": .bool(user.isServiceAccount),
            "projects": [
                "object": "list",
                "data": .array(
                    projects.prefix(5).map { project in
                        [
                            "id": .string(project.id), "name": organization.projectName(project),
                            "role": .string(role(of: user.id, in: project)),
                        ]
                    }
                ),
            ],
            "technical_level": .null,
            "user": [
                "object": "user", "id": .string(user.id), "name": .optional(user.name), "email": .optional(user.email),
                "picture": .null, "enabled": true, "banned": false, "banned_at": .null,
            ],
        ]
    }

    /// The epoch, parts of a second, milliseconds by mistake, the year 4000.
    private static let oddTimes: [Value] = [0, .raw("1700000000.25"), 1_700_000_000_000, 64_060_588_800]

    func role(of user: String, in project: Organization.Project) -> String {
        organization.noise.with(project.id).with(user).oneIn(4) ? "owner" : "member"
    }

    func invites() -> Listing {
        let indices = organization.projects.isEmpty ? 0..<0 : 0..<max(3, organization.users.count / 5)
        let invites = indices.map {
            (index: $0, id: "invite-" + organization.noise.with("invites").with($0).letters(20))
        }
        return Listing(invites, in: organization, id: \.id) { index, id in
            let created = self.origin - (40 - index % 30) * Moment.day
            let status = ["pending", "accepted", "expired"][index % 3]
            let project = self.organization.projects[index % self.organization.projects.count]
            let invite: Value = [
                "object": "organization.invite",
                "id": .string(id),
                "email": .string("guest\(index)@example.org"),
                "role": index % 4 == 0 ? "owner" : "reader",
                "status": .string(status),
                "created_at": .integer(created),
                "expires_at": index % 5 == 4 ? .null : .integer(created + 7 * Moment.day),
                "accepted_at": status == "accepted" ? .integer(created + Moment.day) : .null,
                "projects": index % 2 == 0 ? [] : [["id": .string(project.id), "role": "member"]],
            ]
            return self.switches.oldFields ? invite.renaming("created_at", to: "invited_at") : invite
        }
    }

    func groups() -> Listing {
        Listing(organization.groups, in: organization, id: \.id) { group in
            [
                "object": "group",
                "id": .string(group.id),
                "name": .string(group.name),
                "created_at": .integer(group.createdAt),
                "group_type": group.isTenant ? "tenant_group" : "group",
                "is_scim_managed": .bool(group.isTenant),
            ]
        }
    }

    func groupUsers(_ group: Organization.Group) -> Listing {
        Listing(group.members.map { organization.users[$0] }, in: organization, id: \.id) { user in
            ["id": .string(user.id), "name": .string(user.name ?? ""), "email": .optional(user.email)]
        }
    }

    func adminKeys() -> Listing {
        Listing(organization.adminKeys, in: organization, id: \.id) { key in
            let owner = self.organization.users[key.owner]
            let tail = self.organization.noise.with(key.id).letters(4)
            return [
                "object": "organization.admin_api_key",
                "id": .string(key.id),
                "name": .optional(key.name),
                "redacted_value": .string("sk-admin...\(tail)"),
                "created_at": .integer(key.createdAt),
                "last_used_at": key.name == nil ? .null : .integer(self.origin - 7200),
                "expires_at": .optional(key.expiresAt),
                "owner": [
                    "type": owner.isServiceAccount ? "service_account" : "user",
                    "object": "organization.user",
                    "id": .string(owner.id),
                    "name": .string(owner.name ?? ""),
                    "created_at": .integer(owner.addedAt),
                    "role": .string(owner.role ?? "reader"),
                ],
            ]
        }
    }
}
