// A failing history is replayed with ever more of its steps left out, as long as it still fails in the same way.

import { Violated } from './checks.ts'
import { type Conduct, runHistory } from './history.ts'
import { recover } from './recover.ts'
import type { Setting } from './setting.ts'
import type { Stage } from './stage.ts'

export interface Shrunk {
  readonly leftOut: ReadonlySet<number>
  readonly steps: number
  readonly message: string
  readonly transcript: readonly string[]
}

/** Null when it does not fail again in that way: then it was the machine's choice of order, not the seed's. */
export async function shrink(stage: Stage, setting: Setting, failure: Violated, seconds = 60): Promise<Shrunk | null> {
  const deadline = performance.now() + seconds * 1000
  let best: Shrunk | null = null
  const failsWithout = async (leftOut: ReadonlySet<number>) => {
    const again = await failureOf(stage, setting, { leftOut, isClose: true })
    if (again?.check !== failure.check) return false
    best = {
      leftOut,
      steps: setting.steps - leftOut.size,
      message: again.message,
      transcript: [...stage.transcript],
    }
    return true
  }

  if (!(await failsWithout(new Set()))) return null
  const steps = Array.from({ length: setting.steps }, (_, step) => step)
  let left = steps
  for (let chunk = Math.ceil(left.length / 2); chunk >= 1; ) {
    let progressed = false
    for (let from = 0; from < left.length && performance.now() < deadline; ) {
      const fewer = [...left.slice(0, from), ...left.slice(from + chunk)]
      if (await failsWithout(new Set(steps.filter((step) => !fewer.includes(step))))) {
        left = fewer
        progressed = true
      } else {
        from += chunk
      }
    }
    if (performance.now() >= deadline || (chunk === 1 && !progressed)) break
    chunk = chunk === 1 ? 1 : Math.ceil(chunk / 2)
  }
  return best
}

async function failureOf(stage: Stage, setting: Setting, conduct: Conduct): Promise<Violated | null> {
  try {
    await runHistory(stage, setting, conduct)
    return null
  } catch (error) {
    if (!(error instanceof Violated)) throw error
    await recover(stage)
    return error
  }
}
