/**
 * Who may speak as a member: connections from an address of the group, and where members show
 * certificates, only with one that names such an address.
 *
 * The group is the one that the configuration file lists and the one that the log says, both: a
 * member that was away may have to hear from members that it does not know of yet, which is also
 * why further addresses can be listed. What came through a proxy is never a member: its address
 * proves nothing.
 *
 * Addresses are judged, not ids: members trust one another, as Raft does.
 */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { checkServerIdentity } from 'node:tls';
import type { Logger } from '../lib/logger.js';
import type { Configuration } from '../raft/types.js';
import { parseAddress } from './address.js';
import type { Origin } from './doorway.js';

/** In `MemberGateOptions.alsoAllowed`: whoever reaches the port. */
export const ANY_HOST = '*';

export interface MemberGateOptions {
  /** Hosts of the group as it was configured. */
  readonly hosts: readonly string[];
  /** Hosts that may be added to the group, or `*`. */
  readonly alsoAllowed?: readonly string[];
  /** Whether a certificate must be shown. */
  readonly needsCertificate?: boolean;
  readonly logger: Logger;
  readonly nowMs?: () => number;
  /** All addresses of a name. */
  readonly resolve?: (name: string) => Promise<readonly string[]>;
}

/** Names are looked up again so often at most, when somebody unknown knocks. */
const LOOKUP_PAUSE_MS = 1_000;

export class MemberGate {
  readonly #options: MemberGateOptions;
  readonly #configured: ReadonlySet<string>;
  readonly #nowMs: () => number;
  readonly #resolve: (name: string) => Promise<readonly string[]>;
  /** Of the group as the log has it. */
  #changed: ReadonlySet<string> = new Set();
  /** What the names among the hosts stand for. */
  #resolved: ReadonlySet<string> = new Set();
  #isLookingUp = false;
  #lookedUpAtMs = Number.NEGATIVE_INFINITY;
  /** Counts changes: what was admitted before one is judged anew. */
  #generation = 1;

  constructor(options: MemberGateOptions) {
    this.#options = options;
    this.#configured = new Set([...options.hosts, ...(options.alsoAllowed ?? [])]);
    this.#nowMs = options.nowMs ?? (() => performance.now());
    this.#resolve = options.resolve ?? everyAddress;
    this.#lookUp();
  }

  /** The log has changed the group. */
  setMembers(members: Configuration): void {
    const hosts = members.flatMap(({ address }) => parseAddress(address)?.host ?? []);
    if (hosts.length === this.#changed.size && hosts.every((host) => this.#changed.has(host))) {
      return;
    }
    this.#changed = new Set(hosts);
    this.#generation += 1;
    this.#lookUp();
  }

  /** Whether `host`, an address, is one of members; `*` makes nobody's so. */
  isHostOfMembers(host: string): boolean {
    return this.#configured.has(host) || this.#changed.has(host) || this.#resolved.has(host);
  }

  /** Cheap for who was admitted: one comparison for each frame. @returns why not; null: admitted. */
  admit(connection: { admittedAsMember: number; readonly origin: Origin }): string | null {
    if (connection.admittedAsMember === this.#generation) return null;
    const reason = this.#objection(connection.origin);
    if (reason === null) connection.admittedAsMember = this.#generation;
    return reason;
  }

  #objection({ certificate, host, proxied }: Origin): string | null {
    if (this.#configured.has(ANY_HOST) && !this.#options.needsCertificate) return null;
    if (proxied !== null) return `through a proxy at ${host}`;
    if (!this.#configured.has(ANY_HOST) && !this.isHostOfMembers(host)) {
      // A name may have moved. Whoever is a member comes back, and is then known.
      this.#lookUp();
      return `${host} is no address of the group`;
    }
    if (!this.#options.needsCertificate) return null;
    if (certificate === null) return 'no certificate was shown';
    const isNamed = this.#hosts().some(
      (name) => name !== ANY_HOST && checkServerIdentity(name, certificate) === undefined,
    );
    return isNamed ? null : 'the certificate names no host of the group';
  }

  #hosts(): readonly string[] {
    return [...this.#configured, ...this.#changed];
  }

  #lookUp(): void {
    const names = this.#hosts().filter((host) => host !== ANY_HOST && isIP(host) === 0);
    const isTooSoon = this.#nowMs() - this.#lookedUpAtMs < LOOKUP_PAUSE_MS;
    if (names.length === 0 || this.#isLookingUp || isTooSoon) return;
    this.#isLookingUp = true;
    void Promise.all(names.map((name) => this.#addressesOf(name))).then((addresses) => {
      this.#isLookingUp = false;
      this.#lookedUpAtMs = this.#nowMs();
      this.#resolved = new Set(addresses.flat());
      this.#generation += 1;
    });
  }

  async #addressesOf(name: string): Promise<readonly string[]> {
    try {
      return await this.#resolve(name);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      this.#options.logger.warn({ name, reason: code ?? message }, 'member name not resolved');
      return [];
    }
  }
}

async function everyAddress(name: string): Promise<readonly string[]> {
  return (await lookup(name, { all: true })).map(({ address }) => address);
}
