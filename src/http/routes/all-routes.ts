import type { EventLoopWatch } from '../readiness.ts'
import type { Route } from '../route.ts'
import type { Services } from '../services.ts'
import { agentCallRoutes } from './agent-calls.ts'
import { agentRoutes } from './agents.ts'
import { alarmRoutes } from './alarms.ts'
import { backlogLimitRoutes } from './backlog-limits.ts'
import { bulkChangeRoutes } from './bulk-changes.ts'
import { deadLetterRoutes } from './dead-letters.ts'
import { eventRoutes } from './events.ts'
import { historyRoutes } from './history.ts'
import { jobChangeRoutes } from './job-changes.ts'
import { jobHeartbeatRoutes } from './job-heartbeat.ts'
import { jobHolderRoutes } from './job-holder.ts'
import { jobOutputRoutes } from './job-output.ts'
import { jobStoryRoutes } from './job-story.ts'
import { jobWaitRoutes } from './job-wait.ts'
import { jobRoutes } from './jobs.ts'
import { keyRoutes } from './keys.ts'
import { lockRoutes } from './locks.ts'
import { metricsRoutes } from './metrics.ts'
import { probeRoutes } from './probes.ts'
import { questionRoutes } from './questions.ts'
import { queueRoutes } from './queue.ts'
import { queuePolicyRoutes } from './queues.ts'
import { resourceRoutes } from './resources.ts'
import { scheduleRoutes } from './schedules.ts'
import { workflowCancelRoutes } from './workflow-cancel.ts'
import { workflowRoutes } from './workflows.ts'

/** Everything that can be asked over HTTP. The first route that fits answers. */
export function allRoutes(services: Services, eventLoop: EventLoopWatch): readonly Route[] {
  return [
    ...jobRoutes(services),
    ...jobChangeRoutes(services),
    ...bulkChangeRoutes(services),
    ...deadLetterRoutes(services),
    ...jobHeartbeatRoutes(services),
    ...jobOutputRoutes(services),
    ...jobStoryRoutes(services),
    ...jobWaitRoutes(services),
    ...queueRoutes(services),
    ...questionRoutes(services),
    ...queuePolicyRoutes(services),
    ...backlogLimitRoutes(services),
    ...resourceRoutes(services),
    ...lockRoutes(services),
    ...workflowRoutes(services),
    ...workflowCancelRoutes(services),
    ...jobHolderRoutes(services),
    ...agentRoutes(services),
    ...agentCallRoutes(services),
    ...scheduleRoutes(services),
    ...historyRoutes(services),
    ...keyRoutes(services),
    ...metricsRoutes(services),
    ...alarmRoutes(services),
    ...eventRoutes(services),
    ...probeRoutes(services, eventLoop),
  ]
}
