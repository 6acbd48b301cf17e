import { Command } from 'commander'
import { InterlockError } from '../../domain/errors.ts'
import type { KeyView } from '../../security/key-view.ts'
import type { KeyBackend } from '../key-backend.ts'
import { type Runtime, runsWithBackend, withExamples } from '../runtime.ts'
import { renderTable } from '../table.ts'
import type { Terminal } from '../terminal.ts'
import { showTime } from '../times.ts'

export function createKeyListCommand(runtime: Runtime): Command {
  const command = new Command('list').description('all keys, what each may do and when it was last used; no secrets')
  withExamples(command, ['interlock keys list', 'interlock keys list --json | jq \'.[] | select(.state == "active")\''])
  return runsWithBackend(command, runtime, async (call, backend) => {
    const keys = await everyKey(backend.keys)
    call.show(keys, () => renderKeys(keys, call.terminal))
    return undefined
  })
}

/** For who wants to see what would be changed. Throws key_not_found. */
export async function findKey(backend: KeyBackend, id: string): Promise<KeyView> {
  const found = (await everyKey(backend)).find((key) => key.id === id)
  if (found !== undefined) return found
  throw new InterlockError('key_not_found', `key ${id} does not exist`, {
    hint: 'interlock keys list shows those that there are.',
  })
}

async function everyKey(backend: KeyBackend): Promise<readonly KeyView[]> {
  const found: KeyView[] = []
  for (let cursor: string | null = null; ; ) {
    const page = await backend.list(cursor)
    found.push(...page.keys)
    if (page.next_cursor === null) return found
    cursor = page.next_cursor
  }
}

function renderKeys(keys: readonly KeyView[], terminal: Terminal): string {
  if (keys.length === 0) return 'there are no keys'
  return renderTable(
    [
      { title: 'ID', narrow: 'keep' },
      { title: 'NAME' },
      { title: 'SCOPES', narrow: 'wrap' },
      { title: 'STATE', narrow: 'keep' },
      { title: 'EXPIRES', narrow: 'keep' },
      { title: 'LAST USED', narrow: 'keep' },
    ],
    keys.map((key) => [
      key.id,
      key.name,
      key.scopes.join(' '),
      key.state === 'active' ? key.state : terminal.paint('red', key.state),
      showTime(key.expires_at) ?? 'never',
      showTime(key.last_used_at) ?? 'never',
    ]),
    terminal,
  )
}
