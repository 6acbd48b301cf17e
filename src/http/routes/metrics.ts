import type { Response } from 'express'
import { metricsContentType } from '../../observability/metrics-text.ts'
import { withDeadline } from '../deadline.ts'
import type { Call, Route } from '../route.ts'
import type { Services } from '../services.ts'

/** For Prometheus. Text, and whatever parameters a scraper adds are its own business. */
export function metricsRoutes({ metrics }: Services): readonly Route[] {
  return [{ method: 'GET', path: '/metrics', stream: show, isQuiet: true }]

  async function show(_call: Call, response: Response): Promise<void> {
    const text = await withDeadline(metrics())
    response.status(200).set('Content-Type', metricsContentType).set('Cache-Control', 'no-cache').end(text)
  }
}
