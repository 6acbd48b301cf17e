import { availableParallelism, cpus, freemem, totalmem } from 'node:os'

interface CpuTimes {
  readonly busy: number
  readonly all: number
}

// Of a shorter time the figure is noise: a heartbeat may follow another within milliseconds.
const elapsedMsMin = 1000

/** How busy the machine is, as the coordinator weighs it: processor over the last while, memory now, in percent. */
export class LoadMeter {
  #before: CpuTimes = readCpuTimes()
  #cpuPercent = 0

  read(): { readonly cpuPercent: number; readonly memoryPercent: number } {
    const now = readCpuTimes()
    const elapsedMs = now.all - this.#before.all
    if (elapsedMs >= elapsedMsMin * availableParallelism()) {
      this.#cpuPercent = percent((now.busy - this.#before.busy) / elapsedMs)
      this.#before = now
    }
    return { cpuPercent: this.#cpuPercent, memoryPercent: percent(1 - freemem() / totalmem()) }
  }
}

function readCpuTimes(): CpuTimes {
  let busy = 0
  let all = 0
  for (const { times } of cpus()) {
    busy += times.user + times.nice + times.sys + times.irq
    all += times.user + times.nice + times.sys + times.irq + times.idle
  }
  return { busy, all }
}

function percent(share: number): number {
  return Math.min(100, Math.max(0, Math.round(share * 1000) / 10))
}
