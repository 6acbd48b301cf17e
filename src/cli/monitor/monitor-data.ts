import type { AlarmView } from '../../domain/alarm.ts'
import type { Allocation } from '../../domain/allocation.ts'
import type { Explanation } from '../../domain/explanation.ts'
import type { JobView } from '../../domain/job-view.ts'
import type { RequestView } from '../../domain/question-view.ts'
import type { QueueStatus } from '../../domain/queue-status.ts'
import type { QueueView } from '../../domain/queue-view.ts'
import type { AgentsNow, Backend } from '../backend.ts'

/** All that one look at the system brings; its texts are printable. */
export interface MonitorData {
  readonly status: QueueStatus
  readonly agents: AgentsNow
  readonly allocation: Allocation
  readonly queues: readonly QueueView[]
  /** Those that were raised and are not over, the latest first. */
  readonly alarms: readonly AlarmView[]
}

/** What the page of one job shows. */
export interface JobDetails {
  readonly job: JobView
  readonly explanation: Explanation
  readonly requests: readonly RequestView[]
  /** The last lines that it wrote. */
  readonly output: readonly OutputLine[]
}

export interface OutputLine {
  readonly stream: 'stdout' | 'stderr' | 'system'
  readonly text: string
}

export async function readMonitorData(backend: Backend): Promise<MonitorData> {
  const [status, agents, allocation, queues, alarms] = await Promise.all([
    backend.queueStatus(),
    backend.agents(),
    backend.allocation(),
    backend.queues(),
    backend.alarms(),
  ])
  return { status, agents, allocation, queues, alarms }
}
