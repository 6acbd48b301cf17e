import { z } from 'zod'
import { checkContract } from '../../domain/contract.ts'
import { checkHistoryQuestion, historyFields, historySummary, maxSummaryRows } from '../../domain/history-summary.ts'
import { readHistorySummary } from '../../store/history-summary.ts'
import { wholeNumber } from '../query.ts'
import type { Answer, Call, Route } from '../route.ts'
import type { Services } from '../services.ts'

const numbers = z.looseObject({ limit: wholeNumber({ min: 1, max: maxSummaryRows }).optional() })
const summaryQuery = z.strictObject({ ...historyFields, ...numbers.shape })

/** What became of the jobs of a range, in numbers. */
export function historyRoutes({ database }: Services): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/history/summary',
      scope: 'read',
      name: 'get_history_summary',
      summary:
        'What became of the jobs that ended within a range, by task, user, model, hour and so on: counts, waits, durations; of the last day unless set.',
      query: summaryQuery,
      answers: { 200: historySummary },
      answer: summary,
    },
  ]

  async function summary({ request }: Call): Promise<Answer> {
    const question = checkHistoryQuestion(checkContract(numbers, { ...request.query }))
    return { status: 200, body: await readHistorySummary(database, question) }
  }
}
