import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdtempSync, readdirSync, readFileSync, rmSync} from 'node:fs';
import {createServer} from 'node:http';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {after, afterEach, before, test} from 'node:test';
import {setTimeout as sleep} from 'node:timers/promises';
import {launch} from './engines/index.mjs';

const engine = process.env.TABMUX_BROWSER;

const page = `<!doctype html><title>page</title><script>
  window.received = [];
  const {port} = new SharedWorker('/worker.js');
  port.onmessage = ({data}) => received.push(data);
  window.say = (text) => port.postMessage(text);
  window.heard = async (text) => {
    while (!received.some((message) => message.text === text)) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return received.find((message) => message.text === text);
  };
</script>`;

const worker = `
  const id = crypto.randomUUID();
  const ports = [];
  const said = [];
  const database = new Promise((resolve) => {
    const request = indexedDB.open('smoke', 1);
    request.onupgradeneeded = () => request.result.createObjectStore('things');
    request.onsuccess = () => resolve('open');
    request.onerror = () => resolve(String(request.error));
  });
  const lock = navigator.locks.request('from the worker', ({name}) => name);
  onconnect = ({ports: [port]}) => {
    ports.push(port);
    // A tab may be connected after another has spoken.
    for (const message of said) port.postMessage(message);
    port.onmessage = async ({data: text}) => {
      const message = {id, text, database: await database, lock: await lock};
      said.push(message);
      for (const other of ports) other.postMessage(message);
    };
  };`;

const files = {
  '/': ['text/html', page],
  '/worker.js': ['text/javascript', worker],
  '/strict': [
    'text/html',
    `<!doctype html><meta http-equiv="Content-Security-Policy" content="script-src 'none'">`,
  ],
};

let browser;
let server;
let url;
let tabs = [];

