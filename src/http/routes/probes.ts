import { z } from 'zod'
import { askReadiness, type EventLoopWatch, readiness as readinessView } from '../readiness.ts'
import type { Answer, Route } from '../route.ts'
import type { Services } from '../services.ts'

const liveness = z.object({
  is_alive: z.literal(true),
  uptime_seconds: z.int(),
  event_loop_delay_ms: z.int().describe('The longest of the last ten to twenty seconds.'),
})

/**
 * For whoever starts and stops this process. `livez` says only that it runs: who restarts a process because the database
 * is away makes two outages of one. `readyz` says whether to send it work.
 */
export function probeRoutes({ readiness }: Services, eventLoop: EventLoopWatch): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/livez',
      scope: 'open',
      name: 'get_liveness',
      summary: 'Whether the server process runs; it says nothing of the database.',
      answers: { 200: liveness },
      answer: live,
      isQuiet: true,
    },
    {
      method: 'GET',
      path: '/readyz',
      scope: 'open',
      name: 'get_readiness',
      summary: 'Whether the server should be sent work, and if not, which check says why; it answers 503 then.',
      answers: { 200: readinessView, 503: readinessView },
      answer: ready,
      isQuiet: true,
    },
  ]

  async function live(): Promise<Answer> {
    return {
      status: 200,
      body: {
        is_alive: true,
        uptime_seconds: Math.round(process.uptime()),
        event_loop_delay_ms: eventLoop.worstDelayMs,
      },
    }
  }

  async function ready(): Promise<Answer> {
    const found = await askReadiness(readiness)
    return { status: found.is_ready ? 200 : 503, body: found }
  }
}
