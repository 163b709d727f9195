// Certificates, customer-held keys, customer-held storage and workload identity.
extension Directory {
    func certificates() -> Listing {
        Listing(organization.certificates, in: organization, id: \.id) {
            self.render($0, object: "organization.certificate")
        }
    }

    func certificates(of project: Organization.Project) -> Listing {
        let used = organization.certificates.filter { organization.noise.with(project.id).with($0.id).oneIn(2) }
        return Listing(used, in: organization, id: \.id) { self.render($0, object: "organization.project.certificate") }
    }

    private func render(_ certificate: Organization.Certificate, object: String) -> Value {
        [
            "object": .string(object),
            "id": .string(certificate.id),
            "name": .optional(certificate.name),
            "created_at": .integer(certificate.createdAt),
            "active": .bool(certificate.expiresAt > now),
            "certificate_details": [
                "valid_at": .integer(certificate.validAt), "expires_at": .integer(certificate.expiresAt),
            ],
        ]
    }

    func externalKeys(_ query: Query) -> Listing {
        let purposes = ["ekm", "psp_decryption", "ekm"]
        let keys = purposes.indices.filter { query["purpose"] == nil || query["purpose"] == purposes[$0] }
        return Listing(
            keys,
            in: organization,
            id: { "extkey_" + self.organization.noise.with("external keys").with($0).letters(20) }
        ) { index in
            let id = "extkey_" + self.organization.noise.with("external keys").with(index).letters(20)
            var key: [Value.Member] = [
                .init(name: "id", value: .string(id)),
                .init(name: "object", value: "organization.external_key"),
                .init(name: "name", value: .string(["Primary", "Decryption", "Azure"][index])),
                .init(name: "type", value: .string(["aws_kms", "gcp_kms", "azure_key_vault"][index])),
                .init(name: "purpose", value: .string(purposes[index])),
                .init(
                    name: "workspace_id",
                    value: .string("ws_" + self.organization.noise.with("workspace").letters(16))
                ),
                .init(name: "created_at", value: .integer(self.origin - (100 - index) * Moment.day)),
                .init(
                    name: "api_project_ids",
                    value: .array(self.organization.projects.prefix(index).map { .string($0.id) })
                ),
            ]
            let account: [(String, String)]
            switch index {
            case 0:
                account = [
                    ("kms_arn", "arn:aws:kms:eu-west-1:123456789012:key/\(id.suffix(8))"), ("region", "eu-west-1"),
                    ("role_arn", "arn:aws:iam::123456789012:role/ekm"), ("external_id", "ext-\(id.suffix(6))"),
                ]
            case 1:
                account = [
                    ("kms_project_id", "example-project"), ("kms_key_location", "europe-west4"),
                    ("kms_key_ring_name", "ring"), ("kms_key_name", "data"), ("kms_key_version", "1"),
                ]
            default:
                account = [
                    ("vault_uri", "https://example.vault.azure.net"), ("key_name", "data"), ("tenant_id", "example"),
                ]
            }
            key += account.map { .init(name: $0.0, value: .string($0.1)) }
            return .object(key)
        }
    }

    /// One for each kind of provider, each in a project of its own.
    func externalStorage(_ query: Query) -> Listing {
        let stores = organization.projects.filter { !isArchived($0) }.prefix(4).enumerated().filter {
            query["project_id"] == nil || query["project_id"] == $0.element.id
        }
        return Listing(
            stores,
            in: organization,
            id: { "extstore_" + self.organization.noise.with("storage").with($0.offset).letters(20) }
        ) { store in
            let index = store.offset
            return [
                "object": "organization.external_storage",
                "id": .string("extstore_" + self.organization.noise.with("storage").with(index).letters(20)),
                "project_id": .string(store.element.id),
                "created_at": .integer(self.origin - (50 - index) * Moment.day),
                "geography": .string(["EU", "US", "US", "EU"][index]),
                "status": .string(["validated", "pending", "degraded", "unhealthy"][index]),
                "provider": Self.storageProviders[index],
            ]
        }
    }

