import type { HttpDoor } from './http-door.ts'

export interface Scraped {
  readonly text: string
  /** By metric: counter, gauge, histogram. */
  readonly types: Readonly<Record<string, string>>
  /** All lines of a name, with labels and values. */
  lines(name: string): readonly string[]
  /** Throws where there is none with just these labels. */
  value(name: string, labels?: Readonly<Record<string, string>>): number
}

/** Asks /metrics and reads it as Prometheus does. */
export async function scrape(door: Pick<HttpDoor, 'get'>): Promise<Scraped> {
  const { text, status } = await door.get('/metrics')
  if (status !== 200) throw new Error(`/metrics answered ${status}: ${text}`)
  const types = Object.fromEntries([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name, type]))
  const lines = (name: string) =>
    text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
  return {
    text,
    types: types as Record<string, string>,
    lines,
    value(name, labels = {}) {
      const wanted = JSON.stringify(Object.entries(labels).sort())
      const found = lines(name).find((line) => {
        const given = [...line.matchAll(/(\w+)="([^"]*)"/g)].map(([, label, value]) => [label, value])
        return JSON.stringify(given.sort()) === wanted
      })
      if (found === undefined) throw new Error(`no ${name} ${wanted} in ${lines(name).join('\n')}`)
      return Number(found.slice(found.lastIndexOf(' ') + 1))
    },
  }
}
