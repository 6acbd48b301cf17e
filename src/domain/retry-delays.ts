import { z } from 'zod'
import { phraseIssue } from './contract.ts'

const maxSeconds = 30 * 86_400

const list = z.array(z.int().min(0).max(maxSeconds)).max(100)
const growth = z.strictObject({
  exponential: z
    .strictObject({
      first_seconds: z.int().min(1).max(maxSeconds),
      factor: z.number().min(1).max(100).optional(),
      max_seconds: z.int().min(1).max(maxSeconds).optional(),
    })
    .refine(({ first_seconds: first, max_seconds: most }) => most === undefined || most >= first, {
      path: ['max_seconds'],
      error: 'must be at least first_seconds',
    }),
})

/**
 * The waits between attempts: a list, or how they grow, `{ exponential: { first_seconds: 10, factor: 2, max_seconds: 600 } }`.
 * SQL writes the second out as the list that it means (retry_delays()), and draws each wait around its length. Not a union alone:
 * one that fits neither would be refused as a whole, and not by the number at fault.
 */
export const retryDelaysField = z
  .preprocess(
    (given, context) => {
      const isGrowth = typeof given === 'object' && given !== null && !Array.isArray(given)
      const checked = (isGrowth ? growth : list).safeParse(given, { error: (issue) => phraseIssue(issue) })
      if (checked.success) return checked.data
      for (const { message, path } of checked.error.issues)
        context.addIssue({ code: 'custom', message, path: [...path] })
      return z.NEVER
    },
    // What has passed is one of them: this says so to those who read the contract.
    z.union([list, growth]),
  )
  .describe(
    'A list of seconds, or how they grow: {"exponential": {"first_seconds": 10, "factor": 2, "max_seconds": 600}}.',
  )
