/** A job's id: the caller's own, or one like `a7` or `d1024` that sorts as text in the order of its number. */
export type JobId = string & { readonly __brand: 'JobId' }

/** An incarnation of an agent, `name.incarnation`: one registration, never used again. */
export type AgentId = string & { readonly __brand: 'AgentId' }

/** Grows at every claim. A write of a claim's holder names it; an older one is refused as `stale_token`. */
export type FencingToken = number & { readonly __brand: 'FencingToken' }

const jobIdShape = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/

/** Whether a caller may choose this text as a job's id; the table's own CHECK says the same. */
export function isJobId(text: string): text is JobId {
  return jobIdShape.test(text)
}

// The three below name what the database has already checked; they are for its answers, not for callers' input.

export function asJobId(text: string): JobId {
  return text as JobId
}

export function asAgentId(text: string): AgentId {
  return text as AgentId
}

export function asFencingToken(number: number): FencingToken {
  return number as FencingToken
}
