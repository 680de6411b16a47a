import Crypto

extension RunSubmission {
    /// The sha256 of all that is submitted, as hexadecimal digits; equal exactly for equal submissions.
    var digest: String {
        var hash = FieldHash()
        hash.add(id.text, name, project, user, "\(priority.rawValue)", specification, "\(jobs.count)")
        for job in jobs {
            hash.add("\(job.ordinal)", job.task, job.model, job.modelSHA256, job.specification)
            hash.add("\(job.sampleCount)", "\(job.needGPUMegabytes)", "\(job.maxAttempts)", "\(job.needLabels.count)")
            for label in job.needLabels {
                hash.add(label)
            }
            hash.add(job.needDevice ?? "", job.maxFailures.map { "\($0)" } ?? "", "\(job.after.count)")
            for dependency in job.after {
                hash.add("\(dependency)")
            }
            hash.add("\(job.shards.count)")
            for shard in job.shards {
                hash.add("\(shard.rowStart)", "\(shard.rowCount)")
            }
            // Programs that know nothing of these must come to the same for what has none of them.
            if job.mixed == true { hash.add("mixed") }
            if let work = job.work { hash.add("work", work) }
        }
        return hash.finish()
    }
}

extension JobSubmission {
    /// What the specification is stored under.
    var specificationSHA256: String {
        hexadecimal(SHA256.hash(data: Array(specification.utf8)))
    }
}

/// The digits of a digest in lower case.
func hexadecimal(_ digest: SHA256Digest) -> String {
    let digits = Array("0123456789abcdef")
    return String(digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
}

/// A hash over fields with their lengths, so that no two lists of fields look alike.
private struct FieldHash {
    private var hash = SHA256()

    mutating func add(_ fields: String...) {
        for field in fields {
            hash.update(data: Array("\(field.utf8.count):".utf8))
            hash.update(data: Array(field.utf8))
        }
    }

    func finish() -> String {
        hexadecimal(hash.finalize())
    }
}
