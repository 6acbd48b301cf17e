import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { jobStatuses, liveStatuses, outcomes, permissionLevels } from '../../src/domain/job.ts'
import { checkJobRequest, jobRequestFields } from '../../src/domain/job-request.ts'
import { priorityName, priorityNames, priorityNumber, queueOfPriority } from '../../src/domain/priority.ts'
import { isResource, resourceOrder, resourcesOf } from '../../src/domain/resource.ts'
import { taskTypes } from '../../src/domain/work-order.ts'
import { KeyRing } from '../../src/security/key-ring.ts'
import { sealJobs } from '../../src/security/payload-encryption.ts'
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts'

// Two languages say the same words. Where they differ, a door accepts what the verb refuses, or shows what is not so.

let db: TestDatabase
beforeAll(async () => {
  db = await createTestDatabase()
})

/** The words of a CHECK like `status in ('a', 'b')` or `status = any ('{a,b}')`. */
async function wordsOf(constraint: string): Promise<readonly string[]> {
  const [row] = await db.query<{ definition: string }>(
    'select pg_get_constraintdef(c.oid) as definition from pg_constraint as c where c.conname = $1',
    [constraint],
  )
  const quoted = [...(row?.definition ?? '').matchAll(/'([a-z_,{}]+)'/g)].map(([, words]) => words ?? '')
  return quoted.flatMap((words) => words.match(/[a-z_]+/g) ?? []).sort()
}

test('the states, outcomes and permission levels of the domain are those of the tables', async () => {
  expect(await wordsOf('jobs_status_is_live')).toEqual([...liveStatuses].sort())
  expect(await wordsOf('task_history_outcome_is_known')).toEqual([...outcomes].sort())
  expect(await wordsOf('permission_level_is_known')).toEqual([...permissionLevels].sort())
  expect(new Set(jobStatuses)).toEqual(new Set([...liveStatuses, ...outcomes]))
})

test('priorities have the same names, numbers and queues', async () => {
  const numbers = Array.from({ length: 301 }, (_, n) => n / 100)
  const rows = await db.query<{ name: string; queue: string }>(
    `select interlock.priority_name(n) as name, interlock.queue_of_priority(n) as queue
     from unnest($1::double precision[]) with ordinality as u (n, place) order by place`,
    [numbers],
  )
  expect(rows).toEqual(numbers.map((number) => ({ name: priorityName(number), queue: queueOfPriority(number) })))
  const named = await db.query<{ number: number }>(
    'select interlock.priority_number(to_jsonb(name)) as number from unnest($1::text[]) with ordinality as u (name, place) order by place',
    [priorityNames],
  )
  expect(named.map(({ number }) => number)).toEqual(priorityNames.map(priorityNumber))
})

const kind = fc.constantFrom('user', 'model', 'repository', 'gpu', 'limit', 'queue', 'task', 'zebra', 'a_b')
const value = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).filter((text) => isResource(`k:${text}`))
const resource = fc.tuple(kind, value).map(([name, text]) => `${name}:${text}`)

test('what a job needs is put together and ordered in the same way', async () => {
  const samples = fc.sample(
    fc.record({
      user: fc.option(value, { nil: undefined }),
      models: fc.array(value, { maxLength: 5 }),
      resources: fc.array(resource, { maxLength: 12 }),
    }),
    500,
  )
  const rows = await db.query<{ resources: string[] }>(
    `select interlock.job_resources(job) as resources
     from jsonb_array_elements($1::jsonb) with ordinality as u (job, place) order by place`,
    [JSON.stringify(samples)],
  )
  expect(rows.map(({ resources }) => resources)).toEqual(samples.map(resourcesOf))
})

test('a resource that the domain takes is one to the database, with the same place in the order', async () => {
  const names = [
    ...fc.sample(resource, 500),
    'user:alice',
    'x:minimax/video-01',
    'user:Ann Lee',
    `k:${'v'.repeat(238)}`,
  ]
  const rows = await db.query<{ is_name: boolean; place: number }>(
    `select interlock.is_resource_name(r) as is_name, interlock.resource_order(r) as place
     from unnest($1::text[]) with ordinality as u (r, n) order by n`,
    [names],
  )
  expect(rows).toEqual(names.map((name) => ({ is_name: true, place: resourceOrder(name) })))
})

const refused = ['alice', 'user:', ':x', 'User:x', '9k:x', 'user:*', 'rate:k:v', 'user:a\n', `k:${'v'.repeat(239)}`]
test.each(refused)('%j is a resource to neither', async (name) => {
  const [row] = await db.query<{ is_name: boolean }>('select interlock.is_resource_name($1) as is_name', [name])
  expect([isResource(name), row?.is_name]).toEqual([false, false])
})

const wholeNumber = (min: number, max: number) => fc.oneof(fc.constantFrom(min, max), fc.integer({ min, max }))
const tenYears = 10 * 365 * 86_400
const month = 30 * 86_400

