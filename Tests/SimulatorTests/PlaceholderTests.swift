import Testing
@testable import cogni_simulator
