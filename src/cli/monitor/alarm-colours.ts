import type { Paint, Painter } from '../terminal.ts'

/** Levels of backpressure and of agents alike; the last is one that nobody overlooks. */
const byLevel: Readonly<Record<string, readonly Paint[]>> = {
  low: ['green'],
  moderate: ['yellow'],
  high: ['red'],
  critical: ['bold', 'red'],
}

export function paintLevel(level: string, text: string, painter: Painter): string {
  return (byLevel[level] ?? []).reduce((painted, paint) => painter.paint(paint, painted), text)
}
