// node judge.cjs NODE_MODULES FILE.heapsnapshot ...
// Writes FILE.heapsnapshot.judged: of every node in order, as doubles, its id, its dominator's id and its retained
// size in bytes, all as memlab's API says.
'use strict';
const fs = require('fs');
const path = require('path');
const [modules, ...files] = process.argv.slice(2);
const {utils, analysis, config} = require(path.join(modules, '@memlab', 'core'));
config.muteConsole = true;

(async () => {
  for (const file of files) {
    const heap = await utils.getSnapshotFromFile(file, {buildNodeIdIndex: true});
    analysis.preparePathFinder(heap);
    const found = new Float64Array(3 * heap.nodes.length);
    heap.nodes.forEach((node, place) => {
      found.set([node.id, node.dominatorNode.id, node.retainedSize], 3 * place);
    });
    fs.writeFileSync(`${file}.judged`, Buffer.from(found.buffer));
  }
})().catch(error => {
  console.error(error);
  process.exit(1);
});
