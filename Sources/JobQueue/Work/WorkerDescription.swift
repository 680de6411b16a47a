/// What a worker says of itself when it registers.
public struct WorkerDescription: Sendable, Hashable {
    public var host: String
    public var pid: Int
    /// The device it computes on, for example "cpu" or "cuda:0".
    public var device: String
    /// What kind of device that is, for example "cpu" or "cuda"; jobs may ask for one.
    public var deviceKind: String
    /// What jobs may ask for, for example "cuda" or "h100".
    public var labels: [String]
    public var gpuMegabytes: Int
    /// The engine and its build.
    public var engine: String
    /// The sha256 of every model that is loaded already.
    public var warmModels: [String]
    /// What its engine is, as far as no model decides it; nil where it does not say.
    public var identity: String?

    public init(
        host: String, pid: Int, device: String, deviceKind: String = "cpu", labels: [String] = [],
        gpuMegabytes: Int = 0, engine: String,
        warmModels: [String] = [], identity: String? = nil
    ) {
        self.host = host
        self.pid = pid
        self.device = device
        self.deviceKind = deviceKind
        self.labels = labels
        self.gpuMegabytes = gpuMegabytes
        self.engine = engine
        self.warmModels = warmModels
        self.identity = identity
    }
}
