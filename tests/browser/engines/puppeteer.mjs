import {join} from 'node:path';
import puppeteer from 'puppeteer-core';
import {findPageProcess} from './page-process.mjs';
import {homeFolder, ownGroup} from './processes.mjs';
import {expression, result} from './script.mjs';

/** Where a browser has its profile. */
export const profileIn = (home) => join(home.path, 'profile');

/** Starts a browser that puppeteer can drive; `options` are those of its `launch`. */
export async function launchPuppeteer(options) {
  const home = homeFolder();
  let running = await start(options, home);
  return {
    open: (url) => openTab(running.browser, url),
    async restart(meanwhile) {
      await running.end();
      meanwhile?.(profileIn(home));
      running = await start(options, home);
    },
    async close() {
      await running.end();
      home.remove();
    },
  };
}

/** Starts a browser with these pages and does not wait for them to load. */
export async function openPagesInPuppeteer(options, home, urls) {
  const {browser, end} = await start(options, home);
  const open = async (url) => (await browser.newPage()).goto(url);
  // A kill ends what loads, too.
  for (const url of urls) open(url).catch(() => {});
  return {kill: end};
}

async function start(options, home) {
  const browser = await puppeteer.launch({
    headless: true,
    userDataDir: profileIn(home),
    env: home.env,
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
    // How long a script may take is for the test to say.
    protocolTimeout: 0,
    ...options,
  });
  return {browser, end: ownGroup(browser.process())};
}

async function openTab(browser, url) {
  const page = await browser.newPage();
  const errors = [];
  const warnings = [];
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
    if (message.type() === 'warn') warnings.push(message.text());
  });
  await page.goto(url);

  // Firefox leaves a script unanswered when its page goes away.
  let abandonRuns;
  let abandoned;
  function startPage() {
    abandoned = new Promise((_, reject) => {
      abandonRuns = () => reject(new Error('The page was left while a script ran in it'));
    });
    abandoned.catch(() => {});
  }
  startPage();
  const run = async (fn, ...args) =>
    result(await Promise.race([page.evaluate(expression(fn, args)), abandoned]));

  return {
    errors,
    warnings,
    run,
    front: () => page.bringToFront(),
    async reload() {
      abandonRuns();
      startPage();
      await page.reload();
    },
    async close() {
      abandonRuns();
      await page.close();
    },
    async kill() {
      const pid = await findPageProcess(browser.process().pid, run);
      process.kill(pid, 'SIGKILL');
      await this.close();
    },
  };
}
