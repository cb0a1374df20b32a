// The README's quick start: nothing but the address of the server.
import {createConnection} from 'tabmux';

window.quickStart = (url) =>
  new Promise((resolve, reject) => {
    window.connection = createConnection({url});
    window.doc = connection.get('notes', 'shopping');
    doc.subscribe((error) => {
      if (error) return reject(error);
      if (!doc.type) doc.create({items: []});
      resolve();
    });
  });
