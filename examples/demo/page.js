import StringBinding from 'sharedb-string-binding';
import {createConnection} from 'tabmux';

const STATUS_INTERVAL_MS = 1000;

const element = (id) => document.getElementById(id);

const connection = createConnection({
  url: `ws://${location.host}/sharedb`,
  hub: {
    worker: () => new SharedWorker('/hub.js', {type: 'module', name: 'demo'}),
    local: () => import('./hub.js'),
  },
});
connection.on('error', showError);

connection.on('state', showState);
showState(connection.state);

connection.on('topology', showTopology);
showTopology({topology: connection.topology, reason: ''});

connection.on('tabs', showTabs);
showTabs(connection.tabs);

setInterval(showSockets, STATUS_INTERVAL_MS);
document.addEventListener('visibilitychange', showSockets);
showSockets();

openDocument('text', {text: ''}, (doc) => {
  const area = element('text');
  const binding = new StringBinding(area, doc, ['text']);
  binding.setup();
  doc.on('load', () => binding.update());
  area.disabled = false;
});

openDocument('counter', {count: 0}, (doc) => {
  const show = () => {
    element('count').textContent = doc.data.count;
  };
  doc.on('op', show);
  doc.on('load', show);
  show();
  for (const [id, step] of Object.entries({decrement: -1, increment: 1})) {
    const button = element(id);
    button.addEventListener('click', () => doc.submitOp([{p: ['count'], na: step}]));
    button.disabled = false;
  }
});

/** Subscribes to a document, creates it when nobody has yet, and hands it over. */
function openDocument(id, initial, use) {
  const doc = connection.get('demo', id);
  doc.on('error', showUnlessCreated);
  doc.subscribe((error) => {
    if (error) return showError(error);
    if (doc.type) return use(doc);
    doc.create(initial, (error) => {
      if (error) showUnlessCreated(error);
      if (doc.type) use(doc);
    });
  });
}

/** That another tab was faster to create a document is no error here. */
function showUnlessCreated(error) {
  if (error.code !== 'ERR_DOC_ALREADY_CREATED') showError(error);
}

function showState(state) {
  element('state').textContent = state;
  element('state').dataset.state = state;
}

function showTopology({topology, reason}) {
  element('topology').textContent = topology ?? 'not chosen yet';
  element('reason').textContent = reason ?? '';
}

function showTabs(tabs) {
  element('tab-count').textContent = tabs.length;
  const template = element('tab');
  const items = tabs.map(({id, since, self}) => {
    const item = template.content.cloneNode(true);
    item.querySelector('.name').textContent = self ? 'This tab' : 'Another tab';
    item.querySelector('li').classList.toggle('self', self);
    const code = item.querySelector('code');
    code.textContent = id.slice(0, 8);
    code.title = id;
    const time = item.querySelector('time');
    time.dateTime = new Date(since).toISOString();
    time.textContent = new Date(since).toLocaleTimeString();
    return item;
  });
  element('tabs').replaceChildren(...items);
}

async function showSockets() {
  if (document.hidden) return;
  try {
    const {sockets} = await (await fetch('/status')).json();
    element('sockets').textContent = sockets;
  } catch {
    element('sockets').textContent = 'no answer';
  }
}

function showError(error) {
  element('error').hidden = false;
  element('error').textContent = error.message;
}
