import type { Scene } from './checks.ts'

/** The state in a few lines, for who reads about a failure. */
export function describe({ seen }: Scene): string {
  const jobsOf = (lane: string) =>
    seen.jobs.filter((job) => job.lane === lane && job.status === 'pending').map(({ id }) => id)
  const nameOf = (lane: string | null) => lane?.slice(0, 6)
  return [
    `at ${seen.now} s, ${seen.touches} touches, limits ${seen.limits.map(({ pattern, capacity, paused }) => `${pattern}=${capacity ?? 'unlimited'}${paused ? ' paused' : ''}`).join(', ') || 'none'}, paused queues: ${seen.pausedQueues.join(', ') || 'none'}`,
    ...seen.agents
      .filter(({ state }) => state !== 'gone')
      .map(
        ({ id, state, routes, active, slots, leaseUntil }) =>
          `agent ${id} ${state} ${routes.join(' ')} ${active}/${slots} until ${leaseUntil}`,
      ),
    ...seen.jobs
      .filter(({ status }) => status !== 'pending')
      .map(({ id, status, resources }) => `job ${id} ${status} [${resources.join(' ')}]`),
    ...seen.slots.map(
      ({ resource, slot, job, lane }) =>
        `slot ${resource} ${slot} ${job === null ? `reserved for ${nameOf(lane)}` : `held by ${job}`}`,
    ),
    ...seen.lanes
      .filter(({ rank, id }) => rank !== null || jobsOf(id).length > 0)
      .map(
        ({ id, route, task, resources, rank, blockedOn, reserving }) =>
          `lane ${nameOf(id)} ${route} ${task} [${resources.join(' ')}] rank ${rank === null ? '-' : rank / 1e6} ${blockedOn === null ? 'awake' : `parked on ${blockedOn}`}${reserving ? ' reserving' : ''}: ${jobsOf(id).join(' ') || 'nothing'}`,
      ),
  ].join('\n   ')
}
