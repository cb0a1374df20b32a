const PEER = '@sharesync/sharedb 6.6.0';

const ms = ({median, mean, p95}) =>
  [median, mean, p95].map((it) => it.toFixed(2).padStart(7)).join('');
const row = (what, ...cells) =>
  [what.padEnd(40), ...cells.map((it, at) => it.padStart(at % 2 ? 14 : 24))].join('').trimEnd();

/** The figures as text. */
export function table({ok, ratios, maxRatio, opBySize, opFromTab, among10000, hubStart}) {
  const ratioOf = (figures, size) =>
    ['median', 'mean']
      .map((what) => (figures[size][what] / figures['1 KB'][what]).toFixed(2).padStart(7))
      .join('');
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
  const starts = Object.entries(hubStart).map(([count, times]) =>
    row(`a hub's start, ${count === '1' ? '1 document' : '10,000 documents'}`, ms(times)),
  );
  return [
    row('', 'tabmux, ms', 'to 1 KB', 'peer, ms', 'to 1 KB'),
    row('', ' median   mean    95%', ' median   mean', ' median   mean    95%', ' median   mean'),
    ...bySize('one op', opBySize),
    ...bySize('one op from its tab', opFromTab),
    ...many,
    ...starts,
    '',
    `peer: ${PEER}`,
    `tabmux's op costs at most ${ratios.median.toFixed(2)} times as much in a larger document by ` +
      `the median, ${ratios.mean.toFixed(2)} times by the mean: ` +
      `${ok ? 'at most' : 'more than'} the ${maxRatio} it may`,
  ].join('\n');
}
