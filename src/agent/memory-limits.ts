import { existsSync } from 'node:fs'
import { type MemoryGroup, MemoryGroups } from './memory-groups.ts'
import { usesMoreThan } from './memory-use.ts'
import { type ProcessMarks, processTable } from './process-table.ts'

/**
 * How the memory of a job's processes is kept within its task's limit:
 *
 *   cgroup2, cgroup1   the kernel refuses more to all of them together, and kills them
 *   measured           we look at them twice a second, and kill them when they have more: between two looks they may
 *   none               this system shows us nothing to go by
 *
 * Not by `ulimit -v`, which looks like the plain answer: it limits addresses, not memory, for each process by itself.
 * Node reserves some gigabytes of them before it does anything, and whoever uses a GPU maps all of its memory, so that a
 * limit which lets them start limits nothing.
 */
export type MemoryLimiting = 'cgroup2' | 'cgroup1' | 'measured' | 'none'

/** For the agent's start: which of them it is, in words. */
export const memoryLimitingWords: Readonly<Record<MemoryLimiting, string>> = {
  cgroup2: 'by the kernel (cgroup version 2)',
  cgroup1: 'by the kernel (cgroup version 1)',
  measured: 'by looking at them twice a second: this agent may make no cgroup of its own',
  none: 'not at all: this system has no cgroups and no /proc',
}

const lookMs = 500
const megabyte = 1024 * 1024

/** What a keeper limits its jobs with. */
export class MemoryLimits {
  readonly limiting: MemoryLimiting
  readonly #groups: MemoryGroups | null

  constructor(groups: MemoryGroups | null) {
    this.#groups = groups
    this.limiting =
      groups === null ? (existsSync('/proc/self/status') ? 'measured' : 'none') : `cgroup${groups.version}`
  }

  /** Made once there is a job to limit, or somebody asks: an agent that limits none makes no groups. */
  static open(): MemoryLimits {
    return new MemoryLimits(MemoryGroups.open())
  }

  of(megabytes: number, marks: Omit<ProcessMarks, 'leader'>): MemoryLimit {
    const bytes = megabytes * megabyte
    return new MemoryLimit({ bytes, marks, group: this.#groups?.create(bytes) ?? null })
  }
}

/** The limit of one job. */
export class MemoryLimit {
  readonly #bytes: number
  readonly #marks: Omit<ProcessMarks, 'leader'>
  readonly #group: MemoryGroup | null
  #lookedAtMs = performance.now()

  constructor(of: {
    readonly bytes: number
    readonly marks: Omit<ProcessMarks, 'leader'>
    readonly group: MemoryGroup | null
  }) {
    this.#bytes = of.bytes
    this.#marks = of.marks
    this.#group = of.group
  }

  wrap(command: readonly string[]): readonly string[] {
    return this.#group?.wrap(command) ?? command
  }

  /** Asked as often as one likes; what costs something is looked at twice a second. */
  isExceeded(leader: number): boolean {
    if (this.#group !== null) return this.#group.isExceeded
    const now = performance.now()
    if (now - this.#lookedAtMs < lookMs) return false
    this.#lookedAtMs = now
    const members = processTable({ notBeforeMs: now - lookMs })?.members({ ...this.#marks, leader }) ?? []
    return usesMoreThan(
      members.map(({ pid }) => pid),
      this.#bytes,
    )
  }

  async end(): Promise<void> {
    await this.#group?.remove()
  }
}
