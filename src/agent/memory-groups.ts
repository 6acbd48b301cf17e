import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ownGroups, upwards } from './cgroup.ts'

interface Version {
  readonly limits: readonly string[]
  /** Whether the kernel has killed for the limit, and not for want of memory in the whole machine. */
  readonly isExceeded: (folder: string) => boolean
}

const versions: Readonly<Record<1 | 2, Version>> = {
  // Without a limit of the swap a job would not die but crawl, and take the disk from its neighbours.
  2: {
    limits: ['memory.max', 'memory.swap.max'],
    isExceeded: (folder) =>
      countIn(join(folder, 'memory.events'), 'oom') > 0 && countIn(join(folder, 'memory.events'), 'oom_kill') > 0,
  },
  1: {
    limits: ['memory.limit_in_bytes', 'memory.memsw.limit_in_bytes'],
    isExceeded: (folder) =>
      countIn(join(folder, 'memory.oom_control'), 'oom_kill') > 0 &&
      // (Its failcnt stays 0 where both limits are the same.) A kernel that kills gave out all but the last few pages.
      countIn(join(folder, 'memory.max_usage_in_bytes')) > countIn(join(folder, 'memory.limit_in_bytes')) * 0.9,
  },
}

const folderName = /^interlock-(\d+)-\d+$/
const removals = 40
const removalMs = 50
let made = 0

/** A group of the kernel's for each job that is limited, below the agent's own or beside it. */
export class MemoryGroups {
  readonly version: 1 | 2
  readonly #parent: string

  private constructor(version: 1 | 2, parent: string) {
    this.version = version
    this.#parent = parent
  }

  /**
   * Null where we may make none. What an agent may is not asked of its rights or of flags, but tried: a group is made,
   * limited, and a process put into it.
   */
  static open(root = '/sys/fs/cgroup', ownFile = '/proc/self/cgroup'): MemoryGroups | null {
    for (const [version, parent] of candidates(root, ownFile)) {
      const groups = new MemoryGroups(version, parent)
      if (!groups.#isUsable()) continue
      groups.#sweep()
      return groups
    }
    return null
  }

  /** Throws where the kernel does not let us, whatever it did before. */
  create(bytes: number): MemoryGroup {
    const folder = join(this.#parent, `interlock-${process.pid}-${++made}`)
    mkdirSync(folder)
    try {
      const { limits } = versions[this.version]
      for (const [index, name] of limits.entries()) {
        const isSwap = index > 0
        if (isSwap && !existsSync(join(folder, name))) continue
        writeFileSync(join(folder, name), String(isSwap && this.version === 2 ? 0 : bytes))
      }
      // All of a job or nothing: half a pipeline that goes on would bring half a result.
      if (this.version === 2) writeFileSync(join(folder, 'memory.oom.group'), '1')
    } catch (error) {
      rmdirSync(folder)
      throw error
    }
    return new MemoryGroup(folder, versions[this.version])
  }

  #isUsable(): boolean {
    try {
      if (this.version === 2) allowMemory(this.#parent)
      const group = this.create(64 * 1024 * 1024)
      try {
        const [program = '', ...words] = group.wrap(['grep', '-q', group.name, '/proc/self/cgroup'])
        return spawnSync(program, words, { stdio: 'ignore' }).status === 0
      } finally {
        group.removeNow()
      }
    } catch {
      return false
    }
  }

  // What a keeper left that was killed itself. Its number may be another process's by now: then they stay a while longer.
  #sweep(): void {
    for (const name of readdirSync(this.#parent)) {
      const pid = folderName.exec(name)?.[1]
      if (pid !== undefined && Number(pid) !== process.pid && !existsSync(`/proc/${pid}`)) {
        new MemoryGroup(join(this.#parent, name), versions[this.version]).removeNow()
      }
    }
  }
}

/** The group of one job. */
export class MemoryGroup {
  readonly #folder: string
  readonly #version: Version

  constructor(folder: string, version: Version) {
    this.#folder = folder
    this.#version = version
  }

  /**
   * The command as it begins inside the group. A shell enters it first and then becomes the program: a process that was
   * moved once it runs may have had children by then, which would be outside.
   */
  wrap(command: readonly string[]): readonly string[] {
    return ['/bin/sh', '-c', 'echo $$ > "$0" && exec "$@"', join(this.#folder, 'cgroup.procs'), ...command]
  }

  get name(): string {
    return basename(this.#folder)
  }

  get isExceeded(): boolean {
    return this.#version.isExceeded(this.#folder)
  }

  /** Ends who is still inside, also one that no other mark would have found, and removes it. */
  async remove(): Promise<void> {
    for (let n = 0; n < removals; n++) {
      if (this.removeNow()) return
      await sleep(removalMs)
    }
  }

  removeNow(): boolean {
    try {
      for (const pid of readOrEmpty(join(this.#folder, 'cgroup.procs')).split('\n')) {
        if (Number(pid) > 0) process.kill(Number(pid), 'SIGKILL')
      }
      rmdirSync(this.#folder)
      return true
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'ENOENT'
    }
  }
}

/**
 * Where groups may be made. In version 2 a group that has processes of its own may have no children with limits, so that
 * a service's are beside it, in what was delegated to it (systemd: Delegate=yes and DelegateSubgroup=); never in the
 * machine's root or in a slice, where a job would have left what limits its agent.
 */
function candidates(root: string, ownFile: string): readonly (readonly [1 | 2, string])[] {
  const own = ownGroups(ownFile)
  const unified = [root, join(root, 'unified')].find((at) => existsSync(join(at, 'cgroup.controllers')))
  const found: (readonly [1 | 2, string])[] = []
  if (unified !== undefined) {
    const [folder = unified] = upwards(unified, own.get('') ?? '/').filter((at) => existsSync(at))
    const above = dirname(folder)
    found.push([2, folder])
    if (folder !== unified && above !== unified && !basename(above).endsWith('.slice')) found.push([2, above])
  }
  const [limited] = upwards(join(root, 'memory'), own.get('memory') ?? '/').filter((at) =>
    existsSync(join(at, 'memory.limit_in_bytes')),
  )
  if (limited !== undefined) found.push([1, limited])
  return found
}

function allowMemory(folder: string): void {
  const control = join(folder, 'cgroup.subtree_control')
  if (!readFileSync(control, 'utf8').split(/\s/).includes('memory')) writeFileSync(control, '+memory')
}

/** The number after the name, or the only one of a file; 0 where there is none. */
function countIn(path: string, name?: string): number {
  const line = readOrEmpty(path)
    .split('\n')
    .find((candidate) => name === undefined || candidate.startsWith(`${name} `))
  return Number(line?.slice(name === undefined ? 0 : name.length + 1) ?? 0) || 0
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
