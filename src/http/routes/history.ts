import { z } from 'zod'
import { checkContract } from '../../domain/contract.ts'
import { checkHistoryQuestion, maxSummaryRows } from '../../domain/history-summary.ts'
import { readHistorySummary } from '../../store/history-summary.ts'
import { wholeNumber } from '../query.ts'
import type { Answer, Call, Route } from '../route.ts'
import type { Services } from '../services.ts'

const numbers = z.looseObject({ limit: wholeNumber({ min: 1, max: maxSummaryRows }).optional() })

/** What became of the jobs of a range, in numbers. */
export function historyRoutes({ database }: Services): readonly Route[] {
  return [{ method: 'GET', path: '/history/summary', scope: 'read', answer: summary }]

  async function summary({ request }: Call): Promise<Answer> {
    const question = checkHistoryQuestion(checkContract(numbers, { ...request.query }))
    return { status: 200, body: await readHistorySummary(database, question) }
  }
}
