// Where a PL/pgSQL body can be interrupted: before each of its statements that reaches the database, and before it ends.

export interface StatementStart {
  /** Offset into the body. */
  readonly at: number
  /** The statement's first words, for people. */
  readonly text: string
}

interface Word {
  readonly text: string
  readonly at: number
  readonly end: number
  /** Parentheses and brackets open around it. */
  readonly depth: number
}

/** The starts of the statements that touch the database, return, or are the last; nested ones of blocks and loops too. */
export function findStatementStarts(body: string): StatementStart[] {
  const words = findWords(body)
  const starts: StatementStart[] = []
  let i = words.findIndex((word) => word.text === 'begin')
  if (i < 0) throw new Error('the body has no begin')

  const peek = (offset = 0): string => words[i + offset]?.text ?? ''
  const note = (from: number, to: number) => {
    const text = body.slice(from, to)
    // A call between a statement and the question whether it found anything would answer that question.
    if (/\bfound\b/i.test(text)) return
    if (/\b(select|insert|update|delete|perform|execute|return|interlock\.)/.test(text)) {
      starts.push({ at: from, text: text.replace(/\s+/g, ' ').slice(0, 60) })
    }
  }
  const startOf = () => words[i]?.at ?? body.length
  /** Moves beyond the next of these words that stands outside parentheses and outside `case ... end`. */
  const skipBeyond = (word: string) => {
    const depth = words[i]?.depth ?? 0
    for (let cases = 0; i < words.length; i++) {
      const next = words[i]
      if (next === undefined || next.depth !== depth) continue
      if (next.text === word && cases === 0) {
        i++
        return
      }
      if (next.text === 'case') cases++
      if (next.text === 'end') cases--
    }
    throw new Error(`a statement has no ${word}`)
  }
  const closeBlock = () => {
    i++
    skipBeyond(';')
  }
  const parseUntil = (...ends: readonly string[]) => {
    while (!ends.includes(peek())) {
      if (i >= words.length) throw new Error(`a block has no ${ends.join(' or ')}`)
      parseStatement()
    }
  }
  const parseCondition = (end: string) => {
    const from = startOf()
    skipBeyond(end)
    note(from, words[i - 1]?.at ?? from)
  }
  const parseBlock = () => {
    i++
    parseUntil('end', 'exception')
    if (peek() === 'exception') {
      i++
      while (peek() === 'when') {
        skipBeyond('then')
        parseUntil('when', 'end')
      }
    }
  }
  const parseStatement = () => {
    switch (peek()) {
      case 'if':
        parseCondition('then')
        parseUntil('elsif', 'else', 'end')
        while (peek() === 'elsif') {
          skipBeyond('then')
          parseUntil('elsif', 'else', 'end')
        }
        if (peek() === 'else') {
          i++
          parseUntil('end')
        }
        closeBlock()
        return
      case 'while':
      case 'for':
      case 'foreach':
      case 'loop':
        parseCondition('loop')
        parseUntil('end')
        closeBlock()
        return
      case 'begin':
        parseBlock()
        closeBlock()
        return
      case 'declare':
      case 'case':
        throw new Error(`a nested ${peek()} is not understood`)
      default: {
        const from = startOf()
        skipBeyond(';')
        note(from, words[i - 1]?.at ?? from)
      }
    }
  }

  parseBlock()
  starts.push({ at: startOf(), text: 'end' })
  return starts.sort((a, b) => a.at - b.at)
}

/** Lower-case words and semicolons; strings, quoted names, dollar quotes and comments are passed over. */
function findWords(body: string): Word[] {
  const token =
    /--[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^']|'')*'|"(?:[^"]|"")*"|\$(\w*)\$[\s\S]*?\$\1\$|[A-Za-z_][\w$]*|[()[\];]/g
  const words: Word[] = []
  let depth = 0
  for (const match of body.matchAll(token)) {
    const [text] = match
    if (text === '(' || text === '[') depth++
    else if (text === ')' || text === ']') depth--
    else if (/^[A-Za-z_;]/.test(text)) {
      words.push({ text: text.toLowerCase(), at: match.index, end: match.index + text.length, depth })
    }
  }
  return words
}
