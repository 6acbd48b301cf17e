import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCli } from '../cli/run-cli.ts'
import { EngineWorld } from '../engine/engine-world.ts'
import { type HttpDoor, openHttpDoor } from '../http/http-door.ts'

let world: EngineWorld
let door: HttpDoor

beforeAll(async () => {
  world = await EngineWorld.create({ clock: 'real' })
  await world.query('select interlock.end_agent($1)', [world.agent])
  door = await openHttpDoor(world.test)
})

afterAll(() => door.server.stop())

const beat = (agent: string, cpu: number, memory: number) =>
  world.query('select interlock.heartbeat_agent($1, $2, $3, $4)', [
    ...[agent, [], []],
    { cpu_percent: cpu, memory_percent: memory, queue_depth: 0 },
  ])
const allocation = async () => (await door.get('/agents/allocation')).json
const allocate = (...words: string[]) => runCli(['agents', 'allocate', ...words], { env: { INTERLOCK_URL: door.url } })

describe('feature 21: backpressure and allocation', { timeout: 90_000 }, () => {
  it('says over HTTP, on the command line and in the queue’s status that more agents are needed, how many, and why', async () => {
    await world.enqueue(...Array.from({ length: 9 }, (_, n) => ({ id: `j${n}`, user: `u${n}` })))
    await world.absorb()
    expect((await allocation()).recommendation).toMatchObject({
      action: 'scale_out',
      reasons: ['9 jobs wait in queue default, which no agent serves'],
    })
    const [one, two] = [await world.register('one', { slots: 2 }), await world.register('two', { slots: 2 })]
    const claimed = [...(await world.claim(2, one)), ...(await world.claim(2, two))]
    expect(claimed).toHaveLength(4)
    const pressed = await allocation()
    expect(pressed).toMatchObject({
      cluster: { agents: { total: 2, busy: 2, slots: 4, room: 0 }, slots_used: 4, utilisation_percent: 100 },
      backpressure: { is_detected: true, level: 'moderate' },
      recommendation: { action: 'scale_out', agents: 2 },
      policy: { cpu_weight: 40, memory_weight: 35, queue_weight: 25, max_utilisation: 80 },
    })
    expect((await door.get('/queue/status')).json.backpressure).toEqual(pressed.backpressure)
    const { stdout } = await allocate()
    expect(stdout).toContain('2 agents: 0 idle, 2 busy, 0 suspended; room for 0 more jobs')
    expect(stdout).toContain('backpressure moderate')
    expect(stdout).toContain('Scale out: 2 agents more')
    expect(stdout).toContain('all 4 slots are in use and 5 lines of jobs wait for one')
    expect(JSON.parse((await allocate('--json')).stdout).recommendation).toEqual(pressed.recommendation)
    for (const job of claimed) await world.complete(job)
  })

  it('counts the free slots of agents above the ceiling as none, and names them', async () => {
    const agents = await world.query<{ id: string }>(
      `select id from interlock.agent_stats where state = 'active' and name in ('one', 'two')`,
    )
    for (const { id } of agents) await beat(id, 100, 100)
    const { recommendation, backpressure, agents: listed, cluster } = await allocation()
    expect(cluster.agents).toMatchObject({ overloaded: 0, busy: 0, room: 2 })
    expect(recommendation.action).toBe('keep')
    expect(backpressure.is_detected).toBe(false)
    expect(listed.map(({ load_score: score }: { load_score: number }) => score)).toEqual([75, 75])
    // With work of their own in hand they are at 100.
    for (const { id } of agents) {
      await world.query('select interlock.heartbeat_agent($1, $2, $3, $4)', [
        ...[id, [], []],
        { cpu_percent: 100, memory_percent: 100, queue_depth: 2 },
      ])
    }
    const loaded = await allocation()
    expect(loaded.cluster.agents).toMatchObject({ overloaded: 2, room: 0 })
    expect(loaded.backpressure.reasons).toEqual([
      'no agent may take more at its load (0 of 4 slots are in use), and 5 lines of jobs wait for one',
    ])
    expect(loaded.recommendation.reasons).toContain('2 agents have free slots, but no room below the ceiling of 80 %')
    expect(loaded.agents[0].why_none).toBe('its load is 100, the ceiling 80')
    for (const { id } of agents) await beat(id, 10, 10)
  })

  it('recommends fewer once nothing waits, and says which to drain', async () => {
    const agents = await world.query<{ id: string }>(
      `select id from interlock.agent_stats where state = 'active' and name in ('one', 'two') order by id`,
    )
    const [one = { id: '' }] = agents
    for (let n = 0; n < 5; n += 1) await world.complete(...(await world.claim(1, one.id)))
    expect((await allocation()).recommendation).toMatchObject({ action: 'scale_in', agents: 1 })
    const { stdout } = await allocate()
    expect(stdout).toContain('Scale in: 1 agent fewer')
    const [, id = ''] = /interlock agents drain (\S+)/.exec(stdout) ?? []
    expect((await runCli(['agents', 'drain', id], { env: { INTERLOCK_URL: door.url } })).stdout.trim()).toBe(
      `${id} draining`,
    )
    expect((await allocation()).recommendation.action).toBe('keep')
  })

  it('says that no agent may take the permission level of what waits, as explain does', async () => {
    await world.enqueue({ id: 'watched', permission_level: 'supervised' })
    await world.absorb()
    expect((await allocation()).recommendation.action).toBe('scale_out')
    expect((await allocate()).stdout.replaceAll(/\s+/g, ' ')).toContain(
      'jobs of the permission level supervised wait in queue default, which no live agent of that queue may take',
    )
    const { sentence } = (await door.get('/jobs/watched/explain')).json
    expect(sentence).toBe('Job watched waits because no live agent serves default/supervised.')
  })
})
