import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type HttpDoor, openHttpDoor } from '../http/http-door.ts'
import { type Claimed, TestAgent } from '../http/test-agent.ts'
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts'
import { type CliResult, runCli } from './run-cli.ts'

let test: TestDatabase
let door: HttpDoor
let agent: TestAgent

beforeAll(async () => {
  test = await createTestDatabase()
  door = await openHttpDoor(test)
  agent = await TestAgent.register(test, { slots: 20 })
})
afterAll(() => door.server.stop())

async function ask(user: string, fields: Record<string, unknown> = {}): Promise<{ job: Claimed; id: string }> {
  const task = { task: 'edit-repo', user, models: [user] }
  await test.query('select interlock.enqueue_jobs($1)', [JSON.stringify([task])])
  const job = await agent.claimOne()
  const { json } = await door.post(`/jobs/${job.job_id}/requests`, { token: job.token, message: 'Deploy?', ...fields })
  return { job, id: json.id }
}

describe.each(['a database', 'HTTP'] as const)('interlock questions over %s', (kind) => {
  const user = (name: string): string => `${name}-${kind === 'HTTP' ? 'h' : 'd'}`
  const env = (): Record<string, string> => (kind === 'HTTP' ? { INTERLOCK_URL: door.url } : { DATABASE_URL: test.url })
  const interlock = (...args: string[]): Promise<CliResult> => runCli(args, { env: env() })

  it('lists who waits for a person; job show and explain say so', async () => {
    const { job, id } = await ask(user('ann'), { request_type: 'clarification', message: 'Which branch?' })
    const [listed, shown, explained] = await Promise.all([
      interlock('questions', 'list', '--job', job.job_id),
      interlock('job', 'show', job.job_id),
      interlock('job', 'explain', job.job_id),
    ])
    expect(listed.stdout).toMatch(new RegExp(`${id} +${job.job_id} +${user('ann')} +clarification .*Which branch\\?`))
    expect(shown.stdout).toContain(`an answer of a person to "Which branch?" (clarification ${id})`)
    expect(explained.stdout).toContain(`and waits for an answer of a person to "Which branch?" (clarification ${id},`)
    await agent.complete(job)
    expect((await interlock('questions', 'list', '--job', job.job_id)).stdout).toBe('nobody asks anything\n')
    const json = JSON.parse(
      (await interlock('questions', 'list', '--job', job.job_id, '--status', 'all', '--json')).stdout,
    )
    expect(json).toMatchObject([{ id, status: 'closed' }])
  })

  it('answers once, shows what it answers, and what was answered', async () => {
    const { job, id } = await ask(user('bob'), {
      request_type: 'approval',
      context: { to: 'production' },
      release_models: true,
    })
    const [dry, wrong, unknown] = await Promise.all([
      interlock('questions', 'answer', id, '--type', 'approval', '--dry-run'),
      interlock('questions', 'answer', id, 'sure'),
      interlock('questions', 'answer', 'q-z9', 'sure'),
    ])
    expect(dry.code).toBe(0)
    expect(dry.stdout).toMatch(/status +open[\s\S]*production/)
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('takes approval or rejection') })
    expect(unknown.code).toBe(3)
    const args = ['questions', 'answer', id, 'slowly', '--type', 'approval', '--by', 'alice']
    const answered = await interlock(...args, '--instruction', 'pull', '--instruction', 'build')
    expect(answered, answered.stderr).toMatchObject({ code: 0 })
    expect(answered.stdout).toBe(
      `${id} of job ${job.job_id}: approval; the job takes model:${user('bob')} again first\n`,
    )
    const [again, shown] = await Promise.all([interlock(...args), interlock('questions', 'show', id)])
    expect(again).toMatchObject({ code: 4, stderr: expect.stringContaining('was answered already by alice') })
    expect(shown.stdout).toMatch(/answer +approval: slowly[\s\S]*pull\n +build[\s\S]*alice \(human\)/)
    await agent.complete(job)
  })
})
