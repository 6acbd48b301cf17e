import type { BenchJob } from '../workload.ts'

/** A whole system as it runs in production: whoever sends a job only learns, by its number, when it starts. */
export interface Service {
  readonly name: string
  readonly settings: Readonly<Record<string, number | string>>
  send(job: BenchJob, number: number): Promise<void>
  stop(): Promise<void>
}

export type OpenService = (url: string, onStart: (number: number) => void) => Promise<Service>
