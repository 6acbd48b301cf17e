import { askReadiness, type EventLoopWatch } from '../readiness.ts'
import type { Answer, Route } from '../route.ts'
import type { Services } from '../services.ts'

/**
 * For whoever starts and stops this process. `livez` says only that it runs: who restarts a process because the database
 * is away makes two outages of one. `readyz` says whether to send it work.
 */
export function probeRoutes({ readiness }: Services, eventLoop: EventLoopWatch): readonly Route[] {
  return [
    { method: 'GET', path: '/livez', scope: 'open', answer: live, isQuiet: true },
    { method: 'GET', path: '/readyz', scope: 'open', answer: ready, isQuiet: true },
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
