/**
 * Bugs that this field has met, or fears, each as a change of one module.
 *
 * `npx quorumark mutants` plants them one by one. A test next door finds every text in the compiled
 * module, so a mutant cannot silently stop to be one.
 */
import type { Mutant } from './mutant.js';

const raft = 'src/raft/raft.js';
const engine = 'src/engine/log-engine.js';
const controllers = { subject: 'controller' } as const;
/** Clients that read all the time, on links that are late and cut: what shows a proof that proves nothing. */
const readers = {
  subject: 'kv',
  members: 3,
  clients: 5,
  keys: 1,
  thinkMs: 6,
  lease: null,
  faultGapMs: 400,
  faultWeights: { clog: 5, partition: 5, pause: 4, delay: 3, kill: 1 },
} as const;

/** Slow disks that lose power together: what shows a promise that was made too early. */
const powerCuts = {
  subject: 'kv',
  members: 3,
  clients: 5,
  thinkMs: 8,
  syncMs: 8,
  faultGapMs: 300,
  faultWeights: { 'power-loss-all': 4, 'power-loss': 3, 'disk-slow': 4, kill: 1 },
} as const;

/** Groups that fall apart while everybody writes: what shows logs that disagree. */
const splits = {
  subject: 'kv',
  members: 3,
  clients: 5,
  thinkMs: 6,
  durability: 'group',
  formatVersion: 2,
  faultGapMs: 350,
  faultWeights: { partition: 6, kill: 3, congestion: 2, clog: 2 },
} as const;

/** Groups that change while they fall apart. */
const changes = {
  ...splits,
  faultWeights: { 'two-changes': 5, promote: 3, remove: 2, partition: 6, clog: 3, kill: 1 },
} as const;

