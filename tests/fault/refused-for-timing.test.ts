import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { Agent } from '../../src/agent/agent.ts'
import { Dispatcher } from '../../src/coordinator/dispatcher.ts'
import { defaultRetention, Pruner } from '../../src/coordinator/pruner.ts'
import { Ticker } from '../../src/coordinator/ticker.ts'
import { asJobId } from '../../src/domain/ids.ts'
import { createSilentLogger } from '../../src/observability/logger.ts'
import { Database } from '../../src/store/database.ts'
import { setPriority, startPausedJob } from '../../src/store/jobs.ts'
import { AgentWorld } from '../agent/agent-world.ts'
import { type HttpDoor, openHttpDoor, type Reply } from '../http/http-door.ts'
import { Line } from '../support/line.ts'
import { waitFor } from '../support/wait-for.ts'

// Fault 14: each verb that the store calls is refused twice, whoever calls it: as a serialisation failure, a deadlock, for
// a lock that was not had in time, and as cancelled. What lost a collision is repeated where it stands; what waited in
// vain is told to its caller as 503, or comes again by the loop that it is part of. A day's work gets done all the same.

const timesEach = 2

/** Nothing of the day's work here calls them. */
const notOfTheDay: Readonly<Record<string, string>> = {
  claim_lane: 'only where a lane was found contended three times running: engine/coordinating.test.ts',
  sweep_agent: 'only for a lost agent: its 40001 is part of every sweep in agent/agent-faults.test.ts',
  stop_reserving: 'only for a reservation that nobody serves: an item of the tick like the others',
  resume_request: 'once, by the tick that comes first, the day’s or the world’s own: engine/giving-back.test.ts',
  wake_rate: 'only for a start rate that has room again: an item of the tick like the others',
  raise_after_restore: 'by a person, after a restore: standby-promoted.test.ts',
  set_schedule: 'by hand; one statement, told as 503 like any other: http/schedules.test.ts',
  pause_schedule: 'by hand, as set_schedule',
  run_schedule: 'by hand, as set_schedule',
  delete_schedule: 'by hand, as set_schedule',
  fire_schedule: 'only for a slot that has come: an item of the tick like the others; engine/schedules.test.ts',
  history_summary: 'it only reads',
  set_queue: 'configuration, before anything runs',
  set_limit: 'configuration, before anything runs',
  remove_limit: 'configuration, before anything runs',
  set_agent_policy: 'configuration, before anything runs',
  set_backlog_limit: 'configuration, before anything runs',
  set_alarm_policy: 'configuration, before anything runs',
  authenticate_key: 'only where keys are asked for: http/keys.test.ts',
  cancel_execution: 'by hand, as set_schedule; engine/cancel-execution.test.ts',
  replace_payloads: 'by hand, after a change of keys: features/31-encryption.test.ts',
  settle_alarms: 'by a loop of its own, which comes again: engine/alarms.test.ts',
  take_alarm_deliveries: 'by the loop of the alarms',
  settle_alarm_delivery: 'by the loop of the alarms',
}

const store = fileURLToPath(new URL('../../src/store', import.meta.url))

/** Every function of the schema that the store's own statements call. */
async function verbsOfTheStore(world: AgentWorld): Promise<readonly string[]> {
  const files = (await readdir(store)).filter((name) => name.endsWith('.ts') && name !== 'migrations.ts')
  const texts = await Promise.all(files.map((name) => readFile(join(store, name), 'utf8')))
  const named = texts.flatMap((text) => [...text.matchAll(/\binterlock\.(\w+)\(/g)].map(([, name]) => name ?? ''))
  const rows = await world.test.query<{ name: string }>(
    `select distinct proname as name from pg_proc where pronamespace = 'interlock'::regnamespace and prokind = 'f' and provolatile = 'v'`,
  )
  const functions = new Set(rows.map(({ name }) => name))
  return [...new Set(named)].filter((name) => functions.has(name) && !['clock', 'locks_agent'].includes(name)).sort()
}

/** Asks until it is something else than 503, and returns how often it was that. */
async function insist(ask: () => Promise<Reply>): Promise<{ readonly reply: Reply; readonly refusals: number }> {
  for (let refusals = 0; ; refusals += 1) {
    const reply = await ask()
    if (reply.status !== 503) return { reply, refusals }
    expect(reply.headers.get('retry-after')).toBe('2')
    expect(refusals).toBeLessThan(10)
  }
}

class Day {
  readonly door: HttpDoor
  refusals = 0

  constructor(door: HttpDoor) {
    this.door = door
  }

  async post(path: string, body?: unknown, headers?: Record<string, string>): Promise<Reply> {
    return this.#count(await insist(() => this.door.post(path, body, headers)))
  }

  async get(path: string, headers?: Record<string, string>): Promise<Reply> {
    return this.#count(await insist(() => this.door.get(path, headers)))
  }

  async put(path: string, body: unknown): Promise<Reply> {
    const headers = { 'content-type': 'application/json' }
    return this.#count(await insist(() => this.door.send('PUT', path, { body: JSON.stringify(body), headers })))
  }

  async patch(path: string, body: unknown): Promise<Reply> {
    const headers = { 'content-type': 'application/json' }
    return this.#count(await insist(() => this.door.send('PATCH', path, { body: JSON.stringify(body), headers })))
  }

  async delete(path: string): Promise<Reply> {
    return this.#count(await insist(() => this.door.send('DELETE', path)))
  }

  #count({ reply, refusals }: { readonly reply: Reply; readonly refusals: number }): Reply {
    this.refusals += refusals
    expect(reply.status, reply.text).toBeLessThan(300)
    return reply
  }
}

