import type { TaskEntry } from '../domain/task-table.ts'

/** While it runs it is not done, however long it has taken: the rest is for its end to say. */
const percentMax = 99
const stepsMax = 1000

/**
 * Progress by elapsed time, for a task that reports none of its own: of a job whose payload expects a `duration` in
 * seconds, so many `steps` (10 unless it says) of equal length. Only where the task's owner has asked for it: a video
 * has a duration and steps too, and means others by them.
 */
export class ElapsedProgress {
  readonly #timer: NodeJS.Timeout

  private constructor(durationSeconds: number, steps: number, report: (percent: number) => void) {
    let step = 0
    const stepMs = (durationSeconds * 1000) / steps
    this.#timer = setInterval(() => {
      step += 1
      report(Math.min((step / steps) * 100, percentMax))
      if (step >= steps) this.stop()
    }, stepMs)
    // What ends the process is not to wait for the next step.
    this.#timer.unref()
  }

  /** Null where the task does not ask for it, or the job does not say how long it takes. */
  static of(
    task: Pick<TaskEntry, 'elapsedProgress'> | null,
    payload: Readonly<Record<string, unknown>>,
    report: (percent: number) => void,
  ): ElapsedProgress | null {
    const { duration, steps = 10 } = payload
    if (task?.elapsedProgress !== true) return null
    if (typeof duration !== 'number' || !(duration > 0 && duration <= 2_000_000)) return null
    if (typeof steps !== 'number' || !Number.isInteger(steps) || steps < 1 || steps > stepsMax) return null
    return new ElapsedProgress(duration, steps, report)
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}
