// One database serves many histories: this empties it and sets it up for the next one.

/** Deleting, not truncating: new files would make every session plan every statement anew. */
export const resetSupport = `
  create or replace function interlock_test.reset() returns void
  language plpgsql
  set session_replication_role = replica
  as $$
  begin
    delete from interlock.jobs;
    delete from interlock.job_lanes;
    delete from interlock.job_lane_touches;
    delete from interlock.lane_floors;
    delete from interlock.lane_users;
    delete from interlock.job_queue_state;
    delete from interlock.job_queue_log;
    delete from interlock.task_history;
    delete from interlock.job_results;
    delete from interlock.agent_stats;
    delete from interlock.resource_limits;
    delete from interlock.queues;
    perform setval('interlock_test.seconds', 0);
    perform setval('interlock.incarnations', 1, false);
    perform setval('interlock.grant_numbers', 1, false);
  end
  $$;
`
