import type {TabCore} from '../../wasm/tab/tabmux_tab.js';

/** Stands for the core of a connection that leads nowhere: it numbers what it is asked, and does nothing. */
export function noCore(): TabCore {
  let last = 0;
  const number = () => {
    last += 1;
    return last;
  };
  const answers: Partial<TabCore> = {
    pendingOps: () => [],
    sentOps: () => 0,
    submit: () => undefined,
    send: () => {},
    unloadJournal: () => undefined,
    unloadJournalStores: () => undefined,
    transformPiece: (_doc, _since, piece) => piece,
  };
  return new Proxy(answers, {
    get: (known, name) => known[name as keyof TabCore] ?? number,
  }) as TabCore;
}
