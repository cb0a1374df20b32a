import {rmSync} from 'node:fs';
import {join} from 'node:path';
import {findBinary} from './binary.mjs';
import {launchPuppeteer, openPagesInPuppeteer, profileIn} from './puppeteer.mjs';

/** Starts Firefox without a window, driven over WebDriver BiDi. */
export const launch = async () => launchPuppeteer(options());

/** Starts Firefox with these pages. */
export async function openPages(home, urls) {
  // Puppeteer would put them back while the next browser already starts.
  for (const preferences of ['prefs.js', 'user.js']) {
    rmSync(join(profileIn(home), preferences), {force: true});
  }
  return openPagesInPuppeteer(options(), home, urls);
}

function options() {
  return {
    browser: 'firefox',
    executablePath: findBinary({
      variable: 'TABMUX_FIREFOX',
      paths: ['/usr/bin/firefox', '/usr/bin/firefox-esr'],
      install: 'firefox-esr',
    }),
  };
}
