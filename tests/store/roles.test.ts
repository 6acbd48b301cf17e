import { randomBytes } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { Database } from '../../src/store/database.ts'
import { createRoles, migrate } from '../../src/store/migrations.ts'
import { sqlstateOf } from '../../src/store/sqlstate.ts'
import { EngineWorld } from '../engine/engine-world.ts'
import { rightCalls } from '../refusals/calls.ts'
import { setScene } from '../refusals/scene.ts'
import { OwnServer, olderBinaries } from '../support/own-server.ts'
import { hasPsql, runPsql } from '../support/psql.ts'

// Who may do what: every verb, function, table and view, tried as each role. What is not in this table is not allowed.

const verbs = (await readdir(new URL('../../sql/functions', import.meta.url)))
  .filter((file) => file.endsWith('.sql'))
  .map((file) => file.replace(/\.sql$/, ''))
const allowed = {
  interlock_owner: verbs,
  interlock_service: verbs.filter((verb) => verb !== 'raise_after_restore'),
  interlock_agent: [
    ...[
      'register_agent',
      'heartbeat_agent',
      'listen_agent',
      'drain_agent',
      'end_agent',
      'absorb_touches',
      'claim_jobs',
    ],
    ...[
      'start_job',
      'start_jobs',
      'heartbeat_job',
      'report_progress',
      'report_step',
      'append_output',
      'confirm_cancel',
    ],
    ...['complete_job', 'complete_jobs', 'fail_job', 'return_job', 'return_jobs', 'ask', 'resume_request'],
  ],
  interlock_reader: [
    ...[
      'agents_with_room',
      'explain_job',
      'history_summary',
      'old_snapshots',
      'queue_snapshot',
      'read_events',
      'due_rates',
    ],
    ...['stuck_claims', 'stuck_jobs', 'lost_agents', 'neglected_routes', 'unserved_reservers', 'is_anything_left'],
  ],
} as const
type Role = keyof typeof allowed
const roles = Object.keys(allowed) as Role[]
/** Those who have no part in making the schema. */
const others = roles.filter((role) => role !== 'interlock_owner')

/** What a job is about, and what was said about it: not for who only looks. */
const privateColumns = new Set([
  ...[
    'jobs.payload',
    'job_results.payload',
    'job_results.result',
    'job_output.lines',
    'schedules.job',
    'workflow_executions.input',
    'workflow_progress.input',
  ],
  ...['job_messages.message', 'job_messages.context', 'job_messages.instructions'],
  ...['requests.message', 'requests.context', 'requests.instructions', 'requests.response'],
])

// Roles are the server's: where they are, every database's tables get the owner among them at the next migration.
let own: OwnServer
let world: EngineWorld
let calls: ReturnType<typeof rightCalls>
const sessions = new Map<Role, Database>()
const users = new Map<Role, string>()

beforeAll(async () => {
  const older = inject('serverMajor') < 18 ? olderBinaries() : null
  own = await OwnServer.start(older === null ? {} : { binaries: older })
  const database = own.open({ applicationName: 'tests' })
  world = await EngineWorld.over({
    name: 'interlock',
    url: own.url,
    database,
    query: (text, values) => database.query(text, values),
    advanceClock: () => Promise.reject(new Error('this database has the real clock')),
    drop: () => Promise.resolve(),
  })
  calls = rightCalls(await setScene(world))
  await createRoles(world.test.database)
  for (const role of roles) {
    const user = `${role}_${randomBytes(4).toString('hex')}`
    await world.query(`create role ${user} login password 'secret' in role ${role}`)
    const url = new URL(world.test.url)
    url.username = user
    url.password = 'secret'
    users.set(role, url.href)
    sessions.set(role, new Database({ url: url.href, applicationName: 'tests: roles', poolSize: 1 }))
  }
})

afterAll(async () => {
  for (const session of sessions.values()) await session.end()
  await own.dispose()
})

/** Runs it as the role and takes it back; answers with what it was refused with, null where it was done. */
async function refusalOf(role: Role, text: string): Promise<string | null> {
  const session = await sessions.get(role)?.connect()
  try {
    await session?.query('begin')
    await session?.query(text)
    return null
  } catch (error) {
    return `${sqlstateOf(error)}: ${(error as Error).message}`
  } finally {
    await session?.query('rollback')
    await session?.close()
  }
}

const callOf = (verb: string): string =>
  `select * from interlock.${verb}(${Object.entries(calls[verb] ?? {}).map(([name, value]) => `${name} => ${value}`)})`

/** What the catalogs say of each function that somebody may call. */
async function callable(): Promise<Record<string, readonly string[]>> {
  const rows = await world.query<{ role: string; names: string[] }>(
    `select r.role, array_agg(p.proname::text order by p.proname) filter (where has_function_privilege(r.role, p.oid, 'execute')) as names
     from unnest($1::text[]) as r (role)
     cross join pg_proc as p
     where p.pronamespace = 'interlock'::regnamespace
       and (p.proname = any ($2) or p.provolatile = 'v')
       and p.proname <> 'clock'
     group by r.role`,
    [others, verbs],
  )
  return Object.fromEntries(rows.map(({ role, names }) => [role, [...new Set(names)]]))
}
const expectedCallable = () => Object.fromEntries(others.map((role) => [role, [...allowed[role]].sort()]))

