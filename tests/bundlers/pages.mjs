import {quickStart} from '../readme.mjs';

const importLine = "import {createConnection} from 'tabmux';\n";

/** How a page's code gets tabmux. */
const ways = {
  import: importLine,
  require: "const {createConnection} = require('tabmux');\n",
  global: 'const {createConnection} = tabmux;\n',
};

/** The quick start, with the server that the page's address names, and something to render with. */
function code(way) {
  const server = "new URLSearchParams(location.search).get('server')";
  return `${quickStart
    .replace(importLine, ways[way])
    .replace("'wss://example.com/sharedb'", server)}
window.doc = doc;

function render(data) {
  document.body.innerText = JSON.stringify(data);
}
`;
}

/** A page that runs a script. */
export const page = (script) =>
  `<!doctype html><title>page</title><link rel="icon" href="data:,"><body>${script}</body>\n`;

/** What a fixture's folder has beside its own files. */
export function pageFiles({page: way = 'import', html}) {
  const files = {'page.js': code(way)};
  if (html) files['index.html'] = page(html);
  return files;
}
