import type { EventLoopWatch } from '../readiness.ts'
import type { Route } from '../route.ts'
import type { Services } from '../services.ts'
import { agentRoutes } from './agents.ts'
import { historyRoutes } from './history.ts'
import { jobChangeRoutes } from './job-changes.ts'
import { jobOutputRoutes } from './job-output.ts'
import { jobStoryRoutes } from './job-story.ts'
import { jobWaitRoutes } from './job-wait.ts'
import { jobRoutes } from './jobs.ts'
import { lockRoutes } from './locks.ts'
import { probeRoutes } from './probes.ts'
import { queueRoutes } from './queue.ts'
import { scheduleRoutes } from './schedules.ts'

/** Everything that can be asked over HTTP. The first route that fits answers. */
export function allRoutes(services: Services, eventLoop: EventLoopWatch): readonly Route[] {
  return [
    ...jobRoutes(services),
    ...jobChangeRoutes(services),
    ...jobOutputRoutes(services),
    ...jobStoryRoutes(services),
    ...jobWaitRoutes(services),
    ...queueRoutes(services),
    ...lockRoutes(services),
    ...agentRoutes(services),
    ...scheduleRoutes(services),
    ...historyRoutes(services),
    ...probeRoutes(services, eventLoop),
  ]
}
