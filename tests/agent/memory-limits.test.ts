import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { JobExit, KeeperEvent } from '../../src/agent/keeper-messages.ts'
import { KeptJob } from '../../src/agent/kept-job.ts'
import { MemoryGroups } from '../../src/agent/memory-groups.ts'
import { MemoryLimits } from '../../src/agent/memory-limits.ts'
import { usesMoreThan } from '../../src/agent/memory-use.ts'
import { temporaryFolder } from '../cli/run-cli.ts'
import { waitFor } from '../support/wait-for.ts'
import { createMark, findMarked } from './marked-processes.ts'

const megabyte = 1024 * 1024
// Takes a megabyte a millisecond until it has so many, and then waits.
const takes = (megabytes: number) =>
  `${process.execPath} -e 'const a = []; const t = setInterval(() => { if (a.push(Buffer.alloc(10 << 20, 1)) >= ${megabytes / 10}) { clearInterval(t); setInterval(() => a, 1000); console.log("ready") } }, 10)'`

interface Run {
  readonly job: KeptJob
  readonly exit: () => JobExit | undefined
  readonly output: () => string
  readonly mark: ReturnType<typeof createMark>
}

function run(memory: MemoryLimits, memoryMb: number | null, script: string): Run {
  const events: KeeperEvent[] = []
  const mark = createMark()
  const job = new KeptJob(
    {
      key: mark.value,
      command: ['sh', '-c', script],
      cwd: null,
      environment: { PATH: process.env.PATH ?? '', [mark.name]: mark.value },
      input: '',
      hasChannel: false,
      memoryMb,
    },
    { id: 'test', send: (event) => void events.push(event), memory },
  )
  const looks = setInterval(() => job.checkMemory(), 100)
  onTestFinished(async () => {
    job.stop('asked', 0)
    await job.done
    clearInterval(looks)
  })
  return {
    job,
    mark,
    exit: () => events.find((event) => event.type === 'exited') as JobExit | undefined,
    output: () => events.map((event) => (event.type === 'output' ? event.text : '')).join('\n'),
  }
}

const kernel = MemoryGroups.open()
const ways: readonly (readonly [string, MemoryLimits])[] = [
  ['measured', new MemoryLimits(null)],
  ...(kernel === null ? [] : [['by the kernel', new MemoryLimits(kernel)] as const]),
]

describe.each(ways)('a limit of memory, %s', (_, memory) => {
  it('ends the whole job when its processes have more together than it may, though none has by itself', async () => {
    const { job, exit, mark } = run(memory, 260, `${takes(150)} & ${takes(150)} & wait`)
    await job.done
    expect(exit()).toMatchObject({ stopCause: 'out_of_memory', left: 0 })
    expect(findMarked(mark)).toEqual([])
  })

  it('lets a job be that stays below it, beside one that does not', async () => {
    const modest = run(memory, 260, takes(50))
    const greedy = run(memory, 100, takes(300))
    await greedy.job.done
    expect(greedy.exit()?.stopCause).toBe('out_of_memory')
    await waitFor(() => modest.output().includes('ready'), { what: 'the modest one to have what it wants' })
    expect(modest.exit()).toBeUndefined()
  })

  it('is none for a job without one', async () => {
    const { job, exit } = run(memory, null, `${takes(150)} & sleep 1; kill $!; echo done`)
    await job.done
    expect(exit()).toMatchObject({ exitCode: 0, stopCause: null })
  })

  it('leaves what the job prints, and its exit code, as they are', async () => {
    const { job, exit, output } = run(memory, 100, 'echo "one two  three"; exit 3')
    await job.done
    expect(output()).toContain('one two  three')
    expect(exit()).toMatchObject({ exitCode: 3, stopCause: null })
  })
})

describe('usesMoreThan', () => {
  it('counts what processes share among themselves once', async () => {
    // A shell's children share all that it has until they write to it.
    const script =
      'x=$(head -c 60000000 /dev/zero | tr "\\0" x); for i in 1 2 3; do (echo ready; read y; : "$x") & done; wait'
    const { output, mark } = run(new MemoryLimits(null), null, `${script} < /dev/zero`)
    await waitFor(() => output().split('ready').length === 4, { what: 'three children' })
    const pids = findMarked(mark).map(({ pid }) => pid)
    expect(pids.length).toBeGreaterThanOrEqual(4)
    expect(usesMoreThan(pids, 150 * megabyte)).toBe(false)
    expect(usesMoreThan(pids, 30 * megabyte)).toBe(true)
  })
})

describe.skipIf(kernel === null)('the kernel’s groups (skipped where none can be made)', () => {
  it('are removed with their job, and those of a keeper that was killed by the next one', async () => {
    const folderOf = (group: ReturnType<MemoryGroups['create']>) => dirname(group.wrap([]).at(-1) ?? '')
    const groups = MemoryGroups.open()
    const own = groups?.create(megabyte)
    if (own === undefined) throw new Error('no group')
    const parent = dirname(folderOf(own))
    // No process has this number: it is beyond what the kernel gives out.
    mkdirSync(join(parent, 'interlock-4194305-1'))
    expect(MemoryGroups.open()).not.toBeNull()
    expect(readdirSync(parent)).not.toContain('interlock-4194305-1')
    await own.remove()
    expect(readdirSync(parent).filter((name) => name.startsWith(`interlock-${process.pid}-`))).toEqual([])
  })
})

describe('MemoryGroups.open', () => {
  it('finds nothing where the files do not do what the kernel’s do', async () => {
    // Folders that anybody may write to, without a kernel behind them, are no groups: the program would be outside.
    const folder = await temporaryFolder({ own: '0::/\n4:memory:/\n' })
    mkdirSync(join(folder, 'fs'))
    writeFileSync(join(folder, 'fs', 'cgroup.controllers'), 'memory\n')
    writeFileSync(join(folder, 'fs', 'cgroup.subtree_control'), 'memory\n')
    expect(MemoryGroups.open(join(folder, 'fs'), join(folder, 'own'))).toBeNull()
    expect(readFileSync(join(folder, 'own'), 'utf8')).toContain('memory')
  })
})
