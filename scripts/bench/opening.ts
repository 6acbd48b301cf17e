import type { Bench } from './bench.ts'
import type { System } from './system.ts'

/** Opens systems, does the work, and closes them all, whatever happened. */
export async function withSystems<Opened extends readonly System[]>(
  open: { readonly [Index in keyof Opened]: () => Promise<Opened[Index]> },
  work: (...systems: Opened) => Promise<void>,
): Promise<void> {
  const openings = await Promise.allSettled(open.map((opener: () => Promise<System>) => opener()))
  const systems = openings.flatMap((opening) => (opening.status === 'fulfilled' ? [opening.value] : []))
  try {
    for (const opening of openings) if (opening.status === 'rejected') throw opening.reason
    await work(...(systems as unknown as Opened))
  } finally {
    for (const system of systems) await system.close()
  }
}

/** A database of this name, for the system that is opened by its URL. */
export function on<Opened extends System>(
  bench: Bench,
  name: string,
  open: (url: string) => Promise<Opened>,
): () => Promise<Opened> {
  return async () => open(await bench.server.createDatabase(name))
}
