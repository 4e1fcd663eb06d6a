/** A schema registry from its URL: one client per URL and process, whose code is loaded at the first call. */

import { StreamError } from '../common/errors.ts'
import type { SchemaRegistry } from './registry.ts'

const byUrl = new Map<string, SchemaRegistry>()

/** The registry behind a URL; one client per URL and process. It is loaded and connected at its first call. */
export function registryAt(url: string): SchemaRegistry {
  let registry = byUrl.get(url)
  if (registry === undefined) {
    registry = lazyRegistry(url)
    byUrl.set(url, registry)
  }
  return registry
}

function lazyRegistry(url: string): SchemaRegistry {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol)) {
    // The text itself may hold a password.
    throw new StreamError('INVALID_ARGUMENT', 'the schema registry needs an http: or https: URL', {
      hint: 'For example https://registry.example.com:8081, with user:password@ before the host where it asks for them.',
    })
  }
  let client: Promise<SchemaRegistry> | undefined
  const load = (): Promise<SchemaRegistry> => {
    client ??= import('./registry-http.ts').then(({ httpRegistry }) => httpRegistry(parsed))
    return client
  }
  return {
    name: `the registry at ${parsed.origin}`,
    register: async (subject, schema) => (await load()).register(subject, schema),
    schema: async (id) => (await load()).schema(id),
  }
}
