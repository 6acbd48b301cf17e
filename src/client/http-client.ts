import { type ErrorCode, errorCodes, InterlockError } from '../domain/errors.ts'

export interface HttpClientOptions {
  readonly url: string
  /** `il_…`; null where the coordinator asks for none. */
  readonly key?: string | null
  /** Gives up whatever is under way. */
  readonly signal?: AbortSignal
}

export interface HttpRequest {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly query?: Readonly<Record<string, string | number | undefined>>
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  /** How long the answer may take; more than the wait that is asked for. */
  readonly timeoutSeconds?: number
  /** Gives up this call alone. */
  readonly signal?: AbortSignal | undefined
}

/** JSON over HTTP to a coordinator. Throws InterlockError, as the server's problem says it, or `unavailable`. */
export class HttpClient {
  readonly url: string
  readonly #key: string | null
  readonly #signal: AbortSignal | undefined

  constructor(options: HttpClientOptions) {
    this.url = options.url.replace(/\/+$/, '')
    this.#key = options.key ?? null
    this.#signal = options.signal
  }

  async send<Answer>(path: string, request: HttpRequest = {}): Promise<Answer> {
    const { method = 'GET', body, timeoutSeconds = 30 } = request
    const timeout = AbortSignal.timeout(timeoutSeconds * 1000)
    const signal = AbortSignal.any([timeout, this.#signal, request.signal].filter((one) => one !== undefined))
    let response: Response
    let text: string
    try {
      response = await fetch(this.#address(path, request.query), {
        method,
        signal,
        headers: {
          accept: 'application/json',
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(this.#key === null ? {} : { authorization: `Bearer ${this.#key}` }),
          ...request.headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      text = await response.text()
    } catch (error) {
      this.#signal?.throwIfAborted()
      request.signal?.throwIfAborted()
      throw this.#unavailable(error, timeout.aborted ? `gave no answer within ${timeoutSeconds} s` : null)
    }
    const answer = parseJson(text)
    if (!response.ok) throw this.#refusal(response.status, answer)
    if (answer === undefined && text !== '') throw this.#unavailable(null, 'does not answer as Interlock does')
    return answer as Answer
  }

  #address(path: string, query: HttpRequest['query'] = {}): string {
    const entries = Object.entries(query).filter(([, value]) => value !== undefined)
    const search = new URLSearchParams(entries.map(([name, value]) => [name, String(value)]))
    return `${this.url}${path}${entries.length === 0 ? '' : `?${search}`}`
  }

  #refusal(status: number, answer: unknown): InterlockError {
    const problem = (typeof answer === 'object' && answer !== null ? answer : {}) as Partial<Problem>
    if (problem.code === undefined)
      return this.#unavailable(null, `answers with status ${status}, not as Interlock does`)
    // HTTP has refusals of its own (a body too large, no such route), and a newer server more codes than we know.
    const isKnown = (errorCodes as readonly string[]).includes(problem.code)
    const code = isKnown ? (problem.code as ErrorCode) : status < 500 ? 'invalid_argument' : 'internal'
    const message = problem.detail ?? problem.title ?? `the server answers with status ${status}`
    return new InterlockError(code, message, { field: problem.field, hint: problem.hint })
  }

  #unavailable(cause: unknown, what: string | null): InterlockError {
    return new InterlockError('unavailable', `${this.url} ${what ?? `cannot be reached: ${reasonOf(cause)}`}`, {
      hint: 'Is `interlock up` running there? INTERLOCK_URL or --url names another place.',
      cause,
    })
  }
}

/** problem+json (RFC 9457), with the domain's code. */
interface Problem {
  readonly code: string
  readonly title: string
  readonly detail: string
  readonly field: string
  readonly hint: string
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** fetch says "fetch failed" and hides why in its cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause: unknown = error.cause
  const inner = cause instanceof AggregateError ? cause.errors[0] : cause
  return inner instanceof Error ? inner.message : error.message
}
