/**
 * A controller that somebody else runs: looked at first, and written to only when a person agreed.
 */
import { createInterface } from 'node:readline/promises';
import type { AddressTarget, AddressTls } from '../bench/plan.js';
import { loadAddressTls } from '../bench/targets.js';
import { ResponseCode } from '../lib/codes.js';
import type { Durability } from '../storage/log-store.js';
import { parseAddresses, preflight, preflightLine } from '../target/address.js';
import { TargetError } from '../target/target.js';
import { InputError } from './exit-codes.js';

export interface AddressCommand {
  readonly address?: string;
  readonly addressName: string;
  readonly addressDurability: Durability | 'unknown';
  /** Spoken to by TLS; the files need it too. */
  readonly addressTls: boolean;
  readonly addressCa?: string;
  readonly addressCert?: string;
  readonly addressKey?: string;
  /** Whoever answers is believed. */
  readonly addressInsecure: boolean;
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
  const tls = tlsOf(command);
  loadAddressTls(tls); // Says now what is wrong with the files.
  return {
    name,
    title: `a controller that ran already at ${addresses.join(';')}${tls === null ? '' : ', by TLS'}`,
    kind: 'address',
    addresses,
    tls,
    durability,
    handoff: 'unknown',
    electionProfile: 'unknown',
    processReadEvent: false,
  };
}

function tlsOf(command: AddressCommand): AddressTls | null {
  const { addressCa, addressCert, addressInsecure, addressKey, addressTls } = command;
  if (!addressTls) {
    const given = {
      '--address-ca': addressCa !== undefined,
      '--address-cert': addressCert !== undefined,
      '--address-key': addressKey !== undefined,
      '--address-insecure': addressInsecure,
    };
    for (const [flag, isGiven] of Object.entries(given)) {
      if (isGiven) throw new InputError(`${flag} needs --address-tls`);
    }
    return null;
  }
  if ((addressCert === undefined) !== (addressKey === undefined)) {
    throw new InputError('--address-cert and --address-key go together');
  }
  return {
    certPath: addressCert ?? '',
    keyPath: addressKey ?? '',
    trustCertPath: addressCa ?? '',
    verifyServer: !addressInsecure,
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
  const members = await preflight(target.addresses, loadAddressTls(target.tls));
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
