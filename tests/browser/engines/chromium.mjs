import {findBinary} from './binary.mjs';
import {launchPuppeteer, openPagesInPuppeteer} from './puppeteer.mjs';

/** Starts Chromium without a window. */
export const launch = async () => launchPuppeteer(options());

/** Starts Chromium with these pages. */
export const openPages = async (home, urls) => openPagesInPuppeteer(options(), home, urls);

function options() {
  return {
    browser: 'chrome',
    executablePath: findBinary({
      variable: 'TABMUX_CHROMIUM',
      paths: ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'],
      install: 'chromium',
    }),
    // Background tabs are to be throttled, as they are for users.
    ignoreDefaultArgs: [
      '--disable-background-timer-throttling',
      '--disable-backgrounding-occluded-windows',
      '--disable-renderer-backgrounding',
    ],
    args: [
      // Chromium refuses its sandbox to root.
      ...(process.getuid() === 0 ? ['--no-sandbox'] : []),
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  };
}
