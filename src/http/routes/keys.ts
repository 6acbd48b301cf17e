import { z } from 'zod'
import { checkContract } from '../../domain/contract.ts'
import { auditPage } from '../../security/audit-view.ts'
import { keyRequest, rotation } from '../../security/key-request.ts'
import { issuedKey, keyPage, keyView } from '../../security/key-view.ts'
import { listAudit } from '../../store/audit.ts'
import { createKey, listKeys, readKey, revokeKey, rotateKey, type Signature } from '../../store/keys.ts'
import { text, wholeNumber } from '../query.ts'
import { type Answer, type Call, pathParameter, type Route } from '../route.ts'
import type { Services } from '../services.ts'

const actor = z.string().min(1).max(200).optional()
const newKey = z.strictObject({ ...keyRequest.shape, actor })
const newSecret = z.strictObject({ ...rotation.shape, actor })
const revocation = z.strictObject({ reason: z.string().max(4096).optional(), actor })
const listQuery = z.strictObject({ limit: wholeNumber({ min: 1, max: 500 }).default(100), cursor: text.optional() })
const auditQuery = z.strictObject({
  actor: text.optional(),
  key: text.optional(),
  operation: text.optional(),
  subject: z.string({ error: 'must be given once' }).min(1).max(300).optional(),
  outcome: z.enum(['done', 'refused', 'failed']).optional(),
  limit: wholeNumber({ min: 1, max: 1000 }).default(100),
  cursor: wholeNumber({ min: 1, max: Number.MAX_SAFE_INTEGER }).optional(),
})

/**
 * Who may ask what, and who did. The answer that issues a secret is the only one that has it: it cannot be repeated by an
 * Idempotency-Key, since nothing here remembers it. Who has lost that answer finds the name taken, and rotates the key.
 */
export function keyRoutes({ database }: Services): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/keys',
      scope: 'admin',
      name: 'list_keys',
      summary:
        'The keys that there are, with their scopes and their last use, a page at a time; nothing of their secrets.',
      query: listQuery,
      answers: { 200: keyPage },
      answer: list,
    },
    {
      method: 'POST',
      path: '/keys',
      scope: 'admin',
      name: 'create_key',
      summary: 'Makes a key. This answer alone has its secret: keep it, for nobody can show it again.',
      body: newKey,
      answers: { 201: issuedKey },
      answer: create,
      auditedBy: 'verb',
    },
    {
      method: 'POST',
      path: '/keys/:id/rotate',
      scope: 'admin',
      name: 'rotate_key',
      summary: 'Gives a key another secret; the former one stays good for overlap_seconds, a day unless set.',
      body: newSecret,
      isBodyOptional: true,
      answers: { 200: issuedKey },
      answer: rotate,
      auditedBy: 'verb',
    },
    {
      method: 'DELETE',
      path: '/keys/:id',
      scope: 'admin',
      name: 'revoke_key',
      summary: 'Ends a key for good, within a second at every coordinator.',
      body: revocation,
      isBodyOptional: true,
      answers: { 200: keyView },
      answer: revoke,
      auditedBy: 'verb',
    },
    {
      method: 'GET',
      path: '/audit',
      scope: 'admin',
      name: 'list_audit',
      summary: 'What operators and administrators did, and what was refused for lack of permission, the newest first.',
      query: auditQuery,
      answers: { 200: auditPage },
      answer: audit,
    },
  ]

  async function list({ request }: Call): Promise<Answer> {
    return { status: 200, body: await listKeys(database, checkContract(listQuery, { ...request.query })) }
  }

  async function create(call: Call): Promise<Answer> {
    const { actor: given, ...wanted } = checkContract(newKey, call.request.body)
    const issued = await createKey(database, wanted, signatureOf(call, given))
    return { status: 201, headers: secretHeaders, body: issued }
  }

  async function rotate(call: Call): Promise<Answer> {
    const { actor: given, ...wanted } = checkContract(newSecret, call.request.body ?? {})
    const id = pathParameter(call.request, 'id')
    const issued = await rotateKey(database, id, wanted, signatureOf(call, given))
    return { status: 200, headers: secretHeaders, body: issued }
  }

  async function revoke(call: Call): Promise<Answer> {
    const { actor: given, reason } = checkContract(revocation, call.request.body ?? {})
    const id = pathParameter(call.request, 'id')
    await revokeKey(database, id, { reason, ...signatureOf(call, given) })
    return { status: 200, body: await readKey(database, id) }
  }

  async function audit({ request }: Call): Promise<Answer> {
    const { limit, cursor, ...filter } = checkContract(auditQuery, { ...request.query })
    return { status: 200, body: await listAudit(database, filter, { limit, cursor }) }
  }
}

/** For its holder: no cache between keeps it. */
const secretHeaders = { 'Cache-Control': 'no-store' } as const

function signatureOf({ principal, requestId, actorOf }: Call, given: string | undefined): Signature {
  return { actor: actorOf(given), keyId: principal.kind === 'key' ? principal.id : null, requestId }
}
