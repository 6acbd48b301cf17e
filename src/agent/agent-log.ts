type Write = (fields: object, message: string) => void

/** Where an agent says what it does: fields first, then a sentence. The program's own logger fits. */
export interface AgentLog {
  readonly debug: Write
  readonly info: Write
  readonly warn: Write
  readonly error: Write
}
