import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {launch} from './engines/index.mjs';
import {eventually} from './support/eventually.mjs';
import {openStage} from './support/stage.mjs';

let browser;

before(async () => {
  browser = await launch(process.env.TABMUX_BROWSER);
});

after(() => browser?.close());

const shows = (tab, id, expected) =>
  eventually(async () =>
    assert.equal(await tab.run((id) => document.getElementById(id).textContent, id), expected),
  );

const ready = (tab) =>
  eventually(async () =>
    assert.deepEqual(
      await tab.run(() => ['text', 'increment'].map((id) => document.getElementById(id).disabled)),
      [false, false],
    ),
  );

/** Types at the end of the shared text. */
const type = (tab, text) =>
  tab.run((text) => {
    const area = document.getElementById('text');
    area.focus();
    area.setSelectionRange(area.value.length, area.value.length);
    document.execCommand('insertText', false, text);
  }, text);

const reads = (tab, expected) =>
  eventually(async () =>
    assert.equal(await tab.run(() => document.getElementById('text').value), expected),
  );

/** What the demo shows of an error. */
const error = (tab) => tab.run(() => document.getElementById('error').textContent);

test('two tabs of the demo share the text and the counter over one WebSocket', async (t) => {
  const stage = await openStage(t, browser);
  const [first, second] = [await stage.open('/'), await stage.open('/')];
  await Promise.all([first, second].map(ready));

  await type(first, 'Hello');
  await reads(second, 'Hello');
  await type(second, ', world');
  await reads(first, 'Hello, world');

  await first.run(() => document.getElementById('increment').click());
  await first.run(() => document.getElementById('increment').click());
  await shows(second, 'count', '2');
  await second.run(() => document.getElementById('decrement').click());
  await shows(first, 'count', '1');

  await first.front();
  await shows(first, 'sockets', '1');
  assert.equal(stage.server.opened, 1);
  for (const tab of [first, second]) {
    await shows(tab, 'state', 'connected');
    await shows(tab, 'topology', 'shared-worker');
    assert.equal(await error(tab), '');
  }
});

test('the demo lists the tabs that are open', async (t) => {
  const stage = await openStage(t, browser);
  const [first, second] = [await stage.open('/'), await stage.open('/')];
  const names = (tab) =>
    tab.run(() => Array.from(document.querySelectorAll('#tabs .name'), (it) => it.textContent));
  for (const tab of [first, second]) await shows(tab, 'tab-count', '2');
  assert.deepEqual((await names(first)).sort(), ['Another tab', 'This tab']);
  await stage.close(second);
  await shows(first, 'tab-count', '1');
  assert.deepEqual(await names(first), ['This tab']);
});

test('two tabs of the demo that open at once agree on what was created', async (t) => {
  const stage = await openStage(t, browser);
  const [first, second] = await Promise.all([stage.open('/'), stage.open('/')]);
  await Promise.all([first, second].map(ready));
  await type(first, 'one');
  await reads(second, 'one');
  assert.equal(stage.server.log.filter((op) => op.create).length, 2);
  for (const tab of [first, second]) assert.equal(await error(tab), '');
});

test('the demo says when the server is away, and goes on with its siblings', async (t) => {
  const stage = await openStage(t, browser);
  const [first, second] = [await stage.open('/'), await stage.open('/')];
  await Promise.all([first, second].map(ready));
  stage.server.cut();
  await eventually(async () =>
    assert.notEqual(
      await first.run(() => document.getElementById('state').textContent),
      'connected',
    ),
  );
  await type(first, 'offline');
  await reads(second, 'offline');
  stage.server.restore();
  await shows(first, 'state', 'connected');
});

test('the demo fits the width of a phone', async (t) => {
  const stage = await openStage(t, browser, {
    '/phone.html': '<!doctype html><iframe src="/" width="360" height="640" style="border: 0">',
  });
  const tab = await stage.open('/phone.html');
  await eventually(async () =>
    assert(await tab.run(() => frames[0].document.querySelector('#tabs li') !== null)),
  );
  const {width, content} = await tab.run(() => {
    const {clientWidth, scrollWidth} = frames[0].document.documentElement;
    return {width: clientWidth, content: scrollWidth};
  });
  assert.ok(width > 0 && width <= 360);
  assert.equal(content, width);
});
