/**
 * A controller that somebody else runs: looked at first, and written to only when a person agreed.
 */
import { createInterface } from 'node:readline/promises';
import type { AddressTarget } from '../bench/plan.js';
import { ResponseCode } from '../lib/codes.js';
import type { Durability } from '../storage/log-store.js';
import { parseAddresses, preflight, preflightLine } from '../target/address.js';
import { TargetError } from '../target/target.js';
import { InputError } from './exit-codes.js';

export interface AddressCommand {
  readonly address?: string;
  readonly addressName: string;
  readonly addressDurability: Durability | 'unknown';
  readonly yes: boolean;
}

/** @throws {InputError} for an address or a name that cannot be. */
export function addressTarget(
  command: AddressCommand,
  taken: readonly string[],
): AddressTarget | null {
  const { address, addressName: name, addressDurability: durability } = command;
  if (address === undefined) return null;
  const addresses = parseAddresses(address);
  if (addresses === null) {
    throw new InputError(
      `--address '${address}': expected host:port, joined by ; and each of them once`,
    );
  }
  if (!/^[\w.-]{1,40}$/.test(name)) {
    throw new InputError(`--address-name '${name}': expected 1 to 40 of A-Z a-z 0-9 _ . -`);
  }
  if (taken.includes(name)) throw new InputError(`--address-name '${name}' is a target already`);
  return {
    name,
    title: `a controller that ran already at ${addresses.join(';')}`,
    kind: 'address',
    addresses,
    durability,
    handoff: 'unknown',
    electionProfile: 'unknown',
    processReadEvent: false,
  };
}

/**
 * Says what the members answer, then asks whether to write to them.
 *
 * @throws {TargetError} when no member answers, {InputError} when nobody agreed.
 */
export async function agreeToWrite(
  target: AddressTarget,
  yes: boolean,
  say: (line: string) => void,
): Promise<void> {
  const members = await preflight(target.addresses);
  for (const member of members) say(preflightLine(member));
  if (!members.some(({ answer }) => answer?.code === ResponseCode.Success)) {
    throw new TargetError('NO_LEADER', target.addresses.join(';'), 'none answers who leads');
  }
  if (members.some(({ pid }) => pid === null)) {
    say(`CPU and memory of ${target.name} are left out where its process is not known`);
  }
  say(`the bench registers broker sets at ${target.name} and changes them; they stay there`);
  if (yes) return;
  if (!process.stdin.isTTY) {
    throw new InputError('--address writes to a controller that is in use: say --yes to agree');
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question('Go on? [y/N] ').finally(() => terminal.close());
  if (!/^y(es)?$/i.test(answer.trim())) throw new InputError('nobody agreed: nothing was written');
}
