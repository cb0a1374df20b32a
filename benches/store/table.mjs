const PEER = '@sharesync/sharedb 6.6.0';

const ms = ({median, p95}) => `${median.toFixed(2)} (${p95.toFixed(2)})`;
const row = (...cells) =>
  [cells[0].padEnd(42), ...cells.slice(1).map((it) => it.padStart(18))].join('').trimEnd();

/** The figures as text. */
export function table({ok, ratio, maxRatio, opBySize, opFromTab, among10000}) {
  const ratioOf = (figures, size) => (figures[size].median / figures['1 KB'].median).toFixed(2);
  const bySize = (what, {tabmux, sharesync}) =>
    Object.keys(tabmux).map((size) =>
      row(
        `${what}, document of ${size}`,
        ms(tabmux[size]),
        ratioOf(tabmux, size),
        ms(sharesync[size]),
        ratioOf(sharesync, size),
      ),
    );
  const many = Object.entries({
    opening: 'opening 10,000 documents',
    inventory: 'inventory of 10,000 documents',
    op: 'one op among 10,000 documents',
  }).map(([what, title]) => {
    const [ours, theirs] = [among10000.tabmux[what], among10000.sharesync[what]];
    return row(title, ms(ours), '', ms(theirs), '');
  });
  return [
    row('median (95th percentile), ms', 'tabmux', 'ratio to 1 KB', 'peer', 'ratio to 1 KB'),
    ...bySize('one op', opBySize),
    ...bySize('one op from its tab', opFromTab),
    ...many,
    '',
    `peer: ${PEER}`,
    `tabmux's op costs at most ${ratio.toFixed(2)} times as much in a larger document: ` +
      `${ok ? 'at most' : 'more than'} the ${maxRatio} it may`,
  ].join('\n');
}
