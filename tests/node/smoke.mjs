import {call, holdBack, newBackend, openStored, unreachable, storeEventsOf} from './support.mjs';
const wait=(ms)=>new Promise(r=>setTimeout(r,ms));
for (const [name, server] of [['held',(()=>{const b=newBackend(); holdBack(b); return b})()],['gone',unreachable]]) {
const tab = openStored(server, name);
for (const e of ['error','fault']) tab.on(e,(x)=>console.log('EVENT',e,x));
const ev=storeEventsOf(tab);
const doc=tab.get('notes', 'one');
doc.create({n: 1}, (e)=>console.log('cb',e));
await call(tab, 'flushWrites');
console.log(tab.state, await tab.store.inventory(), ev);
await wait(100);
console.log(tab.state, await tab.store.inventory(), ev);
await wait(1500);
console.log(tab.state, await tab.store.inventory(), ev);
doc.submitOp([{p:['n'],na:1}]);
await call(tab, 'flushWrites');
console.log(tab.state, await tab.store.inventory(), ev);
tab.close();
await wait(100);
const n=openStored(unreachable,name);
const d=n.get('notes','one'); for (const e of ['error','fault']) n.on(e,(x)=>console.log('EVENT',e,x));
d.fetch((e)=>console.log('fetched',e,d.data,d.version));
setTimeout(()=>console.log('after 3s',d.data,d.version, n.state),3000);
await wait(3500);
}
process.exit()