before(async () => {
  server = createServer((request, response) => {
    const [type, body] = files[request.url] ?? ['text/plain', ''];
    response.writeHead(body ? 200 : 404, {'content-type': type}).end(body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${server.address().port}/`;
  browser = await launch(engine);
});

after(async () => {
  await browser?.close();
  server.close();
  server.closeAllConnections();
});

afterEach(async () => {
  for (const tab of tabs) await tab.close();
  tabs = [];
});

async function open(path = '') {
  const tab = await browser.open(url + path);
  tabs.push(tab);
  return tab;
}

async function close(tab) {
  tabs = tabs.filter((other) => other !== tab);
  await tab.close();
}

/** Holds a Web Lock in the tab for as long as the tab lives. */
function hold(tab, name) {
  return tab.run(
    (name) =>
      new Promise((held) => {
        navigator.locks.request(name, () => {
          held();
          return new Promise(() => {});
        });
      }),
    name,
  );
}

/** Resolves once the tab got the lock that another tab held. */
function waitFor(tab, name) {
  return tab.run((name) => navigator.locks.request(name, () => 'free'), name);
}

test('a function runs in the page with its arguments and gives its result', async () => {
  const tab = await open();
  const joined = await tab.run(async (a, {b}) => document.title + a + b, ' one', {b: ' two'});
  assert.equal(joined, 'page one two');
  assert.equal(await tab.run(() => {}), undefined);
});

test('what a function throws in the page is thrown here', async () => {
  const tab = await open();
  await assert.rejects(
    tab.run(() => {
      throw new TypeError('no such thing');
    }),
    {message: 'no such thing'},
  );
  await assert.rejects(
    tab.run(() => Promise.reject('not an error')),
    {message: 'not an error'},
  );
});

test('a function runs in a page that forbids scripts', async () => {
  const tab = await open('strict');
  assert.equal(await tab.run(() => 1 + 1), 2);
});

test('a function that outlives its page fails', async () => {
  const tab = await open();
  const forever = tab.run(() => new Promise(() => {}));
  const failed = assert.rejects(forever);
  await tab.run(() => {});
  await tab.reload();
  await failed;
});

test('three tabs share one SharedWorker and hear each other', async () => {
  const three = [await open(), await open(), await open()];
  const waiting = three.map((tab) =>
    tab.run(() => Promise.all(['a', 'b', 'c'].map((text) => heard(text)))),
  );
  await Promise.all(three.map((tab, i) => tab.run((text) => say(text), 'abc'[i])));
  const heard = (await Promise.all(waiting)).flat();
  assert.equal(heard.length, 9);
  assert.equal(new Set(heard.map(({id}) => id)).size, 1);
});

test('IndexedDB and Web Locks work inside the SharedWorker', async () => {
  const tab = await open();
  const message = await tab.run(() => {
    say('hello');
    return heard('hello');
  });
  assert.equal(message.database, 'open');
  assert.equal(message.lock, 'from the worker');
});

test('reload starts the page anew', async () => {
  const tab = await open();
  await tab.run(() => (window.mark = true));
  await tab.reload();
  assert.deepEqual(await tab.run(() => [typeof mark, document.title]), ['undefined', 'page']);
});

test('a tab at the front is visible', async () => {
  const first = await open();
  await open();
  await first.front();
  assert.equal(await first.run(() => document.visibilityState), 'visible');
});

test('a lock is free once the tab that held it is closed', async () => {
  const [holder, other] = [await open(), await open()];
  await hold(holder, 'mine');
  const free = waitFor(other, 'mine');
  await close(holder);
  assert.equal(await free, 'free');
});

// Neither the pages' errors nor the death of one page can be had from WebKit's driver.
if (engine !== 'webkit') {
  test('errors of the page are collected', async () => {
    const tab = await open();
    await tab.run(() => {
      console.error('logged');
      setTimeout(() => {
        throw new Error('uncaught');
      });
    });
    while (tab.errors.length < 2) await sleep(10);
    assert.match(tab.errors[0], /logged/);
    assert.match(tab.errors[1], /uncaught/);
  });

  test('a lock is free once the process of the tab that held it is killed', async () => {
    const [other, holder] = [await open(), await open()];
    await hold(holder, 'mine');
    const free = waitFor(other, 'mine');
    tabs = [other];
    await holder.kill();
    assert.equal(await free, 'free');
  });
}

test('the browser ends with the process that launched it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tabmux-orphan-'));
  const script = `
    const {launch} = await import(${JSON.stringify(new URL('engines/index.mjs', import.meta.url))});
    const browser = await launch(process.env.TABMUX_BROWSER);
    await browser.open(${JSON.stringify(url)});
    console.log('open');
    setInterval(() => {}, 1000);
    process.kill(process.pid, 'SIGTERM');`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    env: {...process.env, TMPDIR: folder, TABMUX_ORPHAN: folder},
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [[output], [code]] = await Promise.all([once(child.stdout, 'data'), once(child, 'exit')]);
  assert.equal(String(output), 'open\n');
  assert.equal(code, 143);
  assert.deepEqual(readdirSync(folder), []);
  while (processesWith(`TABMUX_ORPHAN=${folder}`).length > 0) await sleep(50);
  rmSync(folder, {recursive: true});
});

/** The processes that were started with a setting in their environment. */
function processesWith(setting) {
  return readdirSync('/proc').filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(setting);
    } catch {
      return false;
    }
  });
}

test('an engine that is not there is an error that says what to install', async () => {
  await assert.rejects(launch('mosaic'), /chromium, firefox, webkit/);
  const variable = {
    chromium: 'TABMUX_CHROMIUM',
    firefox: 'TABMUX_FIREFOX',
    webkit: 'TABMUX_WEBKIT_DRIVER',
  }[engine];
  const path = process.env[variable];
  process.env[variable] = '/nowhere';
  try {
    await assert.rejects(launch(engine), /No program at \/nowhere: install it .*apt install/);
  } finally {
    if (path === undefined) delete process.env[variable];
    else process.env[variable] = path;
  }
});
