/**
 * Golden traces: whole protocols as text, command, `----`, what happened. `UPDATE_GOLDEN=1` rewrites
 * them; the diff is then reviewed as code.
 *
 * Commands (members are 1, 2, …):
 *   group SIZE [window=N] [batch=N] [early=N] [uncommitted=N] [reads=N] [slow-disk]
 *   elect ID (the others notice lost leaders, but do not stand; ends when it leads)
 *   tick ID MS · run MS (all tick by 10 ms and everything is delivered; only turns of events shown)
 *   propose ID COUNT · read ID NUMBER · flush ID
 *   deliver FROM->TO [KIND] · last FROM->TO [KIND] · drop FROM->TO [KIND] · repeat FROM->TO [KIND]
 *   settle (deliver until quiet) · waiting (what the network holds) · clear (drop all of it)
 *   isolate ID... · heal [ID...] · restart ID · lose ID COUNT (a power cut takes durable entries) · state
 * With `slow-disk` an append is durable when `flush` says so, otherwise at once.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { projectRoot } from '../lib/project-root.js';
import { Group } from './testing.js';
import type { Effect, MemberId, Message, RaftOptions } from './types.js';

const { UPDATE_GOLDEN } = process.env;
const directory = join(projectRoot(), 'src/raft/testdata');
const files = readdirSync(directory).filter((file) => file.endsWith('.txt'));
assert(files.length > 0, 'no golden traces found');

for (const file of files) {
  test(`golden trace ${file}`, () => {
    const golden = readFileSync(join(directory, file), 'utf8');
    const script = new Script();
    const traced = golden
      .trimEnd()
      .split(/\n\n+/)
      .map((block) => traceBlock(script, block))
      .join('\n\n');
    if (UPDATE_GOLDEN === '1') {
      writeFileSync(join(directory, file), `${traced}\n`);
    } else {
      assert.equal(`${traced}\n`, golden);
    }
  });
}

/** Lines up to `----` are comments and commands; what follows is replaced by what they do now. */
function traceBlock(script: Script, block: string): string {
  const lines = block.split('\n');
  const rule = lines.indexOf('----');
  const asked = rule === -1 ? lines : lines.slice(0, rule);
  const commands = asked.filter((line) => !line.startsWith('#'));
  if (commands.length === 0) return block;
  const happened = commands.flatMap((command) => script.run(command));
  return [...asked, '----', ...(happened.length > 0 ? happened : ['nothing'])].join('\n');
}

class Script {
  #group = new Group({ size: 1, seed: 1 });
  #isolated = new Set<MemberId>();
  #slowDisk = false;
  /** `run` shows turns of events only. */
  #brief = false;
  #lines: string[] = [];

  run(command: string): readonly string[] {
    const [verb, subject = '', ...rest] = command.split(' ');
    this.#lines = [];
    switch (verb) {
      case 'group':
        this.#start(Number(subject), rest);
        break;
      case 'tick':
        this.#group.step(subject, { kind: 'tick' }, Number(rest[0]));
        break;
      case 'elect':
        this.#elect(subject);
        break;
      case 'run':
        this.#run(Number(subject));
        break;
      case 'propose': {
        const bodies = Array.from({ length: Number(rest[0]) }, () => new Uint8Array(1));
        this.#group.step(subject, { kind: 'propose', bodies });
        break;
      }
      case 'read':
        this.#group.step(subject, { kind: 'read', read: Number(rest[0]) });
        break;
      case 'flush':
        this.#group.flush(subject);
        break;
      case 'deliver':
        this.#deliver(this.#take(this.#find(subject, rest[0])));
        break;
      case 'last':
        this.#deliver(this.#take(this.#find(subject, rest[0], 'last')));
        break;
      case 'drop':
        this.#lines.push(`dropped ${show(this.#take(this.#find(subject, rest[0])))}`);
        break;
      case 'repeat': {
        const message = this.#group.network[this.#find(subject, rest[0])];
        assert(message !== undefined);
        this.#group.network.push(message);
        this.#lines.push(`repeated ${show(message)}`);
        break;
      }
      case 'settle':
        this.#untilQuiet((message) => this.#deliver(message));
        break;
      case 'clear':
        this.#group.network = [];
        break;
      case 'waiting':
        this.#lines = this.#group.network.map(show);
        break;
      case 'isolate':
        for (const id of [subject, ...rest]) this.#isolated.add(id);
        break;
      case 'heal':
        if (subject === '') this.#isolated.clear();
        for (const id of [subject, ...rest]) this.#isolated.delete(id);
        break;
      case 'restart':
        this.#group.restart(subject);
        break;
      case 'lose': {
        const member = this.#group.member(subject);
        member.durable -= Number(rest[0]);
        this.#group.restart(subject);
        break;
      }
      case 'state':
        this.#state();
        break;
      default:
        assert.fail(`unknown command: ${command}`);
    }
    this.#flushAll();
    return this.#lines;
  }

