// Keeps one process running: again at once when it dies, then with backoff, starting over when it was well for a while.
import { setTimeout as sleep } from "node:timers/promises";

/** The exit code by which a process says that its configuration is at fault (EX_CONFIG of sysexits.h): no use to try again. */
export const BAD_CONFIGURATION = 78;

const MAX_BACKOFF = 2_000;
const WELL_AFTER = 1_000;
const TRIES_BEFORE_READY = 5;

/**
 * What to do after a death. `deaths` in a row, this one included, without 1 s of readiness between; `faults` are those
 * that nothing else explains. A process that was ready once is never given up on.
 * @returns {{ retryIn: number } | { giveUp: string }}
 */
export function afterDeath({ deaths, faults, wasReadyOnce, code }) {
  if (!wasReadyOnce && code === BAD_CONFIGURATION) return { giveUp: "its configuration is at fault" };
  if (!wasReadyOnce && faults >= TRIES_BEFORE_READY) return { giveUp: `it failed ${faults} times in a row and was never ready` };
  return { retryIn: deaths <= 1 ? 0 : Math.min(MAX_BACKOFF, 100 * 2 ** (deaths - 2)) };
}

/**
 * @typedef {object} Running
 * @property {number} pid
 * @property {Promise<void>} ready    rejects or never settles when the process dies first
 * @property {Promise<{ code: number | null, signal: string | null, tail: string[] }>} exited
 */

/**
 * `launch()` starts the process; `onStart(running)` and `onDeath(running)` tell of each life; `counts()` says whether a
 * death is its own fault (false while something it needs is down).
 * `firstReady` settles once: ready, or an error when it was given up. `stop()` ends the keeping, not the process; no new one
 * is started once it has resolved.
 * @param {{ name: string, launch: () => Promise<Running>, onStart: (running: Running) => void, onDeath: (running: Running) => void,
 *   counts?: () => boolean, say: (line: string) => void }} options
 */
export function keep({ name, launch, onStart, onDeath, counts = () => true, say }) {
  const stopping = new AbortController();
  const state = { ready: false, wasReadyOnce: false, deaths: 0, faults: 0, current: null };
  let launching = null;
  const first = Promise.withResolvers?.() ?? withResolvers();

  const live = async () => {
    while (!stopping.signal.aborted) {
      let end;
      try {
        launching = launch();
        const running = await launching;
        onStart(running);
        watchReadiness(running);
        end = await running.exited;
        state.ready = false;
        state.current = null;
        onDeath(running);
      } catch (error) {
        end = { code: null, signal: null, tail: [error.message] };
      }
      if (stopping.signal.aborted) return;
      state.deaths++;
      if (counts()) state.faults++;
      const how = end.signal !== null ? `was ended by ${end.signal}` : `ended with exit code ${end.code}`;
      const next = afterDeath({ ...state, code: end.code });
      if ("giveUp" in next) {
        first.reject(
          new Error(`${name} does not start: ${next.giveUp}. Its last words:\n${end.tail.map((line) => `  ${line}`).join("\n")}`),
        );
        return;
      }
      say(`${name} ${how}; starting it again${next.retryIn === 0 ? "" : ` in ${next.retryIn / 1000} s`}.`);
      await sleep(next.retryIn, undefined, { signal: stopping.signal }).catch(() => {});
    }
  };

  const watchReadiness = (running) => {
    state.current = running;
    const becameReady = () => {
      if (state.current !== running) return;
      if (state.wasReadyOnce && !state.ready) say(`${name} is ready again.`);
      state.ready = state.wasReadyOnce = true;
      first.resolve();
      setTimeout(() => {
        if (state.current === running) state.deaths = state.faults = 0;
      }, WELL_AFTER).unref();
    };
    running.ready.then(becameReady, () => {});
  };

  first.promise.catch(() => {});
  void live();
  return {
    firstReady: first.promise,
    isReady: () => state.ready,
    async stop() {
      stopping.abort();
      // A launch under way still makes its process known.
      await launching?.catch(() => {});
      await new Promise(setImmediate);
    },
  };
}

function withResolvers() {
  const out = {};
  out.promise = new Promise((resolve, reject) => Object.assign(out, { resolve, reject }));
  return out;
}
