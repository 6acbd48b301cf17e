import express, { type NextFunction, type Request, type Response } from 'express'
import { refuseUnsafeJson } from '../domain/safe-json.ts'
import { scrub } from '../security/scrub.ts'
import { HttpError } from './problem.ts'

export const maxBodyBytes = 1024 * 1024

const parse = express.json({ limit: maxBodyBytes, strict: false, type: () => true })

/** Reads a JSON body into `request.body`, or passes on why it is none. A request without a body has `undefined`. */
export function readJsonBody(request: Request, response: Response, next: NextFunction): void {
  if (!hasBody(request)) {
    request.body = undefined
    next()
    return
  }
  // Also what keeps a page of another site from posting here: JSON from there needs a preflight, which nobody answers.
  if (!request.is(['json', '+json'])) {
    next(
      new HttpError(415, 'unsupported_media_type', 'The body must be JSON.', {
        hint: 'Send Content-Type: application/json.',
        headers: { 'Accept-Post': 'application/json' },
      }),
    )
    return
  }
  parse(request, response, (error?: unknown) => {
    try {
      if (error !== undefined) throw toHttpError(error)
      refuseUnsafeJson(request.body)
      scrubWords(request.body)
      next()
    } catch (refusal) {
      next(refusal)
    }
  })
}

/** What people write for the log is kept for ever, and read by many: a key or a password that slipped into it is not. */
function scrubWords(body: unknown): void {
  if (typeof body !== 'object' || body === null) return
  const words = body as Record<string, unknown>
  for (const name of ['reason', 'actor']) {
    const said = Object.hasOwn(words, name) ? words[name] : undefined
    if (typeof said === 'string') words[name] = scrub(said)
  }
}

function hasBody({ headers }: Request): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

function toHttpError(error: unknown): unknown {
  const { type } = error as { readonly type?: unknown }
  switch (type) {
    case 'entity.parse.failed':
      return new HttpError(400, 'malformed_json', `The body is not JSON: ${(error as Error).message}`)
    case 'entity.too.large':
      return new HttpError(413, 'body_too_large', `The body has more than ${maxBodyBytes} bytes (1 MiB).`)
    case 'charset.unsupported':
    case 'encoding.unsupported':
      return new HttpError(
        415,
        'unsupported_media_type',
        'The body must be JSON in UTF-8, plain or compressed by gzip.',
      )
    case 'request.aborted':
    case 'request.size.invalid':
      return new HttpError(400, 'incomplete_body', 'The body is shorter than its Content-Length.')
    default:
      return error
  }
}
