/**
 * The HTTP door of one controller: health, metrics, and a look at the broker sets.
 *
 * Answers come from this member's applied state and prove nothing; each says so. Loopback unless
 * the configuration says otherwise.
 */
import { fastify } from 'fastify';
import { z } from 'zod';
import { LogError } from '../engine/errors.js';

/** What the HTTP door shows. */
export interface HttpView {
  /** Why this member cannot serve, or null when it can: as leader, or following a live one. */
  notReadyBecause(): string | null;
  status(): object;
  metrics(): Promise<string>;
  brokerSetNames(): readonly string[];
  brokerSet(name: string): object | null;
  members(): readonly object[];
  /** What an operator asks of the group; rejects with the log's own errors. */
  changeGroup(change: GroupChange): Promise<void>;
}

export type GroupChange =
  | { readonly kind: 'add'; readonly id: string; readonly address: string }
  | { readonly kind: 'promote'; readonly id: string }
  | { readonly kind: 'remove'; readonly id: string }
  | { readonly kind: 'replace'; readonly id: string; readonly by: string; readonly address: string }
  | { readonly kind: 'transfer'; readonly id: string };

const groupChange = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('add'), id: z.string().min(1), address: z.string().min(1) }),
  z.strictObject({ kind: z.literal('promote'), id: z.string().min(1) }),
  z.strictObject({ kind: z.literal('remove'), id: z.string().min(1) }),
  z.strictObject({
    kind: z.literal('replace'),
    id: z.string().min(1),
    by: z.string().min(1),
    address: z.string().min(1),
  }),
  z.strictObject({ kind: z.literal('transfer'), id: z.string().min(1) }),
]);

export interface HttpServer {
  /** `host:port` as bound. */
  readonly address: string;
  close(): Promise<void>;
}

/** Names listed by one answer; `after` continues. */
const NAMES_PER_PAGE_MAX = 10_000;
const CONNECTIONS_MAX = 256;

export async function serveHttp(
  view: HttpView,
  options: { readonly host: string; readonly port: number },
): Promise<HttpServer> {
  const app = fastify({
    bodyLimit: 16 * 1024,
    connectionTimeout: 10_000,
    forceCloseConnections: true,
  });

  app.get('/healthz', () => ({ status: 'up' }));

  app.get('/readyz', (_request, reply) => {
    const reason = view.notReadyBecause();
    if (reason !== null) reply.code(503);
    return { status: reason === null ? 'ready' : 'not ready', reason, ...view.status() };
  });

  app.get('/metrics', async (_request, reply) => {
    reply.type('text/plain; version=0.0.4; charset=utf-8');
    return view.metrics();
  });

  app.get<{ Querystring: { after?: string } }>('/v1/broker-sets', (request) => {
    const after = request.query.after ?? '';
    const names = view.brokerSetNames().filter((name) => name > after);
    const page = names.slice(0, NAMES_PER_PAGE_MAX);
    return {
      proof: 'unproved',
      count: view.brokerSetNames().length,
      names: page,
      next: names.length > page.length ? page.at(-1) : null,
    };
  });

  app.get<{ Params: { name: string } }>('/v1/broker-sets/:name', (request, reply) => {
    const set = view.brokerSet(request.params.name);
    if (set !== null) return { proof: 'unproved', ...set };
    reply.code(404);
    return { error: `no broker set named ${request.params.name}` };
  });

  app.get('/v1/members', () => ({ ...view.status(), members: view.members() }));

  app.post('/v1/members', async (request, reply) => {
    const change = groupChange.safeParse(request.body);
    if (!change.success) {
      reply.code(400);
      return { error: z.prettifyError(change.error) };
    }
    try {
      await view.changeGroup(change.data);
      return { done: true, members: view.members() };
    } catch (error) {
      if (!(error instanceof LogError)) throw error;
      reply.code(409);
      return { error: error.message, code: error.code, definite: error.definite };
    }
  });

  // Health checks and scrapes need few; a flood must not take the process's file descriptors.
  app.server.maxConnections = CONNECTIONS_MAX;
  await app.listen({ host: options.host, port: options.port });
  const [bound] = app.addresses();
  const port = typeof bound === 'object' ? bound.port : options.port;
  return { address: `${options.host}:${port}`, close: () => app.close() };
}