export const mutants: readonly Mutant[] = [
  // Reads
  {
    name: 'read-index-before-own-commit',
    bug: 'a new leader proves reads at a commit index that lags behind its predecessor’s',
    source: 'etcd 7331, tikv 6340, redisraft 22',
    needs: readers,
    edits: [
      {
        file: raft,
        find: 'const commitIndex = this.hasCommittedInTerm ? this.#commitIndex : null;',
        replace: 'const commitIndex = this.#commitIndex;',
      },
    ],
  },
  {
    name: 'reused-read-token',
    bug: 'all rounds share one token: late acknowledgements of an earlier one confirm the next',
    source: 'etcd 20418, raft pull 397',
    needs: { ...readers, faultWeights: { congestion: 8, partition: 1 } },
    edits: [
      {
        file: raft,
        find: 'peer.roundAcked = message.round;',
        replace: 'peer.roundAcked = this.#reads.roundSent;',
      },
      {
        file: raft,
        find: 'if (message.round <= peer.roundAcked || message.round > this.#reads.roundSent)',
        replace: 'if (message.round > this.#reads.roundSent)',
      },
    ],
  },
  {
    name: 'read-before-the-round',
    bug: 'a read is served by whoever believes to lead, without asking a quorum',
    source: 'd-engine 381',
    needs: readers,
    edits: [
      {
        file: raft,
        find: 'if (this.#holdsLease) { this.#effects.push(',
        replace: 'if (this.hasCommittedInTerm) { this.#effects.push(',
      },
    ],
  },
  {
    name: 'staleness-from-the-end-of-a-proof',
    bug: 'what a proof shows counts as fresh from its end, not from its beginning',
    source: 'Ongaro thesis §6.4.1: a lease runs from the start of the round',
    needs: { ...readers, delayMeanMs: 20 },
    edits: [
      {
        file: 'src/engine/read-barrier.js',
        find: 'this.#freshAtMs = Math.max(this.#freshAtMs, startedAtMs);',
        replace: 'this.#freshAtMs = this.#options.clock.nowMs();',
      },
    ],
  },
  {
    name: 'staleness-not-bounded',
    bug: 'a read that may be stale is answered however old the state is',
    source: 'DLedger’s UNSAFE_READ, which any member answers at once',
    needs: readers,
    edits: [
      {
        file: engine,
        find: '!this.#closed && stalenessMs <= options.maxStalenessMs',
        replace: '!this.#closed && stalenessMs < Infinity',
      },
    ],
  },
  {
    name: 'lease-over-long',
    bug: 'a lease outlives the promise of those who gave it',
    source: 'sofa-jraft 25, 26, 34',
    needs: {
      ...readers,
      lease: { clockDriftMax: 0.1 },
      clients: 10,
      delayMeanMs: 1,
      faultWeights: { congestion: 3, partition: 1 },
    },
    edits: [
      {
        file: 'src/raft/lease.js',
        find: 'electionTimeoutMs * (1 - options.clockDriftMax)',
        replace: 'electionTimeoutMs * 2',
      },
    ],
  },
  {
    name: 'lease-without-stickiness',
    bug: 'members that gave a lease vote for another leader meanwhile',
    source: 'thesis §6.4.1',
    // Few writes: who is deaf to the leader must not fall behind, or nobody would elect it.
    needs: {
      ...readers,
      lease: { clockDriftMax: 0.1 },
      electionRule: 'plain',
      clients: 3,
      thinkMs: 120,
      delayMeanMs: 1,
      safetyMs: 24_000,
      faultGapMs: 500,
      faultWeights: { partition: 1 },
    },
    edits: [
      {
        file: raft,
        find: "if (message.purpose !== 'transfer' && this.#protectsLeader(message.purpose))",
        replace: 'if (false)',
      },
    ],
  },
  {
    name: 'lease-kept-in-transfer',
    bug: 'a leader that told another to take over goes on with its lease',
    source: 'thesis §6.4.1, §3.10',
    needs: {
      ...readers,
      lease: { clockDriftMax: 0.1 },
      delayMeanMs: 5,
      faultGapMs: 150,
      faultWeights: { transfer: 8, congestion: 5, partition: 2 },
    },
    edits: [
      { file: raft, find: 'this.#lease?.spoil();', replace: '' },
      {
        file: raft,
        find: '&& this.#handover.to === null; }',
        replace: '; }',
      },
    ],
  },
  // Commits and elections
  {
    name: 'commit-of-old-terms',
    bug: 'entries of earlier terms are committed by counting copies',
    source: 'paper §5.4.2, figure 8',
    needs: {
      ...readers,
      members: 5,
      durability: 'group',
      delayMeanMs: 15,
      faultGapMs: 90,
      faultWeights: { kill: 6, partition: 6, loss: 2, pause: 3 },
    },
    edits: [
      {
        file: raft,
        find: '|| this.#log.termAt(quorum) !== this.#term)',
        replace: ')',
      },
    ],
  },
  {
    name: 'vote-not-synced',
    bug: 'a vote is promised before it is on disk',
    source: 'dledger: the vote file is renamed and never synced',
    edits: [
      {
        file: 'src/storage/vote-file.js',
        find: 'files.write(file, copy, COPY_BYTES, at); files.sync(file);',
        replace: 'files.write(file, copy, COPY_BYTES, at);',
      },
    ],
  },
  {
    name: 'second-copy-left-behind',
    bug: 'the second copy of the vote stays as it was, and counts when the first is damaged',
    source: 'mirrored headers: a copy is only as good as its age',
    edits: [
      {
        file: 'src/storage/vote-file.js',
        find: 'write(files, directory, state, [FIRST, SECOND]);',
        replace: 'write(files, directory, state, [FIRST]);',
      },
    ],
  },
  {
    name: 'vote-needs-room',
    bug: 'each vote is a new file: a full disk ends the process',
    source: 'dledger: each vote is a new file, renamed over the old',
    edits: [
      {
        file: 'src/storage/vote-file.js',
        find: 'export function writeVote(files, directory, state) { write(files, directory, state, [FIRST, SECOND]); }',
        replace:
          'export function writeVote(files, directory, state) { createVote(files, directory, state); }',
      },
    ],
  },
  {
    name: 'vote-not-saved',
    bug: 'a vote is given without being written at all',
    source: 'paper §5.2',
    needs: { ...splits, faultWeights: { kill: 6, partition: 3, loss: 3 } },
    edits: [
      {
        file: raft,
        find: 'this.#votedFor = message.from; this.#saveHardState();',
        replace: 'this.#votedFor = message.from;',
      },
    ],
  },
  {
    name: 'two-votes-in-a-term',
    bug: 'a voter forgets whom it voted for',
    source: 'paper §5.2',
    edits: [
      {
        file: 'src/raft/election.js',
        find: 'if (voter.votedFor !== null && voter.votedFor !== request.from)',
        replace: 'if (false)',
      },
    ],
  },
  {
    name: 'term-regress-on-restart',
    bug: 'after a restart the term is that of the last entry',
    source: 'paper §5.1',
    edits: [
      {
        file: 'src/storage/file-store.js',
        find: 'this.#hardState = recovered.hardState;',
        replace:
          'this.#hardState = { term: Math.max(recovered.terms.lastTerm, recovered.snapshot?.term ?? 0), votedFor: null };',
      },
    ],
  },
  {
    name: 'last-term-from-current-term',
    bug: 'a candidate claims its current term as that of its last entry',
    source: 'dledger 52',
    edits: [
      {
        file: raft,
        find: 'lastIndex: this.#log.lastIndex, lastTerm: this.#log.lastTerm, purpose: this.#purpose,',
        replace: 'lastIndex: this.#log.lastIndex, lastTerm: this.#term, purpose: this.#purpose,',
      },
    ],
  },
  {
    name: 'log-not-compared-for-votes',
    bug: 'a voter elects whoever asks first, however old its log',
    source: 'paper §5.4.1',
    edits: [
      { file: 'src/raft/election.js', find: "if (logBehind) return 'log-behind';", replace: '' },
    ],
  },
  {
    name: 'double-leadership-after-restart',
    bug: 'a member that led asks again in the same term after a crash',
    source: 'docs/decisions/002',
    edits: [{ file: raft, find: 'this.#term === this.#termOfEarlierLife;', replace: 'false;' }],
  },
  // Replication
  {
    name: 'truncate-on-every-push',
    bug: 'a late or repeated push cuts off what came after it',
    source: 'paper §5.3: "if an existing entry conflicts"',
    edits: [
      {
        file: raft,
        find: 'if (held === entries.length) return [];',
        replace:
          'if (held === entries.length && held > 0 && end < this.#log.lastIndex) { const at = Math.max(end, this.#log.floor); this.#log.truncate(at); if (this.#persisted > at) this.#persisted = at; this.#effects.push({ kind: "truncate", after: at }); if (this.#membership.truncate(at)) this.#configurationChanged(); this.#matched = at; return []; } if (held === entries.length) return [];',
      },
    ],
  },
  {
    name: 'commit-beyond-the-match',
    bug: 'a follower commits what the leader has committed, whatever it holds there itself',
    source: 'dledger 316',
    edits: [
      {
        file: raft,
        find: 'const index = logIndex(Math.min(leaderCommit, this.#matched));',
        replace: 'const index = logIndex(Math.min(leaderCommit, this.#log.lastIndex));',
      },
    ],
  },
  {
    name: 'previous-term-not-compared',
    bug: 'a follower appends after an entry of another term',
    source: 'paper §5.3',
    edits: [
      {
        file: raft,
        find: 'if (!isKnown && !this.#log.holds(push.prevIndex, push.prevTerm))',
        replace: 'if (!isKnown && push.prevIndex > this.#log.lastIndex)',
      },
    ],
  },
  {
    name: 'ack-of-unpersisted',
    bug: 'a follower acknowledges what is not durable yet',
    source: 'paper §5.3; dledger acknowledges from the page cache',
    needs: { ...powerCuts, durability: 'group' },
    edits: [
      {
        file: raft,
        find: 'const index = logIndex(Math.min(this.#matched, this.#persisted));',
        replace: 'const index = this.#matched;',
      },
      {
        file: raft,
        find: "if (fresh.length === 0) this.#acknowledge('again');",
        replace: "this.#acknowledge('again');",
      },
    ],
  },
  {
    name: 'duplicate-push-appended',
    bug: 'a push that comes twice is appended twice, and its entries are applied twice',
    source: 'dledger 140, 141',
    edits: [
      {
        file: raft,
        find: 'if (held === entries.length) return [];',
        replace:
          'if (held === entries.length && (held === 0 || end !== this.#log.lastIndex)) return []; if (held === entries.length) { const again = entries.map((entry) => ({ ...entry, index: logIndex(entry.index + held) })); for (const entry of again) this.#log.append(entry.index, entry.term); return again; }',
      },
    ],
  },
  {
    name: 'success-on-lost-leadership',
    bug: 'what waits for a commit is told that it succeeded when the term changes',
    source: 'rocketmq DLedgerController: the append’s code is never looked at',
    edits: [
      {
        file: engine,
        find: 'for (const waiter of waiters) waiter.reject(new LogError(code));',
        replace: 'for (const waiter of waiters) waiter.resolve(waiter.index);',
      },
    ],
  },
  // Storage
  {
    name: 'ack-before-write',
    bug: 'an append counts as done before it is synced, under `group`',
    source: 'dledger flushes behind the acknowledgement',
    needs: { ...powerCuts, durability: 'group' },
    edits: [
      {
        file: 'src/storage/flusher.js',
        find: "if (this.#options.durability === 'background') { this.#settleSoon",
        replace: "if (this.#options.durability !== 'each') { this.#settleSoon",
      },
      {
        file: 'src/storage/flusher.js',
        find: "const last = durability === 'background' ? this.#written",
        replace: "const last = durability !== 'each' ? this.#written",
      },
    ],
  },
  {
    name: 'crc-ignored',
    bug: 'records are believed whatever their checksum says',
    source: 'dledger: the CRC fields of its store are unused',
    edits: [
      {
        file: 'src/storage/segment.js',
        find: 'return position >= 0 && crcMatches(window.bytes, position) ? position : -1;',
        replace: 'return position;',
      },
    ],
  },
  {
    name: 'torn-tail-accepted',
    bug: 'the last record counts although not all of it reached the disk',
    source: 'ext4 and friends: length before data',
    needs: { ...powerCuts, durability: 'group' },
    edits: [
      {
        file: 'src/storage/segment.js',
        find: 'return position >= 0 && crcMatches(window.bytes, position) ? position : -1;',
        replace:
          'return position >= 0 && (crcMatches(window.bytes, position) || (offset + length === fileBytes && indexOf(window.bytes, position) > 0)) ? position : -1;',
      },
    ],
  },
  {
    name: 'damage-cut-silently',
    bug: 'damage in the middle of a log shortens it, and nobody is told',
    source: 'Alagappan et al., "Protocol-Aware Recovery" (FAST 2018)',
    needs: { ...splits, faultWeights: { corruption: 6, partition: 5, kill: 2 } },
    edits: [
      {
        file: 'src/storage/segment.js',
        find: "options.isLast ? syncedRecordBehind(window, offset, fileBytes, expected) : ''",
        replace: 'undefined',
      },
    ],
  },
  {
    name: 'rebuilt-member-votes',
    bug: 'a member that dropped a damaged log votes as if it had never held one',
    source: 'Alagappan et al., "Protocol-Aware Recovery" (FAST 2018)',
    needs: { ...splits, faultWeights: { corruption: 6, partition: 5, kill: 2 } },
    edits: [
      {
        file: 'src/storage/rebuild-marker.js',
        find: 'return logIndex(bytes.readUIntLE(4, 6));',
        replace: 'return logIndex(0);',
      },
    ],
  },
  {
    name: 'damaged-log-dropped-unasked',
    bug: 'a member drops a damaged log although nobody told it to have it from the peers',
    source: 'Alagappan et al., "Protocol-Aware Recovery" (FAST 2018)',
    edits: [
      {
        file: 'src/storage/recovery.js',
        find: 'if (!isDamage(error) || !options.rebuildFromPeers)',
        replace: 'if (!isDamage(error))',
      },
    ],
  },
  {
    name: 'failed-sync-trusted',
    bug: 'after a failed sync a restart believes what the page cache shows',
    source: 'Rebello et al. (ATC 2020); PostgreSQL’s fsyncgate',
    needs: {
      ...powerCuts,
      durability: 'group',
      faultWeights: { 'sync-failure': 6, 'power-loss-all': 5 },
    },
    edits: [
      {
        file: 'src/storage/recovery.js',
        find: 'if (options.isLast) rewriteTail(segment, files, file, scanned);',
        replace: '',
      },
    ],
  },
  {
    name: 'failed-sync-retried',
    bug: 'a sync that failed is tried again, and its success believed',
    source: 'PostgreSQL’s fsyncgate',
    needs: {
      ...powerCuts,
      durability: 'group',
      faultWeights: { 'sync-failure': 6, 'power-loss-all': 5 },
    },
    edits: [
      {
        file: 'src/storage/flusher.js',
        find: 'if (error !== null) this.fail(error); else if (epoch',
        replace: 'if (epoch',
      },
    ],
  },
  {
    name: 'truncation-not-written',
    bug: 'entries that were cut off come back after a restart',
    source: 'dledger: the memory store’s truncation leaves stale entries',
    // Writes are few: many would overwrite what came back before anybody restarts.
    needs: {
      ...splits,
      thinkMs: 50,
      faultGapMs: 250,
      faultWeights: { partition: 4, congestion: 2, kill: 6 },
    },
    edits: [
      {
        file: 'src/storage/file-store.js',
        find: 'this.#files.truncate(this.#file, end); this.#files.sync(this.#file);',
        replace: '',
      },
    ],
  },
  // Snapshots and membership
  {
    name: 'snapshot-without-configuration',
    bug: 'a snapshot remembers the group as it was at the beginning',
    source: 'thesis §5.1',
    edits: [
      {
        file: 'src/raft/membership.js',
        find: 'const later = this.#configurations.filter((placed) => placed.index > index); this.#configurations = [{ index, configuration }, ...later];',
        replace:
          'const [base] = this.#configurations; this.#configurations = [{ index, configuration: base.configuration }];',
      },
    ],
  },
  {
    name: 'snapshot-ahead-of-the-state',
    bug: 'a snapshot says that it holds one entry more than it does',
    source: 'off by one',
    edits: [
      {
        file: 'src/engine/snapshots.js',
        find: 'const source = stateMachine.snapshot();',
        replace:
          'index = index + (headAt(index).term > 0 && store.lastIndex > index ? 1 : 0); const source = stateMachine.snapshot();',
      },
    ],
  },
  {
    name: 'log-kept-under-a-snapshot',
    bug: 'a log that conflicts with an installed snapshot is kept',
    source: 'paper §7',
    needs: {
      ...splits,
      snapshotEveryEntries: 10,
      entriesKept: 0,
      faultWeights: { partition: 6, clog: 2, congestion: 3 },
    },
    edits: [
      {
        file: 'src/storage/file-store.js',
        find: 'if (isHeld) return; try { this.#dropLog',
        replace: 'if (isHeld || this.#last > head.index) return; try { this.#dropLog',
      },
      {
        file: raft,
        find: 'if (this.#log.holds(index, headTerm)) {',
        replace: 'if (this.#log.lastIndex > index) {',
      },
    ],
  },
  {
    name: 'two-changes-at-once',
    bug: 'a second change of the group is taken while the first is not committed',
    source: 'thesis §4.1',
    needs: changes,
    edits: [
      {
        file: raft,
        find: 'if (this.isChanging || !this.hasCommittedInTerm || this.#handover.to !== null)',
        replace: 'if (this.#handover.to !== null)',
      },
    ],
  },
  {
    name: 'learner-counted-in-quorum',
    bug: 'copies on learners count for commits',
    source: 'thesis §4.2.1',
    needs: { formatVersion: 2 },
    edits: [
      {
        file: raft,
        find: 'if (peer.isVoter) this.#advanceCommit(); if (this.#handover.to',
        replace: 'this.#advanceCommit(); if (this.#handover.to',
      },
      {
        file: raft,
        find: 'if (!peer.isVoter) continue; reached[at] = peer.match;',
        replace:
          'if (!peer.isVoter && reached[at] !== undefined && peer.match < reached[0]) continue; if (at >= this.#scratch.length) { for (let j = 1; j < at; j += 1) if (reached[j] < peer.match) { reached[j] = peer.match; break; } continue; } reached[at] = peer.match;',
      },
    ],
  },
  {
    name: 'unheard-learner-promoted',
    bug: 'a learner that nobody hears becomes a voter because the log is short',
    source: 'found by the simulator: docs/bugs-found.md',
    needs: { formatVersion: 2 },
    edits: [{ file: raft, find: 'return isFollowing && lag <=', replace: 'return lag <=' }],
  },
  {
    name: 'leader-without-a-quorum',
    bug: 'a leader that hears no quorum goes on leading those who hear it',
    source: 'thesis §6.2 (CheckQuorum)',
    edits: [
      {
        file: raft,
        find: 'return heard >= quorumSize(this.#scratch.length);',
        replace: 'return true;',
      },
    ],
  },
  {
    name: 'removed-config-restored-late',
    bug: 'a configuration that was cut off stays in force',
    source: 'thesis §4.1',
    needs: changes,
    edits: [
      {
        file: raft,
        find: 'if (this.#membership.truncate(index)) this.#configurationChanged();',
        replace: '',
      },
    ],
  },
  // Controllers
  {
    name: 'lane-released-before-apply',
    bug: 'the next write on a broker set is decided before the last one is applied',
    source: 'docs/decisions: lanes',
    needs: { ...controllers, build: 'optimized' },
    edits: [
      {
        file: 'src/server/controller.js',
        find: 'return controller.carryOut(controller.decide(this.#command), (reply) => {',
        replace: 'return void controller.carryOut(controller.decide(this.#command), (reply) => {',
      },
    ],
  },
  {
    name: 'decide-on-unapplied-state',
    bug: 'a new leader decides before it has applied what its predecessor committed',
    source: 'rocketmq: isLeader is true before the state is',
    needs: {
      ...controllers,
      members: 3,
      durability: 'group',
      clients: 5,
      thinkMs: 8,
      syncMs: 8,
      brokerSets: 1,
      faultGapMs: 400,
      faultWeights: { kill: 5, transfer: 4, partition: 3 },
    },
    edits: [
      {
        file: engine,
        find: 'this.#serveFrom = this.#raft.lastIndex;',
        replace: 'this.#isServing = true;',
      },
    ],
  },
  {
    name: 'scan-with-reversed-time-test',
    bug: 'the scan takes living brokers for silent ones, and silent ones for living',
    source: 'rocketmq 9717, 10416',
    needs: { ...controllers, build: 'baseline', longCalm: true },
    edits: [
      {
        file: 'baseline/liveness.js',
        find: 'if (now - entry.lastUpdateMs <= entry.timeoutMs) continue;',
        replace: 'if (now - entry.lastUpdateMs > entry.timeoutMs) continue;',
      },
    ],
  },
  {
    name: 'inverted-re-elect-predicate',
    bug: 'the scan looks for sets whose master lives',
    source: 'rocketmq 10875, 10885',
    needs: { ...controllers, longCalm: true },
    edits: [
      {
        file: 'src/controller/read.js',
        find: 'if (liveness.isAlive(clusterName, brokerName, masterBrokerId)) return false;',
        replace: 'if (!liveness.isAlive(clusterName, brokerName, masterBrokerId)) return false;',
      },
    ],
  },
  {
    name: 'epoch-not-bumped',
    bug: 'an election keeps the masterEpoch',
    source: 'rocketmq 6316',
    needs: controllers,
    edits: [
      {
        file: 'src/controller/apply.js',
        find: 'masterEpoch: masterEpoch + 1,',
        replace: 'masterEpoch: Math.max(1, masterEpoch),',
      },
    ],
  },
  {
    name: 'dead-replica-in-sync-set',
    bug: 'a replica that nobody hears is put into the SyncStateSet',
    source: 'rocketmq ReplicasInfoManager.alterSyncStateSet',
    needs: controllers,
    edits: [
      {
        file: 'src/controller/decide.js',
        find: 'if (!liveness.isAlive(clusterName, brokerName, id)) { return rejectAlter(',
        replace: 'if (false) { return rejectAlter(',
      },
    ],
  },
  {
    name: 'apply-looks-at-the-clock',
    bug: 'applying an entry depends on something that members do not share',
    source: 'jraft mode decides in apply, with the leader’s clock in the entry',
    needs: controllers,
    edits: [
      {
        file: 'src/server/controller.js',
        find: 'applyEncoded(this.#state, entry.body);',
        replace:
          'if (this.table.size > 0 || entry.index < 20) applyEncoded(this.#state, entry.body);',
      },
    ],
  },
  {
    name: 'indefinite-told-as-definite',
    bug: 'a write that may yet be committed is answered as refused',
    source: 'dledger’s Jepsen test: every other code counted as a failure (502 is not one)',
    edits: [
      {
        file: 'src/server/answers.js',
        find: "case 'CLOSED': return cancelled;",
        replace: "case 'CLOSED': return notLeader;",
      },
    ],
  },
];
