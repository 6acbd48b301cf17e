import type { JobRequest } from '../../src/domain/job-request.ts'
import type { Ending } from './checks/endings.ts'

/** A job of the demonstration, and how it is going to end. */
export interface PlannedJob {
  readonly request: JobRequest & { readonly id: string; readonly queue: string }
  readonly ends: Ending
}

export const models = { image: 'flux-dev', video: 'motion-2.0-fast' } as const

/** What the checks have to know of the plan. */
export const plan = {
  workflow: 'knight',
  crash: { id: 'crash-1', attempts: 2, delaySeconds: 1 },
  hang: { id: 'hang-1', timeoutSeconds: 2 },
  /** Of the queue `demo`, in scripts/demo/interlock.toml. */
  patienceSeconds: 3,
  usersWithRepositories: ['alice', 'bob', 'charlie'],
} as const

export interface Demonstration {
  /** Three users begin, and the second task of one waits for her first. */
  readonly opening: readonly PlannedJob[]
  /** Fills the last slot of the agent. */
  readonly firstImage: PlannedJob
  /** Runs on the agent that is going to be killed. */
  readonly doomed: (attempt: number) => PlannedJob
  /** A video, the workflow that needs both models, and the first of the stream. */
  readonly models: readonly PlannedJob[]
  readonly rest: readonly PlannedJob[]
  /** Enqueued by plain SQL. */
  readonly bySql: PlannedJob
  /** Of the stream that would starve the workflow: images and videos in turn. */
  readonly stream: (number: number) => PlannedJob
}

/**
 * The jobs of the demonstration, whose files go to the workspace. Ids are the same each time; `suffix` tells a further
 * performance in the same database from the first.
 */
export function demonstrationJobs(workspace: string, suffix = ''): Demonstration {
  const job = (
    id: string,
    task: string,
    { queue = 'demo', ...request }: Omit<Partial<JobRequest>, 'id' | 'task'>,
    ends: Ending = 'completed',
  ): PlannedJob => ({
    request: { payload: { workspace }, ...request, id: `${id}${suffix}`, task, queue },
    ends,
  })
  const edit = (user: string, number: number, text: string) =>
    job(`${user}-${number}`, 'edit-repo', { user, project: 'notes', payload: { workspace, text } })
  // The models are what is short here, so who needs them goes first: the agent's slots should not decide.
  const image = (number: number) =>
    job(`image-${number}`, 'render-image', { models: [models.image], kind: 'image', priority: 'high' })
  const video = (number: number) =>
    job(`video-${number}`, 'render-video', { models: [models.video], kind: 'video', priority: 'high' })

  return {
    opening: [
      edit('alice', 1, 'A knight rides out'),
      edit('alice', 2, 'The horse is tired'),
      edit('bob', 1, 'A dragon wakes'),
      edit('charlie', 1, 'The village sleeps'),
    ],
    firstImage: image(1),
    doomed: (attempt) =>
      job(`dave-${attempt}`, 'long-edit', { user: 'dave', queue: 'field', priority: 'critical', max_attempts: 3 }),
    // A video is older than the workflow and keeps one of its models; the next image and video are younger, the first of
    // the stream.
    models: [
      video(1),
      job(plan.workflow, 'knight-style', {
        user: 'erin',
        models: [models.image, models.video],
        kind: 'workflow',
        priority: 'high',
      }),
      image(2),
      video(2),
    ],
    rest: [
      edit('bob', 2, 'It is hungry'),
      edit('alice', 3, 'The knight walks'),
      job(
        plan.crash.id,
        'crash',
        { user: 'finn', max_attempts: plan.crash.attempts, retry_delays_seconds: [plan.crash.delaySeconds] },
        'failed',
      ),
      job(plan.hang.id, 'hang', { user: 'gina', timeout_seconds: plan.hang.timeoutSeconds, max_attempts: 1 }, 'failed'),
    ],
    bySql: edit('charlie', 2, 'A bell rings'),
    stream: (number) => (number % 2 === 1 ? image(3 + (number - 1) / 2) : video(2 + number / 2)),
  }
}
