import type {Answer, Introduction} from '../shared/introduction.js';
import {randomId} from '../shared/random-id.js';

type Serve = (introduction: Introduction) => void;

/** The name of the Web Lock that this worker holds while it lives. */
const lock = `tabmux:hub:${randomId()}`;

/** The pages without an answer. */
let pages: MessagePort[] = [];
let serve: Serve | undefined;
let isLocked = false;
let failure: string | undefined;
let release: (() => void) | undefined;

/** Serves the pages that have come to this SharedWorker, and will; does nothing elsewhere. */
export function servePages(how: Serve): void {
  serve = how;
  answerPages();
}

/** Ends this SharedWorker, so that the pages start the next; does nothing elsewhere. */
export function endWorker(): void {
  if (!isSharedWorker) return;
  release?.();
  self.close();
}

function fail(message: string): void {
  failure ??= message;
  answerPages();
}

function answerPages(): void {
  const answer = presentAnswer();
  if (!answer) return;
  for (const page of pages) page.postMessage(answer);
  pages = [];
}

function presentAnswer(): Answer | undefined {
  if (serve) return isLocked ? {tabmux: 'ready', lock} : undefined;
  return failure === undefined ? undefined : {tabmux: 'failed', message: failure};
}

function isIntroduction(data: any): data is Introduction {
  return ['port', 'broadcast-channel'].includes(data?.tabmux) && typeof data.identity === 'string';
}

// From the moment this module is loaded: the hub's module may await something before it defines the
// hub, or throw, of which the browser tells the first page at most.
const {SharedWorkerGlobalScope} = globalThis as {SharedWorkerGlobalScope?: new () => EventTarget};
/** Whether this thread is a SharedWorker. */
export const isSharedWorker = Boolean(
  SharedWorkerGlobalScope && globalThis instanceof SharedWorkerGlobalScope,
);
if (isSharedWorker) {
  addEventListener('connect', (event) => {
    const page = (event as MessageEvent).ports[0];
    if (!page) return;
    page.onmessage = ({data}) => {
      if (isIntroduction(data)) serve?.(data);
    };
    pages.push(page);
    answerPages();
  });
  addEventListener('error', (event) => fail((event as ErrorEvent).message));
  addEventListener('unhandledrejection', (event) =>
    fail(String((event as PromiseRejectionEvent).reason)),
  );
  navigator.locks.request(lock, () => {
    isLocked = true;
    answerPages();
    return new Promise<void>((resolve) => {
      release = resolve;
    });
  });
}
