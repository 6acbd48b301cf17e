import { cpus, freemem, totalmem } from 'node:os'
import { type CgroupUsage, readCgroup } from './cgroup.ts'
import { monotonicMs } from './monotonic-clock.ts'

interface Reading {
  readonly atMs: number
  /** Of all processors together. */
  readonly busyMs: number
  readonly allMs: number
  readonly container: CgroupUsage | null
}

/** Where the figures come from; the machine's own unless set. */
export interface LoadSources {
  readonly machine: () => Pick<Reading, 'busyMs' | 'allMs'> & { readonly memoryUsedShare: number }
  readonly container: () => CgroupUsage | null
  readonly clockMs: () => number
}

// Of a shorter time the figure is noise: a heartbeat may follow another within milliseconds.
const elapsedMsMin = 1000

/**
 * How busy the agent's surroundings are, as the coordinator weighs it: processor over the last while, memory now, in
 * percent. In a container with limits it is the fuller of the two, the container and the machine that it is on.
 */
export class LoadMeter {
  readonly #sources: LoadSources
  #before: Reading
  #cpuPercent = 0

  constructor(sources: LoadSources = { machine: readMachine, container: () => readCgroup(), clockMs: monotonicMs }) {
    this.#sources = sources
    this.#before = this.#read().reading
  }

  read(): { readonly cpuPercent: number; readonly memoryPercent: number } {
    const { reading, memoryUsedShare } = this.#read()
    const before = this.#before
    if (reading.atMs - before.atMs >= elapsedMsMin) {
      const machineShare = (reading.busyMs - before.busyMs) / Math.max(1, reading.allMs - before.allMs)
      this.#cpuPercent = percent(Math.max(machineShare, cpuShareOf(before, reading)))
      this.#before = reading
    }
    const { memoryLimit = null, memoryUsed = 0 } = reading.container ?? {}
    const containerShare = memoryLimit === null ? 0 : memoryUsed / memoryLimit
    return { cpuPercent: this.#cpuPercent, memoryPercent: percent(Math.max(memoryUsedShare, containerShare)) }
  }

  #read(): { readonly reading: Reading; readonly memoryUsedShare: number } {
    const { memoryUsedShare, ...times } = this.#sources.machine()
    const container = this.#sources.container()
    return { reading: { atMs: this.#sources.clockMs(), ...times, container }, memoryUsedShare }
  }
}

function cpuShareOf(before: Reading, now: Reading): number {
  const limit = now.container?.cpuLimit ?? null
  if (limit === null || now.container === null || before.container === null) return 0
  return (now.container.cpuUsedMs - before.container.cpuUsedMs) / ((now.atMs - before.atMs) * limit)
}

function readMachine(): ReturnType<LoadSources['machine']> {
  let busyMs = 0
  let allMs = 0
  for (const { times } of cpus()) {
    busyMs += times.user + times.nice + times.sys + times.irq
    allMs += times.user + times.nice + times.sys + times.irq + times.idle
  }
  return { busyMs, allMs, memoryUsedShare: 1 - freemem() / totalmem() }
}

function percent(share: number): number {
  return Math.min(100, Math.max(0, Math.round(share * 1000) / 10))
}
