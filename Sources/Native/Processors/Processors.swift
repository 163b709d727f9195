internal import CProcessors

/// Keeps threads that compute for milliseconds on end from sharing a processor while another one is free.
///
/// The system should see to that, and on a machine of one's own it does. In a virtual machine it often does not: Linux takes a
/// processor that lies idle for one that the host has taken away (its `vcpu_is_preempted`), so that a thread that wakes up is left
/// behind a busy one until the next balancing. On two processors a third of the time that one lay idle was lost that way. So busy
/// threads say where they are, and whoever finds itself beside another goes to a free processor. What it may run on is the same
/// afterwards: the system can move it on as it likes.
package enum Processors {
    /// Counts the calling thread as busy for as long as `body` takes.
    package static func busy<R, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
        let isOuter = cogni_processors_enter() != 0
        defer { if isOuter { cogni_processors_leave() } }
        return try body()
    }

    /// Gives way when it has to; for work that goes on for longer, about once a millisecond. Returns whether the thread has moved.
    @discardableResult
    package static func look() -> Bool { cogni_processors_look() != 0 }

    /// For a thread that wakes up again and again for a little work: keeps it from the processors of busy ones as long as others
    /// are left. Until ``anywhere()``, or the next call.
    package static func aside() { cogni_processors_aside() }

    /// The thread may wake up wherever the system likes.
    package static func anywhere() { cogni_processors_anywhere() }
}
