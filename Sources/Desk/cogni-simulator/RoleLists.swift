// Roles, and who holds which.
extension Directory {
    private struct Role {
        var id: String
        var name: String
        var description: String?
        var permissions: [String]
        var isPredefined: Bool
        var resource: String
    }

    func roles() -> Listing {
        Listing(organizationRoles, in: organization, id: \.id) { self.render($0) }
    }

    func roles(of project: Organization.Project) -> Listing {
        Listing(projectRoles(project), in: organization, id: \.id) { self.render($0) }
    }

    /// Lists of assignments return roles, with the roles' ids and times.
    func roles(heldBy id: String, principal: String, in project: Organization.Project? = nil) -> Listing {
        let choices = project.map(projectRoles) ?? organizationRoles
        let noise = organization.noise.with("assignments").with(id).with(project?.id ?? "")
        let held = choices.indices.filter { $0 == noise.below(2) || noise.with($0).oneIn(4) }.map { choices[$0] }
        return Listing(held, in: organization, id: \.id) { role in
            let isInherited = principal == "user" && noise.with(role.id).oneIn(3)
            let group = self.organization.groups.first?.id ?? "group_none"
            let inherited: Value = [["principal_id": .string(group), "principal_type": "group"]]
            let direct: Value = [["principal_id": .string(id), "principal_type": .string(principal)]]
            return [
                "id": .string(role.id),
                "name": .string(role.name),
                "description": .optional(role.description),
                "permissions": .array(role.permissions.map(Value.string)),
                "resource_type": .string(role.resource),
                "predefined_role": .bool(role.isPredefined),
                "created_at": role.isPredefined ? .null : .integer(self.origin - 90 * Moment.day),
                "updated_at": role.isPredefined ? .null : .integer(self.origin - 30 * Moment.day),
                "created_by": role.isPredefined ? .null : .optional(self.organization.users.first?.id),
                "created_by_user_obj": role.isPredefined
                    ? .null : ["id": .optional(self.organization.users.first?.id), "object": "user"],
                "metadata": role.isPredefined ? .null : ["ticket": .string("IT-\(noise.below(900))")],
                "assignment_sources": role.isPredefined && !isInherited ? .null : isInherited ? inherited : direct,
            ]
        }
    }

    private func render(_ role: Role) -> Value {
        [
            "object": "role",
            "id": .string(role.id),
            "name": .string(role.name),
            "description": .optional(role.description),
            "permissions": .array(role.permissions.map(Value.string)),
            "resource_type": .string(role.resource),
            "predefined_role": .bool(role.isPredefined),
        ]
    }

    private var organizationRoles: [Role] {
        let custom = (0..<3).map { index in
            Role(
                id: "role_" + organization.noise.with("roles").with(index).hexadecimal(32),
                name: ["Billing reader", "Key manager", "Auditor"][index],
                description: index == 1 ? nil : "Made by hand, “quoted”, with a comma",
                permissions: [
                    ["api.usage.read"], ["api.organization.projects.api_keys.write"], ["api.audit_logs.read"],
                ][index],
                isPredefined: false,
                resource: "api.organization"
            )
        }
        return [
            Role(
                id: "role-api-organization-owner__api-organization",
                name: "owner",
                description: "Can read and change everything.",
                permissions: ["api.organization.read", "api.organization.write"],
                isPredefined: true,
                resource: "api.organization"
            ),
            Role(
                id: "role-api-organization-reader__api-organization",
                name: "reader",
                description: nil,
                permissions: ["api.organization.read"],
                isPredefined: true,
                resource: "api.organization"
            ),
        ] + custom
    }

    /// The predefined two have the same ids in every project.
    private func projectRoles(_ project: Organization.Project) -> [Role] {
        let predefined = ["owner", "member"].map { name in
            Role(
                id: "role-api-project-\(name)__api-project",
                name: name,
                description: nil,
                permissions: ["api.project.read"] + (name == "owner" ? ["api.project.write"] : []),
                isPredefined: true,
                resource: "api.project"
            )
        }
        let custom = Role(
            id: "role_" + organization.noise.with(project.id).with("role").hexadecimal(32),
            name: "Evaluator",
            description: nil,
            permissions: ["api.evals.read", "api.evals.write"],
            isPredefined: false,
            resource: "api.project"
        )
        return predefined + [custom]
    }
}
