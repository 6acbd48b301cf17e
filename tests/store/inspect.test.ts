import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Connection } from '../../src/store/connection.ts'
import { type BusyQueue, makeBusy } from '../support/busy-queue.ts'
import { hasPsql, runPsql } from '../support/psql.ts'
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts'

const folder = fileURLToPath(new URL('../../sql/inspect', import.meta.url))
const questions = readdirSync(folder).filter((name) => name.endsWith('.sql'))

/** What each question has to answer on the busy database; every one that there is must be here. */
const tellingAnswers: Readonly<Record<string, readonly RegExp[]>> = {
  'queue_status.sql': [
    / default +\| +3 \| +\| +4 \| +3 \| +1 \| +1 \| counted/,
    /alice-1 .*flux-dev.* running/,
    /alice-2 .*\| alice-1 +\| User conflict: alice in use by normal job alice-1/,
    /Locked users[\s\S]*alice +\| alice-1/,
  ],
  'active_jobs.sql': [
    /alice-1 +\| running .*\{flux-dev\} +\| \{user:alice,model:flux-dev\}/,
    /stopping .* asked to stop: not needed any more/,
    /lost-1 /,
  ],
  'waiting_jobs.sql': [
    /knight .*video-1 +\| Model conflict: motion-2.0-fast in use by normal job video-1/,
    /image-2 .*Model conflict: aura-sr reserved for a more senior job/,
    /nobody .*nothing in its way but the lack of an agent/,
  ],
  'why_waiting.sql': [
    /Job image-2 waits for model:aura-sr, reserved for job knight, which waits for model:motion-2.0-fast, held by job video-1/,
    /model:motion-2.0-fast +\| held +\| video-1/,
  ],
  'job_timeline.sql': [
    /image-2 +\| pending +\| render-image/,
    /enqueued[\s\S]*blocked .*Model conflict: aura-sr reserved/,
  ],
  'recent_events.sql': [/alice-2 +\| image +\| blocked .*in use by normal job alice-1/, /done-1 .*completed/],
  'stuck_jobs.sql': [
    /lost-1 .*its agent's lease is over/,
    /stopping .*asked to stop and goes on/,
    /overdue .*still scheduled: no coordinator runs/,
    /nobody .*no live agent serves nobodys\/autonomous/,
    / touches \| doorbells /,
  ],
  'alarms.sql': [/dead_letter +\| \w+ +\| +\| 1 dead letter is new/, /old_snapshot .*keeps the past alive/],
  'agents.sql': [/box\.\d+ +\| active +\| box +\| 4711 .*3 of 8/, /dead\.\d+ +\| active, lease over/],
  'lost_attempts.sql': [/times_lost/],
  'returning_agents.sql': [/registrations/],
  'retries_ahead.sql': [/default +\| \{60,180,600\} .*the disk was full/],
  'violations.sql': [/Healthy\./],
  'dead_letters.sql': [/crash +\| the disk was full +\| +1 /, /dead-1 .*ENOSPC/],
  'holders.sql': [/reserved +\| knight/, /image-2 +\| ida/],
  'bottlenecks.sql': [/model:motion-2.0-fast +\| +1 \| video-1/, /user:alice +\| +1 \| alice-1/],
  'blocked_last_hour.sql': [/ 3 \| +3 \| f/, /model:aura-sr +\| +1 /],
  'average_queue_time.sql': [/default +\| +2 \|/, /flux-dev +\| +1 \|/],
  'unprotected_jobs.sql': [/knight-style +\| +1 \| +0 \| +1 \| +0/, /account:\*/],
  'locks.sql': [
    /model:aura-sr +\| 1 of 1 \| reserved \| job +\| knight/,
    /user:alice +\| 1 of 1 \| held +\| job +\| alice-1 +\| alice/,
  ],
  'deferred_jobs.sql': [/after-nobody +\| publish +\| +\| nobody +\| pending +\| success/],
  'workflow_models.sql': [
    /knight-flow +\| +1 \| run +\| +1 \| style +\| style +\| nano-banana/,
    /\| +2 \| send +\| send +\| none/,
  ],
  'workflow_executions.sql': [/flow-1 +\| knight-flow +\| pending/],
  'old_snapshots.sql': [/session +\| \d+ +\| 1[0-9] minutes .*forgotten report/],
  'open_questions.sql': [/q-a1 +\| alice-1 .*approval +\| Deploy\? +\|.*30 minutes/],
  'history_summary.sql': [/task +\| ended[\s\S]*crash +\| +1 \| +0 \| +1 \|/],
  'schedules.sql': [/nightly +\| 30 2 \* \* \* +\| Europe\/Berlin +\| a coordinator has yet to compute it/],
  'limits.sql': [/task:render-video +\| 2 +\| +\| f +\| +1/, /default +\| f +\| fair .* 0 \|/],
}

const variables = { job: 'image-2', resource: 'model:aura-sr' }

