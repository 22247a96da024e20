// When to stop: Ctrl-C, a termination signal, or the end of the npm that runs us.

export const NPM_ENDED = "the end of npm";

const LOOK_EVERY = 500;

/**
 * Calls back with the reason at every request to stop. npm passes SIGTERM to the shell between it and us, and that
 * shell (dash) dies without telling us: a changed parent is therefore such a request too.
 */
export function onStopRequest(callback) {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => callback(signal));
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  const look = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(look);
    callback(NPM_ENDED);
  }, LOOK_EVERY);
  look.unref();
}
