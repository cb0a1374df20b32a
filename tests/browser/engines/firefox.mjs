import {findBinary} from './binary.mjs';
import {launchPuppeteer} from './puppeteer.mjs';

/** Starts Firefox without a window, driven over WebDriver BiDi. */
export async function launch() {
  return launchPuppeteer({
    browser: 'firefox',
    executablePath: findBinary({
      variable: 'TABMUX_FIREFOX',
      paths: ['/usr/bin/firefox', '/usr/bin/firefox-esr'],
      install: 'firefox-esr',
    }),
  });
}
