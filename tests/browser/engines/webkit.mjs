import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {createServer} from 'node:net';
import {text} from 'node:stream/consumers';
import {setTimeout as sleep} from 'node:timers/promises';
import {findBinary} from './binary.mjs';
import {homeFolder, ownGroup} from './processes.mjs';
import {expression, result} from './script.mjs';

const POLL_MS = 15;

/** Starts WebKitGTK's MiniBrowser on a display of its own, driven over WebDriver. */
export async function launch() {
  const display = await startDisplay();
  const home = homeFolder();
  const driver = await startDriver(display.name, home.env);
  const session = await startSession(driver.url);
  return {
    open: (url) => session.exclusive(() => openTab(session, url)),
    restart: null,
    async close() {
      await driver.end();
      await display.end();
      home.remove();
    },
  };
}

/**
 * Starts MiniBrowser with these pages, without its driver: what that starts keeps nothing on disk.
 */
export async function openPages(home, urls) {
  const path = findBinary({
    variable: 'TABMUX_MINIBROWSER',
    paths: ['x86_64', 'aarch64'].map(
      (machine) => `/usr/lib/${machine}-linux-gnu/webkit2gtk-4.1/MiniBrowser`,
    ),
    install: 'webkit2gtk-driver',
  });
  const display = await startDisplay();
  const child = spawn(path, urls, {
    detached: true,
    stdio: 'ignore',
    env: onDisplay(display.name, home.env),
  });
  const end = ownGroup(child);
  return {
    async kill() {
      await end();
      await display.end();
    },
  };
}

async function startDisplay() {
  const path = findBinary({variable: 'TABMUX_XVFB', paths: ['/usr/bin/Xvfb'], install: 'xvfb'});
  // Xvfb picks a free display itself, writes its number to file descriptor 3 and closes that.
  const child = spawn(
    path,
    ['-displayfd', '3', '-screen', '0', '1280x800x24', '-nolisten', 'tcp'],
    {detached: true, stdio: ['ignore', 'ignore', 'ignore', 'pipe']},
  );
  const end = ownGroup(child);
  const number = (await text(child.stdio[3])).trim();
  if (!number) throw new Error(`${path} found no free display`);
  return {name: `:${number}`, end};
}

async function startDriver(display, env) {
  const path = findBinary({
    variable: 'TABMUX_WEBKIT_DRIVER',
    paths: ['/usr/bin/WebKitWebDriver'],
    install: 'webkit2gtk-driver',
  });
  const port = await freePort();
  const child = spawn(path, ['--host=127.0.0.1', `--port=${port}`], {
    detached: true,
    stdio: 'ignore',
    env: onDisplay(display, env),
  });
  const end = ownGroup(child);
  const url = `http://127.0.0.1:${port}`;
  while (!(await isReady(url))) {
    if (child.exitCode !== null) throw new Error(`${path} ended with code ${child.exitCode}`);
    await sleep(POLL_MS);
  }
  return {url, end};
}

/** The environment of a WebKitGTK program. */
function onDisplay(display, env) {
  return {
    ...env,
    DISPLAY: display,
    GDK_BACKEND: 'x11',
    LIBGL_ALWAYS_SOFTWARE: '1',
    WEBKIT_DISABLE_COMPOSITING_MODE: '1',
    // The sandbox cannot be set up by root.
    ...(process.getuid() === 0 ? {WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1'} : {}),
  };
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const {port} = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

async function isReady(url) {
  try {
    return (await fetch(`${url}/status`)).ok;
  } catch {
    return false;
  }
}

/**
 * A WebDriver session. It has one current window, so whoever selects a window and then acts on it
 * does both inside one `exclusive` call.
 */
async function startSession(driverUrl) {
  // Without a path in the capabilities the driver starts the MiniBrowser it was built with.
  const {sessionId} = await request('POST', `${driverUrl}/session`, {capabilities: {}});
  const command = (method, path, body) =>
    request(method, `${driverUrl}/session/${sessionId}${path}`, body);
  const firstWindow = await command('GET', '/window');
  let last = Promise.resolve();
  return {
    command,
    firstWindow,
    exclusive(task) {
      const next = last.then(task);
      last = next.catch(() => {});
      return next;
    },
  };
}

async function request(method, url, body) {
  const response = await fetch(url, {method, body: body && JSON.stringify(body)});
  const {value} = await response.json();
  if (!response.ok) throw new Error(`${value.error}: ${value.message}`);
  return value;
}

async function openTab(session, url) {
  // The current window may be closed, and a new one is only opened from one that is not.
  await session.command('POST', '/window', {handle: session.firstWindow});
  // No command raises a tab of MiniBrowser, but windows on a bare display are all visible. They
  // share everything that tabs share.
  const {handle} = await session.command('POST', '/window/new', {type: 'window'});
  await session.command('POST', '/window', {handle});
  await session.command('POST', '/url', {url});

  const inWindow = (task) =>
    session.exclusive(async () => {
      await session.command('POST', '/window', {handle});
      return task();
    });
  const evaluate = (script) =>
    inWindow(() => session.command('POST', '/execute/sync', {script, args: []}));

  let runs = 0;
  async function run(fn, ...args) {
    // A script that waits would hold up the commands for all other tabs, so it is started and then
    // asked for its result again and again.
    runs += 1;
    const slot = `window.__run${runs}`;
    await evaluate(`${slot} = 'running'; ${expression(fn, args)}.then((json) => ${slot} = json)`);
    for (;;) {
      const json = await evaluate(`return ${slot}`);
      if (json === null) throw new Error('The page was left while a script ran in it');
      if (json !== 'running') return result(json);
      await sleep(POLL_MS);
    }
  }

  return {
    errors: null,
    warnings: null,
    run,
    async front() {},
    async reload() {
      await inWindow(() => session.command('POST', '/refresh', {}));
    },
    async close() {
      await inWindow(() => session.command('DELETE', '/window'));
    },
    kill: null,
  };
}
