'use client';

import {useEffect, useState} from 'react';
import {createConnection} from 'tabmux';

const isServer = typeof window === 'undefined';
const url = isServer ? process.env.SERVER : new URLSearchParams(location.search).get('server');

export function Notes() {
  // On the server as well, each time the page is rendered.
  const [doc] = useState(() => createConnection({url}).get('notes', 'shopping'));
  const [data, setData] = useState(doc.data);
  useEffect(() => {
    window.doc = doc;
    const render = () => setData({...doc.data});
    doc.subscribe((error) => {
      if (error) throw error;
      if (!doc.type) doc.create({items: []}, (error) => {
        if (error && error.code !== 'ERR_DOC_ALREADY_CREATED') throw error;
      });
      doc.on('op', render);
      render();
    });
  }, [doc]);
  return <p>{data ? JSON.stringify(data) : 'loading'}</p>;
}
