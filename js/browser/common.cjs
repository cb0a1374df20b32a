// For bundlers that read `main`, such as browserify: the classic script, with the OT types of the
// application's own ShareDB.
const {createConnection, ...tabmux} = require('../browser.global.js');
const types = require('sharedb/lib/types');

function withTypes(options) {
  return Object.assign({types: types}, options);
}

module.exports = Object.assign(tabmux, {
  types: types,
  createConnection: (first, second) =>
    first && typeof first.connect === 'function'
      ? createConnection(first, withTypes(second))
      : createConnection(withTypes(first)),
});
