import { Random } from './random.ts'
import type { Stage } from './stage.ts'

/** After a failure: every pause goes on and every transaction is rolled back, whatever comes of it. */
export async function recover(stage: Stage): Promise<void> {
  const random = new Random(1)
  for (let moves = 0; !stage.isQuiet; moves++) {
    if (moves > 100) throw new Error(`the sessions cannot be brought to rest: ${stage.states().join('; ')}`)
    const session = random.pick([...stage.paused(), ...stage.inTransaction()])
    try {
      if (session === undefined) await stage.settle()
      else if (session.state === 'paused') await stage.resume(session)
      else {
        session.isInTransaction = false
        await stage.play(session, { label: 'rollback', text: 'rollback', values: [], isVerb: false })
      }
    } catch {
      // What failed once may fail again on its way to an end.
    }
  }
}
