import type { EngineWorld } from './engine-world.ts'

/** What stands in whose way, found the long way: from the rows, by rules written down a second time. */
export interface Truth {
  /** The resources that the job needs and its lane cannot use now. */
  blockersOf(jobId: string): readonly string[]
  holdersOf(resource: string): readonly string[]
  isPaused(jobId: string): boolean
}

interface Job {
  readonly id: string
  readonly queue: string
  readonly route: string
  readonly task: string
  readonly resources: readonly string[]
  readonly lane: string
  readonly seniority: string
}
interface Lane {
  readonly id: string
  readonly rank: string | null
  readonly on: string | null
  readonly reserving: boolean
  readonly route: string
  readonly task: string
  readonly resources: readonly string[]
}
interface Slot {
  readonly resource: string
  readonly holder: string | null
  readonly reserved: string | null
  readonly taken: boolean
}
interface Limit {
  readonly pattern: string
  readonly capacity: number | null
  readonly rate: number | null
  readonly paused: boolean
  readonly pauseOnly: boolean
}

export async function truthOf(world: EngineWorld): Promise<Truth> {
  const jobs = await world.query<Job>(
    `select id, queue, queue || '/' || permission_level as route, task, resources, lane_id as lane,
       to_char(seniority, 'YYYYMMDDHH24MISSUS') as seniority
     from interlock.jobs`,
  )
  const lanes = await world.query<Lane>(
    `select id, to_char(rank, 'YYYYMMDDHH24MISSUS') as rank, blocked_on as on, reserving, route, task, resources
     from interlock.job_lanes`,
  )
  const slots = await world.query<Slot>(
    `select resource, active_job_id as holder, reserved_lane_id as reserved,
       coalesce(taken_until > interlock.clock(), false) as taken
     from interlock.job_queue_state`,
  )
  const limits = await world.query<Limit>(
    `select pattern, capacity, starts_per_minute as rate, is_paused as paused, is_pause_only as "pauseOnly"
     from interlock.resource_limits`,
  )
  const paused = await world.query<{ name: string }>('select name from interlock.queues where is_paused')

  const ruling = (resource: string): Limit | undefined =>
    limits.find((limit) => limit.pattern === resource && !limit.pauseOnly) ??
    limits
      .filter((limit) => limit.pattern.endsWith('*') && resource.startsWith(limit.pattern.slice(0, -1)))
      .sort((a, b) => b.pattern.length - a.pattern.length)[0]
  const isPausedResource = (resource: string) => limits.some((limit) => limit.pattern === resource && limit.paused)
  const capacityOf = (resource: string): number | null => {
    if (resource.startsWith('rate:')) return ruling(resource.slice(5))?.rate ?? null
    const limit = ruling(resource)
    return limit === undefined ? 1 : limit.capacity
  }
  const needsOf = (of: Pick<Job, 'route' | 'task' | 'resources'>): readonly string[] => {
    const implied = ['limit:all', `queue:${of.route.split('/')[0]}`, `task:${of.task}`].filter((name) =>
      limits.some((limit) => limit.pattern === name || ruling(name) === limit),
    )
    const named = [...new Set([...of.resources, ...implied])]
    return [...named, ...named.filter((name) => ruling(name)?.rate != null).map((name) => `rate:${name}`)]
  }
  const isSenior = (a: { rank: string; id: string }, b: { rank: string; id: string }) =>
    a.rank < b.rank || (a.rank === b.rank && a.id < b.id)
  const canUse = (resource: string, me: { rank: string; id: string }): boolean => {
    if (isPausedResource(resource)) return false
    const capacity = capacityOf(resource)
    const mine = slots.filter((slot) => slot.resource === resource)
    if (capacity === null || mine.some((slot) => slot.reserved === me.id)) return true
    const used = mine.filter((slot) => slot.holder !== null || slot.reserved !== null || slot.taken).length
    const wanting = lanes.filter(
      (lane) =>
        lane.reserving &&
        lane.rank !== null &&
        isSenior({ rank: lane.rank, id: lane.id }, me) &&
        (lane.on === resource ||
          (lane.on === null && needsOf(lane).includes(resource) && !mine.some((slot) => slot.reserved === lane.id))),
    )
    return capacity - used > wanting.length
  }

  const jobOf = (id: string): Job => {
    const job = jobs.find((candidate) => candidate.id === id)
    if (job === undefined) throw new Error(`there is no job ${id}`)
    return job
  }
  return {
    blockersOf: (id) => {
      const job = jobOf(id)
      const rank = lanes.find((lane) => lane.id === job.lane)?.rank ?? job.seniority
      return needsOf(job).filter((resource) => !canUse(resource, { rank, id: job.lane }))
    },
    holdersOf: (resource) =>
      slots.flatMap((slot) => (slot.resource === resource && slot.holder !== null ? [slot.holder] : [])),
    isPaused: (id) => paused.some((queue) => queue.name === jobOf(id).queue),
  }
}
