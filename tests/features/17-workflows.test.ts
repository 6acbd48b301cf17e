import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { testInWorld } from '../agent/agent-world.ts'
import { temporaryFolder } from '../cli/run-cli.ts'
import type { HttpDoor, Reply } from '../http/http-door.ts'
import type { TestAgent } from '../http/test-agent.ts'
import type { TestDatabase } from '../support/test-database.ts'
import { waitFor } from '../support/wait-for.ts'
import { type Doors, openDoors } from './cli-and-http.ts'

let doors: Doors
let db: TestDatabase
let door: HttpDoor
let agent: TestAgent

beforeAll(async () => {
  doors = await openDoors()
  ;({ test: db, http: door, agent } = doors)
})
afterAll(() => doors.close())

const put = (id: string, body: unknown): Promise<Reply> =>
  door.send('PUT', `/workflows/${id}`, {
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  })
const steps = [
  { name: 'style', default_model: 'nano-banana-pro-leonardo' },
  { name: 'animate', task: 'video', default_model: 'motion-2.0-fast' },
  { name: 'polish', default_model: 'nano-banana-pro-leonardo', payload: { strength: 2 } },
  { name: 'notify' },
]
const execution = async (id: string) => (await door.get(`/workflow-executions/${id}`)).json
const counts = () =>
  db.query(`select (select count(*) from interlock.jobs) as jobs, (select count(*) from interlock.workflows) as workflows,
    (select sum(version) from interlock.workflows) as versions, (select count(*) from interlock.job_queue_log) as log,
    (select count(*) from interlock.workflow_executions) as executions, (select count(*) from interlock.idempotency_keys) as keys`)

