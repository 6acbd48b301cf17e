const key = /il_([a-z0-9]{8,32})_[A-Za-z0-9_-]{43}/g
/** The password in an address, up to the last @ before the path: a password may have one that nobody has encoded. */
const passwordInUrl = /\b([a-z][a-z0-9+.-]*:\/\/[^\s:/@"']*):[^\s/"']+@/gi
const passwordInQuery = /([?&;\s]password=)[^\s&;"'\\]+/gi

/**
 * A text without what must never be shown: keys (their id stays, by which one finds out whose they are) and the passwords
 * of addresses. For what is about to leave: lines of the log, refusals, the audit. What is known to be secret is not put
 * there to begin with; this is for messages of others and for what callers send in the wrong place.
 */
export function scrub(text: string): string {
  return text
    .replace(key, 'il_$1_[redacted]')
    .replace(passwordInUrl, '$1:[redacted]@')
    .replace(passwordInQuery, '$1[redacted]')
}
