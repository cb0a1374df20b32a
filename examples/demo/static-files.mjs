import {readFile} from 'node:fs/promises';
import {extname, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';
import {bundle, packageFolder} from './bundle.mjs';

const types = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.mjs': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
};

const demoFile = (name) => fileURLToPath(new URL(name, import.meta.url));

/**
 * Answers requests for the demo at `/`, the built package under `/tabmux/`, and `files`.
 *
 * @param {Record<string, string>} files text by path
 * @returns {Promise<(pathname: string, request: object, response: object) => Promise<void>>}
 */
export async function staticFiles(files) {
  const texts = {
    '/index.html': await readFile(demoFile('index.html')),
    '/style.css': await readFile(demoFile('style.css')),
    '/page.js': await bundle(demoFile('page.js')),
    '/hub.js': await bundle(demoFile('hub.js')),
    ...files,
  };

  return async (pathname, request, response) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405, {allow: 'GET, HEAD'}).end();
      return;
    }
    const path = pathname === '/' ? '/index.html' : pathname;
    const body = Object.hasOwn(texts, path) ? texts[path] : await packageFile(path);
    if (body === undefined) {
      response.writeHead(404, {'content-type': 'text/plain; charset=utf-8'});
      response.end(`Nothing is at ${pathname}; the demo is at /, the package under /tabmux/.\n`);
      return;
    }
    response.writeHead(200, {
      'content-type': types[extname(path)] ?? 'text/plain; charset=utf-8',
      'cache-control': 'no-cache',
    });
    response.end(body);
  };
}

/** The content of a file of the package, or undefined: there is none, or it lies outside. */
async function packageFile(path) {
  const prefix = '/tabmux/';
  if (!path.startsWith(prefix)) return undefined;
  try {
    const file = resolve(packageFolder, decodeURIComponent(path.slice(prefix.length)));
    return file.startsWith(packageFolder) ? await readFile(file) : undefined;
  } catch {
    return undefined;
  }
}
