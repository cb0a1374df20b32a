/** Settles with what a function gives the callback it is called with. */
export const called = (fn) =>
  new Promise((resolve, reject) => {
    fn((error, value) => (error ? reject(error) : resolve(value)));
  });
