import Model
import TestKit
import Testing

@testable import Extract

@Test func aBurstGoesAtOnceAndTheRestEvenly() {
    var bucket = TokenBucket(perMinute: 60, burst: 3, at: .zero)
    let waits = (0..<6).map { _ in bucket.take(at: .zero) }
    #expect(waits == [.zero, .zero, .zero, .seconds(1), .seconds(2), .seconds(3)])
    #expect(bucket.take(at: .seconds(100)) == .zero)
}

@Test(arguments: 0..<50)
func noMinuteEverHoldsMoreThanRateAndBurst(seed: UInt64) {
    var random = Seeded(seed)
    let rate = Int.random(in: 1...200, using: &random)
    let burst = Int.random(in: 1...20, using: &random)
    var bucket = TokenBucket(perMinute: rate, burst: burst, at: .zero)
    var now = Duration.zero
    var starts: [Duration] = []
    for _ in 0..<500 {
        now += .milliseconds(Int.random(in: 0...700, using: &random))
        starts.append(now + bucket.take(at: now))
    }
    starts.sort()
    for (index, start) in starts.enumerated() {
        let inMinute = starts[index...].prefix { $0 < start + .seconds(60) }.count
        #expect(inMinute <= rate + burst, "seed \(seed)")
    }
}

@Test func everyPathHasABucketOfItsOwn() async throws {
    let clock = VirtualClock()
    let paced = PacedTransport(Scripted([.reply(200)]), requestsPerMinute: nil, perPath: 6, clock: clock)
    var other = usersRequest
    other.template = "/organization/projects"
    _ = try await paced.send(usersRequest)
    _ = try await paced.send(other)
    #expect(clock.sleeps.isEmpty)
    _ = try await paced.send(usersRequest)
    #expect(clock.sleeps == [.seconds(10)])
}

@Test func theTotalBindsAllPathsTogether() async throws {
    let clock = VirtualClock()
    let paced = PacedTransport(Scripted([.reply(200)]), requestsPerMinute: 6, perPath: nil, clock: clock)
    for index in 0..<3 {
        var request = usersRequest
        request.template = "/\(index)"
        _ = try await paced.send(request)
    }
    #expect(clock.elapsed == .seconds(20))
}

@Test func aNamedWaitHoldsBackAllRequestsOfItsPath() async throws {
    let clock = VirtualClock()
    let paced = PacedTransport(
        Scripted([.reply(429, ["retry-after": "7"]), .reply(200)]),
        requestsPerMinute: nil,
        perPath: nil,
        clock: clock
    )
    _ = try await paced.send(usersRequest)
    var other = usersRequest
    other.template = "/other"
    _ = try await paced.send(other)
    #expect(clock.sleeps.isEmpty)
    _ = try await paced.send(usersRequest)
    #expect(clock.sleeps == [.seconds(7)])
}
