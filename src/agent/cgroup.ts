import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What a container is allowed and has used of it; null where it is allowed all that the machine has. */
export interface CgroupUsage {
  /** Processors; 1.5 is one and a half. */
  readonly cpuLimit: number | null
  /** All the time that its processes have been on a processor. */
  readonly cpuUsedMs: number
  readonly memoryLimit: number | null
  /** Without what the kernel keeps of files and would give back. */
  readonly memoryUsed: number
}

/** More than any machine has: how version 1 writes that there is no limit. */
const unlimitedBytes = 2 ** 60

/**
 * The limits of the container that this process is in, from the kernel's own files: cgroup version 2, else version 1.
 * os.cpus() and os.freemem() speak of the whole machine: in a container of one processor on a machine of sixty-four they
 * call a process that gets no time any more idle. (process.constrainedMemory() knows the limit, but counts the kernel's
 * copies of files as used, so that a container that has read a large file would look full; of time there is nothing.)
 * Null where there are no cgroups.
 */
export function readCgroup(root = '/sys/fs/cgroup', ownFile = '/proc/self/cgroup'): CgroupUsage | null {
  try {
    const own = ownGroups(ownFile)
    return readVersion2(root, own) ?? readVersion1(root, own)
  } catch {
    return null
  }
}

/** The path of the process's own group by controller; that of version 2 under the empty name. Throws where there is none. */
export function ownGroups(ownFile: string): ReadonlyMap<string, string> {
  const own = new Map<string, string>()
  for (const line of readFileSync(ownFile, 'utf8').trim().split('\n')) {
    const [, controllers = '', path = '/'] = line.split(':')
    for (const controller of controllers.split(',')) own.set(controller, path)
  }
  return own
}

function readVersion2(root: string, own: ReadonlyMap<string, string>): CgroupUsage | null {
  const folders = upwards(root, own.get('') ?? '/')
  const folder = folders.find((candidate) => read(candidate, 'cpu.stat')?.includes('usage_usec') === true)
  if (folder === undefined || read(folder, 'memory.current') === null) return null
  return {
    cpuLimit: leastOf(folders, (at) => ratio(...((read(at, 'cpu.max') ?? 'max').split(' ') as [string, string]))),
    cpuUsedMs: figureIn(read(folder, 'cpu.stat'), 'usage_usec') / 1000,
    memoryLimit: leastOf(folders, (at) => figure(read(at, 'memory.max'))),
    memoryUsed: (figure(read(folder, 'memory.current')) ?? 0) - figureIn(read(folder, 'memory.stat'), 'inactive_file'),
  }
}

function readVersion1(root: string, own: ReadonlyMap<string, string>): CgroupUsage | null {
  const of = (controller: string) => upwards(join(root, controller), own.get(controller) ?? '/')
  const nearest = (controller: string, file: string) => {
    const folder = of(controller).find((candidate) => read(candidate, file) !== null)
    return folder === undefined ? null : read(folder, file)
  }
  const used = figure(nearest('cpuacct', 'cpuacct.usage'))
  const memory = figure(nearest('memory', 'memory.usage_in_bytes'))
  if (used === null || memory === null) return null
  return {
    cpuLimit: leastOf(of('cpu'), (at) => ratio(read(at, 'cpu.cfs_quota_us'), read(at, 'cpu.cfs_period_us'))),
    cpuUsedMs: used / 1e6,
    memoryLimit: leastOf(of('memory'), (at) => figure(read(at, 'memory.limit_in_bytes'))),
    memoryUsed: memory - figureIn(nearest('memory', 'memory.stat'), 'total_inactive_file'),
  }
}

/** The folder of the process's own group and all above: a limit of any of them holds. In a container its own is the root. */
export function upwards(root: string, path: string): readonly string[] {
  const parts = path.split('/').filter((part) => part !== '' && part !== '..')
  return Array.from({ length: parts.length + 1 }, (_, n) => join(root, ...parts.slice(0, parts.length - n)))
}

function leastOf(folders: readonly string[], limitOf: (folder: string) => number | null): number | null {
  const limits = folders.map(limitOf).filter((limit) => limit !== null)
  return limits.length === 0 ? null : Math.min(...limits)
}

function read(folder: string, file: string): string | null {
  try {
    return readFileSync(join(folder, file), 'utf8').trim()
  } catch {
    return null
  }
}

function figure(text: string | null): number | null {
  const number = Number(text ?? Number.NaN)
  return Number.isFinite(number) && number >= 0 && number < unlimitedBytes ? number : null
}

function ratio(quota: string | null, period: string | null | undefined): number | null {
  const [one, other] = [figure(quota), figure(period ?? null)]
  return one === null || other === null || other === 0 ? null : one / other
}

function figureIn(text: string | null, name: string): number {
  const line = (text ?? '').split('\n').find((candidate) => candidate.startsWith(`${name} `))
  return figure(line?.slice(name.length + 1) ?? null) ?? 0
}
