// Every scene is built once by its verbs, and put back from a copy of all that they write.

import { locksOfTheSchema } from '../commands/setting.ts'
import { scenes } from './scenes.ts'

const kept = [
  ...[
    'jobs',
    'job_lanes',
    'job_lane_touches',
    'lane_floors',
    'touch_floor',
    'lane_users',
    'job_queue_state',
    'job_queue_log',
    'task_history',
  ],
  ...['job_results', 'job_output', 'agent_stats', 'resource_limits', 'queues'],
  ...['job_dependencies', 'job_dependency_touches', 'schedules'],
  ...['workflows', 'workflow_executions', 'job_messages'],
].map((table) => `interlock.${table}`)
const sequences = [
  'interlock_test.seconds',
  'interlock.incarnations',
  'interlock.grant_numbers',
  'interlock.job_numbers',
  'interlock.message_numbers',
]

/** What reset() leaves, and what prune_history() and ensure_partitions() find or make. */
const resetMore = `
  create or replace function interlock_test.reset_more() returns void
  language plpgsql
  set client_min_messages = warning
  as $$
  begin
    delete from interlock.job_output;
    delete from interlock.workflows;
    delete from interlock.workflow_executions;
    delete from interlock.job_messages;
    delete from interlock.job_dependencies;
    delete from interlock.job_dependency_touches;
    delete from interlock.schedules;
    insert into interlock.queues (name) values ('default');
    ${locksOfTheSchema};
    perform setval('interlock.job_numbers', 1, false);
    perform setval('interlock.message_numbers', 1, false);
  end
  $$`

const resetPartitions = `
  create or replace function interlock_test.reset_partitions() returns void
  language plpgsql
  set client_min_messages = warning
  as $$
  begin
    if to_regclass('interlock.job_queue_log_20300101') is not null then
      drop table interlock.job_queue_log_20300101;
    end if;
    if to_regclass('interlock.job_queue_log_20291201') is null then
      create table interlock.job_queue_log_20291201 partition of interlock.job_queue_log
        for values from ('2029-12-01 00:00+00') to ('2029-12-02 00:00+00');
    end if;
  end
  $$`

const copyOf = (scene: string, table: string) => `interlock_test.${scene}_${table.replace('.', '_')}`

/** Putting back a copy takes a tenth of the time. */
export function sceneSteps(): readonly string[] {
  return [
    resetMore,
    resetPartitions,
    'select interlock_test.reset_partitions()',
    ...Object.entries(scenes).flatMap(([name, statements]) => [
      ...statements.map((statement) => `select ${statement}`),
      ...[...kept, ...sequences].map((table) => `create table ${copyOf(name, table)} as table ${table}`),
      `create or replace function interlock_test.scene_${name}() returns void language plpgsql as $$
       begin
         perform interlock_test.reset_partitions();
         delete from graphile_worker._private_jobs;
         ${kept.map((table) => `delete from ${table}; insert into ${table} overriding system value table ${copyOf(name, table)};`).join('\n')}
         ${sequences.map((sequence) => `perform setval('${sequence}', s.last_value, s.is_called) from ${copyOf(name, sequence)} as s;`).join('\n')}
       end
       $$`,
    ]),
  ]
}
