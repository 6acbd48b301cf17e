import type { AgentPolicy } from '../../domain/agent-policy.ts'
import { cut, ruled } from './cells.ts'
import type { Scene, ScreenSize } from './scene.ts'
import type { View } from './view.ts'

const keys: readonly (readonly [string, string])[] = [
  ['↑ ↓ j k', 'choose a queue or a job; in a job: scroll'],
  ['PgUp PgDn', 'by ten; Home, End or g, G: to the first, to the last'],
  ['Enter', 'open a job: why it waits, all about it, the last lines of its output'],
  ['Esc', 'back, or without the filter'],
  ['/', 'filter jobs and agents by words: id, task, user, model, agent, queue, reason'],
  ['c', 'cancel the job, after two questions'],
  ['p', 'pause the queue, or the queue of the job; or resume it'],
  ['r', 'look now'],
  ['q Ctrl-C', 'leave'],
]

/** The levels of load are policy, and said as it has them. */
function coloursOf(policy: AgentPolicy | null): readonly (readonly [string, string])[] {
  const load = (from: number | undefined) => (from === undefined ? '' : `, load from ${from}`)
  return [
    ['green', 'low: agents have room, or all that waits is blocked'],
    ['yellow', `moderate: a startable line for each slot${load(policy?.moderate_from)}; paused`],
    ['red', `high: three for each slot${load(policy?.high_from)}; failed jobs; no answer`],
    ['bold red', `critical: ten for each slot, or no agent lives${load(policy?.critical_from)}`],
  ]
}

export function drawHelp({ data }: Scene, { scroll }: View, { columns, rows }: ScreenSize): readonly string[] {
  const entries = [...keys, ['', ''] as const, ...coloursOf(data?.allocation.policy ?? null)]
  const lines = entries.map(([name, what]) => cut(`  ${name.padEnd(11)} ${what}`, columns).trimEnd())
  return [ruled('Keys and colours', columns), ...lines.slice(scroll)].slice(0, rows)
}
