/** How loaded an agent is, and how much more comes in than the agents can start. */
export const loadLevels = ['low', 'moderate', 'high', 'critical'] as const
export type LoadLevel = (typeof loadLevels)[number]
