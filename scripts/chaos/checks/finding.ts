/** The letters of the invariants, and what each says. */
export const invariants = {
  X: 'exclusivity: no two holders of one slot',
  L: 'nothing acknowledged is lost, nothing refused is there',
  D: 'at most one accepted end of an attempt, one completion of a job',
  O: 'starts follow rank among the startable, and nobody who could start is left waiting',
  T: 'each event begins where the last one ended; tokens and fences rise',
  V: 'when the faults stop, the backlog drains',
  C: 'at rest nothing is left: no lock, no transaction, no process, no reservation',
  A: 'the auditor sees nothing that lasts, and no inner check fails',
  B: 'memory and output stay bounded',
} as const

export type Invariant = keyof typeof invariants

/** Something that must not be, found by the checker. */
export interface Finding {
  readonly invariant: Invariant
  readonly what: string
}