/** Requests that use every field there is, up to its limits. */
const request = fc.record(
  {
    task: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._/-]{0,127}$/),
    user: value,
    project: fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 200 }),
    id: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/),
    model: value,
    models: fc.array(value, { maxLength: 15 }),
    resources: fc.array(resource, { maxLength: 15 }),
    queue: fc.constantFrom('high', 'default', 'low'),
    priority: fc.oneof(fc.constantFrom(...priorityNames), fc.double({ min: 0, max: 3, noNaN: true })),
    payload: fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), fc.jsonValue({ maxDepth: 3 })),
    kind: fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 64 }),
    run_at: fc
      .date({ min: new Date('2000-01-01'), max: new Date('2200-01-01'), noInvalidDate: true })
      .map((time) => time.toISOString()),
    timeout_seconds: wholeNumber(1, month),
    max_attempts: wholeNumber(1, 100),
    retry_delays_seconds: fc.array(wholeNumber(0, month), { maxLength: 100 }),
    ttl_seconds: wholeNumber(0, tenYears),
    permission_level: fc.constantFrom(...permissionLevels),
    start: fc.boolean(),
    depends_on: fc.array(fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/), { maxLength: 20 }),
  },
  { requiredKeys: ['task'] },
)

const nullish = <Value>(arbitrary: fc.Arbitrary<Value>) => fc.option(arbitrary)
const shortText = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 200 })

/** What goes together, or stands in the place of fields above. */
const orderRequest = fc.record(
  {
    unique_key: shortText,
    on_duplicate: fc.constantFrom('skip', 'replace', 'refuse'),
    heartbeat_seconds: wholeNumber(0, 86_400),
    work_order: fc.record(
      {
        task_type: fc.constantFrom(...taskTypes),
        repository_url: fc.webUrl(),
        branch_name: fc.stringMatching(/^[a-z][a-z0-9_/-]{0,100}[a-z]$/).filter((name) => !name.includes('//')),
        title: shortText,
        description: shortText,
        id: nullish(fc.uuid()),
        task_id: nullish(fc.uuid()),
        work_order_id: nullish(fc.uuid()),
        permission_level: nullish(fc.constantFrom(...permissionLevels)),
        priority: nullish(fc.constantFrom(...priorityNames)),
        issue_number: nullish(wholeNumber(1, 999_999_999)),
        pr_number: nullish(wholeNumber(1, 999_999_999)),
        files: nullish(fc.array(shortText, { maxLength: 10 })),
        requirements: nullish(fc.array(shortText, { maxLength: 10 })),
        created_at: nullish(
          fc.constantFrom('2026-11-22T12:00:00Z', '2026-11-22T12:00:00.5+02:00', '2026-11-22T12:00:00.123456'),
        ),
        timeout_seconds: nullish(wholeNumber(1, month)),
        max_retries: nullish(wholeNumber(0, 99)),
        retry_count: nullish(wholeNumber(0, 1000)),
        payload: nullish(fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), fc.jsonValue({ maxDepth: 3 }))),
        metadata: nullish(fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), fc.jsonValue({ maxDepth: 3 }))),
      },
      { requiredKeys: ['task_type', 'repository_url', 'branch_name', 'title', 'description'] },
    ),
  },
  { requiredKeys: ['unique_key', 'work_order'] },
)

test('whatever the contract takes, the verb takes', async () => {
  const bodies = [
    ...fc.sample(request, 400),
    { task: 't', permission_level: 'human_required', approved_by: 'ann' },
    { task: 't', retry_delays_seconds: { exponential: { first_seconds: 10, factor: 2.5, max_seconds: 600 } } },
    ...fc.sample(orderRequest, 200),
    { task: 't', encrypt: true, payload: { card: '4111' } },
    { task: 't', encrypt: false },
    { task: 't', delay_seconds: 0 },
    { task: 't', delay_seconds: 0.5 },
    { task: 't', delay_seconds: tenYears },
    { task: 't', depends_on: ['p'], depends_on_outcome: 'any' },
    { task: 't', depends_on: ['p'], depends_on_outcome: 'success' },
  ]
  // A field that is added to the contract has to be added here.
  expect(new Set(bodies.flatMap(Object.keys))).toEqual(new Set(Object.keys(jobRequestFields)))
  // As every door does: `encrypt` is done before the verb is called, which would refuse it and store nothing readable.
  const ring = KeyRing.parse(`k1:${Buffer.alloc(32).toString('base64')}`)
  const samples = sealJobs(
    { ring, tasks: [], queues: [] },
    bodies.map((body) => checkJobRequest(body)),
  )
  const rows = await db.query<{ place: number; field: string; problem: string }>(
    `select u.place, w.field, w.problem
     from jsonb_array_elements(interlock.expand_work_orders($1::jsonb)) with ordinality as u (job, place)
     cross join lateral interlock.wrong_field(u.job) as w`,
    [JSON.stringify(samples)],
  )
  expect(rows.map(({ place, ...wrong }) => ({ ...wrong, request: samples[place - 1] }))).toEqual([])
})
