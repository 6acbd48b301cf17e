import { z } from 'zod'

// Parameters of a query are text, and a name that comes twice is a list: these make of them what the routes work with.
// What they are made into is what the documents say of them.

/** What a text in a query means, as JSON Schema; by the schema that reads the text. */
export const meant = z.registry<Readonly<Record<string, unknown>>>()

/** For makers of JSON Schema: a parameter is shown as what it means. */
export function showMeaning({
  zodSchema,
  jsonSchema,
}: {
  readonly zodSchema: z.core.$ZodType
  readonly jsonSchema: Record<string, unknown>
}): void {
  const shown = meant.get(zodSchema)
  if (shown === undefined) return
  for (const name of Object.keys(jsonSchema)) delete jsonSchema[name]
  Object.assign(jsonSchema, shown)
}

export const text = z.string({ error: 'must be given once' }).min(1).max(200)

/** `?after=12` */
export function wholeNumber(range: { readonly min: number; readonly max: number }) {
  return z
    .string({ error: 'must be given once' })
    .regex(/^\d{1,15}$/, `must be a whole number from ${range.min} to ${range.max}`)
    .transform(Number)
    .pipe(z.int().min(range.min).max(range.max))
    .register(meant, { type: 'integer', minimum: range.min, maximum: range.max })
}

/** `?timeout_seconds=2.5` */
export function seconds(range: { readonly max: number }) {
  return z
    .string({ error: 'must be given once' })
    .regex(/^\d{1,9}(\.\d{1,6})?$/, `must be a number of seconds from 0 to ${range.max}`)
    .transform(Number)
    .pipe(z.number().min(0).max(range.max))
    .register(meant, { type: 'number', minimum: 0, maximum: range.max })
}

/** `?follow=1`, `?follow=true`, or the bare name. */
export const flag = z
  .enum(['', '0', '1', 'false', 'true'], { error: 'must be 1 or 0' })
  .transform((value) => value !== '0' && value !== 'false')
  .register(meant, { type: 'boolean' })

/** `?status=running,assigned` or `?status=running&status=assigned` */
export function listOf<const Word extends string>(words: readonly Word[]) {
  return z
    .union([z.string(), z.array(z.string())])
    .transform((value) => (Array.isArray(value) ? value : [value]).flatMap((part) => part.split(',')))
    .pipe(z.array(z.enum(words)).min(1).max(words.length))
    .register(meant, { type: 'array', items: { type: 'string', enum: [...words] }, minItems: 1 })
}

/** What jobs may be chosen by in a query, wherever they are listed. */
export const jobQueryFields = {
  user: text.optional(),
  project: text.optional(),
  task: text.optional(),
  queue: text.optional(),
  model: text.optional(),
  agent: text.optional(),
  text: text.optional(),
  older_than_seconds: seconds({ max: 1e9 }).optional(),
  newer_than_seconds: seconds({ max: 1e9 }).optional(),
} as const
