import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EngineWorld } from './engine-world.ts'
import { Sessions } from './sessions.ts'

let world: EngineWorld
let sessions: Sessions

beforeEach(async () => {
  world = await EngineWorld.create()
  sessions = new Sessions(world.test)
  const steps = ['a', 'b', 'c'].map((name) => ({ name, task: 'work', default_model: name }))
  for (const hold of ['step', 'run']) {
    await world.query('select interlock.apply_workflow($1)', [{ id: hold, hold, task: 'work', steps }])
  }
})
afterEach(() => sessions.close())

const run = (workflow: 'step' | 'run', id: string) =>
  world.query('select interlock.execute_workflow($1, $2)', [workflow, { id, queue: 'default' }])
const cancel = (id: string) =>
  world.query(`select * from interlock.cancel_execution($1, 'not wanted', 'ann')`, [id]).then(([row]) => row)
const settle = () => world.query('select * from interlock.settle_dependents()')
const statusOf = async (id: string) =>
  (await world.query('select status from interlock.workflow_progress where id = $1', [id]))[0]?.status
const claimOne = async () => {
  const [job] = await world.claim(1)
  if (job === undefined) throw new Error('nothing was claimed')
  return job
}

describe('cancel_execution', () => {
  it('ends every job that waits, each once, asks the one that runs to stop, and the log says who and why', async () => {
    await run('step', 'x')
    const first = await claimOne()
    await world.start(first)
    await world.enqueue({ id: 'beside', depends_on: ['x.3'] })
    await settle()
    expect(await cancel('x')).toEqual({ status: 'cancelling', cancelled: ['x.2', 'x.3'], asked: ['x.1'] })
    // Nobody is asked twice.
    expect(await cancel('x')).toEqual({ status: 'cancelling', cancelled: [], asked: [] })
    await settle()
    await settle()
    expect(await world.status('beside')).toBe('cancelled')
    await world.query('select interlock.confirm_cancel($1, $2)', [first.job_id, first.token])
    await settle()
    expect(await statusOf('x')).toBe('cancelled')
    expect(await world.timeline('x.1')).toEqual(['enqueued', 'assigned', 'started', 'cancel_requested', 'cancelled'])
    for (const id of ['x.2', 'x.3', 'beside']) expect(await world.timeline(id)).toEqual(['enqueued', 'cancelled'])
    const lines = await world.query(
      `select job_id, actor, conflict_reason as reason from interlock.job_queue_log
       where event_type in ('cancelled', 'cancel_requested') and job_id like 'x.%' and actor is not null order by id`,
    )
    expect(lines).toEqual(['x.2', 'x.3', 'x.1'].map((job_id) => ({ job_id, actor: 'ann', reason: 'not wanted' })))
    expect(await world.query('select from interlock.job_dependency_touches')).toEqual([])
    expect(await world.violations()).toEqual([])
  })

  it('of a run that holds all its models cancels its one job, waiting or running', async () => {
    await run('run', 'w')
    expect(await cancel('w')).toEqual({ status: 'cancelled', cancelled: ['w'], asked: [] })
    expect(await statusOf('w')).toBe('cancelled')
    await run('run', 'r')
    const job = await claimOne()
    expect(await cancel('r')).toEqual({ status: 'cancelling', cancelled: [], asked: ['r'] })
    await world.query('select interlock.return_jobs($1, $2, $$stopped$$)', [[job.job_id], [job.token]])
    expect(await statusOf('r')).toBe('cancelled')
  })

  it('leaves a step that failed for good to the dead letters, and cancels what waits for it', async () => {
    await run('step', 'x')
    await world.fail(await claimOne(), 'never')
    expect(await cancel('x')).toMatchObject({ status: 'cancelled', cancelled: ['x.2', 'x.3'] })
    expect(await world.status('x.1')).toBe('failed')
    const refusal = { code: 'illegal_transition', field: 'execution_id' }
    expect(await world.refusal(`select interlock.cancel_execution('x')`)).toEqual(refusal)
  })

  it('is refused for what has ended, and for what is no execution, and writes nothing', async () => {
    await run('run', 'x')
    await world.complete(await claimOne())
    await world.enqueue({ id: 'alone' })
    const [before] = await world.query('select count(*) from interlock.job_queue_log')
    for (const [id, code] of [
      ['x', 'illegal_transition'],
      ['alone', 'job_not_found'],
      ['nothing', 'job_not_found'],
    ]) {
      const refusal = await world.refusal('select interlock.cancel_execution($1)', [id])
      expect(refusal).toEqual({ code, field: 'execution_id' })
    }
    expect(await world.query('select count(*) from interlock.job_queue_log')).toEqual([before])
    expect(await world.status('alone')).toBe('pending')
  })

  it('waits for who is just completing a step, and then ends the step that was started by it', async () => {
    await run('step', 'x')
    const first = await claimOne()
    // So that its parent knows of it, and its completion starts it in its own transaction.
    await settle()
    const [one, two] = [await sessions.open(), await sessions.open()]
    await one.query('begin')
    await one.query('select * from interlock.complete_jobs($1, $2)', [[first.job_id], [first.token]])
    const cancelling = two.query(`select * from interlock.cancel_execution('x')`)
    await sessions.untilAwaited(one, 'the canceller to wait for the completion')
    await one.query('commit')
    expect((await cancelling).rows).toEqual([{ status: 'cancelled', cancelled: ['x.2', 'x.3'], asked: [] }])
    await settle()
    expect(await world.timeline('x.2')).toEqual(['enqueued', 'ready', 'cancelled'])
    expect(await world.claim()).toEqual([])
    expect(await world.violations()).toEqual([])
  })

  it('and a claim of its next step: whoever comes second sees what the first made of it', async () => {
    await run('step', 'x')
    await world.absorb()
    const [one, two] = [await sessions.open(), await sessions.open()]
    await one.query('begin')
    await one.query('select * from interlock.claim_jobs($1, null, 1)', [world.agent])
    const cancelling = two.query(`select * from interlock.cancel_execution('x')`)
    await sessions.untilAwaited(one, 'the canceller to wait for the claim')
    await one.query('commit')
    expect((await cancelling).rows).toEqual([{ status: 'cancelling', cancelled: ['x.2', 'x.3'], asked: ['x.1'] }])
  })
})