describe.skipIf(!hasPsql)('sql/inspect, in the real psql', () => {
  let empty: TestDatabase
  let busy: TestDatabase
  let holder: Connection
  let queue: BusyQueue

  beforeAll(async () => {
    empty = await createTestDatabase()
    busy = await createTestDatabase({ clock: 'movable' })
    queue = await makeBusy(busy)
    await busy.query(
      `select interlock.ask(id, token, '{"request_type": "approval", "message": "Deploy?"}') from interlock.jobs where id = 'alice-1'`,
    )
    holder = await busy.database.connect({ applicationName: 'forgotten report' })
    await holder.query('begin isolation level repeatable read')
    await holder.query('select count(*) from interlock.jobs')
  })

  afterAll(() => holder.close())

  it('has a telling answer to every question, and no question without one', () => {
    expect(questions).toEqual(Object.keys(tellingAnswers).sort())
  })

  it.each(questions)('%s answers on a busy queue what is asked', async (name) => {
    const { code, stdout, stderr } = await runPsql(busy.url, `inspect/${name}`, { variables })
    expect(stderr).toBe('')
    expect(code).toBe(0)
    for (const answer of tellingAnswers[name] ?? []) expect(stdout).toMatch(answer)
  })

  it.each(questions.filter((name) => name !== 'why_waiting.sql'))('%s runs on an empty queue', async (name) => {
    const { code, stdout, stderr } = await runPsql(empty.url, `inspect/${name}`, { variables })
    expect(stderr).toBe('')
    expect(code).toBe(0)
    expect(stdout).toMatch(/\(\d+ rows?\)/)
  })

  it('says in one line that there is no such job, in place of explaining it', async () => {
    const { stdout, stderr } = await runPsql(empty.url, 'inspect/why_waiting.sql', { variables })
    expect(stderr).toContain('job image-2 does not exist')
    expect(stdout).toContain('There is nothing to explain.')
  })

  it.each(['job_timeline.sql', 'why_waiting.sql'])('%s asks for the job that is not named', async (name) => {
    const { code, stdout } = await runPsql(busy.url, `inspect/${name}`, { input: 'alice-2\n' })
    expect(code).toBe(0)
    expect(stdout).toContain('Which job?')
    expect(stdout).toContain('alice-1')
  })

  it('holders.sql tells a free resource from one that is held', async () => {
    const ask = (resource: string) => runPsql(busy.url, 'inspect/holders.sql', { variables: { resource } })
    expect((await ask('model:nobody-wants')).stdout).toMatch(/model:nobody-wants \| 1 .*free/)
    expect((await ask('account:shared')).stdout).toContain('unlimited: it keeps nobody apart')
    expect((await ask('user:alice')).stdout).toMatch(/held +\| alice-1/)
  })

  it('lost_attempts.sql and returning_agents.sql name a job that loses its agents, and the name of those agents', async () => {
    const test = await createTestDatabase({ clock: 'movable' })
    await test.query(
      `select count(*) from interlock.enqueue_jobs('[{"id":"poison","task":"crash","user":"mallory","max_attempts":2}]')`,
    )
    for (let n = 0; n < 2; n += 1) {
      const [agent] = await test.query<{ agent_id: string }>(
        `select agent_id from interlock.register_agent('flaps', '{default}', 1, p_host => 'box', p_pid => $1)`,
        [n],
      )
      await test.query('select interlock.absorb_touches()')
      await test.query('select * from interlock.claim_jobs($1)', [agent?.agent_id])
      await test.advanceClock(20)
      await test.query('select * from interlock.sweep_agent($1)', [agent?.agent_id])
    }
    expect((await runPsql(test.url, 'inspect/lost_attempts.sql')).stdout).toMatch(
      /poison +\| crash +\| mallory +\| failed +\| +2 \| \{flaps\.\d+,flaps\.\d+\}/,
    )
    expect((await runPsql(test.url, 'inspect/returning_agents.sql')).stdout).toMatch(
      /flaps +\| +2 \| +2 \| \{box\} +\| \{"its lease ended"\}/,
    )
  })

  it('violations.sql says so when something is wrong', async () => {
    const broken = await createTestDatabase({ violations: 'expected' })
    await broken.query(
      `insert into interlock.job_queue_state (resource, slot, active_job_id, fence) values ('user:x', 1, 'ghost', 1)`,
    )
    const { code, stdout } = await runPsql(broken.url, 'inspect/violations.sql')
    expect(code).toBe(0)
    expect(stdout).toMatch(/a slot is held by a job that does not hold it +\| user:x/)
    expect(stdout).toContain('Something is wrong')
    expect(stdout).not.toContain('Healthy')
  })

  it.each(questions)('%s changes nothing', async (name) => {
    // The server itself refuses a write; a question that needs one would fail.
    const { code, stderr } = await runPsql(busy.url, `inspect/${name}`, { variables, access: 'read only' })
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  })

  it('has made a queue with something of everything', async () => {
    const states = await busy.query('select status, count(*) from interlock.jobs group by status order by status')
    expect(states.map((row) => row.status)).toEqual(['deferred', 'failed', 'paused', 'pending', 'running', 'scheduled'])
    const reserved = await busy.query(
      'select resource from interlock.job_queue_state where reserved_lane_id is not null',
    )
    expect(reserved).toContainEqual({ resource: 'model:aura-sr' })
    expect(queue.agentId).toMatch(/^box\./)
  })

  it('reads as a menu line, and keeps to one clause a line', () => {
    for (const name of questions) {
      const text = readFileSync(`${folder}/${name}`, 'utf8')
      expect(text, name).toMatch(/^-- [A-Z]/)
      expect(text, name).not.toMatch(/^\s*(insert|update|delete)\b/im)
    }
  })
})
