/// One statement of the queue, from the file of its name.
public struct Query: Sendable, Hashable {
    public let name: String
    public let sql: String

    private init(_ name: String, _ bytes: [UInt8]) {
        self.name = name
        sql = String(decoding: bytes, as: UTF8.self)
    }
}

extension Query {
    public static let addDataSetSplit = Query("add_data_set_split", PackageResources.add_data_set_split_sql)
    public static let addModel = Query("add_model", PackageResources.add_model_sql)
    public static let addSchedule = Query("add_schedule", PackageResources.add_schedule_sql)
    public static let adoptStore = Query("adopt_store", PackageResources.adopt_store_sql)
    public static let advanceSchedule = Query("advance_schedule", PackageResources.advance_schedule_sql)
    public static let applyRights = Query("apply_rights", PackageResources.apply_rights_sql)
    public static let archiveRuns = Query("archive_runs", PackageResources.archive_runs_sql)
    public static let beginShards = Query("begin_shards", PackageResources.begin_shards_sql)
    public static let cancelAbandonedRescorings = Query(
        "cancel_abandoned_rescorings", PackageResources.cancel_abandoned_rescorings_sql)
    public static let cancelJobs = Query("cancel_jobs", PackageResources.cancel_jobs_sql)
    public static let cancelScheduleRun = Query("cancel_schedule_run", PackageResources.cancel_schedule_run_sql)
    public static let changeGrant = Query("change_grant", PackageResources.change_grant_sql)
    public static let changeProject = Query("change_project", PackageResources.change_project_sql)
    public static let claimShards = Query("claim_shards", PackageResources.claim_shards_sql)
    public static let commitShards = Query("commit_shards", PackageResources.commit_shards_sql)
    public static let createFunctionTable = Query("create_function_table", PackageResources.create_function_table_sql)
    public static let createMigrationTable = Query(
        "create_migration_table", PackageResources.create_migration_table_sql)
    public static let databaseFacts = Query("database_facts", PackageResources.database_facts_sql)
    public static let databaseIdentity = Query("database_identity", PackageResources.database_identity_sql)
    public static let deferFunctionChecks = Query("defer_function_checks", PackageResources.defer_function_checks_sql)
    public static let deregisterWorker = Query("deregister_worker", PackageResources.deregister_worker_sql)
    public static let drainWorker = Query("drain_worker", PackageResources.drain_worker_sql)
    public static let dueChores = Query("due_chores", PackageResources.due_chores_sql)
    public static let dueSchedules = Query("due_schedules", PackageResources.due_schedules_sql)
    public static let equalResults = Query("equal_results", PackageResources.equal_results_sql)
    public static let failShard = Query("fail_shard", PackageResources.fail_shard_sql)
    public static let findContract = Query("find_contract", PackageResources.find_contract_sql)
    public static let findDirectUsers = Query("find_direct_users", PackageResources.find_direct_users_sql)
    public static let findFunctionTable = Query("find_function_table", PackageResources.find_function_table_sql)
    public static let findFunctions = Query("find_functions", PackageResources.find_functions_sql)
    public static let findLockHolders = Query("find_lock_holders", PackageResources.find_lock_holders_sql)
    public static let findMigrationTable = Query("find_migration_table", PackageResources.find_migration_table_sql)
    public static let findOutdatedWorkers = Query("find_outdated_workers", PackageResources.find_outdated_workers_sql)
    public static let findRuns = Query("find_runs", PackageResources.find_runs_sql)
    public static let heartbeat = Query("heartbeat", PackageResources.heartbeat_sql)
    public static let holdJobs = Query("hold_jobs", PackageResources.hold_jobs_sql)
    public static let insertMigration = Query("insert_migration", PackageResources.insert_migration_sql)
    public static let jobFacts = Query("job_facts", PackageResources.job_facts_sql)
    public static let jobSpecification = Query("job_specification", PackageResources.job_specification_sql)
    public static let judgeClaims = Query("judge_claims", PackageResources.judge_claims_sql)
    public static let limitLockWaits = Query("limit_lock_waits", PackageResources.limit_lock_waits_sql)
    public static let listAbilities = Query("list_abilities", PackageResources.list_abilities_sql)
    public static let listAttempts = Query("list_attempts", PackageResources.list_attempts_sql)
    public static let listChores = Query("list_chores", PackageResources.list_chores_sql)
    public static let listDataSetSplits = Query("list_data_set_splits", PackageResources.list_data_set_splits_sql)
    public static let listGrants = Query("list_grants", PackageResources.list_grants_sql)
    public static let listJobs = Query("list_jobs", PackageResources.list_jobs_sql)
    public static let listMigrations = Query("list_migrations", PackageResources.list_migrations_sql)
    public static let listModels = Query("list_models", PackageResources.list_models_sql)
    public static let listNamedHashes = Query("list_named_hashes", PackageResources.list_named_hashes_sql)
    public static let listProjects = Query("list_projects", PackageResources.list_projects_sql)
    public static let listResults = Query("list_results", PackageResources.list_results_sql)
    public static let listRuns = Query("list_runs", PackageResources.list_runs_sql)
    public static let listScheduleFires = Query("list_schedule_fires", PackageResources.list_schedule_fires_sql)
    public static let listSchedules = Query("list_schedules", PackageResources.list_schedules_sql)
    public static let listShards = Query("list_shards", PackageResources.list_shards_sql)
    public static let listTroubles = Query("list_troubles", PackageResources.list_troubles_sql)
    public static let listWithdrawnResults = Query(
        "list_withdrawn_results", PackageResources.list_withdrawn_results_sql)
    public static let listWorkers = Query("list_workers", PackageResources.list_workers_sql)
    public static let lockDueSchedule = Query("lock_due_schedule", PackageResources.lock_due_schedule_sql)
    public static let lockMigrations = Query("lock_migrations", PackageResources.lock_migrations_sql)
    public static let lockSchedule = Query("lock_schedule", PackageResources.lock_schedule_sql)
    public static let mixEngines = Query("mix_engines", PackageResources.mix_engines_sql)
    public static let nextScheduleFire = Query("next_schedule_fire", PackageResources.next_schedule_fire_sql)
    public static let noteChoreFailure = Query("note_chore_failure", PackageResources.note_chore_failure_sql)
    public static let openScheduleRuns = Query("open_schedule_runs", PackageResources.open_schedule_runs_sql)
    public static let openShardCount = Query("open_shard_count", PackageResources.open_shard_count_sql)
    public static let pauseSchedule = Query("pause_schedule", PackageResources.pause_schedule_sql)
    public static let readContract = Query("read_contract", PackageResources.read_contract_sql)
    public static let recordFunctions = Query("record_functions", PackageResources.record_functions_sql)
    public static let recordScheduleFire = Query("record_schedule_fire", PackageResources.record_schedule_fire_sql)
    public static let registerWorker = Query("register_worker", PackageResources.register_worker_sql)
    public static let releaseJobs = Query("release_jobs", PackageResources.release_jobs_sql)
    public static let releaseShards = Query("release_shards", PackageResources.release_shards_sql)
    public static let removeDataSet = Query("remove_data_set", PackageResources.remove_data_set_sql)
    public static let removeSchedule = Query("remove_schedule", PackageResources.remove_schedule_sql)
    public static let replaceSchedule = Query("replace_schedule", PackageResources.replace_schedule_sql)
    public static let restoreRun = Query("restore_run", PackageResources.restore_run_sql)
    public static let resumeSchedule = Query("resume_schedule", PackageResources.resume_schedule_sql)
    public static let retryJobs = Query("retry_jobs", PackageResources.retry_jobs_sql)
    public static let runChore = Query("run_chore", PackageResources.run_chore_sql)
    public static let runOutlook = Query("run_outlook", PackageResources.run_outlook_sql)
    public static let runSpecification = Query("run_specification", PackageResources.run_specification_sql)
    public static let scheduleTemplate = Query("schedule_template", PackageResources.schedule_template_sql)
    public static let setTier = Query("set_tier", PackageResources.set_tier_sql)
    public static let snapshotHolders = Query("snapshot_holders", PackageResources.snapshot_holders_sql)
    public static let submitRun = Query("submit_run", PackageResources.submit_run_sql)
    public static let submitScheduleRun = Query("submit_schedule_run", PackageResources.submit_schedule_run_sql)
    public static let supersededClaims = Query("superseded_claims", PackageResources.superseded_claims_sql)
    public static let withdrawResults = Query("withdraw_results", PackageResources.withdraw_results_sql)

