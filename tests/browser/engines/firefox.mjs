import {findBinary} from './binary.mjs';
import {launchPuppeteer, openPagesInPuppeteer} from './puppeteer.mjs';

/** Starts Firefox without a window, driven over WebDriver BiDi. */
export const launch = async () => launchPuppeteer(options());

/** Starts Firefox with these pages. */
export const openPages = async (home, urls) => openPagesInPuppeteer(options(), home, urls);

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
