import { fileURLToPath } from 'node:url'

/** The path of a file beside this one that is a process's entry: .ts as we develop, .js in what is published. */
export function ownEntry(name: 'keeper-process' | 'module-runner'): string {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  return fileURLToPath(new URL(`./${name}.${extension}`, import.meta.url))
}
