import StringBinding from 'sharedb-string-binding';

/** Binds a text area to the text of a document. */
export async function openTextArea(connection, id, area) {
  const doc = connection.get('test', id);
  await new Promise((resolve, reject) => {
    doc.subscribe((error) => (error ? reject(error) : resolve()));
  });
  new StringBinding(area, doc, ['text']).setup();
}