    public static let all: [Query] = [
        addDataSetSplit, addModel, addSchedule, adoptStore, advanceSchedule, applyRights, archiveRuns, beginShards,
        cancelAbandonedRescorings, cancelJobs, cancelScheduleRun, changeGrant, changeProject, claimShards, commitShards,
        createFunctionTable, createMigrationTable, databaseFacts, databaseIdentity, deferFunctionChecks,
        deregisterWorker, drainWorker, dueChores, dueSchedules, equalResults, failShard, findContract, findDirectUsers,
        findFunctionTable, findFunctions, findLockHolders, findMigrationTable, findOutdatedWorkers, findRuns, heartbeat,
        holdJobs, insertMigration, jobFacts, jobSpecification, judgeClaims, limitLockWaits, listAbilities, listAttempts,
        listChores, listDataSetSplits, listGrants, listJobs, listMigrations, listModels, listNamedHashes, listProjects,
        listResults, listRuns, listScheduleFires, listSchedules, listShards, listTroubles, listWithdrawnResults,
        listWorkers, lockDueSchedule, lockMigrations, lockSchedule, mixEngines, nextScheduleFire, noteChoreFailure,
        openScheduleRuns, openShardCount, pauseSchedule, readContract, recordFunctions, recordScheduleFire,
        registerWorker, releaseJobs, releaseShards, removeDataSet, removeSchedule, replaceSchedule, restoreRun,
        resumeSchedule, retryJobs, runChore, runOutlook, runSpecification, scheduleTemplate, setTier, snapshotHolders,
        submitRun, submitScheduleRun, supersededClaims, withdrawResults,
    ]
}
