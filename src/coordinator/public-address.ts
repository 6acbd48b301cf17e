import ipaddr from 'ipaddr.js'

/**
 * Whether an address is one of the open internet. Whoever may write a webhook's URL into a configuration shall not reach
 * what only this machine or its network can: loopback, private and link-local ranges (where clouds keep the keys of a
 * machine, at 169.254.169.254), carriers' own, and IPv6 addresses that wrap such a one.
 */
export function isPublicAddress(address: string): boolean {
  // process() unwraps ::ffff:10.0.0.1, by which a private address would pass for one of IPv6.
  return ipaddr.isValid(address) && ipaddr.process(address).range() === 'unicast'
}
