import { randomBytes } from 'node:crypto'
import { describe, expect } from 'vitest'
import { KeyRing } from '../../src/security/key-ring.ts'
import { sealJobs } from '../../src/security/payload-encryption.ts'
import { enqueueJobs } from '../../src/store/jobs.ts'
import { type AgentWorld, testInWorld as it } from './agent-world.ts'

const ring = KeyRing.parse(`k1:${randomBytes(32).toString('base64')}`)
const other = KeyRing.parse(`k2:${randomBytes(32).toString('base64')}`)
const secret = 'planted-in-a-payload'
/** Says whether it can read its input, and not what that is. */
const tasks = {
  work: { command: ['sh', '-c', `grep -q ${secret} && echo '::interlock result {"read": true}'`] },
}

async function enqueue(world: AgentWorld, maxAttempts: number): Promise<string> {
  const jobs = sealJobs({ ring, tasks: [], queues: [] }, [
    { task: 'work', encrypt: true, max_attempts: maxAttempts, payload: { card: secret } },
  ])
  const [job] = await enqueueJobs(world.test.database, jobs)
  return job?.id ?? ''
}

describe.concurrent('an agent', () => {
  it('opens the payload of its job, which is in no line of its log', async ({ world }) => {
    await world.startAgent({ tasks, keyRing: ring })
    const job = await enqueue(world, 1)
    await world.untilStatus(job, 'completed')
    expect(await world.resultOf(job)).toEqual({ read: true })
    expect(JSON.stringify(world.log)).not.toContain(secret)
  })

  it('without the key does not run the job, and says why', async ({ world }) => {
    await world.startAgent({ tasks, keyRing: other })
    const job = await enqueue(world, 1)
    await world.untilStatus(job, 'failed')
    expect(await world.errorOf(job)).toMatchObject({ code: 'payload_unreadable' })
    expect(await world.outputOf(job)).toBe('')
    const line = world.log.find(({ message }) => message === 'the payload cannot be read')
    expect(String(line?.error)).toContain('is encrypted with the key k1, which is not here')
  })
})
