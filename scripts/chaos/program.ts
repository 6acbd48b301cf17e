import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface SourceEdit {
  /** Below src/. */
  readonly file: string
  readonly find: string | RegExp
  readonly replace: string
}

export interface ProgramCopy {
  /** What node is to run. */
  readonly path: string
  dispose(): Promise<void>
}

const root = fileURLToPath(new URL('../../', import.meta.url))

/** Agents that are believed alive by their lease alone, as behind a transaction pooler. */
export const livenessByLease: SourceEdit = {
  file: 'agent/agent.ts',
  find: "liveness: liveness ?? 'connection'",
  replace: "liveness: liveness ?? 'lease'",
}

/** A copy of the program with these edits. Throws when one of them finds nothing to change. */
export async function copyProgram(edits: readonly SourceEdit[]): Promise<ProgramCopy> {
  const folder = await mkdtemp(join(tmpdir(), 'interlock-chaos-program-'))
  const dispose = () => rm(folder, { recursive: true, force: true })
  try {
    await cp(join(root, 'src'), join(folder, 'src'), { recursive: true })
    for (const name of ['node_modules', 'sql', 'migrations', 'package.json'])
      await symlink(join(root, name), join(folder, name))
    for (const { file, find, replace } of edits) {
      const path = join(folder, 'src', file)
      const text = await readFile(path, 'utf8')
      const changed = text.replace(find, replace)
      if (changed === text) throw new Error(`nothing to change in ${file}: ${find}`)
      await writeFile(path, changed)
    }
    return { path: join(folder, 'src', 'main.ts'), dispose }
  } catch (error) {
    await dispose()
    throw error
  }
}
