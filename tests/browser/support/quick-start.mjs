// The README's quick start: nothing but the address of the server, and maybe an option.
import {createConnection} from 'tabmux';

window.quickStart = (url, options) =>
  new Promise((resolve, reject) => {
    window.connection = createConnection({url, ...options});
    window.storeErrors = [];
    connection.on('store:error', ({code}) => storeErrors.push(code));
    window.doc = connection.get('notes', 'shopping');
    doc.subscribe((error) => {
      if (error) return reject(error);
      if (!doc.type) doc.create({items: []});
      resolve();
    });
  });
