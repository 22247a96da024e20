// npm start: sets up if need be, then runs the whole service on this machine until Ctrl-C.
import { settings } from "./settings.mjs";
import { NPM_ENDED, onStopRequest } from "./stop-signals.mjs";
import { supervise } from "./supervisor.mjs";

const HELP = `npm start                    runs Sluice on this machine until Ctrl-C

Installs what is missing, then runs PostgreSQL, the API and a worker.

  HOST              address to listen on (127.0.0.1)
  PORT              port of the API (8080)
  WORKER_PORT       port of the worker's /readyz and /metrics, loopback only (PORT + 1)
  SLUICE_DATA_DIR   folder for records, objects, key and logs (.sluice in the checkout)
  SLUICE_API_KEY    an admin's key, 16 characters or more (else one is made and kept in the data folder)
  DATABASE_URL      a PostgreSQL to use in place of our own
  REDIS_URL         a Redis for the queue (else the queue is in PostgreSQL as well)
  STORAGE_URL       s3://bucket/prefix?region=…&endpoint=… or file:///folder (the data folder's objects/)
  LOG_LEVEL         debug, info, warn, error (info); logs are in the data folder's logs/`;

/** npm passes a Ctrl-C on to us which the terminal has sent us already; only a later one means haste. */
const SAME_KEYPRESS = 500;

const say = (line) => console.log(line);
// Whoever read our output may be gone; the service goes on.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});

const [option] = process.argv.slice(2);
if (option === "--help" || option === "-h") {
  say(HELP);
  process.exit(0);
}
if (option !== undefined) {
  console.error(`npm start takes no argument "${option}"; settings are environment variables, see npm start -- --help`);
  process.exit(64);
}

const stop = new AbortController();
const hurry = { now: false };
let asked = null;
onStopRequest((why) => {
  if (asked === null) asked = Date.now();
  else if (why !== NPM_ENDED && Date.now() - asked > SAME_KEYPRESS) hurry.now = true;
  stop.abort(new Error("stopped"));
});

try {
  const config = settings();
  await supervise(config, { say, announce: (facts) => announce(config, facts), signal: stop.signal, hurry });
  say("Stopped.");
  process.exit(0);
} catch (error) {
  console.error(`\n${stop.signal.aborted ? "" : "Sluice cannot start. "}${error.message}`);
  process.exit(1);
}

function announce(config, { keyFile }) {
  say("");
  say(`Sluice is running.  API ${config.url}`);
  say(`  queue (Bull Board)   ${config.url}/admin/queues`);
  say(`  metrics              ${config.url}/metrics`);
  say(`  development key      ${keyFile === null ? "the one in SLUICE_API_KEY" : `in ${keyFile}`}`);
  say(`  data and logs        ${config.dataDir}`);
  if (config.opensUploads) say("  Uploads need no key, because only this machine can reach it (SLUICE_OPEN_UPLOADS=false ends that).");
  say("Ctrl-C stops.");
}
