import { link, readFile, rename, rm, unlink, writeFile } from 'node:fs/promises'

/**
 * Says which process stops the server. True when that is this one from now on: nobody was named, or who was has died.
 * Two that take over at the same moment get one true and one false: a file is linked into place, never overwritten.
 */
export async function takeOwnership(path: string): Promise<boolean> {
  const me = await identify(process.pid)
  const holder = await read(path)
  if (holder === me) return true
  if (holder !== null && (await isAlive(holder))) return false
  const mine = `${path}.${process.pid}`
  if (holder !== null) {
    // Another taker may have been quicker, and what is moved away is its name: then it goes back.
    await rename(path, mine).catch(() => undefined)
    const moved = await read(mine)
    if (moved !== null && moved !== holder) await link(mine, path).catch(() => undefined)
  }
  await writeFile(mine, me)
  try {
    await link(mine, path)
    return true
  } catch {
    return false
  } finally {
    await unlink(mine)
  }
}

/** Says that it is this process, whoever was named before. */
export async function seizeOwnership(path: string): Promise<void> {
  const mine = `${path}.${process.pid}`
  await writeFile(mine, await identify(process.pid))
  await rename(mine, path)
}

/** Gives up what takeOwnership() gave. */
export async function leaveOwnership(path: string): Promise<void> {
  if ((await read(path)) === (await identify(process.pid))) await rm(path, { force: true })
}

async function isAlive(holder: string): Promise<boolean> {
  const pid = Number.parseInt(holder, 10)
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  return (await identify(pid)) === holder
}

// A process id comes back, in a container at once. Where the system tells when the process started, that is told too.
async function identify(pid: number): Promise<string> {
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  const startedAt = status.slice(status.lastIndexOf(')') + 2).split(' ')[19]
  return startedAt === undefined ? `${pid}` : `${pid} ${startedAt}`
}

function read(path: string): Promise<string | null> {
  return readFile(path, 'utf8').catch(() => null)
}