describe('feature 17: workflows with steps and a default model for each', () => {
  it('are applied and shown with the models that they require, and the same definition again changes nothing', async () => {
    const applied = await put('knight', { title: 'Knight', priority: 'high', steps })
    expect(applied).toMatchObject({
      status: 201,
      json: {
        id: 'knight',
        version: 1,
        hold: 'run',
        task: 'knight',
        priority: 1,
        required_models: ['nano-banana-pro-leonardo', 'motion-2.0-fast'],
        changed: true,
      },
    })
    expect(await put('knight', { id: 'knight', title: 'Knight', priority: 1, steps })).toMatchObject({
      status: 200,
      json: { version: 1, changed: false },
    })
    expect((await put('knight', { priority: 'high', steps })).json).toMatchObject({ version: 2, title: null })
    expect((await door.get('/workflows/knight')).json).toMatchObject({ version: 2 })
    expect((await door.get('/workflows')).json.workflows).toMatchObject([{ id: 'knight' }])
    expect((await door.get('/workflows/nothing')).json).toMatchObject({ status: 404, code: 'workflow_not_found' })
    const rows = await db.query(`select step, default_model, task from interlock.workflow_steps order by place`)
    expect(rows).toMatchObject([{ step: 'style' }, { step: 'animate', task: 'video' }, {}, { default_model: null }])
  })

  it('holding all models for the whole run: one job, whose holder says at which step it is', async () => {
    await put('held', { steps, queue: 'default', max_attempts: 2 })
    const run = (
      await door.post('/workflows/held/execute', {
        input: { image: 'x.jpg' },
        user: 'alice',
        priority: 'low',
        models: { animate: 'motion-3.0' },
        id: 'held-1',
      })
    ).json
    expect(run).toMatchObject({
      id: 'held-1',
      status: 'pending',
      current_step: null,
      required_models: ['nano-banana-pro-leonardo', 'motion-3.0'],
      job_ids: ['held-1'],
      user: 'alice',
    })
    expect((await door.get('/jobs/held-1')).json).toMatchObject({
      kind: 'workflow',
      task: 'held',
      priority: 'low',
      resources: ['user:alice', 'model:motion-3.0', 'model:nano-banana-pro-leonardo'],
      payload: {
        workflow_id: 'held',
        execution_id: 'held-1',
        input: { image: 'x.jpg' },
        steps: [
          { name: 'style', task: 'style', model: 'nano-banana-pro-leonardo' },
          { name: 'animate', task: 'video', model: 'motion-3.0' },
          { name: 'polish', payload: { strength: 2 } },
          { name: 'notify' },
        ],
      },
    })
    // A change of the definition is for the next ones.
    await put('held', { steps: [{ name: 'other', default_model: 'flux' }] })
    const job = await agent.claimOne()
    expect(await execution('held-1')).toMatchObject({ status: 'running', current_step_name: 'style', version: 1 })
    const say = (step: string, token = job.token) =>
      db.query('select interlock.report_step($1, $2, $3)', [job.job_id, token, step])
    await say('animate')
    expect(await execution('held-1')).toMatchObject({ current_step: 2, current_step_model: 'motion-3.0' })
    await expect(say('other')).rejects.toMatchObject({ code: 'invalid_argument', field: 'step' })
    await expect(say('polish', 0)).rejects.toMatchObject({ code: 'stale_token' })
    // Another attempt begins anew.
    await agent.fail(job, 'out of memory', 'now')
    const again = await agent.claimOne()
    expect(await execution('held-1')).toMatchObject({ current_step: 1 })
    await say('notify', again.token)
    expect(await execution('held-1')).toMatchObject({ current_step_name: 'notify', current_step_model: null })
    await agent.complete(again, { ok: true })
    expect(await execution('held-1')).toMatchObject({ status: 'completed', current_step_name: 'notify' })
    expect((await execution('held-1')).finished_at).not.toBeNull()
    expect((await door.post('/workflows/held/execute', {})).json).toMatchObject({
      version: 2,
      required_models: ['flux'],
    })
    await agent.complete(await agent.claimOne())
  })

  it('holding by step: a job for each step with its own model, each after the one before, until the last has ended', async () => {
    await put('stepwise', { hold: 'step', steps })
    const { id } = (await door.post('/workflows/stepwise/execute', { input: { a: 1 }, user: 'bob' })).json
    expect((await door.get(`/jobs/${id}.2`)).json).toMatchObject({
      status: 'deferred',
      task: 'video',
      kind: 'workflow',
      resources: ['user:bob', 'model:motion-2.0-fast'],
      payload: {
        execution_id: id,
        step: 'animate',
        model: 'motion-2.0-fast',
        input: { a: 1 },
        previous_job_id: `${id}.1`,
      },
    })
    const seen: unknown[] = []
    for (let step = 1; step <= 4; step += 1) {
      const { status, current_step, current_step_model, required_models } = await execution(id)
      seen.push([status, current_step, current_step_model])
      expect(required_models).toEqual(['nano-banana-pro-leonardo', 'motion-2.0-fast'])
      const jobs = await agent.claim(5)
      expect(jobs.map((job) => job.job_id)).toEqual([`${id}.${step}`])
      await agent.complete(jobs[0] as never)
    }
    expect(seen).toEqual([
      ['pending', 1, 'nano-banana-pro-leonardo'],
      ['running', 2, 'motion-2.0-fast'],
      ['running', 3, 'nano-banana-pro-leonardo'],
      ['running', 4, null],
    ])
    expect(await execution(id)).toMatchObject({ status: 'completed', current_step: 4 })
  })

  it('by step: a step that fails for good stops the execution, and one that is cancelled ends it', async () => {
    const { id } = (await door.post('/workflows/stepwise/execute', {})).json
    await agent.fail(await agent.claimOne(), 'no disk')
    await db.query('select * from interlock.settle_dependents()')
    expect(await execution(id)).toMatchObject({ status: 'failed', current_step: 1 })
    await door.post(`/jobs/${id}.1/requeue`, {})
    await agent.complete(await agent.claimOne())
    expect(await execution(id)).toMatchObject({ status: 'running', current_step: 2 })
    await door.post(`/jobs/${id}.2/cancel`, { reason: 'not wanted' })
    await db.query('select * from interlock.settle_dependents()')
    expect(await execution(id)).toMatchObject({ status: 'cancelled', current_step: 2 })
    expect(await db.query('select from interlock.jobs where id like $1', [`${id}.%`])).toEqual([])
  })

  it('as a whole is cancelled by one call, whatever of it waits or runs, with a reason for the log of each job', async () => {
    const { id } = (await door.post('/workflows/stepwise/execute', { input: {} })).json
    const first = await agent.claimOne()
    expect(await door.post(`/workflow-executions/${id}/cancel`, { reason: 'wrong picture' })).toMatchObject({
      status: 202,
      json: {
        id,
        status: 'cancelling',
        cancelled: [2, 3, 4].map((step) => `${id}.${step}`),
        asked: [`${id}.1`],
        execution: { workflow_id: 'stepwise' },
      },
    })
    await db.query('select interlock.confirm_cancel($1, $2)', [first.job_id, first.token])
    await db.query('select * from interlock.settle_dependents()')
    expect(await execution(id)).toMatchObject({ status: 'cancelled', current_step: 1 })
    const story = (await door.get(`/jobs/${id}.3/timeline`)).json
    expect(JSON.stringify(story)).toContain('wrong picture')
    expect((await door.post(`/workflow-executions/${id}/cancel`, {})).json).toMatchObject({ status: 409 })
    expect((await door.post('/workflow-executions/nothing/cancel', {})).json).toMatchObject({ status: 404 })
  })

  it('an agent of any language says over HTTP at which step a run is, with its token', async () => {
    await put('told', { steps, queue: 'default' })
    await door.post('/workflows/told/execute', { input: {}, id: 'told-1' })
    const job = await agent.claimOne()
    const say = (step: unknown, token = job.token) => door.post('/jobs/told-1/step', { token, step })
    expect(await say('animate')).toMatchObject({ status: 200, json: { job_id: 'told-1' } })
    expect(await execution('told-1')).toMatchObject({ current_step: 2, current_step_name: 'animate' })
    expect((await say('nowhere')).json).toMatchObject({ status: 422, field: 'step' })
    expect((await say(7)).json).toMatchObject({ status: 422, field: 'step' })
    expect((await say('polish', 0)).json).toMatchObject({ status: 409, code: 'stale_token' })
    expect(await execution('told-1')).toMatchObject({ current_step: 2 })
    await agent.complete(job)
  })

  it('answers a repeated request with the same execution, and refuses its key for another one', async () => {
    const key = { 'idempotency-key': 'once' }
    const first = await door.post('/workflows/knight/execute', { input: { a: 1 } }, key)
    const again = await door.post('/workflows/knight/execute', { input: { a: 1 } }, key)
    expect(again.json).toEqual(first.json)
    expect(again.headers.get('idempotency-replayed')).toBe('true')
    expect((await door.post('/workflows/knight/execute', { input: { a: 2 } }, key)).json).toMatchObject({
      status: 409,
      field: 'idempotency_key',
    })
    await door.post(`/jobs/${first.json.id}/cancel`, {})
  })

  const one = { name: 'a' }
  it.each([
    [{ steps: 'a' }, 'steps'],
    [{ steps: [] }, 'steps'],
    [{ steps: [one], hold: 'both' }, 'hold'],
    [{ steps: [one], colour: 'red' }, 'colour'],
    [{ steps: [one], title: '' }, 'title'],
    [{ steps: [one], task: 'a b' }, 'task'],
    [{ steps: [one], queue: 'nowhere' }, 'queue'],
    [{ steps: [one], priority: 'urgent' }, 'priority'],
    [{ steps: [one], permission_level: 'none' }, 'permission_level'],
    [{ steps: [one], timeout_seconds: 0 }, 'timeout_seconds'],
    [{ steps: [one], max_attempts: 1.5 }, 'max_attempts'],
    [{ steps: [one, 7] }, 'steps[1]'],
    [{ steps: [one, {}] }, 'steps[1].name'],
    [{ steps: [{ name: 'a b' }] }, 'steps[0].name'],
    [{ steps: [one, one] }, 'steps[1].name'],
    [{ steps: [{ ...one, model: 'flux' }] }, 'steps[0].model'],
    [{ steps: [{ ...one, default_model: 'f*' }] }, 'steps[0].default_model'],
    [{ steps: [{ ...one, task: '' }] }, 'steps[0].task'],
    [{ steps: [{ ...one, payload: [] }] }, 'steps[0].payload'],
    [{ steps: [{ ...one, resources: 'gpu' }] }, 'steps[0].resources'],
    [{ steps: [{ ...one, timeout_seconds: '9' }] }, 'steps[0].timeout_seconds'],
    [{ steps: Array.from({ length: 32 }, (_, n) => ({ name: `s${n}`, default_model: `m${n}` })) }, 'steps'],
  ])('refuses the definition %j by name, over HTTP and in SQL, and writes nothing', async (body, field) => {
    const before = await counts()
    expect((await put('wrong', body)).json).toMatchObject({
      status: 422,
      field: field === 'queue' ? field : expect.stringContaining(field),
    })
    const call = db.query('select * from interlock.apply_workflow($1)', [JSON.stringify({ id: 'wrong', ...body })])
    await expect(call).rejects.toMatchObject({ field })
    expect(await counts()).toEqual(before)
  })

  it.each([
    [{ input: 7 }, 'input'],
    [{ input: {}, colour: 'red' }, 'colour'],
    [{ input: {}, user: '' }, 'user'],
    [{ input: {}, models: ['x'] }, 'models'],
    [{ input: {}, models: { nowhere: 'flux' } }, 'models.nowhere'],
    [{ input: {}, models: { style: 'f*' } }, 'models.style'],
    [{ input: {}, id: 'a b' }, 'id'],
    [{ input: {}, priority: 9 }, 'priority'],
    [{ input: {}, queue: 'nowhere' }, 'queue'],
    [{ input: {}, delay_seconds: -1 }, 'delay_seconds'],
    [{ input: {}, depends_on: ['nobody'] }, 'depends_on'],
  ])('refuses the request %j by name, over HTTP and in SQL, and writes nothing', async (body, field) => {
    const before = await counts()
    expect((await door.post('/workflows/knight/execute', body)).json).toMatchObject({ status: 422, field })
    const call = db.query(`select * from interlock.execute_workflow('knight', $1)`, [JSON.stringify(body)])
    await expect(call).rejects.toMatchObject({ field })
    expect(await counts()).toEqual(before)
  })

  it('takes no second execution of one id, and none of a workflow that is not there', async () => {
    expect((await door.post('/workflows/knight/execute', { input: {}, id: 'held-1' })).json).toMatchObject({
      status: 409,
      code: 'idempotency_conflict',
    })
    expect((await door.post('/workflows/nothing/execute', {})).json).toMatchObject({ status: 404 })
    expect((await door.get('/workflow-executions/nothing')).json).toMatchObject({ status: 404, code: 'job_not_found' })
    expect((await put('knight', { id: 'other', steps })).json).toMatchObject({ status: 422, field: 'id' })
  })

  it.each(['HTTP', 'a database'])('is there on the command line, over %s', async (kind) => {
    const cli = kind === 'HTTP' ? doors.interlock : doors.interlockOnDatabase
    const id = kind === 'HTTP' ? 'by-http' : 'by-database'
    const folder = await temporaryFolder()
    const file = join(folder, 'flows.toml')
    const text = (model: string) =>
      `[[workflows]]\nid = "${id}"\n[[workflows.steps]]\nname = "style"\ndefault_model = "${model}"\n[[workflows.steps]]\nname = "send"\n`
    await writeFile(file, text('flux'))
    const interlock = (...args: string[]) => cli('workflow', ...args)
    expect(await interlock('apply', file, '--dry-run')).toMatchObject({
      code: 0,
      stdout: `would be new: ${id} (version 1)\n`,
    })
    expect((await interlock('apply', file)).stdout).toBe(`new: ${id} (version 1)\n`)
    if (kind === 'HTTP')
      expect((await interlock('apply', file, '--dry-run')).stdout).toBe(`would be unchanged: ${id} (version 1)\n`)
    await writeFile(file, text('flux-2'))
    expect((await interlock('apply', file)).stdout).toBe(`changed: ${id} (version 2)\n`)
    expect((await interlock('list')).stdout).toMatch(new RegExp(`${id} +2 +all +style, send +flux-2`))
    const dry = await interlock('run', id, '--model', 'style=other', '--dry-run')
    expect(dry.stdout).toContain(`would run ${id}, version 2`)
    const run = await interlock(
      'run',
      id,
      '--id',
      `${id}-1`,
      '--user',
      'carol',
      '--input',
      '{"a": 1}',
      '--model',
      'style=mine',
    )
    expect(run).toMatchObject({ code: 0, stderr: '' })
    expect(run.stdout).toMatch(/status +pending/)
    expect(run.stdout).toMatch(/models +mine/)
    const shown = JSON.parse((await interlock('show', `${id}-1`, '--json')).stdout)
    expect(shown).toMatchObject({ id: `${id}-1`, user: 'carol', input: { a: 1 } })
    await door.post(`/jobs/${id}-1/cancel`, {})
  })

  it.each(['HTTP', 'a database'])('is cancelled from the command line, over %s', async (kind) => {
    const cli = kind === 'HTTP' ? doors.interlock : doors.interlockOnDatabase
    const interlock = (...args: string[]) => cli('workflow', ...args)
    const id = kind === 'HTTP' ? 'ended-by-http' : 'ended-by-database'
    await door.post('/workflows/knight/execute', { input: {}, id })
    expect((await interlock('cancel', `${id}`, '--dry-run')).stdout).toBe(`would cancel ${id}: pending -> cancelled\n`)
    expect((await interlock('cancel', `${id}`, '--reason', 'wrong picture')).stdout).toBe(
      `${id} cancelled\ncancelled: ${id}\n`,
    )
    expect((await interlock('cancel', `${id}`, '--dry-run')).stdout).toContain('would be refused')
    expect(await interlock('cancel', `${id}`)).toMatchObject({ code: 4 })
    expect(await interlock('cancel', 'nothing')).toMatchObject({ code: 3 })
  })

  it('ends with 2 and the place of a mistake in the file, and with 3 for what is not there', async () => {
    const file = join(await temporaryFolder({ 'flow.toml': 'id = "x"\n[[steps]]\nname = "a b"\n' }), 'flow.toml')
    const interlock = (...args: string[]) => doors.interlock('workflow', ...args)
    const wrong = await interlock('apply', file)
    expect(wrong.code).toBe(2)
    expect(wrong.stderr).toContain('flow.toml: steps[0].name must be 1 to 100 letters')
    await writeFile(file, 'id = \n')
    expect((await interlock('apply', file)).stderr).toMatch(/flow\.toml:1:\d+ is not TOML/)
    expect(await interlock('run', 'nothing')).toMatchObject({ code: 3 })
  })

  testInWorld(
    'a command says its step by a line on stdout, and a word that is no step does it no harm',
    async ({ world }) => {
      await world.test.query('select * from interlock.apply_workflow($1)', [
        JSON.stringify({
          id: 'shell',
          queue: 'default',
          steps: [{ name: 'one', default_model: 'm' }, { name: 'two' }],
        }),
      ])
      const script =
        'echo ::interlock step one; echo ::interlock step nonsense; echo ::interlock step two; read job; echo ready; sleep 60'
      await world.startAgent({ tasks: { shell: { command: ['sh', '-c', script], timeoutSeconds: 60 } } })
      await world.test.query(`select * from interlock.execute_workflow('shell', '{"id": "run"}')`)
      const step = async () => {
        const [row] = await world.test.query<{ name: string }>(
          `select current_step_name as name from interlock.workflow_progress where id = 'run' and status = 'running'`,
        )
        return row?.name
      }
      await waitFor(async () => (await step()) === 'two', { what: 'the second step' })
      const said = await world.test.query(
        `select details ->> 'step' as step, details ->> 'model' as model from interlock.job_queue_log where event_type = 'step' order by id`,
      )
      expect(said).toEqual([
        { step: 'one', model: 'm' },
        { step: 'two', model: null },
      ])
      expect(world.log).toContainEqual(expect.objectContaining({ message: 'a step was refused', step: 'nonsense' }))
    },
  )
})
