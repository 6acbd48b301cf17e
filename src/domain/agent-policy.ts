/** By what the load of agents is judged; columns of interlock.agent_policy. Weights are in proportion to each other. */
export interface AgentPolicy {
  readonly cpu_weight: number
  readonly memory_weight: number
  readonly queue_weight: number
  readonly moderate_from: number
  readonly high_from: number
  readonly critical_from: number
  /** An agent whose score is above gets no job. */
  readonly max_utilisation: number
}
