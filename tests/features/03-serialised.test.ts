import { describe, expect, test } from 'vitest'
import { openHttpDoor } from '../http/http-door.ts'
import { TestAgent } from '../http/test-agent.ts'
import { createTestDatabase } from '../support/test-database.ts'

// The third test of the model coordinator's guide.

describe('feature 3: serialised mode, one job at a time in the whole system', () => {
  test('a job of another model waits all the same, first in first out, and a workflow counts as one', async () => {
    const db = await createTestDatabase()
    const door = await openHttpDoor(db)
    const agent = await TestAgent.register(db)
    await db.query(`select interlock.set_limit('limit:all', 1)`)
    await door.send('PUT', '/workflows/two', {
      body: JSON.stringify({
        steps: [
          { name: 'a', default_model: 'm1' },
          { name: 'b', default_model: 'm2' },
        ],
      }),
      headers: { 'content-type': 'application/json' },
    })
    const one = (await door.post('/jobs', { prompt: 'Generate image', model: 'flux-dev', job_type: 'image' })).json.id
    const two = (await door.post('/jobs', { prompt: 'Generate video', model: 'minimax/video-01', job_type: 'video' }))
      .json.id
    const run = (await door.post('/workflows/two/execute', {})).json.id
    const started: string[] = []
    for (const next of [two, run, null]) {
      const jobs = await agent.claim(4)
      expect(jobs).toHaveLength(1)
      const [job] = jobs
      if (job === undefined) throw new Error('there was nothing to claim')
      started.push(job.job_id)
      if (next !== null)
        expect((await door.get(`/jobs/${next}`)).json).toMatchObject({
          status: 'pending',
          blocked_by_job_id: job.job_id,
          conflict_reason: `Limit reached: limit:all in use by normal job ${job.job_id}`,
        })
      await agent.complete(job)
    }
    expect(started).toEqual([one, two, run])
    await door.server.stop()
  })
})