describe.for(roles)('%s', (role) => {
  test('may call its verbs, and no other', async () => {
    const may: string[] = []
    for (const verb of verbs) {
      const refusal = await refusalOf(role, callOf(verb))
      if (refusal?.startsWith('42501') === true) expect(refusal).toBe(`42501: permission denied for function ${verb}`)
      else may.push(verb)
    }
    expect(may.sort()).toEqual([...allowed[role]].sort())
  })

  test('reads what it is to read, and writes nothing but by verbs', async () => {
    const columns = await world.query<{ table: string; column: string }>(
      `select c.relname as table, a.attname as column
       from pg_class as c
       join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
       where c.relnamespace = 'interlock'::regnamespace and c.relkind in ('r', 'p', 'v')`,
    )
    const tables = [...new Set(columns.map(({ table }) => table))]
    expect(tables.length).toBeGreaterThan(25)
    const wrong: string[] = []
    const tries = async (text: string, isAllowed: boolean) => {
      if (((await refusalOf(role, text)) === null) !== isAllowed)
        wrong.push(`${text}: ${isAllowed ? 'refused' : 'allowed'}`)
    }
    for (const table of tables) {
      const all = columns.filter((one) => one.table === table).map(({ column }) => column)
      const open = all.filter((column) => !privateColumns.has(`${table}.${column}`))
      await tries(`select ${open} from interlock.${table} limit 1`, role !== 'interlock_agent')
      for (const column of all.filter((name) => !open.includes(name))) {
        await tries(
          `select ${column} from interlock.${table}`,
          role === 'interlock_owner' || role === 'interlock_service',
        )
      }
      if (role === 'interlock_owner') continue
      await tries(`insert into interlock.${table} default values`, false)
      await tries(`update interlock.${table} set "${all[0]}" = null where false`, false)
      await tries(`delete from interlock.${table} where false`, false)
      await tries(`truncate interlock.${table}`, false)
    }
    expect(wrong).toEqual([])
  })
})

test('what has no verb of its own is called by nobody who could write with it, and the log is changed by nobody', async () => {
  expect(await callable()).toEqual(expectedCallable())
  expect(await refusalOf('interlock_service', `select nextval('interlock.grant_numbers')`)).toMatch(/grant_numbers/)
  expect(await refusalOf('interlock_owner', `delete from interlock.job_queue_log`)).toMatch(/append-only/)
})

test('functions that are replaced, or dropped and created again, keep the rights', async () => {
  await world.query(`drop function interlock.cancel_job(text, text, text)`)
  await world.query(`create or replace function interlock.complete_job(p_job_id text, p_token bigint, p_result jsonb default null) returns text
    language sql as $$ select 'nothing' $$`)
  await world.query(`update interlock.installation set functions_digest = ''`)
  await migrate(world.test.database)
  expect(await callable()).toEqual(expectedCallable())
  const [verb] = await world.query<{ definer: boolean; owner: string }>(
    `select bool_and(prosecdef) as definer, min(proowner::regrole::text) as owner from pg_proc
     where pronamespace = 'interlock'::regnamespace and proname in ('cancel_job', 'complete_job')`,
  )
  expect(verb).toEqual({ definer: true, owner: 'interlock_owner' })
})

describe.skipIf(!hasPsql)('sql/examples/agent.sql, in the real psql', () => {
  test('as interlock_agent: claims, does and completes what interlock_service has enqueued; then there is nothing', async () => {
    const service = sessions.get('interlock_service')
    await world.query(`select interlock.set_queue('sql', '{}')`)
    const [row] =
      (await service?.query<{ id: string }>(
        `select interlock.enqueue_job('count', p_user => 'zoe', p_payload => '{"a": null, "b": 2}', p_queue => 'sql', p_priority => 'high') as id`,
      )) ?? []
    const url = users.get('interlock_agent') ?? ''
    const first = await runPsql(url, 'examples/agent.sql', { variables: { queue: 'sql' } })
    expect(first).toMatchObject({ code: 0, stderr: '' })
    expect(first.stdout).toContain(`completed ${row?.id}`)
    expect(await world.timeline(row?.id ?? '')).toEqual(['enqueued', 'assigned', 'started', 'completed'])
    expect(await world.query('select result from interlock.job_results where job_id = $1', [row?.id])).toEqual([
      { result: { keys: 2 } },
    ])
    const second = await runPsql(url, 'examples/agent.sql', { variables: { queue: 'sql' } })
    expect(second).toMatchObject({ code: 0, stderr: '' })
    expect(second.stdout).toContain('nothing to do')
  })
})
