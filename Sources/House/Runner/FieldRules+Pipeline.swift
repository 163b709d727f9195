internal import PipelineFile
internal import Transform

extension FieldRules {
    /// The pipeline's transform section, with the key that its ring holds.
    init(pipeline: Pipeline, doors: RunDoors) {
        let transform = pipeline.transform
        let isMasking = transform.maskSecrets
        let mask = doors.maskSecrets
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
        missingFields = transform.missingFields == .fail ? .fail : .keep
        if let encryption = transform.encryption, let key = doors.key {
            sealedFields = encryption.fields
            mode =
                switch encryption.mode {
                case .deterministic: .deterministic
                case .randomized: .randomized
                case .pseudonym: .pseudonym
                }
            self.key = key
        }
        tenant = doors.tenant
    }
}
