import type { JobSummaryView } from '../domain/job-view.ts'

/**
 * What the doors answer with beside the views of domain/: JSON, snake_case, ISO 8601 times. A client reads these and
 * nothing else; what a newer server adds is passed on as it came.
 */

export interface JobPage {
  readonly jobs: readonly JobSummaryView[]
  readonly next_cursor: string | null
}
