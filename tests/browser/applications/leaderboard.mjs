/** Lists the players, the best first, each with a button that adds points and one that removes. */
export function openLeaderboard(connection, list) {
  const query = connection.createSubscribeQuery('players', {$sort: {score: -1}});

  function show() {
    // A player who was just deleted is among the results until the server says otherwise.
    const players = query.results.filter(({type}) => type);
    list.replaceChildren(...players.map(row));
  }

  function follow(players) {
    for (const player of players) player.on('op', show);
  }

  function unfollow(players) {
    for (const player of players) player.off('op', show);
  }

  query.on('ready', () => {
    follow(query.results);
    show();
  });
  query.on('insert', follow);
  query.on('remove', unfollow);
  query.on('changed', show);
}

function row(player) {
  const item = document.createElement('li');
  const {name, score} = player.data;
  item.append(
    `${name} ${score}`,
    button('add', () => player.submitOp([{p: ['score'], na: 5}])),
    button('remove', () => player.del()),
  );
  return item;
}

function button(name, onclick) {
  return Object.assign(document.createElement('button'), {className: name, onclick});
}

/** Adds a player without points. */
export function addPlayer(connection, id, name) {
  connection.get('players', id).create({name, score: 0});
}
