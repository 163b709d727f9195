internal import ArchiveWriting
internal import PipelineFile

extension Pipeline.Load {
    /// The compression as the writer of archives knows it.
    var codec: Codec {
        switch compression {
        case .gzip: .gzip
        case .zstd: .zstd
        case .none: .none
        }
    }
}
