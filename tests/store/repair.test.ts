import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { beforeEach, describe, expect, it } from 'vitest'
import { type BusyQueue, makeBusy } from '../support/busy-queue.ts'
import { hasPsql, runPsql } from '../support/psql.ts'
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts'

const repairs = readdirSync(fileURLToPath(new URL('../../sql/repair', import.meta.url))).filter((name) =>
  name.endsWith('.sql'),
)

describe.skipIf(!hasPsql)('sql/repair, in the real psql', () => {
  let busy: TestDatabase
  let queue: BusyQueue

  beforeEach(async () => {
    busy = await createTestDatabase({ clock: 'movable' })
    queue = await makeBusy(busy)
  })

  const repair = (name: string, variables: Readonly<Record<string, string>>) =>
    runPsql(busy.url, `repair/${name}`, { variables })
  const commit = '1'
  const statusOf = async (jobId: string) =>
    (await busy.query<{ status: string }>('select status from interlock.jobs where id = $1', [jobId]))[0]?.status
  const newestEvent = async (jobId: string) =>
    (
      await busy.query<{ event_type: string; actor: string; conflict_reason: string }>(
        `select event_type, actor, conflict_reason from interlock.job_queue_log where job_id = $1 order by id desc limit 1`,
        [jobId],
      )
    )[0]

  /** The variables by which each repair would change something. */
  const effective = (name: string): Readonly<Record<string, string>> =>
    ({
      'cancel_job.sql': { job: 'alice-2' },
      'delete_job.sql': { job: 'dead-1' },
      'end_agent.sql': { agent: queue.agentId },
      'requeue_job.sql': { job: 'dead-1' },
      'sweep_agent.sql': { agent: queue.deadAgentId },
    })[name] ?? {}

  it.each(repairs)('%s shows what it would change and rolls it back, unless told to commit', async (name) => {
    const before = await everything(busy)
    for (const variables of [effective(name), { ...effective(name), commit: '0' }]) {
      const { code, stdout, stderr } = await repair(name, variables)
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      expect(stdout).toMatch(/What this changes[\s\S]*\([1-9]\d* rows?\)/)
      expect(stdout).toContain('Rolled back: start psql with -v commit=1 to do it.')
      expect(await everything(busy)).toEqual(before)
    }
    const { code, stdout } = await repair(name, { ...effective(name), commit })
    expect(code).toBe(0)
    expect(stdout).toContain('Committed.')
    expect(await everything(busy)).not.toEqual(before)
  })

  it('requeue_job.sql sends a dead letter back to wait, with who did it and why', async () => {
    const { stdout } = await repair('requeue_job.sql', { job: 'dead-1', reason: 'the disk has room again', commit })
    expect(stdout).toMatch(/dead-1 +\| requeued +\| failed +\| pending/)
    expect(await statusOf('dead-1')).toBe('pending')
    const event = await newestEvent('dead-1')
    expect(event?.conflict_reason).toBe('the disk has room again')
    expect(event?.actor).not.toBe('')
  })

  it('cancel_job.sql ends a job that waits, and asks one that runs to stop', async () => {
    expect((await repair('cancel_job.sql', { job: 'alice-2', commit })).stdout).toMatch(/alice-2 +\| cancelled/)
    expect(await statusOf('alice-2')).toBeUndefined()
    expect((await repair('cancel_job.sql', { job: 'alice-1', commit })).stdout).toMatch(/alice-1 +\| cancel_requested/)
    expect(await statusOf('alice-1')).toBe('running')
  })

  it('sweep_agent.sql frees what a dead agent held and leaves a living one alone', async () => {
    const { stdout } = await repair('sweep_agent.sql', { agent: queue.deadAgentId, commit })
    expect(stdout).toMatch(/lost-1 +\| lost +\| running +\| pending/)
    expect(await statusOf('lost-1')).toBe('pending')
    const spared = await repair('sweep_agent.sql', { agent: queue.agentId, commit })
    expect(spared.stdout).toContain('it is alive: nothing was freed')
    expect(await statusOf('alice-1')).toBe('running')
  })

  it('end_agent.sql frees what an agent held without asking its lease', async () => {
    const { stdout } = await repair('end_agent.sql', { agent: queue.agentId, reason: 'its machine burnt', commit })
    expect(stdout).toMatch(/alice-1 +\| returned +\| running +\| pending/)
    expect(stdout).toMatch(/agent_gone .*its machine burnt/)
    const free = await busy.query(`select from interlock.job_queue_state where active_job_id = 'alice-1'`)
    expect(free).toEqual([])
  })

  it.each(repairs.filter((name) => name.endsWith('_job.sql')))(
    '%s ends with an exit code, and changes nothing, where the verb refuses',
    async (name) => {
      const before = await everything(busy)
      const { code, stderr } = await repair(name, { job: 'nobody-knows-it', commit })
      expect(code).toBe(3)
      expect(stderr).toContain('job nobody-knows-it does not exist')
      expect(await everything(busy)).toEqual(before)
    },
  )

  it('the menu says a refusal and comes back, and takes the next repair', async () => {
    const keys = new Map(repairs.map((name, index) => [name, `r${index + 1}`]))
    const requeue = keys.get('requeue_job.sql')
    const { code, stdout, stderr } = await runPsql(busy.url, 'menu.psql', {
      variables: { commit },
      input: `${requeue}\nnobody-knows-it\n${requeue}\ndead-1\nq\n`,
    })
    expect(code).toBe(0)
    expect(stderr).toContain('job nobody-knows-it does not exist')
    expect(stdout).toContain('Refused: nothing was changed.')
    expect(stdout).toContain('Committed.')
    expect(await statusOf('dead-1')).toBe('pending')
  })
})

/** All that a repair might change, as text. */
async function everything({ query }: TestDatabase): Promise<unknown> {
  const [row] = await query(`
    select
      (select json_agg(j order by j.id) from interlock.jobs as j)::text as jobs,
      (select json_agg(s order by s.resource, s.slot) from interlock.job_queue_state as s)::text as slots,
      (select json_agg(l order by l.id) from interlock.job_lanes as l)::text as lanes,
      (select json_agg(a order by a.id) from interlock.agent_stats as a)::text as agents,
      (select json_agg(t order by t.job_id, t.finished_at) from interlock.task_history as t)::text as history,
      (select count(*) from interlock.job_queue_log) as events
  `)
  return row
}
