/// The names of the samples' files: `<task>.csv`, with the job's name before ".csv" where a run has the task twice.
enum SampleFileNames {
    /// One name per job; no two are equal, in upper or lower case.
    static func assign(_ jobs: [JobInput]) -> [String] {
        let tasks = jobs.map { Self.plain($0.task.name) }
        var count: [String: Int] = [:]
        for task in tasks { count[task.lowercased(), default: 0] += 1 }
        var taken: Set<String> = []
        return zip(jobs, tasks).map { job, task in
            let isAlone = count[task.lowercased()] == 1
            let stem = isAlone ? task : "\(task).\(Self.plain(job.name))"
            var name = "\(stem).csv"
            var number = 2
            while !taken.insert(name.lowercased()).inserted {
                name = "\(stem).\(number).csv"
                number += 1
            }
            return name
        }
    }

    /// `text` with everything but letters, digits, ".", "_" and "-" turned into "_"; 1 to 80 characters, none of them a
    /// dot in front.
    private static func plain(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars.prefix(80) {
            let isPlain = scalar.isASCII && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil)
            let isMark = scalar == "_" || scalar == "-" || (scalar == "." && !result.isEmpty)
            result.unicodeScalars.append(isPlain || isMark ? scalar : "_")
        }
        return result.isEmpty ? "_" : result
    }
}