    private static let storageProviders: [Value] = [
        [
            "type": "aws", "account_id": "123456789012", "bucket": "example-responses", "external_id": "ext-42",
            "region": "eu-west-1", "role_arn": "arn:aws:iam::123456789012:role/storage",
        ],
        [
            "type": "azure", "account_name": "example", "container": "responses", "region": "eastus",
            "resource_group": "data", "subscription_id": "00000000-0000-4000-8000-000000000001",
            "tenant_id": "00000000-0000-4000-8000-000000000002",
        ],
        [
            "type": "gcp", "audience": "//iam.example/providers/openai", "bucket": "example-responses",
            "region": "us-east1", "workload_identity_pool_id": "pool", "workload_identity_project_number": "314159",
            "workload_identity_provider_id": "provider",
        ],
        [
            "type": "oci", "bucket": "example-responses", "region": "eu-frankfurt-1",
            "tenancy_ocid": "ocid1.tenancy.oc1..x",
        ],
    ]

    private func providerID(_ index: Int) -> String {
        "wip_" + organization.noise.with("providers").with(index).letters(20)
    }

    func identityProviders() -> Listing {
        Listing(0..<2, in: organization, id: providerID) { index in
            [
                "object": "organization.workload_identity_provider",
                "id": .string(self.providerID(index)),
                "type": "oidc",
                "name": .string(["GitHub Actions", "Kubernetes"][index]),
                "description": index == 0 ? .null : "cluster of the batch jobs",
                "issuer": .string(["https://token.actions.example", "https://kubernetes.example"][index]),
                "audience": "openai",
                "enabled": .bool(index == 0),
                "attribute_transformations": index == 0
                    ? [] : [["attribute": "openai.subject", "expression": "claims.sub + \":\" + claims.ns"]],
                "verification": index == 0
                    ? ["type": "discovery", "discovery_url": .null]
                    : ["type": "uploaded_jwks", "jwks": ["keys": [["kty": "EC", "crv": "P-256", "kid": "1"]]]],
                "created_at": .integer(self.origin - 60 * Moment.day),
                "updated_at": .integer(self.origin - 6 * Moment.day),
            ]
        }
    }

    /// The matchers show every type a value may have.
    func federationRules(_ provider: String, _ query: Query) throws(Refusal) -> Listing {
        guard (0..<2).contains(where: { providerID($0) == provider }) else {
            throw .notFound("workload identity provider", provider)
        }
        let wanted = query["service_account_id"]
        let projects = organization.projects.filter { !isArchived($0) }.prefix(3)
        let rules = projects.enumerated().filter { wanted == nil || wanted == $0.element.serviceAccounts[0].id }
        let id = { (rule: (offset: Int, element: Organization.Project)) in
            "wifr_" + self.organization.noise.with(provider).with(rule.offset).letters(20)
        }
        return Listing(rules, in: organization, id: id) { rule in
            [
                "object": "organization.workload_identity_federation_rule",
                "id": .string(id(rule)),
                "workload_identity_provider_id": .string(provider),
                "project_id": .string(rule.element.id),
                "service_account_id": .string(rule.element.serviceAccounts[0].id),
                "name": rule.offset == 1 ? .null : .string("rule \(rule.offset)"),
                "description": .null,
                "enabled": true,
                "attribute_matchers": [
                    "repository": "example/service", "protected": true, "run_attempt": .integer(rule.offset + 1),
                    "weight": .raw("0.5"),
                ],
                "permissions": rule.offset == 0
                    ? ["type": "service_account_default"] : ["type": "restricted", "scopes": ["api.model.request"]],
                "created_at": .integer(self.origin - 50 * Moment.day),
                "updated_at": .integer(self.origin - 5 * Moment.day),
            ]
        }
    }
}
