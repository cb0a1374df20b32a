import {join} from 'node:path';
import puppeteer from 'puppeteer-core';
import {findPageProcess} from './page-process.mjs';
import {homeFolder, ownGroup} from './processes.mjs';
import {expression, result} from './script.mjs';

/** Starts a browser that puppeteer can drive; `options` are those of its `launch`. */
export async function launchPuppeteer(options) {
  const home = homeFolder();
  const browser = await puppeteer.launch({
    headless: true,
    userDataDir: join(home.path, 'profile'),
    env: home.env,
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
    // How long a script may take is for the test to say.
    protocolTimeout: 0,
    ...options,
  });
  const end = ownGroup(browser.process());
  return {
    open: (url) => openTab(browser, url),
    async close() {
      await end();
      home.remove();
    },
  };
}

async function openTab(browser, url) {
  const page = await browser.newPage();
  const errors = [];
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
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
