/**
 * Takes out of a reply what differs from run to run: ports, and which member happens to lead.
 * Everything else stays, so that the comparison sees it. Pure.
 */
import { RequestCode } from '../lib/codes.js';
import { isReply, type Outcome } from './exchange.js';

export interface Group {
  /** `host:port` → id. */
  readonly ids: ReadonlyMap<string, string>;
  /** Id of the member that leads. */
  readonly leader: string;
}

/** Properties of one process: paths, ports, its name, and an object's identity. */
const OWN =
  /^((?:configStorePath|controllerDLegerSelfId|controllerStorePath|httpPort|jraftConfig|listenPort|rocketmqHome)=).*$/gm;

/**
 * The reply with `<n0>` for the address of n0, `<leader>` for the leader's id and address, and
 * `<own>` for what 1010 lists of one process.
 *
 * @param code of the request
 */
export function normalise(outcome: Outcome, code: number, { ids, leader }: Group): Outcome {
  if (!isReply(outcome)) return outcome;
  const named = (text: string): string => {
    let result = text;
    for (const [address, id] of ids) result = result.replaceAll(address, `<${id}>`);
    return result;
  };
  const { body, extFields, remark } = outcome;
  return {
    code: outcome.code,
    remark: remark === null ? null : named(remark),
    extFields:
      extFields === null
        ? null
        : Object.fromEntries(
            Object.entries(extFields).map(([name, value]) => [name, field(name, named(value))]),
          ),
    body: body === null ? null : listed(named(body)),
  };

  function listed(text: string): string {
    return code === RequestCode.GetControllerConfig ? text.replace(OWN, '$1<own>') : text;
  }

  function field(name: string, value: string): string {
    if (name === 'controllerLeaderId') return value === leader ? '<leader>' : value;
    if (name === 'controllerLeaderAddress') return value === `<${leader}>` ? '<leader>' : value;
    // The order is that of a hash map.
    if (name === 'peers') return value.split(';').sort().join(';');
    return value;
  }
}
