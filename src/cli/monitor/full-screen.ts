import { Box, type Key as InkKey, render, Text, useInput, useWindowSize } from 'ink'
import { createElement, type ReactElement } from 'react'
import type { Key } from './keys.ts'
import type { ScreenSize } from './scene.ts'

/**
 * The terminal as a whole, by ink: the other screen, raw keys, sizes, only the lines that changed, and all of it given
 * back however the process ends. Node strips types and knows no JSX, so elements are written as calls.
 */
export interface FullScreenOptions {
  /** At most so many lines, none wider than the screen. */
  draw(size: ScreenSize): readonly string[]
  /** What one read of the keyboard brought: a key, or several that came at once. */
  onKeys(keys: readonly Key[]): void
  readonly signal: AbortSignal
}

export interface FullScreen {
  redraw(): void
  /** Once the terminal is as it was. Throws what broke the drawing. */
  readonly closed: Promise<void>
}

export function openFullScreen(options: FullScreenOptions): FullScreen {
  const page = () => createElement(Page, { draw: options.draw, onKeys: options.onKeys })
  const instance = render(page(), {
    alternateScreen: true,
    incrementalRendering: true,
    // A terminal is a terminal, whatever CI says. Ctrl-C is a key here, and ours.
    interactive: true,
    exitOnCtrlC: false,
    patchConsole: false,
  })
  const leave = () => instance.unmount()
  options.signal.addEventListener('abort', leave, { once: true })
  const closed = instance.waitUntilExit().then(() => undefined)
  return {
    redraw: () => instance.rerender(page()),
    closed: closed.finally(() => options.signal.removeEventListener('abort', leave)),
  }
}

function Page({ draw, onKeys }: Pick<FullScreenOptions, 'draw' | 'onKeys'>): ReactElement {
  const { columns, rows } = useWindowSize()
  useInput((input, key) => onKeys(keysOf(input, key)))
  // A pseudo-terminal that nobody has sized says 0.
  const size = { columns: columns || 80, rows: rows || 24 }
  const lines = draw(size).map((line, n) =>
    createElement(Text, { key: n, wrap: 'truncate-end' }, line === '' ? ' ' : line),
  )
  return createElement(Box, { flexDirection: 'column', width: size.columns, height: size.rows }, ...lines)
}

function keysOf(input: string, key: InkKey): readonly Key[] {
  if (key.ctrl) return input === 'c' ? [{ name: 'interrupt' }] : []
  if (key.upArrow) return [{ name: 'up' }]
  if (key.downArrow) return [{ name: 'down' }]
  if (key.pageUp) return [{ name: 'pageup' }]
  if (key.pageDown) return [{ name: 'pagedown' }]
  if (key.home) return [{ name: 'home' }]
  if (key.end) return [{ name: 'end' }]
  if (key.return) return [{ name: 'enter' }]
  if (key.escape) return [{ name: 'escape' }]
  if (key.backspace || key.delete) return [{ name: 'backspace' }]
  if (key.meta || key.tab) return []
  return [...input].map(keyOfSign)
}

function keyOfSign(sign: string): Key {
  if (sign === '\r' || sign === '\n') return { name: 'enter' }
  if (sign === '\u0003') return { name: 'interrupt' }
  if (sign === '\u007f' || sign === '\b') return { name: 'backspace' }
  return { sign }
}
