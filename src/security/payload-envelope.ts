import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto'
import { InterlockError } from '../domain/errors.ts'
import type { KeyRing } from './key-ring.ts'

export type Payload = Readonly<Record<string, unknown>>

/** The one field of a payload that nobody but the holder of the job can read. */
export const envelopeField = '$encrypted'

interface Envelope {
  readonly alg: 'A256GCM'
  readonly key: string
  readonly nonce: string
  /** The ciphertext with its tag behind it. */
  readonly data: string
}

const tagBytes = 16
const nonceBytes = 12

/**
 * A payload as it is stored: encrypted by AES-256-GCM and bound to its job, so that nobody who can write rows can give one
 * job the payload of another. The nonce is made from the job and the payload, not drawn: what is enqueued again under the
 * same Idempotency-Key has to be the same bytes, and two payloads that differ have different nonces as surely as with
 * drawn ones. Who compares sees that the same job was given the same payload, and nothing else.
 */
export function seal(ring: KeyRing, jobId: string, payload: Payload): Payload {
  const { id, encryption, nonce: nonceKey } = ring.current
  const text = JSON.stringify(payload)
  const nonce = createHmac('sha256', nonceKey).update(`${jobId}\n${text}`).digest().subarray(0, nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', encryption, nonce).setAAD(boundTo(jobId))
  const data = Buffer.concat([cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
  const envelope: Envelope = {
    alg: 'A256GCM',
    key: id,
    nonce: nonce.toString('base64'),
    data: data.toString('base64'),
  }
  return { [envelopeField]: envelope }
}

/** The payload that was sealed; what stands beside the envelope (a work order) stays. One that is not sealed is itself. */
export function unseal(ring: KeyRing | null, jobId: string, payload: Payload): Payload {
  if (!isSealed(payload)) return payload
  const { [envelopeField]: envelope, ...beside } = payload
  const { key: keyId, nonce, data } = envelope as Envelope
  const key = ring?.find(keyId) ?? null
  if (key === null)
    throw cannotRead(jobId, `is encrypted with the key ${String(keyId).slice(0, 32)}, which is not here`)
  try {
    const bytes = Buffer.from(data, 'base64')
    const decipher = createDecipheriv('aes-256-gcm', key.encryption, Buffer.from(nonce, 'base64'), {
      authTagLength: tagBytes,
    })
    decipher.setAAD(boundTo(jobId)).setAuthTag(bytes.subarray(-tagBytes))
    const text = Buffer.concat([decipher.update(bytes.subarray(0, -tagBytes)), decipher.final()]).toString('utf8')
    return { ...(JSON.parse(text) as Payload), ...beside }
  } catch {
    // No cause: what the cipher says helps nobody but an attacker.
    throw cannotRead(jobId, 'was changed, or belongs to another job')
  }
}

export function isSealed(payload: Payload): boolean {
  return Object.hasOwn(payload, envelopeField)
}

/** The key that a sealed payload was written with. */
export function keyOfEnvelope(payload: Payload): string | null {
  return isSealed(payload) ? (payload[envelopeField] as Envelope).key : null
}

function boundTo(jobId: string): Buffer {
  return Buffer.from(`interlock payload of ${jobId}`)
}

function cannotRead(jobId: string, why: string): InterlockError {
  return new InterlockError('not_permitted', `the payload of ${jobId} ${why}`, {
    field: 'payload',
    hint: 'INTERLOCK_ENCRYPTION_KEYS names the keys of this process.',
  })
}
