// Runs Spin over lanes.pml or floors.pml, in a folder of its own that is thrown away: spin makes a verifier, the C compiler a program of
// it, and that looks at every state that can be reached. The head of a model says what is modelled and what is proved.

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Model } from './configurations.ts'

/** The programs that a proof needs and this machine does not have. */
export const missingPrograms = [
  { program: 'spin', flag: '-V' },
  { program: 'gcc', flag: '--version' },
]
  .filter(({ program, flag }) => spawnSync(program, [flag], { stdio: 'ignore' }).status !== 0)
  .map(({ program }) => program)

export interface Verdict {
  /** incomplete: the search ended at a bound of memory or depth, and proves nothing. */
  readonly result: 'holds' | 'violated' | 'incomplete'
  /** What was violated, in the words beside the assertion in the model. */
  readonly violation: string | null
  /** The counterexample: process and statement, one after the other. */
  readonly trail: readonly string[]
  readonly states: number
  readonly depth: number
  readonly seconds: number
  readonly megabytes: number
}

export interface Search {
  /** lanes unless it says otherwise. */
  readonly model?: Model | undefined
  /** Its verifier is worth optimising, which takes longer than a short search. */
  readonly isLong?: boolean | undefined
  readonly signal?: AbortSignal
}

/** Verifies the model under these definitions (as of -D); with LIVENESS the ltl property, under weak fairness. */
export async function verify(
  definitions: readonly string[],
  { model = 'lanes', isLong = false, signal }: Search = {},
): Promise<Verdict> {
  const folder = await mkdtemp(join(tmpdir(), 'interlock-proof-'))
  const run = (program: string, flags: readonly string[]) => output(program, flags, folder, signal)
  const flags = definitions.map((definition) => `-D${definition}`)
  const isLiveness = definitions.includes('LIVENESS')
  try {
    const source = `${model}.pml`
    const copy = join(folder, source)
    await copyFile(fileURLToPath(new URL(source, import.meta.url)), copy)
    const spin = await run('spin', [...flags, '-a', source])
    const compiler = await run('gcc', [
      ...[isLong ? '-O2' : '-O0', '-w', '-DCOLLAPSE', '-DMEMLIM=4000', isLiveness ? '-DNFAIR=3' : '-DSAFETY'],
      ...['-o', 'pan', 'pan.c'],
    ])
    const beganMs = performance.now()
    const pan = await run('nice', ['-n', '10', './pan', '-m1000000', '-w22', ...(isLiveness ? ['-a', '-f'] : [])])
    const seconds = (performance.now() - beganMs) / 1000
    const errors = figure(pan, /errors: (\d+)/)
    if (errors === null) throw new Error(`Spin did not come to its end:\n${spin}${compiler}${pan}`)
    const isIncomplete = /out of memory|max search depth too small/.test(pan)
    const steps = errors === 0 ? '' : await run('spin', [...flags, '-t', '-p', source])
    return {
      result: errors > 0 ? 'violated' : isIncomplete ? 'incomplete' : 'holds',
      violation: errors === 0 ? null : await violationOf(pan, steps, copy),
      trail: trailOf(steps),
      states: figure(pan, /(\S+) states, stored/) ?? 0,
      depth: figure(pan, /depth reached (\d+)/) ?? 0,
      megabytes: figure(pan, /(\S+)\s+total actual memory usage/) ?? 0,
      seconds,
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function output(
  program: string,
  flags: readonly string[],
  folder: string,
  signal: AbortSignal | undefined,
): Promise<string> {
  const child = spawn(program, flags, {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(signal === undefined ? {} : { signal }),
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (part: string) => {
      text += part
    })
  }
  await once(child, 'close')
  return text
}

function figure(text: string, pattern: RegExp): number | null {
  const [, found] = pattern.exec(text) ?? []
  return found === undefined ? null : Number(found)
}

/** The words beside the assertion that failed. */
async function violationOf(pan: string, steps: string, source: string): Promise<string> {
  if (/acceptance cycle/.test(pan)) return 'a job never ends'
  const line = figure(steps, /\.pml:(\d+), Error: assertion violated/)
  const assertion = line === null ? '' : ((await readFile(source, 'utf8')).split('\n')[line - 1] ?? '')
  return /\/\* (.*?) \*\//.exec(assertion)?.[1] ?? pan.split('\n').find((text) => text.startsWith('pan:')) ?? 'unknown'
}

/** Each step once, as "claimer 1: try_lanes"; the first statement of a transaction is "begin". */
function trailOf(steps: string): readonly string[] {
  const trail: string[] = []
  let lastStep = ''
  for (const line of steps.split('\n')) {
    if (line.includes('<<<<<START OF CYCLE>>>>>')) trail.push('from here on for ever:')
    const [, step = '', pid, name, next] =
      /^\s*(\d+):\s+proc\s+(\d+) \((\w+):\d+\).*?\[.*?(?:next==(\w+)|$)/.exec(line) ?? []
    if (step === '' || step === lastStep) continue
    lastStep = step
    if (next !== undefined) trail.push(`${name} ${pid}: ${next === 'IDLE' ? 'begin' : next.toLowerCase()}`)
    else if (name === 'enqueuer' || name === 'canceller' || name === 'tick' || name === 'session') trail.push(`${name}`)
  }
  return trail.filter((entry, n) => entry !== trail[n - 1])
}
