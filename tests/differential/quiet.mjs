/** So many turns of the event loop in which nothing moves: then nothing will. */
const TURNS = 4;
/** After so many turns a program goes round in circles. */
const PATIENCE = 20_000;

/** Knows when nothing is on its way any more. */
export class Quiet {
  #moves = 0;

  /** Something has moved. */
  note() {
    this.#moves += 1;
  }

  /** Notes every message of a ShareDB connection. */
  watch(connection) {
    const note = () => this.note();
    connection.on('send', note);
    connection.on('receive', note);
    return connection;
  }

  /** Waits until nothing moves. Returns whether that ever was. */
  async settle() {
    let seen = -1;
    let still = 0;
    for (let at = 0; at < PATIENCE; at++) {
      if (this.#moves !== seen) still = 0;
      seen = this.#moves;
      if (still === TURNS) return true;
      still += 1;
      await new Promise((resolve) => setImmediate(resolve));
    }
    return false;
  }
}
