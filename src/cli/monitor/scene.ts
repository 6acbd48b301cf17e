import type { JobDetails, MonitorData } from './monitor-data.ts'

/** What is known, for the screen to show. */
export interface Scene {
  /** Where all this is: an address without its secrets. */
  readonly place: string
  readonly refreshSeconds: number
  readonly data: MonitorData | null
  readonly details: JobDetails | null
  /** Why the opened job cannot be shown. */
  readonly detailsTrouble: string | null
  /** Why the last look brought nothing. */
  readonly trouble: string | null
  /** Since the last answer, or since the start. */
  readonly silentSeconds: number
  /** What came of what was asked for. */
  readonly notice: Notice | null
}

export interface Notice {
  readonly text: string
  readonly isBad: boolean
}

export interface ScreenSize {
  readonly columns: number
  /** Infinity: as many as it takes. */
  readonly rows: number
}
