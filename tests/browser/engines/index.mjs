/**
 * One small interface over three real browsers. All tabs of a browser share one profile, so they
 * share SharedWorkers, BroadcastChannels, Web Locks and IndexedDB.
 *
 * ```js
 * const browser = await launch(process.env.TABMUX_BROWSER);
 * const tab = await browser.open('http://127.0.0.1:8080/');
 * const title = await tab.run((suffix) => document.title + suffix, '!');
 * await browser.close();
 * ```
 *
 * Close the browser in an `after` hook: it keeps the test's process alive. Whatever ends that
 * process, short of SIGKILL, ends the browser too.
 *
 * A browser has
 * - `open(url)`: resolves to a tab once its page has loaded;
 * - `restart(meanwhile)`: ends every process of the browser, as a crash does, and starts it anew
 *   with the same profile; `meanwhile` is called with the folder of that in between. Close all tabs
 *   first. Null in WebKit, which keeps nothing on disk while a driver controls it;
 * - `close()`: ends every process of the browser and removes its profile.
 *
 * A tab has
 * - `run(fn, ...args)`: calls `fn` in the page with JSON arguments, awaits it, returns its JSON
 *   result. What `fn` throws is thrown here, with the same message. `fn` sees nothing of the
 *   scope it was written in. Calls to several tabs may run at the same time;
 * - `front()`: brings the tab to the front, because a background tab has its timers throttled
 *   (in WebKit every tab is a visible window, so there it does nothing);
 * - `reload()`: resolves once the page has loaded again;
 * - `close()`: closes the tab as a user would;
 * - `kill()`: ends the operating system process of the page, so that the page can do nothing more,
 *   then closes the tab. Other tabs and workers that live in the same process die with it. Null
 *   in WebKit, whose driver ends the whole session when a page's process dies;
 * - `errors`: messages of uncaught errors and of `console.error` in the page, oldest first; null
 *   in WebKit, which does not report them;
 * - `warnings`: messages of `console.warn`, in the same way.
 */
const engines = {
  chromium: () => import('./chromium.mjs'),
  firefox: () => import('./firefox.mjs'),
  webkit: () => import('./webkit.mjs'),
};

/**
 * Starts a browser.
 *
 * @param {'chromium' | 'firefox' | 'webkit'} name the engine, usually from TABMUX_BROWSER
 */
export async function launch(name) {
  return (await engineNamed(name)).launch();
}

/**
 * Starts a browser that finds what an earlier one left, with a tab for each page. What its pages do
 * they do on their own. It has
 * - `kill()`: ends every process of the browser at once, with SIGKILL.
 *
 * @param {string} name the engine
 * @param {object} home what `homeFolder` gave: where the browser keeps everything
 * @param {string[]} urls
 */
export async function openPages(name, home, urls) {
  return (await engineNamed(name)).openPages(home, urls);
}

async function engineNamed(name) {
  if (!Object.hasOwn(engines, name)) {
    throw new Error(
      `No browser engine '${name}': set TABMUX_BROWSER to ${Object.keys(engines).join(', ')}`,
    );
  }
  return engines[name]();
}
