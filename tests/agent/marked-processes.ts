import { randomUUID } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'

/** A process as the kernel shows it. */
export interface SeenProcess {
  readonly pid: number
  readonly state: string
  readonly command: string
}

/** A variable that marks all that a test starts: whatever carries it in its environment is found, whoever its parent. */
export function createMark(): { readonly name: string; readonly value: string } {
  return { name: 'INTERLOCK_TEST_MARK', value: randomUUID() }
}

/** The living processes that carry the mark; zombies are not living. */
export function findMarked(mark: { readonly name: string; readonly value: string }): readonly SeenProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const environment = `\0${readOrEmpty(`/proc/${name}/environ`)}`
      if (!environment.includes(`\0${mark.name}=${mark.value}\0`)) return []
      const state = stateOf(Number(name))
      if (state === null || state === 'Z') return []
      const command = readOrEmpty(`/proc/${name}/cmdline`).replaceAll('\0', ' ').trim()
      return [{ pid: Number(name), state, command }]
    })
}

/** `R`, `S`, `T` (stopped), `Z`, ...; null when there is no such process. */
export function stateOf(pid: number): string | null {
  const text = readOrEmpty(`/proc/${pid}/stat`)
  return text === '' ? null : (text.slice(text.lastIndexOf(')') + 2)[0] ?? null)
}

export function isAlive(pid: number): boolean {
  const state = stateOf(pid)
  return state !== null && state !== 'Z'
}

/** The most memory that it ever had in use. */
export function peakMegabytes(pid: number): number {
  const [, kilobytes] = /VmHWM:\s+(\d+) kB/.exec(readOrEmpty(`/proc/${pid}/status`)) ?? []
  return Number(kilobytes) / 1024
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
