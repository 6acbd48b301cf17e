import pg from 'pg'
import { InterlockError } from '../domain/errors.ts'

/**
 * Refuses to speak to a database across a network but by TLS that knows whom it speaks to: the password and every payload
 * go over that line. Asked before the first byte is sent. `verify-full` has to be written, since what pg makes of the
 * lesser words (require, prefer) is about to become what libpq makes of them: encryption for whoever sits in between.
 * Throws `invalid_argument`, and never says the password.
 */
export function checkTransport(url: string): void {
  const { host, isLocal, isVerified } = endOf(url)
  if (isLocal || isVerified) return
  throw new InterlockError('invalid_argument', `the connection to the database at ${host} is not verified`, {
    field: 'sslmode',
    hint: 'Add sslmode=verify-full to DATABASE_URL (and sslrootcert=FILE for a certificate authority of your own); on a network that is yours alone, --insecure or security.database_tls = "off".',
  })
}

interface End {
  readonly host: string
  readonly isLocal: boolean
  readonly isVerified: boolean
}

/** As pg itself reads the address: a host may be a parameter, or stand in the environment of libpq. */
function endOf(url: string): End {
  const { host, isDomainSocket, ssl } = parametersOf(url)
  const isLoopback = /^(localhost|127\.\d+\.\d+\.\d+|::1|\[::1\])$/i.test(host)
  const mode = /[?&]sslmode=([^&#]*)/.exec(url)?.[1]
  const isChecked = typeof ssl === 'object' && ssl.rejectUnauthorized !== false && ssl.checkServerIdentity === undefined
  return { host, isLocal: isDomainSocket || isLoopback, isVerified: mode === 'verify-full' && isChecked }
}

interface ConnectionParameters {
  readonly host: string
  readonly isDomainSocket: boolean
  readonly ssl: boolean | { readonly rejectUnauthorized?: boolean; readonly checkServerIdentity?: unknown }
}

function parametersOf(url: string): ConnectionParameters {
  try {
    const client = new pg.Client({ connectionString: url })
    return (client as unknown as { readonly connectionParameters: ConnectionParameters }).connectionParameters
  } catch (error) {
    // A certificate's file that is not there, for one.
    const why = error instanceof Error ? error.message.replaceAll(url, 'DATABASE_URL') : 'it is no address'
    throw new InterlockError('invalid_argument', `the address of the database cannot be read: ${why}`, {
      field: 'database.url',
    })
  }
}
