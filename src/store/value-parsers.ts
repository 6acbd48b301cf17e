import pg from 'pg'

const int8 = 20
const int8Array = 1016
type Parser = (value: string) => unknown

// pg hands out bigint as text, because it may exceed what a number holds. Ours (tokens, fences, counts) come from
// sequences that will not get there; one that did would stay text, wrong visibly and not by one.
function numberWhenSafe(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(numberWhenSafe)
  const number = Number(value)
  return value !== null && Number.isSafeInteger(number) ? number : value
}

/** How the values of a row arrive: bigint as number, timestamptz as Date, json parsed, numeric as text. */
export const valueParsers: pg.CustomTypesConfig = {
  getTypeParser(oid, format) {
    const usual = pg.types.getTypeParser(oid as number, format as 'text') as Parser
    if (format === 'binary') return usual
    const id: number = oid
    if (id === int8 || id === int8Array) return (value: string) => numberWhenSafe(usual(value))
    return usual
  },
}
