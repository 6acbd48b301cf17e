import type { NextFunction, Request, Response } from 'express'
import { HttpError } from './problem.ts'

const loopbackNames = ['localhost', '127.0.0.1', '[::1]'] as const

/**
 * Refuses requests that were sent to a name which is not ours. A page on the web can make a browser resolve its own name
 * to 127.0.0.1 (DNS rebinding) and then talk to whatever listens there; it cannot choose the Host that is sent. On other
 * addresses there is nothing to compare with unless names are configured.
 */
export function createHostCheck(options: { readonly host: string; readonly hostNames: readonly string[] }) {
  const isLoopback = isLoopbackHost(options.host)
  const isChecked = isLoopback || options.hostNames.length > 0
  const names = new Set([...(isLoopback ? loopbackNames : []), ...options.hostNames].map((name) => name.toLowerCase()))

  return function checkHost(request: Request, _response: Response, next: NextFunction): void {
    if (!isChecked) {
      next()
      return
    }
    const { host, origin } = request.headers
    if (host === undefined || !names.has(hostNameOf(host))) {
      next(refusal(`This server is not called ${host ?? 'nothing'}.`, 'Add the name to http.host_names.'))
      return
    }
    // A form or a link of another site needs no answer to do harm: cancelling takes a POST without a body.
    if (origin !== undefined && !names.has(originHostName(origin))) {
      next(refusal(`Requests from pages of ${origin} are not accepted.`, 'Add its host name to http.host_names.'))
      return
    }
    next()
  }
}

/** Whether an address to listen on is reached from this machine alone. */
export function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host)
}

function refusal(message: string, hint: string): HttpError {
  return new HttpError(403, 'not_permitted', message, { hint })
}

/** `localhost:7400`, `[::1]:7400` and `LOCALHOST.` without port and final dot. */
function hostNameOf(host: string): string {
  return host.toLowerCase().replace(/:\d*$/, '').replace(/\.$/, '')
}

function originHostName(origin: string): string {
  try {
    return new URL(origin).hostname.toLowerCase()
  } catch {
    return ''
  }
}
