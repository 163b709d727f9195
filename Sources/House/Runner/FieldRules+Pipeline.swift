internal import PipelineFile
internal import Sealing
internal import Transform

extension FieldRules {
    /// The pipeline's transform section, with the key that its ring holds.
    init(pipeline: Pipeline, doors: RunDoors) {
        self.init(pipeline: pipeline, key: doors.key, tenant: doors.tenant, mask: doors.maskSecrets)
    }

    init(pipeline: Pipeline, key: DataKey?, tenant: String, mask: @escaping @Sendable ([UInt8]) -> [UInt8]?) {
        let transform = pipeline.transform
        let isMasking = transform.maskSecrets
        self.init(maskSecrets: { isMasking ? mask($0) : nil })
        rules = transform.fieldRules.mapValues { $0 == .mask ? Rule.mask : Rule.drop }
        unknownFields =
            switch transform.unknownFields {
            case .numbers: .numbers
            case .keep: .keep
            case .drop: .drop
            case .fail: .fail
            }
        newValues =
            switch transform.newValues {
            case .keep: .keep
            case .drop: .drop
            case .fail: .fail
            }
        missingFields =
            switch transform.missingFields {
            case .keep: .keep
            case .drop: .drop
            case .fail: .fail
            }
        if let encryption = transform.encryption, let key {
            sealedFields = encryption.fields
            mode =
                switch encryption.mode {
                case .deterministic: .deterministic
                case .randomized: .randomized
                case .pseudonym: .pseudonym
                }
            self.key = key
        }
        self.tenant = tenant
    }
}
