// What a running job asks a person, and what it gives back until it has the answer. The first question is `q-a1`.

import { resumeRequest } from '../commands/companion-rules.ts'
import { answerRequest, ask, expireRequests } from '../commands/question-rules.ts'
import { current, type PairVerb, type Standing, when } from './standing.ts'
import { claimOf } from './subjects.ts'

const question = 'q-a1'
const canAsk = ({ job }: Standing): boolean => ['running', 'executing', 'lost', 'locked', 'lapsed'].includes(job)
const becomes =
  (question: Standing['question']) =>
  (standing: Standing): Standing => ({ ...standing, question })

export const questionVerbs: readonly PairVerb[] = [
  {
    name: 'ask',
    scenes: ['running'],
    lockScenes: ['locked'],
    call: (subject) => ask(claimOf(subject)),
    outcome: (standing) => when(canAsk(standing)),
    after: (standing) => ({ ...standing, question: standing.question ?? 'asking' }),
  },
  {
    name: 'ask (giving back)',
    scenes: ['running'],
    call: (subject) => ask(claimOf(subject), { givesBack: true }),
    outcome: (standing) => when(canAsk(standing) && !standing.hasLent),
    after: (standing) => ({ ...standing, question: standing.question ?? 'lent', hasLent: true }),
  },
  {
    name: 'answer_request',
    scenes: ['asking', 'lent'],
    call: () => answerRequest(question),
    outcome: ({ question, job }) => when((question === 'asking' || question === 'lent') && current.includes(job)),
    after: (standing) => becomes(standing.question === 'lent' ? 'recalled' : 'answered')(standing),
  },
  {
    name: 'resume_request',
    scenes: ['recalled', 'returning'],
    call: () => resumeRequest(question),
    outcome: ({ question, job }) => {
      if (question === null) return 'is refused'
      // It waits until it is answered, and then in its line.
      return when(
        question !== 'lent' && question !== 'overdue' && (question !== 'recalled' || !current.includes(job)),
        'has nothing to do',
      )
    },
    after: (standing) => ({ ...becomes('answered')(standing), hasLent: false }),
  },
  {
    name: 'expire_requests',
    scenes: ['overdue', 'lent'],
    call: () => expireRequests(),
    outcome: ({ question, job }) =>
      when(
        question === 'overdue' || ((question === 'asking' || question === 'lent') && !current.includes(job)),
        'has nothing to do',
      ),
    after: (standing) => becomes(standing.question === 'overdue' ? 'recalled' : 'answered')(standing),
  },
]
