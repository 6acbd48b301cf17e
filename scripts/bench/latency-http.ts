import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { quantile } from './statistics.ts'

export interface HttpLatency {
  readonly jobs: number
  /** From before the POST until the database notes it as assigned. */
  readonly assignedMsMedian: number
  readonly assignedMsP99: number
  /** From before the POST until the job's process has printed its first line. */
  readonly firstLineMsMedian: number
}

/** One job at a time through HTTP on an idle system: a coordinator and an agent as `interlock up` starts them. */
export async function measureHttpLatency(jobs: number): Promise<HttpLatency> {
  const folder = await mkdtemp(join(tmpdir(), 'interlock-latency-'))
  // The embedded server runs as a user of its own where this one is root.
  await chmod(folder, 0o755)
  const configuration = join(folder, 'interlock.toml')
  await writeFile(configuration, '[tasks.now]\ncommand = ["date", "+%s.%N"]\n')
  const port = 7450 + Math.floor(Math.random() * 100)
  const program = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
  const options = ['up', '--config', configuration, '--data-dir', join(folder, 'data'), '--port', String(port)]
  const up = spawn(process.execPath, [program, ...options], { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  up.stderr.on('data', (chunk: Buffer) => {
    said += chunk
  })
  try {
    const url = `http://127.0.0.1:${port}`
    await untilReady(url)
    const assigned: number[] = []
    const firstLine: number[] = []
    // The first ten warm up plans and connections.
    for (let n = -10; n < jobs; n++) {
      const sentMs = performance.timeOrigin + performance.now()
      const response = await fetch(`${url}/jobs`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ task: 'now', user: `user${n}` }),
      })
      const { id } = (await response.json()) as { id: string }
      await fetch(`${url}/jobs/${id}/wait?timeout_seconds=10`)
      const timeline = (await (await fetch(`${url}/jobs/${id}/timeline`)).json()) as { events: TimelineEvent[] }
      const at = timeline.events.find((event) => event.event_type === 'assigned')?.created_at
      const output = await (await fetch(`${url}/jobs/${id}/output`)).text()
      const printedSeconds = Number(/\d+\.\d+/.exec(output.slice(output.indexOf('lines')))?.[0])
      if (n < 0 || at === undefined) continue
      assigned.push(new Date(at).getTime() - sentMs)
      firstLine.push(printedSeconds * 1000 - sentMs)
      await sleep(20)
    }
    return {
      jobs: assigned.length,
      assignedMsMedian: quantile(assigned, 0.5),
      assignedMsP99: quantile(assigned, 0.99),
      firstLineMsMedian: quantile(firstLine, 0.5),
    }
  } catch (error) {
    throw new Error(`it said: ${said}`, { cause: error })
  } finally {
    up.kill('SIGTERM')
    await once(up, 'exit')
    await rm(folder, { recursive: true, force: true })
  }
}

interface TimelineEvent {
  readonly event_type: string
  readonly created_at: string
}

async function untilReady(url: string): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    const isReady = await fetch(`${url}/readyz`).then(
      (response) => response.ok,
      () => false,
    )
    const agents = isReady ? await (await fetch(`${url}/agents`)).text() : ''
    if (agents.includes('active')) return
    await sleep(100)
  }
  throw new Error('the coordinator did not become ready')
}
