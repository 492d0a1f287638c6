// node memlab.cjs NODE_MODULES FILE.heapsnapshot
// Prints as JSON what memlab took to read the file and to compute dominators and retained sizes, by its own API.
'use strict';
const path = require('path');
const [modules, file] = process.argv.slice(2);
const {utils, analysis, config} = require(path.join(modules, '@memlab', 'core'));
config.muteConsole = true;

const seconds = since => Number(process.hrtime.bigint() - since) / 1e9;

(async () => {
  const begun = process.hrtime.bigint();
  const heap = await utils.getSnapshotFromFile(file, {buildNodeIdIndex: true});
  const load = seconds(begun);
  const loaded = process.hrtime.bigint();
  analysis.preparePathFinder(heap);
  let largest = 0;
  heap.nodes.forEach(node => { largest = Math.max(largest, node.retainedSize); });
  const retained = seconds(loaded);
  const peak = process.resourceUsage().maxRSS * 1024;
  console.log(JSON.stringify({load, retained, peak, nodes: heap.nodes.length, largest}));
})().catch(error => {
  console.error(error);
  process.exit(1);
});
