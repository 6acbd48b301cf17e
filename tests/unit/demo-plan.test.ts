import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { demonstrationJobs, plan } from '../../scripts/demo/demonstration.ts'
import { loadConfig } from '../../src/config.ts'
import { checkJobRequest } from '../../src/domain/job-request.ts'

const file = fileURLToPath(new URL('../../scripts/demo/interlock.toml', import.meta.url))

function allJobs(suffix?: string) {
  const { opening, firstImage, doomed, models, rest, bySql, stream } = demonstrationJobs('/workspace', suffix)
  const numbered = Array.from({ length: 12 }, (_, index) => stream(index + 1))
  return [...opening, firstImage, doomed(1), doomed(2), ...models, ...rest, bySql, ...numbered]
}

describe('the plan of the demonstration', () => {
  const { config } = loadConfig({ file, environment: {} })

  it('asks only for tasks and queues that its configuration has', () => {
    for (const { request } of allJobs()) {
      expect(Object.keys(config.tasks)).toContain(request.task)
      expect(config.agent.queues).toContain(request.queue)
      expect(Object.keys(config.queues)).toContain(request.queue)
    }
  })

  it('makes requests that the doors accept, each with an id of its own', () => {
    const requests = allJobs('-x1').map(({ request }) => checkJobRequest(request))
    const ids = requests.map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids).toContain('knight-x1')
  })

  it('counts with the patience that its queue has', () => {
    expect(config.queues.demo?.patience_seconds).toBe(plan.patienceSeconds)
  })
})
