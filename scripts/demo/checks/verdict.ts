/** The answer to one check: what was asked, whether it holds, and by what it is known. */
export interface Verdict {
  readonly title: string
  readonly isOk: boolean
  /** Figures where it holds, what contradicts it where it does not. */
  readonly evidence: readonly string[]
}

/** It holds if nothing contradicts it; `figures` say what was looked at. */
export function judge(title: string, contradictions: readonly string[], figures: readonly string[] = []): Verdict {
  return contradictions.length === 0
    ? { title, isOk: true, evidence: figures }
    : { title, isOk: false, evidence: contradictions }
}

export function describe({ title, isOk, evidence }: Verdict): string {
  const [first, ...more] = evidence
  const head = `${isOk ? 'ok    ' : 'FAILED'}  ${title}`
  return [first === undefined ? head : `${head}: ${first}`, ...more.map((line) => `          ${line}`)].join('\n')
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`
}
