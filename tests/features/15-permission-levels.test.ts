import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Doors, openDoors } from './cli-and-http.ts'

let doors: Doors
beforeAll(async () => {
  doors = await openDoors()
})
afterAll(() => doors.close())

const claimAs = async (agent: string) => {
  await doors.test.query('select interlock.absorb_touches(1000)')
  const [row] = await doors.test.query<{ jobs: readonly { job_id: string }[] }>(
    'select jobs from interlock.claim_jobs($1, null, 10)',
    [agent],
  )
  return row?.jobs.map((job) => job.job_id)
}
const register = async (name: string, levels: readonly string[]) => {
  const [row] = await doors.test.query<{ agent_id: string }>(
    `select agent_id from interlock.register_agent($1, '{high,default,low}', 10, null, $2, p_lease_seconds => 600)`,
    [name, levels],
  )
  return row?.agent_id ?? ''
}

describe('15. Permission levels: who may claim what, and human_required waits for an approval', () => {
  it('keeps a human_required job from every agent until a person approves it, by HTTP; audited', async () => {
    const trusted = await register('trusted', ['autonomous', 'supervised', 'human_required'])
    const { json } = await doors.http.post('/jobs', {
      task: 'deploy',
      id: 'deploy-1',
      permission_level: 'human_required',
    })
    expect(json).toMatchObject({ status: 'paused', approved_at: null })
    expect(await claimAs(trusted)).toEqual([])
    expect(await doors.http.post('/jobs/deploy-1/start')).toMatchObject({
      status: 403,
      json: { code: 'not_permitted' },
    })
    expect((await doors.http.get('/jobs/deploy-1/explain')).json.sentence).toContain('waits for an approval')

    const approved = await doors.http.post('/jobs/deploy-1/approve', { actor: 'ann', reason: 'read the diff' })
    expect(approved).toMatchObject({
      status: 200,
      json: { status: 'pending', job: { approved_at: expect.any(String) } },
    })
    expect(await claimAs(doors.agent.id)).toEqual([])
    expect(await claimAs(trusted)).toEqual(['deploy-1'])
    const { json: timeline } = await doors.http.get('/jobs/deploy-1/timeline')
    const event = timeline.events.find(({ event_type }: Record<string, string>) => event_type === 'approved')
    expect(event).toMatchObject({
      actor: 'ann',
      conflict_reason: 'read the diff',
      from_status: 'paused',
      to_status: 'pending',
    })
  })

  it('rejects from the command line: cancelled, with the reason', async () => {
    await doors.http.post('/jobs', { task: 'deploy', id: 'deploy-2', permission_level: 'human_required' })
    const dry = await doors.interlock('job', 'reject', 'deploy-2', '--dry-run')
    expect(dry.stdout).toBe('would reject deploy-2: paused -> cancelled\n')
    const rejected = await doors.interlock('job', 'reject', 'deploy-2', '--reason', 'not on a Friday')
    expect(rejected).toMatchObject({ code: 0, stdout: 'deploy-2 cancelled\n' })
    expect((await doors.http.get('/jobs/deploy-2')).json).toMatchObject({
      status: 'cancelled',
      reason: 'not on a Friday',
    })
    expect(await doors.interlockOnDatabase('job', 'approve', 'deploy-2')).toMatchObject({ code: 4 })
  })

  it('gives supervised jobs to agents that registered for them alone', async () => {
    const supervised = await register('supervised', ['supervised'])
    await doors.http.post('/jobs', { task: 'refactor', id: 'refactor-1', permission_level: 'supervised' })
    expect(await claimAs(doors.agent.id)).toEqual([])
    expect(await claimAs(supervised)).toEqual(['refactor-1'])
  })

  it('takes one that was approved elsewhere, by name', async () => {
    const body = { task: 'deploy', id: 'deploy-3', permission_level: 'human_required', approved_by: 'bob' }
    expect((await doors.http.post('/jobs', body)).json).toMatchObject({ status: 'pending' })
    const wrong = await doors.http.post('/jobs', { task: 'deploy', approved_by: 'bob' })
    expect(wrong).toMatchObject({ status: 422, json: { field: 'approved_by' } })
  })
})
