import {readmeCode} from '../docs/pages.mjs';

const importLine = "import {createConnection} from 'tabmux';\n";

/** How a page's code gets tabmux. */
const ways = {
  import: importLine,
  require: "const {createConnection} = require('tabmux');\n",
  global: 'const {createConnection} = tabmux;\n',
};

const [quickStart] = readmeCode('Quick start');
const [hub, pageOfHub] = readmeCode('With your own hub');

/** From the quick start: what it does with the connection. */
const afterwards = quickStart.slice(quickStart.indexOf('const ignoreIfCreated'));

/** A page's code, with the server that its address names, and something to render with. */
function complete(code) {
  const server = "new URLSearchParams(location.search).get('server')";
  return `${code.replace("'ws://localhost:8080'", server)}
window.doc = doc;

function render(data) {
  document.body.innerText = JSON.stringify(data);
}
`;
}

/** The scripts of a page, by their names. */
function scripts(page) {
  if (page !== 'own hub') {
    return {'page.js': complete(quickStart.replace(importLine, ways[page]))};
  }
  const user = "const [token, user] = ['secret', {id: 'ann'}];\n";
  return {'hub.js': hub, 'page.js': complete(user + pageOfHub + afterwards)};
}

/** A page that runs a script. */
export const page = (script) =>
  `<!doctype html><title>page</title><link rel="icon" href="data:,"><body>${script}</body>\n`;

/** The source of a site. */
export function sources({page: kind = 'import', source}) {
  return {...scripts(kind), ...(source && {'index.html': page(source)})};
}
