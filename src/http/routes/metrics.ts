import { z } from 'zod'
import { metricsContentType } from '../../observability/metrics-text.ts'
import { withDeadline } from '../deadline.ts'
import type { Call, Exchange, Route } from '../route.ts'
import type { Services } from '../services.ts'

/** For Prometheus. Text, and whatever parameters a scraper adds are its own business. */
export function metricsRoutes({ metrics }: Services): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/metrics',
      scope: 'read',
      name: 'get_metrics',
      summary: 'The figures for Prometheus, as text.',
      answers: { 200: z.void() },
      stream: show,
      isQuiet: true,
    },
  ]

  async function show(_call: Call, { response }: Exchange): Promise<void> {
    const text = await withDeadline(metrics())
    response.status(200).set('Content-Type', metricsContentType).set('Cache-Control', 'no-cache').end(text)
  }
}
