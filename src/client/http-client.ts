import { type ErrorCode, errorCodes, InterlockError } from '../domain/errors.ts'

export interface HttpClientOptions {
  readonly url: string
  /** `il_…`; null where the coordinator asks for none. */
  readonly key?: string | null | undefined
  /** Gives up whatever is under way. */
  readonly signal?: AbortSignal
  /** Where to look when nobody answers. */
  readonly hint?: string
}

const commandLineHint = 'Is `interlock up` running there? INTERLOCK_URL or --url names another place.'

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
  readonly #signal: AbortSignal | undefined
  readonly #hint: string
  readonly #authorization: Readonly<Record<string, string>>

  constructor(options: HttpClientOptions) {
    this.#authorization = options.key == null ? {} : { authorization: `Bearer ${options.key}` }
    this.url = options.url.replace(/\/+$/, '')
    this.#signal = options.signal
    this.#hint = options.hint ?? commandLineHint
  }

  async send<Answer>(path: string, request: HttpRequest = {}): Promise<Answer> {
    const { timeoutSeconds = 30 } = request
    const timeout = AbortSignal.timeout(timeoutSeconds * 1000)
    let response: Response
    let text: string
    try {
      response = await this.#fetch(path, request, timeout)
      text = await response.text()
    } catch (error) {
      this.#throwIfGivenUp(request)
      throw this.#unavailable(error, timeout.aborted ? `gave no answer within ${timeoutSeconds} s` : null)
    }
    const answer = parseJson(text)
    if (!response.ok) throw this.#refusal(response.status, answer)
    if (answer === undefined && text !== '') throw this.#unavailable(null, 'does not answer as Interlock does')
    return answer as Answer
  }

  /** The body of an answer that goes on for as long as it is read. The request's own signal ends it. */
  async open(path: string, request: HttpRequest): Promise<ReadableStream<Uint8Array>> {
    const { timeoutSeconds = 30 } = request
    const late = new AbortController()
    const timer = setTimeout(() => late.abort(), timeoutSeconds * 1000)
    let response: Response
    let refused: unknown
    try {
      response = await this.#fetch(path, { ...request, accept: 'text/event-stream' }, late.signal)
      if (!response.ok) refused = parseJson(await response.text())
    } catch (error) {
      this.#throwIfGivenUp(request)
      throw this.#unavailable(error, late.signal.aborted ? `gave no answer within ${timeoutSeconds} s` : null)
    } finally {
      clearTimeout(timer)
    }
    if (!response.ok) throw this.#refusal(response.status, refused)
    if (response.body === null) throw this.#unavailable(null, 'does not answer as Interlock does')
    return response.body
  }

  #fetch(
    path: string,
    { method = 'GET', query, body, headers, signal, accept = 'application/json' }: HttpRequest & { accept?: string },
    timeout: AbortSignal,
  ): Promise<Response> {
    return fetch(this.#address(path, query), {
      method,
      signal: AbortSignal.any([timeout, this.#signal, signal].filter((one) => one !== undefined)),
      headers: {
        accept,
        ...this.#authorization,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  }

  #throwIfGivenUp(request: HttpRequest): void {
    this.#signal?.throwIfAborted()
    request.signal?.throwIfAborted()
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
      hint: this.#hint,
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
