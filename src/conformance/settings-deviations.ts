/**
 * The known differences of 1009 and 1010: what a controller lets be changed over its port, and how
 * it lists what it has. Pure.
 */
import { isDeepStrictEqual } from 'node:util';
import { RequestCode, ResponseCode } from '../lib/codes.js';
import { hasEffect } from '../server/config-file.js';
import { PropertiesError, parseProperties } from '../server/properties.js';
import { type Deviation, ofState, type Pair } from './deviation.js';
import { type Ask, isReply, type Reply } from './exchange.js';

export const settingsDeviations: readonly Deviation[] = [
  { id: 'config-names', takenAway: ownNames },
  { id: 'config-text', takenAway: writtenText },
  { id: 'config-values', takenAway: refusedValue },
  {
    id: 'config-identity',
    takenAway: refusedName(
      /^controller(?:DLegerGroup|DLegerPeers|DLegerSelfId|StorePath)$/,
      'it says who this controller is',
    ),
  },
  {
    id: 'config-defence',
    takenAway: refusedName(
      /^(?:tls\..*|member.*|bindAddress|httpHost)$/,
      'it says who may talk to this controller',
    ),
  },
  { id: 'config-utf8', takenAway: notUtf8 },
  {
    id: 'config-blanks',
    takenAway: afterwards('config-blanks', 'electMasterMaxRetryCount', '3', '5'),
  },
  {
    id: 'config-alias',
    takenAway: afterwards('config-alias', 'processReadEvent', 'false', 'true'),
  },
];

/** What upstream's controller lists and ours does not, unless it was set. */
const OF_UPSTREAM =
  /^(?:controllerType|enableShutdownGracefully|jraftConfig|listenPort|mappedFileSize|metrics?[A-Z]\w*|rocketmqHome|server(?!ChannelMaxIdle)\w+|shutdownWaitTimeSeconds|useEpollNativeSelector|writeBuffer\w+)$/;

/** Each lists what it has; what both list has to be the same. */
function ownNames(pair: Pair, { request }: Ask): Pair {
  const { ours, upstream } = pair;
  if (request.code !== RequestCode.GetControllerConfig) return pair;
  if (!isReply(ours) || !isReply(upstream)) return pair;
  const here = new Set(linesOf(ours).map(nameIn));
  const there = new Set(linesOf(upstream).map(nameIn));
  return {
    ...pair,
    ours: withLines(ours, (name) => there.has(name) || !hasEffect(name)),
    upstream: withLines(upstream, (name) => here.has(name) || !OF_UPSTREAM.test(name)),
  };
}

const linesOf = ({ body }: Reply): readonly string[] => body?.split(/(?<=\n)/) ?? [];
const nameIn = (line: string): string => line.split('=', 1)[0] ?? '';

function withLines(reply: Reply, isKept: (name: string) => boolean): Reply {
  if (reply.body === null) return reply;
  const kept = linesOf(reply).filter((line) => isKept(nameIn(line)));
  return { ...reply, body: kept.join('') };
}

/** Ours lists a value as it was written, escaped; upstream what it made of it, as it is. */
function writtenText(pair: Pair, { request }: Ask): Pair {
  const { ours } = pair;
  if (request.code !== RequestCode.GetControllerConfig) return pair;
  if (!isReply(ours) || ours.body === null) return pair;
  const lines = propertiesIn(ours.body).map(({ key, value }) => `${key}=${converted(value)}\n`);
  return { ...pair, ours: { ...ours, body: lines.join('') } };
}

function converted(value: string): string {
  if (/^(?:true|false)$/i.test(value)) return value.toLowerCase();
  return /^\d+$/.test(value) ? String(Number(value)) : value;
}

function propertiesIn(text: string): readonly { readonly key: string; readonly value: string }[] {
  try {
    return parseProperties(text);
  } catch (error) {
    if (error instanceof PropertiesError) return [];
    throw error;
  }
}

/** Upstream takes what it can of a value, or nothing, and says success. */
function refusedValue(pair: Pair, step: Ask): Pair {
  const { ours } = pair;
  if (step.request.code !== RequestCode.UpdateControllerConfig) return unlessTaken(pair, step);
  const refused = propertiesIn(step.request.body ?? '').some(
    ({ key, value }) =>
      isReply(ours) &&
      ours.code === ResponseCode.SystemError &&
      ours.remark?.startsWith(`${key}=${value.trim()}: must be `) === true,
  );
  return refused && isSuccess(pair) ? { ...pair, upstream: ours } : pair;
}

const unlessTaken = afterwards('config-values', 'electMasterMaxRetryCount', '-4', '3');

/** A scenario has tried to set a property, and only one side took it. */
function afterwards(id: string, name: string, upstream: string, ours: string) {
  // The second name is that of a field, listed beside that of its setter.
  const names = [name, `is${name[0]?.toUpperCase()}${name.slice(1)}`];
  return ofState(id, (reply) => ({
    ...reply,
    body: names.reduce(
      (body, each) => body.replace(`\n${each}=${upstream}\n`, `\n${each}=${ours}\n`),
      reply.body ?? '',
    ),
  }));
}

/** Upstream changes everything that is not on its black list. */
function refusedName(isMeant: RegExp, because: string): Deviation['takenAway'] {
  return (pair, { request }) => {
    const key = propertiesIn(request.body ?? '').find((property) =>
      isMeant.test(property.key),
    )?.key;
    const refusal: Reply = {
      code: ResponseCode.NoPermission,
      remark: `Can not update ${key}: ${because}. Change its file and restart it.`,
      extFields: null,
      body: null,
    };
    const isUpdate = request.code === RequestCode.UpdateControllerConfig;
    return isUpdate && isSuccess(pair) && isDeepStrictEqual(pair.ours, refusal)
      ? { ...pair, upstream: refusal }
      : pair;
  };
}

function notUtf8(pair: Pair, { request }: Ask): Pair {
  const { ours } = pair;
  if (request.code !== RequestCode.UpdateControllerConfig) return pair;
  if (request.bodyHex === undefined || !isReply(ours)) return pair;
  const isRefused =
    ours.code === ResponseCode.SystemError && ours.remark === 'string2Properties error';
  return isRefused && isSuccess(pair) ? { ...pair, upstream: ours } : pair;
}

const isSuccess = ({ upstream }: Pair): boolean =>
  isReply(upstream) && upstream.code === ResponseCode.Success;
