/// A device that a supervised worker computes on.
public struct DeviceAssignment: Sendable, Hashable {
    /// For people: "cuda:3" or "cpu".
    public var name: String
    /// What CUDA_VISIBLE_DEVICES is to be for the worker; nil leaves it alone.
    public var visibleDevices: String?

    /// One device for each GPU; the CPU where there is none.
    ///
    /// - Parameters:
    ///   - gpus: How many GPUs this process sees.
    ///   - visible: CUDA_VISIBLE_DEVICES as it stands, which lists those GPUs.
    public static func all(gpus: Int, visible: String?) -> [DeviceAssignment] {
        guard gpus > 0 else { return [DeviceAssignment(name: "cpu", visibleDevices: nil)] }
        let listed = (visible ?? "").split(separator: ",").map { $0.drop { $0 == " " } }
        return (0..<gpus).map { index in
            // A GPU is known by its number, or by the name that the list gives it.
            let entry = index < listed.count ? String(listed[index]) : "\(index)"
            return DeviceAssignment(name: "cuda:\(entry)", visibleDevices: entry)
        }
    }
}
