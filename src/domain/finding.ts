/** One thing that the doctor found amiss, and the way out. */
export interface Finding {
  /** `problem`: a promise is not kept, or will not be. `warning`: it is kept, and something makes that harder. */
  readonly severity: 'problem' | 'warning'
  /** What is so, in a sentence. */
  readonly what: string
  /** What to do about it: a command, a query, a setting. */
  readonly remedy: string
}

/** What was looked at, and what was found there: nothing, where all is well. */
export interface CheckResult {
  readonly check: string
  readonly findings: readonly Finding[]
}

export function problem(what: string, remedy: string): Finding {
  return { severity: 'problem', what, remedy }
}

export function warning(what: string, remedy: string): Finding {
  return { severity: 'warning', what, remedy }
}
