/**
 * A resource is a named thing of which a running job has exclusive or counted use: `user:alice`, `model:flux-dev`,
 * `repository:website`. `limit:all`, `queue:NAME` and `task:NAME` are limits: resources of every job (of the queue, of
 * the task) while somebody has given them a capacity.
 */
export type Resource = string

export interface ResourceParts {
  readonly kind: string
  readonly value: string
}

export const maxResourcesPerJob = 32

const resourceShape = /^[a-z][a-z0-9_]{0,30}:[^*\p{Cc}]+$/u
const maxResourceLength = 240

/** The kinds that are limits; they come last in resource order. */
const limitKinds: ReadonlySet<string> = new Set(['limit', 'queue', 'task'])

/**
 * Whether this names a resource: `kind:value`, the kind in lower case, the value without an asterisk (for patterns).
 * `rate:` is for the start rates of resources.
 */
export function isResource(name: string): name is Resource {
  // Characters, as the database counts them, not UTF-16 units.
  return resourceShape.test(name) && [...name].length <= maxResourceLength && !name.startsWith('rate:')
}

export function resourceParts(resource: Resource): ResourceParts {
  const colon = resource.indexOf(':')
  return { kind: resource.slice(0, colon), value: resource.slice(colon + 1) }
}

export function isLimit(resource: Resource): boolean {
  return limitKinds.has(resourceParts(resource).kind)
}

/** The order in which a job waits for what it needs: what costs least to keep waiting comes first. */
export function resourceOrder(resource: Resource): 0 | 1 | 2 | 3 {
  const { kind } = resourceParts(resource)
  if (kind === 'user') return 0
  if (kind === 'model') return 2
  return limitKinds.has(kind) ? 3 : 1
}

/** Compares by resource order, then by name as the database does (collation "C": by code point, not by UTF-16 unit). */
export function compareResources(a: Resource, b: Resource): number {
  return resourceOrder(a) - resourceOrder(b) || compareCodePoints(a, b)
}

/** What a job needs, as it is stored: sorted in resource order, each once. */
export function sortResources(resources: Iterable<Resource>): readonly Resource[] {
  return [...new Set(resources)].sort(compareResources)
}

/** All that a job asks for: its user, its models and further resources, as `enqueue_jobs` puts them together. */
export function resourcesOf(asked: {
  readonly user?: string | null | undefined
  readonly models?: readonly string[] | undefined
  readonly resources?: readonly Resource[] | undefined
}): readonly Resource[] {
  const user = asked.user ? [`user:${asked.user}`] : []
  const models = (asked.models ?? []).map((model) => `model:${model}`)
  return sortResources([...user, ...models, ...(asked.resources ?? [])])
}

/** The names of the models among resources, in their order. */
export function modelsAmong(resources: readonly Resource[]): readonly string[] {
  return resources.filter((resource) => resource.startsWith('model:')).map((resource) => resourceParts(resource).value)
}

/** The resource in a sentence: `user alice`, `model flux-dev`, `the limit on task resize`, `repository website`. */
export function describeResource(resource: Resource): string {
  const { kind, value } = resourceParts(resource)
  if (resource === 'limit:all') return 'the limit on all jobs'
  if (kind === 'limit') return `the limit ${value}`
  return isLimit(resource) ? `the limit on ${kind} ${value}` : `${kind} ${value}`
}

function compareCodePoints(a: string, b: string): number {
  const left = [...a]
  const right = [...b]
  const shared = Math.min(left.length, right.length)
  for (let index = 0; index < shared; index += 1) {
    const difference = codePoint(left, index) - codePoint(right, index)
    if (difference !== 0) return difference
  }
  return left.length - right.length
}

function codePoint(characters: readonly string[], index: number): number {
  return characters[index]?.codePointAt(0) ?? -1
}
