import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/config.ts'
import { applyPolicy } from '../../src/store/policy.ts'
import { temporaryFolder } from '../cli/run-cli.ts'
import { EngineWorld } from '../engine/engine-world.ts'

interface Seen {
  readonly score: number
  readonly level: string
  readonly open: number
}

async function beat(world: EngineWorld, agent: string, load: Record<string, unknown>, held: readonly string[] = []) {
  await world.query('select interlock.heartbeat_agent($1, $2, $3, $4)', [agent, held, held.map(() => 1), load])
  const [row] = await world.query<Seen>(
    'select load_score as score, load_level as level, slots_open as open from interlock.agent_stats where id = $1',
    [agent],
  )
  return row
}

const load = (cpu: number, memory: number, depth = 0) => ({
  ...{ cpu_percent: cpu, memory_percent: memory, queue_depth: depth },
})

describe('feature 20: the load of agents', () => {
  it('is CPU 40 %, memory 35 % and queue depth 25 %, in four levels', async () => {
    const world = await EngineWorld.create()
    const agent = await world.register('one', { slots: 10 })
    expect(await beat(world, agent, load(50, 20, 4))).toEqual({ score: 37, level: 'low', open: 10 })
    expect(await beat(world, agent, load(100, 0))).toMatchObject({ score: 40, level: 'moderate' })
    expect(await beat(world, agent, load(100, 60))).toMatchObject({ score: 61, level: 'high' })
    expect(await beat(world, agent, load(100, 100, 99))).toEqual({ score: 100, level: 'critical', open: 0 })
  })

  it('keeps jobs from an agent above 80, pushed or pulled, and lets it have no more than bring it there', async () => {
    const world = await EngineWorld.create()
    await world.query('select interlock.end_agent($1)', [world.agent])
    const agent = await world.register('one', { slots: 10 })
    await world.enqueue(...Array.from({ length: 20 }, (_, n) => ({ id: `j${n}`, user: `u${n}` })))
    await beat(world, agent, load(100, 100, 3))
    expect(await world.claim(10, agent)).toEqual([])
    expect(await world.query(`select * from interlock.agents_with_room('default/autonomous')`)).toEqual([])
    // 40 + 31.5 = 71.5, and 2.5 a job: with three it is at 79, with four above.
    expect(await beat(world, agent, load(100, 90))).toMatchObject({ score: 71.5, open: 4 })
    const claimed = await world.claim(10, agent)
    expect(claimed).toHaveLength(4)
    await world.complete(...claimed)
  })

  it('gives the next job to the least loaded, by what it was given since it was last heard, too', async () => {
    const world = await EngineWorld.create()
    await world.query('select interlock.end_agent($1)', [world.agent])
    const [busy, idle] = [await world.register('busy', { slots: 4 }), await world.register('idle', { slots: 4 })]
    await beat(world, busy, load(30, 30))
    await beat(world, idle, load(10, 10))
    const order = () =>
      world.query<{ agent_id: string }>(`select agent_id from interlock.agents_with_room('default/autonomous')`)
    expect((await order()).map(({ agent_id }) => agent_id)).toEqual([idle, busy])
    await world.enqueue(...Array.from({ length: 3 }, (_, n) => ({ user: `u${n}` })))
    await world.claim(3, idle)
    expect((await order()).map(({ agent_id }) => agent_id)).toEqual([busy, idle])
  })

  it('is judged by weights, levels and a ceiling from the configuration, for agents that live at once', async () => {
    const world = await EngineWorld.create()
    const agent = await world.register('one', { slots: 10 })
    await beat(world, agent, load(50, 90))
    const folder = await temporaryFolder({
      'interlock.toml': `[agents]
weights = { cpu = 1, memory = 3, queue = 0 }
levels = { moderate = 20, high = 30, critical = 79 }
max_utilisation = 70
`,
    })
    const { config } = loadConfig({ folder, environment: {} })
    const policy = { queues: {}, limits: {}, agents: config.agents.policy }
    expect(await applyPolicy(world.test.database, policy, 'tests')).toEqual(['the load of agents'])
    expect(await applyPolicy(world.test.database, policy, 'tests')).toEqual([])
    const judged = await world.query(
      'select load_score as score, load_level as level, slots_open as open from interlock.agent_stats where id = $1',
      [agent],
    )
    expect(judged).toEqual([{ score: 80, level: 'critical', open: 0 }])
    expect(await beat(world, agent, load(60, 60))).toEqual({ score: 60, level: 'high', open: 10 })
  })

  it.each([
    [{ cpu_weight: -1 }, 'cpu_weight'],
    [{ cpu_weight: 0, memory_weight: 0, queue_weight: 0 }, 'weights'],
    [{ moderate_from: 90 }, 'levels'],
    [{ max_utilisation: 0 }, 'max_utilisation'],
    [{ max_utilisation: '80' }, 'max_utilisation'],
    [{ colour: 1 }, 'colour'],
    [[], 'settings'],
  ])('refuses the policy %j, naming %s, and changes nothing', async (settings, field) => {
    const world = await EngineWorld.create()
    const before = await world.query('select * from interlock.agent_policy')
    expect(await world.refusal('select interlock.set_agent_policy($1)', [JSON.stringify(settings)])).toEqual({
      code: 'invalid_argument',
      field,
    })
    expect(await world.query('select * from interlock.agent_policy')).toEqual(before)
  })

  it.each([
    [{ cpu_percent: 101 }, 'cpu_percent'],
    [{ memory_percent: 'full' }, 'memory_percent'],
    [{ queue_depth: 1.5 }, 'queue_depth'],
    [{ disk: 1 }, 'disk'],
    [[], 'load'],
  ])('refuses a heartbeat with %j, naming %s', async (figures, field) => {
    const world = await EngineWorld.create()
    const call = 'select interlock.heartbeat_agent($1, $2, $3, $4)'
    expect(await world.refusal(call, [world.agent, [], [], JSON.stringify(figures)])).toEqual({
      code: 'invalid_argument',
      field,
    })
  })
})
