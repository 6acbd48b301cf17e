import { type InterlockError, isInterlockError } from '../domain/errors.ts'
import { say } from '../observability/log-phrases.ts'
import type { Logger } from '../observability/logger.ts'
import type { Principal } from '../security/principal.ts'
import { scrub } from '../security/scrub.ts'
import { type AuditLine, recordAudit } from '../store/audit.ts'
import type { Database } from '../store/database.ts'
import { withDeadline } from './deadline.ts'
import type { Answer, Asked, Call, Route } from './route.ts'

/** Lines a minute about keys that are good for nothing: whoever sends a million of them does not fill the disk. */
const strangersAMinute = 60

interface Refused {
  readonly request: Asked
  readonly requestId: string
  readonly principal: Principal
  readonly operation: string
}

/**
 * Writes into the audit what operators and administrators ask for, and what somebody was not permitted. Not what holders
 * say of their own jobs, nor enqueues and readings: those would cost a claim a write, and are in the log of the jobs.
 * After the fact, and outside of the verb's transaction, whose own line in job_queue_log cannot be lost; an audit that
 * cannot be written is an error in the service's log, and does not make a done thing look undone.
 */
export class Auditor {
  readonly #database: Database
  readonly #logger: Logger
  #strangers = { sinceMs: 0, count: 0 }

  constructor(database: Database, logger: Logger) {
    this.#database = database
    this.#logger = logger
  }

  /** The answer, or what is thrown, with its line written where the route is one that is audited. */
  async watch(route: Route, call: Call, actor: () => string, answer: Promise<Answer>): Promise<Answer> {
    if ((route.scope !== 'operate' && route.scope !== 'admin') || route.auditedBy === 'nobody') return answer
    const { request, requestId, principal } = call
    const line = (outcome: AuditLine['outcome'], code: string | null, detail: string | null) =>
      this.#write({
        operation: `${route.method} ${route.path}`,
        outcome,
        subject: subjectOf(request),
        actor: actor(),
        keyId: keyIdOf(principal),
        code,
        reason: reasonOf(request) ?? detail,
        requestId,
      })
    try {
      const given = await answer
      if (route.auditedBy !== 'verb') await line('done', isDryRun(request) ? 'dry_run' : null, null)
      return given
    } catch (error) {
      const isOurs = !isInterlockError(error) || error.code === 'internal'
      // Of what is wrong on our side no text goes anywhere but into the log of the service.
      if (isOurs) await line('failed', 'internal', null)
      else await line(error.code === 'unavailable' ? 'failed' : 'refused', error.code, error.message)
      throw error
    }
  }

  /** Somebody without a good key, or whose key has not the scope. Who shows no key at all is nobody to name. */
  async noteRefusal({ request, requestId, principal, operation }: Refused, refusal: InterlockError): Promise<void> {
    if (principal.kind === 'nobody' && (principal.keyId === null || !this.#mayNoteStranger())) return
    await this.#write({
      operation,
      outcome: 'refused',
      subject: subjectOf(request),
      actor: principal.kind === 'key' ? principal.name : 'nobody',
      keyId: keyIdOf(principal),
      code: refusal.code,
      reason: refusal.message,
      requestId,
    })
  }

  async #write(line: AuditLine): Promise<void> {
    try {
      const { subject, reason } = line
      const shown = { subject: subject && scrub(subject), reason: reason && scrub(reason) }
      await withDeadline(recordAudit(this.#database, { ...line, ...shown }))
    } catch (error) {
      say(this.#logger, 'audit.lost', { request_id: line.requestId, operation: line.operation, error })
    }
  }

  #mayNoteStranger(): boolean {
    const nowMs = performance.now()
    if (nowMs - this.#strangers.sinceMs > 60_000) this.#strangers = { sinceMs: nowMs, count: 0 }
    this.#strangers.count += 1
    return this.#strangers.count <= strangersAMinute
  }
}

function keyIdOf(principal: Principal): string | null {
  if (principal.kind === 'trusted') return null
  return principal.kind === 'key' ? principal.id : principal.keyId
}

function subjectOf({ params }: Asked): string | null {
  const named = Object.values(params).flat().join(' ')
  return named === '' ? null : named
}

/** Why it was asked for, where a call has a place for that. */
function reasonOf(request: Asked): string | null {
  const reason = fieldOf(request.body, 'reason') ?? fieldOf(request.query, 'reason')
  return typeof reason === 'string' && reason !== '' ? reason : null
}

function isDryRun(request: Asked): boolean {
  return fieldOf(request.body, 'dry_run') === true || fieldOf(request.query, 'dry_run') === '1'
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined
}