  #start(size: number, flags: readonly string[]): void {
    const numbers = new Map(flags.map((flag) => flag.split('=') as [string, string]));
    const number = (flag: string, usual: number) => Number(numbers.get(flag) ?? usual);
    const raft: Partial<RaftOptions> = {
      pushesInFlightMax: number('window', 4),
      entriesPerPushMax: number('batch', 4),
      outOfOrderMax: number('early', 8),
      uncommittedMax: number('uncommitted', 64),
      readsWaitingMax: number('reads', 16),
    };
    this.#isolated.clear();
    this.#slowDisk = flags.includes('slow-disk');
    this.#group = new Group({
      size,
      seed: 1,
      raft,
      onEffect: (id, effect) => this.#trace(id, effect),
      carries: ({ from, to }) => !this.#isolated.has(from) && !this.#isolated.has(to),
    });
  }

  #elect(id: MemberId): void {
    const linked = [...this.#group.members.values()].filter(({ id }) => !this.#isolated.has(id));
    const { raft } = this.#group.member(id);
    const leads = (): boolean =>
      raft.role === 'leader' && linked.every((other) => other.raft.term <= raft.term);
    for (let elapsedMs = 0; !leads(); elapsedMs += 10) {
      assert(elapsedMs < 5_000, `${id} is not elected`);
      for (const other of linked) {
        if (other.id !== id && other.raft.role === 'candidate') continue;
        this.#group.step(other.id, { kind: 'tick' }, 10);
      }
      while (!leads() && this.#group.network.length > 0) this.#group.deliver(this.#take(0));
    }
    this.#lines = [`${id} leads term ${raft.term}`];
  }

  #run(durationMs: number): void {
    this.#brief = true;
    for (let elapsedMs = 0; elapsedMs < durationMs; elapsedMs += 10) {
      for (const id of this.#group.members.keys()) {
        this.#group.step(id, { kind: 'tick' }, 10);
      }
      this.#untilQuiet((message) => {
        this.#group.deliver(message);
        this.#flushAll();
      });
    }
    this.#brief = false;
  }

  #untilQuiet(deliver: (message: Message) => void): void {
    for (let delivered = 0; this.#group.network.length > 0; delivered += 1) {
      assert(delivered < 1_000, 'the members do not stop talking');
      deliver(this.#take(0));
    }
  }

  /** A fast disk is done before anything else happens. */
  #flushAll(): void {
    if (this.#slowDisk) return;
    for (const [id, member] of this.#group.members) {
      while (member.flushes.length > 0) this.#group.flush(id);
    }
  }

  #find(link: string, kind: string | undefined, which: 'first' | 'last' = 'first'): number {
    const matches = (message: Message): boolean =>
      `${message.from}->${message.to}` === link && (kind === undefined || message.kind === kind);
    const { network } = this.#group;
    const at = which === 'first' ? network.findIndex(matches) : network.findLastIndex(matches);
    assert(at >= 0, `nothing waits on ${link} ${kind ?? ''}: ${network.map(show).join('; ')}`);
    return at;
  }

  #take(at: number): Message {
    const [message] = this.#group.network.splice(at, 1);
    assert(message !== undefined);
    return message;
  }

  #deliver(message: Message): void {
    this.#lines.push(show(message));
    this.#group.deliver(message);
    this.#flushAll();
  }

  #trace(id: MemberId, effect: Effect): void {
    const turn = ['role', 'truncate', 'read-ready', 'read-refused', 'proposal-refused'];
    if (this.#brief && !turn.includes(effect.kind)) return;
    const lost =
      (effect.kind === 'send' && this.#isLost(effect.message.from, effect.message.to)) ||
      (effect.kind === 'send-push' && this.#isLost(id, effect.to));
    this.#lines.push(`  ${showEffect(id, effect)}${lost ? ' (lost)' : ''}`);
  }

  #isLost(from: MemberId, to: MemberId): boolean {
    return this.#isolated.has(from) || this.#isolated.has(to);
  }

  #state(): void {
    for (const [id, { raft, log, hardState }] of this.#group.members) {
      const terms = log.map((entry) => entry.term).join(' ');
      this.#lines.push(
        `${id} ${raft.role} term=${raft.term} vote=${hardState.votedFor ?? 'none'} ` +
          `leader=${raft.leader ?? 'none'} commit=${raft.commitIndex} terms of log=[${terms}]`,
      );
    }
  }
}

