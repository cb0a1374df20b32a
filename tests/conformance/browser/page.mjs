/**
 * The page that runs ShareDB's own tests. The server is here, where the tests reach into it; from
 * now on `Backend.prototype.connect` returns a `ProxyConnection` to a hub in a SharedWorker, which
 * `hub.mjs` connects to this server.
 *
 * All hubs live in one worker. Each has an identity of its own, which is also the name of its line.
 */
import Backend from 'sharedb/lib/backend.js';
import {createConnection} from 'tabmux';
import {ServerLine} from './server-line.mjs';

const options = Object.fromEntries(new URLSearchParams(location.search));
const connectPlain = Backend.prototype.connect;
/** The tabs of the current test, and the line from each one's hub to its server. */
const lines = new Map();

Backend.prototype.connect = function connect(connection, request, callback) {
  const known = lines.get(connection);
  // Connections that a test makes of a socket of its own stay what they are.
  if (connection && !known) return connectPlain.call(this, connection, request, callback);
  const line = known ?? new ServerLine(crypto.randomUUID());
  line.open(this, request);
  const tab = connection ?? connectTab(line);
  if (known) tab.open();
  if (typeof callback === 'function') tab.once('connected', () => callback(tab));
  return tab;
};

function connectTab(line) {
  const worker = () => new SharedWorker('/hub.js', {type: 'module', name: 'hubs'});
  const tab = createConnection({hub: {worker}, identity: line.name, ...options});
  lines.set(tab, line);
  // As a hub in a page, this one lets go of the server while its only tab is closed.
  tab.on('closed', () => queueMicrotask(() => tab.isOffline && line.hangUp()));
  return tab;
}

/** Ends the tabs of the test before, which would be at work in the next one. */
beforeEach(function endTabs() {
  for (const [tab, line] of lines) {
    tab.removeAllListeners();
    tab.close();
    line.end();
  }
  lines.clear();
});

/**
 * Runs the tests; resolves to what matters of mocha's reporter `json`. A test that did not run because
 * a hook failed has failed with the hook's error.
 */
window.runTests = () =>
  new Promise((resolve) => {
    const failures = [];
    const failed = new Set();
    const fail = (test, error) => {
      failed.add(test);
      failures.push({fullTitle: test.fullTitle(), err: {message: String(error.message ?? error)}});
    };
    const brokenSuites = new Map();
    const runner = mocha.run(() => {
      const tests = [];
      mocha.suite.eachTest((test) => {
        if (!mocha.options.grep.test(test.fullTitle())) return;
        tests.push({fullTitle: test.fullTitle()});
        if (test.state || failed.has(test)) return;
        const suite = ancestors(test).find((suite) => brokenSuites.has(suite));
        fail(test, brokenSuites.get(suite) ?? 'it did not run');
      });
      resolve({tests, failures});
    });
    runner.on('fail', (runnable, error) => {
      if (runnable.type === 'hook') brokenSuites.set(runnable.parent, error);
      else fail(runnable, error);
    });
  });

function ancestors({parent}) {
  return parent ? [parent, ...ancestors(parent)] : [];
}
