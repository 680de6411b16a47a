/// The version of the programs, which all come from one build.
public enum AssayVersion {
    public static let text = "0.2.0"
}
