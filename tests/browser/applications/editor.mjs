import Quill from 'quill';
import QuillCursors from 'quill-cursors';
import richText from 'rich-text';
import {types} from 'sharedb/lib/client';

types.register(richText.type);
Quill.register('modules/cursors', QuillCursors);

/** Makes an element an editor of a document, where the cursors of others show under their names. */
export async function openEditor(connection, id, element, name) {
  const doc = connection.get('test', id);
  await new Promise((resolve, reject) => {
    doc.subscribe((error) => (error ? reject(error) : resolve()));
  });
  const quill = new Quill(element, {modules: {cursors: true}});
  bindText(quill, doc);
  bindCursors(quill, doc, name);
  return quill;
}

function bindText(quill, doc) {
  quill.setContents(doc.data);
  quill.on('text-change', (delta, _before, source) => {
    if (source === 'user') doc.submitOp(delta, {source: quill});
  });
  doc.on('op', (op, source) => {
    if (source !== quill) quill.updateContents(op);
  });
}

function bindCursors(quill, doc, name) {
  const presence = doc.connection.getDocPresence(doc.collection, doc.id);
  presence.subscribe();
  const own = presence.create();
  quill.on('selection-change', (range, _before, source) => {
    // Elsewhere the cursor moves by itself with the text.
    if (range && source === 'user') own.submit({...range, name});
  });

  const cursors = quill.getModule('cursors');
  presence.on('receive', (id, range) => {
    if (!range) return cursors.removeCursor(id);
    cursors.createCursor(id, range.name, 'blue');
    cursors.moveCursor(id, range);
  });
}
