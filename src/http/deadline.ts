import { InterlockError } from '../domain/errors.ts'

/** How long a caller waits for what should take milliseconds. */
export const answerSeconds = 10

/**
 * The work's result, or `unavailable` when it has none in time. A database that vanished without a word keeps its
 * statement for as long as TCP believes in it; nobody who asked shall wait for that.
 */
export async function withDeadline<Result>(work: Promise<Result>, seconds: number = answerSeconds): Promise<Result> {
  let timer: NodeJS.Timeout | undefined
  const expiry = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(
        new InterlockError('unavailable', `the database gave no answer within ${seconds} s`, {
          hint: 'What was asked may have been done all the same: look before repeating it.',
        }),
      )
    }, seconds * 1000)
  })
  // What comes after the deadline goes to nobody, and must not end the process as an unhandled rejection.
  work.catch(() => undefined)
  try {
    return await Promise.race([work, expiry])
  } finally {
    clearTimeout(timer)
  }
}
