internal import JobQueue

extension Check {
    /// What the role that is connected may do, a line for each ability; a missing one is no fault.
    static func role(_ rights: RoleRights) -> [Check] {
        let abilities: [(Ability, String)] = [
            (.reader, "see runs, results and workers"), (.submitter, "submit, and change its own runs"),
            (.worker, "claim and compute"), (.operator, "change others' runs, projects and workers"),
        ]
        var lines = abilities.map { ability, deeds in
            let may = rights.abilities.contains(ability)
            let how = "granted with `assay migrate --grant \(rights.role)=\(ability.rawValue)`"
            return Check(
                name: "role \(rights.role)", isGood: true,
                finding: may ? "\(ability.rawValue): may \(deeds)" : "not \(ability.rawValue): can't \(deeds); \(how)")
        }
        lines.append(
            Check(
                name: "role \(rights.role)", isGood: true,
                finding: rights.isOwner
                    ? "owner: may migrate the schema and grant abilities"
                    : "not owner: can't migrate the schema or grant abilities"))
        return lines
    }
}