function show(message: Message): string {
  const head = `${message.from}->${message.to} ${message.kind} term=${message.term}`;
  switch (message.kind) {
    case 'vote':
      return `${head} last=${message.lastIndex}@${message.lastTerm}`;
    case 'vote-result':
      return `${head} ${message.result} (asked in ${message.votedTerm})`;
    case 'heartbeat':
      return `${head} commit=${message.commitIndex} round=${message.round}`;
    case 'heartbeat-ack':
      return `${head} round=${message.round}`;
    case 'push': {
      const prev = `${message.prevIndex}@${message.prevTerm}`;
      const first = message.entries[0]?.index;
      const entries = first === undefined ? 'none' : `${first}..${message.entries.at(-1)?.index}`;
      return `${head} prev=${prev} entries=${entries} commit=${message.commitIndex}`;
    }
    case 'push-ack':
      return message.result === 'matched'
        ? `${head} matched ${message.index}`
        : `${head} mismatch at ${message.prevIndex}, try ${message.index}`;
    case 'snapshot':
      return `${head} of ${message.head.index} from ${message.offset}`;
    case 'snapshot-ack':
      return `${head} of ${message.index} has ${message.received}`;
    case 'take-over':
    case 'read-index':
      return head;
    case 'read-index-result':
      return `${head} index=${message.index ?? 'none'}`;
  }
}

function showEffect(id: MemberId, effect: Effect): string {
  switch (effect.kind) {
    case 'save-hard-state':
      return `${id} saves term=${effect.state.term} vote=${effect.state.votedFor ?? 'none'}`;
    case 'truncate':
      return `${id} truncates after ${effect.after}`;
    case 'append':
      return `${id} appends ${effect.entries[0]?.index}..${effect.entries.at(-1)?.index}`;
    case 'send':
      return `sends ${show(effect.message)}`;
    case 'send-push': {
      const entries = effect.last < effect.first ? 'none' : `${effect.first}..${effect.last}`;
      const prev = `${effect.prevIndex}@${effect.prevTerm}`;
      const head = `sends ${id}->${effect.to} push term=${effect.term}`;
      return `${head} prev=${prev} entries=${entries} commit=${effect.commitIndex}`;
    }
    case 'commit':
      return `${id} commits ${effect.index}`;
    case 'role':
      return `${id} is ${effect.role} in term ${effect.term}, leader ${effect.leader ?? 'none'}`;
    case 'proposed':
      return `${id} takes the proposal as ${effect.first}..${effect.last}`;
    case 'proposal-refused':
      return `${id} refuses the proposal: ${effect.why}`;
    case 'read-ready':
      return `${id} may answer read ${effect.read} at ${effect.index}`;
    case 'read-refused':
      return `${id} refuses read ${effect.read}: ${effect.why}`;
    case 'send-snapshot':
      return `${id} sends ${effect.to} the snapshot of ${effect.head.index} from ${effect.offset}`;
    case 'receive-snapshot':
      return `${id} receives the snapshot of ${effect.head.index} from ${effect.offset}`;
    case 'configuration':
      return `${id} uses ${effect.configuration.map((member) => `${member.id} ${member.role}`).join(', ')}`;
    case 'change-refused':
      return `${id} refuses the change: ${effect.why}`;
    case 'transfer-ended':
      return `${id} has handed over: ${effect.why ?? 'done'}`;
  }
}
