import type {Subject} from './sharedb.js';

interface Question extends Subject {
  byHand: boolean;
}

/** What was asked of the server and has no answer yet, oldest first. */
export class UnansweredOps {
  readonly #questions: Question[] = [];

  /** `byHand`: an application sent it, not ShareDB. */
  note({a, id, c, d, src, seq}: Subject, byHand: boolean): void {
    this.#questions.push({a, id, c, d, src, seq, byHand} as Question);
  }

  clear(): void {
    this.#questions.length = 0;
  }

  /** Whether this answers a message that an application sent by hand. */
  isByHand(answer: Subject): boolean {
    return this.#questions.find((it) => isAnswer(answer, it))?.byHand === true;
  }

  /** The same, and takes it off the list. */
  takeByHand(answer: Subject): boolean {
    const at = this.#questions.findIndex((it) => isAnswer(answer, it));
    return at >= 0 && this.#questions.splice(at, 1)[0]?.byHand === true;
  }
}

function isAnswer(answer: Subject, asked: Question): boolean {
  if (answer.a !== asked.a) return false;
  // What is asked by number, such as a query, is answered by number alone.
  if (asked.id) return answer.id === asked.id;
  const same = answer.c === asked.c && answer.d === asked.d;
  if (!same || answer.a !== 'op') return same;
  // To everyone else it is told with what it does.
  const tells = 'op' in answer || 'create' in answer || 'del' in answer;
  if (tells && answer.error === undefined) return false;
  // The ops of others look the same, but for their source.
  const own = answer.error !== undefined || answer.src === asked.src;
  return own && answer.seq === asked.seq;
}
