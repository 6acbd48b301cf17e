import { createHash, randomBytes, randomInt } from 'node:crypto'

/** A key as its holder has it, in parts. */
export interface PresentedKey {
  readonly id: string
  /** SHA-256 of the secret: all that is ever compared or stored. */
  readonly secretHash: Buffer
}

export interface NewKey extends PresentedKey {
  /** `il_<id>_<secret>`: for its holder alone, once. */
  readonly key: string
}

const idLetters = 'abcdefghijklmnopqrstuvwxyz0123456789'
const idLength = 12
const secretBytes = 32
const shape = /^il_([a-z0-9]{8,32})_([A-Za-z0-9_-]{43})$/

/** Draws a key, or with an id another secret for it. */
export function drawKey(id: string = drawId()): NewKey {
  const secret = randomBytes(secretBytes).toString('base64url')
  return { id, key: `il_${id}_${secret}`, secretHash: hashOf(secret) }
}

/** The parts of a key; null: it has not the shape of one. */
export function parseKey(text: string): PresentedKey | null {
  const [, id, secret] = shape.exec(text) ?? []
  return id === undefined || secret === undefined ? null : { id, secretHash: hashOf(secret) }
}

/** The key in `Authorization: Bearer …`; null where there is none, or another kind of it. */
export function bearerKey(authorization: string | undefined): string | null {
  return /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1] ?? null
}

function drawId(): string {
  return Array.from({ length: idLength }, () => idLetters[randomInt(idLetters.length)]).join('')
}

/** Fast on purpose: a secret of 256 random bits cannot be guessed through any hash, and it is computed at every call. */
function hashOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}
