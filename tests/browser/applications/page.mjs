// A page for each application, with what the tests do there as members of `window`.
import '../support/page.mjs';
import {randomNumbers, turn} from '../support/edits.mjs';
import {openEditor} from './editor.mjs';
import {addPlayer, openLeaderboard} from './leaderboard.mjs';
import {openTextArea} from './text-area.mjs';

const added = (name) => document.body.appendChild(document.createElement(name));

window.startTextArea = async (id) => {
  window.area = added('textarea');
  await openTextArea(connection, id, area);
  area.focus();
};

window.startEditor = async (id, name) => {
  window.editor = await openEditor(connection, id, added('div'), name);
};

window.startLeaderboard = () => {
  window.list = added('ol');
  openLeaderboard(connection, list);
};

window.addPlayer = (id, name) => addPlayer(connection, id, name);

/** Has the browser insert text where the caret is, as typing does. */
window.type = (text) => {
  if (!document.execCommand('insertText', false, text)) throw new Error(`could not type '${text}'`);
};

/** Types here and there in the text area, over a selection or not, and deletes selected text. */
window.typeInArea = (seed, count) =>
  repeat(seed, count, (below) => {
    const start = below(area.value.length + 1);
    area.setSelectionRange(start, start + below(4));
    if (below(3) > 0) type(`w${seed}${'é\n '[below(3)]}`);
    else document.execCommand('delete');
  });

/** Types here and there in the editor, formats and deletes. */
window.typeInEditor = (seed, count) =>
  repeat(seed, count, (below) => {
    // The editor's last character, a line's end, is not for users.
    const length = editor.getLength() - 1;
    const index = below(length + 1);
    const some = Math.min(1 + below(4), length - index);
    const edits = [
      () => {
        editor.setSelection(index, 0, 'user');
        type(`w${seed} `);
      },
      () => editor.insertText(index, '\n', 'user'),
      () => editor.formatLine(index, 1, 'header', 1 + below(3), 'user'),
      () => editor.formatText(index, some, 'bold', below(2) > 0, 'user'),
      () => editor.formatText(index, some, 'color', ['red', 'blue', false][below(3)], 'user'),
      () => editor.deleteText(index, some, 'user'),
    ];
    edits[below(edits.length)]();
  });

/** Edits at random, now once and now more often in a turn. */
async function repeat(seed, count, edit) {
  const random = randomNumbers(seed);
  const below = (end) => Math.floor(random() * end);
  for (let done = 0; done < count; done++) {
    edit(below);
    if (random() < 0.6) await turn();
  }
}

/** The cursors of others in the editor: whose each is, and the text before where it is drawn. */
window.cursors = () =>
  Array.from(document.querySelectorAll('.ql-cursor'), (cursor) => ({
    name: cursor.querySelector('.ql-cursor-name').textContent,
    before: textBefore(cursor.querySelector('.ql-cursor-caret').getBoundingClientRect()),
  }));

/** The editor's text up to the place that a caret is at; null if it is at none. */
function textBefore(caret) {
  const box = editor.container.getBoundingClientRect();
  for (let index = 0; index < editor.getLength(); index++) {
    const place = editor.getBounds(index);
    const x = box.left + place.left - (caret.left + caret.right) / 2;
    const y = box.top + place.top - caret.top;
    if (Math.abs(x) < 2 && Math.abs(y) < 2) return editor.getText(0, index);
  }
  return null;
}
