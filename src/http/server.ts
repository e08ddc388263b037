import { once } from 'node:events';
import type { Server } from 'node:http';
import { type AddressInfo, Server as NetServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createAlertmanager } from '../alerting/alertmanager.ts';
import { recentMarks } from '../alerting/incidents.ts';
import { watchAlertPath } from '../alerting/pipeline-health.ts';
import { watchIncidents } from '../alerting/watch-incidents.ts';
import { readCalendar } from '../calendar/calendar-file.ts';
import { watchLikeDates } from '../calendar/like-date.ts';
import { markSamples } from '../calendar/marks.ts';
import { samplesOf } from '../calendar/series.ts';
import type { Config } from '../config/config.ts';
import { readMapping } from '../intake/mapping.ts';
import { type BaselineWatch, watchBaseline } from '../judge/baseline.ts';
import { openLedger } from '../ledger/open.ts';
import { createHealth } from '../metrics/health.ts';
import { createPrometheus } from '../prometheus/client.ts';
import type { Log } from '../runtime/log.ts';
import { VERSION } from '../runtime/project.ts';
import type { Demo } from '../simulator/demo.ts';
import { createAccess } from './access.ts';
import { createApp } from './app.ts';
import { readAssets } from './assets.ts';
import { createEvents } from './events.ts';
import { watchChanges } from './recent-changes.ts';

/** Requests that are being answered when the service stops get this long; in milliseconds. */
const GRACE_MS = 5000;
/**
 * Connections without a request are closed after this long: who sends often has been told to go by
 * then.
 */
const IDLE_MS = 2000;
/**
 * The first answers know what is normal where Prometheus says so within this time; counts do not
 * wait longer. Milliseconds.
 */
const FIRST_LOOK_MS = 500;

/**
 * Limits of a connection in milliseconds, so that nobody who sends or reads slowly holds it for
 * good.
 */
const LIMITS = {
  /** The time until the headers are there, also on a connection on which nothing comes. */
  headersTimeout: 20_000,
  /** The time until the body is there. */
  requestTimeout: 60_000,
  connectionsCheckingInterval: 5000,
  /**
   * Longer than proxies and clients keep an idle connection, so that it is they who close it and
   * not a request of theirs that meets its end.
   */
  keepAliveTimeout: 75_000,
  maxHeaderSize: 16 * 1024,
} as const;
/**
 * An answer of which nothing is read for so long is given up; streams of events have a heartbeat.
 */
const STUCK_MS = 60_000;

export interface RunningServer {
  /** The address that it listens on, with the port in use. */
  url: string;
  /** Looks at Prometheus and Alertmanager now, instead of some seconds later. */
  lookAgain(): Promise<void>;
  /** Answers what has been asked, then stops. */
  close(): Promise<void>;
}

export interface ServerOptions {
  /** Lets in what this program starts itself, where tokens are asked for. */
  internalToken?: string | undefined;
  demo?: Demo | undefined;
}

const baselineAge = (baseline: BaselineWatch) => () => (Date.now() - (baseline.current().asOf ?? Number.NaN)) / 1000;

function urlOf(server: Server): string {
  const { address, port, family } = server.address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}

async function listen(server: Server, { host, port }: Config): Promise<void> {
  server.listen(port, host);
  await once(server, 'listening').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE') throw error;
    throw new Error(
      `port ${port} of ${host} is in use: stop what uses it, or give another --port (0 takes a free one)`,
    );
  });
}

/**
 * Goes on answering for a while, so that a load balancer sees that it is not ready; then takes no
 * new connections and lets open requests finish. Each connection ends with an answer that says so:
 * one that is closed while it seems idle may have its next request on the way already, and its
 * sender cannot know whether that was counted. Nobody is told to connect anew before that: a
 * connection that has not been accepted when the service closes is reset.
 */
async function stop(server: Server, drainSeconds: number): Promise<void> {
  await sleep(drainSeconds * 1000);
  server.prependListener('request', (_request, response) => response.setHeader('Connection', 'close'));
  const closed = once(server, 'close');
  // Not server.close(), which closes connections that seem idle at once.
  NetServer.prototype.close.call(server);
  const timer = setTimeout(() => server.closeAllConnections(), GRACE_MS);
  await Promise.race([closed, sleep(Math.min(drainSeconds * 1000, IDLE_MS))]);
  // Connections that were being answered at this moment become idle one after another.
  const idle = setInterval(() => server.closeIdleConnections(), 20);
  await closed;
  clearInterval(idle);
  clearTimeout(timer);
  // Ends what Node does beside the listening, such as looking for slow requests.
  server.close();
}

/**
 * Opens the ledger and serves it.
 * @throws UsageError, DamagedLedger, or an Error that says why it cannot listen
 */
export async function startServer(
  config: Config,
  log: Log,
  { internalToken, demo }: ServerOptions = {},
): Promise<RunningServer> {
  const access = createAccess(config.tokensFile, internalToken);
  const mapping = readMapping(config.mapping, config.dimensions);
  const calendar = await readCalendar(config.calendar, config.timezone);
  const assets = readAssets();
  const ledger = await openLedger({
    ledger: config.ledger,
    data: config.data,
    keepSeconds: config.keep,
    latenessSeconds: config.lateness,
    maxSeries: config.maxSeries,
    maxSources: config.maxSources,
    log,
  });
  const prometheus = createPrometheus(config.prometheusUrl);
  const baseline = watchBaseline(prometheus, log);
  const minute = () => Math.floor(Date.now() / 60_000);
  const likeDate = watchLikeDates(prometheus, calendar);
  const calendarNow = () => samplesOf(calendar.at(minute()), likeDate(minute()));
  const marksNow = async () => markSamples(await recentMarks(ledger), minute(), calendar.zone);
  const health = createHealth(VERSION, baselineAge(baseline), ledger, calendarNow, marksNow);
  const events = createEvents(health.streams);
  const alertmanager = createAlertmanager(config.alertmanagerUrl, 2000);
  const path = watchAlertPath({ prometheus, alertmanagerReady: alertmanager.ready, gauge: health.watchdog, log });
  const incidents = watchIncidents({ ledger, prometheus, alertmanager, log });
  const stopping = new AbortController();
  async function close(): Promise<void> {
    stopping.abort();
    baseline.stop();
    path.stop();
    incidents.stop();
    events.close();
    if (server.listening) await stop(server, config.drain);
    await ledger.close();
  }
  const services = {
    config,
    ledger,
    prometheus,
    baseline,
    health,
    events,
    path,
    log,
    demo,
    mapping,
    calendar,
    changes: watchChanges(ledger),
    stopping: stopping.signal,
  };
  const server = createApp({ ...services, access, assets, version: VERSION }, LIMITS).setTimeout(STUCK_MS);
  await Promise.race([baseline.asked, sleep(FIRST_LOOK_MS)]);
  await listen(server, config).catch(async (error: unknown) => {
    await close();
    throw error;
  });
  log('info', `listening on ${urlOf(server)}`);
  async function lookAgain(): Promise<void> {
    await Promise.all([baseline.refresh(), path.refresh()]);
  }
  return { url: urlOf(server), lookAgain, close };
}
