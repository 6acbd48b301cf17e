import { actorOf, type Principal } from '../security/principal.ts'
import type { Auditor } from './auditor.ts'
import { withDeadline } from './deadline.ts'
import type { Answer, Asked, Call, Route } from './route.ts'

/** A call that somebody may make: whoever asks has been looked at before. */
export interface PermittedCall {
  readonly request: Asked
  readonly requestId: string
  readonly principal: Principal
  /** What the log says of who asked, unless they have a key or say who they are: `http`. */
  readonly door: string
  readonly signal: AbortSignal
  readonly hasLeft: () => boolean
}

/** The answer of a route, within its time, with its line in the audit where it is one that is audited. */
export function answerCall(route: Route, permitted: PermittedCall, auditor: Auditor): Promise<Answer> {
  const { call, actor } = callOf(permitted)
  return auditor.watch(route, call, actor, answerInTime(route, call))
}

/** The call as a route takes it, and whom it turns out to name. */
export function callOf({ door, ...permitted }: PermittedCall): { readonly call: Call; readonly actor: () => string } {
  let actor = actorOf(permitted.principal, undefined, door)
  const call: Call = {
    ...permitted,
    actorOf: (given) => {
      actor = actorOf(permitted.principal, given, door)
      return actor
    },
  }
  return { call, actor: () => actor }
}

async function answerInTime(route: Route, call: Call): Promise<Answer> {
  if (route.answer === undefined) throw new TypeError(`${route.method} ${route.path} has nobody to answer it`)
  return route.isLong === true ? route.answer(call) : withDeadline(route.answer(call))
}