const covered: string[] = []
afterAll(() => console.log(covered.join('\n')))

test.each([
  { state: '40001', what: 'a serialisation failure', isCollision: true },
  { state: '40P01', what: 'a deadlock', isCollision: true },
  { state: '55P03', what: 'a lock that was not had', isCollision: false },
  { state: '57014', what: 'a cancelled statement', isCollision: false },
])(
  'each verb refused twice for $what ($state) delays a day’s work, and changes nothing',
  async ({ state, isCollision }) => {
    const world = await AgentWorld.create()
    const line = await Line.lay(world.test.url)
    const database = new Database({ url: line.urlOf(world.test.url) })
    const ticker = new Ticker({
      database,
      dispatcher: new Dispatcher({ database }),
      logger: createSilentLogger(),
      intervalMs: 100,
    })
    const pruner = new Pruner(database, defaultRetention, createSilentLogger())
    const createAgent = () =>
      new Agent({
        ...world.settings({
          name: 'day',
          slots: 4,
          stopGraceSeconds: 0.2,
          tasks: {
            work: { command: ['sh', '-c', 'echo "::interlock progress 50 half"; echo "{}"'] },
            fail: { command: ['sh', '-c', 'exit 77'] },
            hang: { command: ['sh', '-c', 'sleep 60'] },
            flow: { command: ['sh', '-c', 'echo ::interlock step one'] },
            again: { command: ['sh', '-c', 'exit 75'] },
          },
          heartbeatSeconds: 0.5,
        }),
        database,
        log: world.agentLog,
      })
    let agent = createAgent()
    const verbs = await verbsOfTheStore(world)
    const expected = verbs.filter((verb) => !(verb in notOfTheDay))
    line.refuse(state, verbs, timesEach)
    const door = await openHttpDoor({ ...world.test, database })
    const day = new Day(door)
    try {
      // One that cannot register ends, and is started anew by whoever runs it.
      await waitFor(
        async () => {
          agent = createAgent()
          await agent.start()
          return true
        },
        { what: 'the agent to register' },
      )
      ticker.start()
      await waitFor(() => pruner.ensurePartitions().then(() => true), { what: 'partitions' })
      await waitFor(() => pruner.prune().then(() => true), { what: 'pruning' })

      await day.post('/jobs', { task: 'work', id: 'plain', user: 'a' })
      await day.post('/jobs', { task: 'work', id: 'once', user: 'b' }, { 'idempotency-key': 'k' })
      await day.post('/jobs', { task: 'fail', id: 'dead', user: 'c' })
      await day.post('/jobs', { task: 'hang', id: 'hanging', user: 'd', models: ['n'] })
      await day.post('/jobs', { task: 'hang', id: 'drained', user: 'e' })
      await day.post('/jobs', { task: 'hang', id: 'taken', user: 'h' })
      await day.post('/jobs', { task: 'work', id: 'held', user: 'f', start: false })
      await day.post('/jobs', { task: 'work', id: 'unwanted', user: 'g', start: false })
      await waitFor(() => setPriority(database, asJobId('held'), 1).then(() => true), { what: 'its priority' })
      await waitFor(() => startPausedJob(database, asJobId('held')), { what: 'its start' })
      await day.delete('/jobs/unwanted')
      await day.put('/workflows/flow', { steps: [{ name: 'one', default_model: 'flow-model' }] })
      await day.post('/workflows/flow/execute', { id: 'flowing' })
      await world.untilStatus('flowing', 'completed')
      expect((await day.get('/workflow-executions/flowing')).json).toMatchObject({ current_step_name: 'one' })
      await world.untilStatus('plain', 'completed')
      await world.untilStatus('once', 'completed')
      await world.untilStatus('held', 'completed')
      await world.untilStatus('dead', 'failed')
      await world.untilStatus('hanging', 'running')
      await world.untilStatus('drained', 'running')
      await day.get('/jobs/hanging/explain')
      await day.get('/queue/status')
      await day.post('/jobs/dead/requeue')
      await world.untilStatus('dead', 'failed')
      const { token } = (await day.get('/jobs/hanging')).json
      const asked = await day.post('/jobs/hanging/requests', { token, message: 'Go on?', release_models: true })
      await day.post(`/requests/${asked.json.id}/response`, { message: 'Yes.' })
      await waitFor(async () => (await day.get(`/requests/${asked.json.id}/response`)).json.status === 'answered', {
        what: 'its model to be its own again',
      })
      await day.post('/jobs/hanging/heartbeat', { token })
      await day.post('/jobs/hanging/cancel')
      await world.untilStatus('hanging', 'cancelled')
      await day.post('/jobs', { task: 'hang', id: 'freed', user: 'd' })
      await world.untilStatus('freed', 'running')
      await day.post('/jobs/freed/release')
      await world.untilStatus('freed', 'cancelled')

      const careful = { task: 'work', permission_level: 'human_required' } as const
      await day.post('/jobs', { ...careful, id: 'allowed', user: 'x' })
      await day.post('/jobs', { ...careful, id: 'refused', user: 'y' })
      await day.post('/jobs/allowed/approve')
      await day.post('/jobs/refused/reject')
      await day.post('/jobs/cancel', { user: 'x' })
      await day.patch('/resources/model:m', { capacity: 2 })

      const remote = (await day.post('/agents', { name: 'remote', queues: ['low'], lease_seconds: 60 })).json.agent_id
      await day.post(`/agents/${remote}/claim?wait_seconds=0.2`, {})
      await day.post(`/agents/${remote}/suspend`)
      await day.post(`/agents/${remote}/resume`)

      await world.untilStatus('taken', 'running')
      await day.delete('/locks/user:h?job_id=taken')
      await world.untilStatus('taken', 'cancelled')

      const lock = await day.post('/locks', { resources: ['model:m'], owner: 'ann', lease_seconds: 60 })
      expect(lock.status).toBe(201)
      await day.post(`/locks/${lock.json.lock_id}/extend`, { token: lock.json.token })
      await day.delete(`/locks/${lock.json.lock_id}?token=${lock.json.token}`)
      await day.post('/locks/sweep', { older_than_seconds: 1 })

      const key = (await day.post('/keys', { name: 'day', scopes: ['read'] })).json
      await day.post(`/keys/${key.id}/rotate`)
      await day.delete(`/keys/${key.id}`)
      const { events } = (await day.get('/events?since=start&limit=1000', { accept: 'application/json' })).json
      expect(events.map((event: { event_type: string }) => event.event_type)).toContain('cancelled')

      await waitFor(
        async () => {
          await agent.stop({ graceSeconds: 0 })
          return true
        },
        { what: 'the agent to drain' },
      )
      await world.untilStatus('drained', 'pending')
      await ticker.stop()
    } finally {
      line.heal()
      await agent.stop({ graceSeconds: 0 })
      await ticker.stop()
      await door.server.stop()
      await database.end()
      await line.close()
      await world.close()
    }
    const missed = expected.filter((verb) => line.refused.get(verb) === undefined)
    const refused = [...line.refused.values()].reduce((sum, times) => sum + times, 0)
    covered.push(`${state}: ${line.refused.size} verbs refused ${refused} times, ${day.refusals} of them told as 503`)
    expect(missed, 'verbs of the store that the day does not call').toEqual([])
    expect(await world.timelineOf('plain')).toEqual(['enqueued', 'assigned', 'started', 'completed'])
    expect(await world.timelineOf('once')).toEqual(['enqueued', 'assigned', 'started', 'completed'])
    // That it drains may go unsaid: then it may be given a job once more, and that one comes back with its lock.
    expect((await world.timelineOf('drained')).slice(0, 4)).toEqual(['enqueued', 'assigned', 'started', 'returned'])
    expect(await world.test.query('select * from interlock.violations')).toEqual([])
    if (isCollision) expect(day.refusals).toBe(0)
    else expect(day.refusals).toBeGreaterThan(10)
  },
)
