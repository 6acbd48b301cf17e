import { Command } from 'commander'
import { type Runtime, withExamples } from '../runtime.ts'
import { createAnswerCommand } from './questions-answer.ts'
import { createQuestionListCommand } from './questions-list.ts'
import { createQuestionShowCommand } from './questions-show.ts'

/** `questions`: what running jobs ask people. */
export function addQuestionsCommand(program: Command, runtime: Runtime): void {
  const group = new Command('questions').description('what running jobs ask people, and what they are answered')
  withExamples(group, [
    'interlock questions list                                    # who waits for a person?',
    'interlock questions answer q-a7 "Use main." --by alice',
    'interlock questions answer q-a8 --type approval',
  ])
  group.addCommand(createQuestionListCommand(runtime))
  group.addCommand(createQuestionShowCommand(runtime))
  group.addCommand(createAnswerCommand(runtime))
  program.addCommand(group)
}
