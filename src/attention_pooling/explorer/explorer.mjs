// The explorer of an estimate and its attention weights: in a page, and as the view of a widget.

import { hashOf, readHash } from "./address.mjs";
import { explore } from "./explore.mjs";
import { enliven, frameOf, keep, kept } from "./page.mjs";
import { render } from "./widget.mjs";

export { attentionWeights, effectiveKeys, leaveOneOut, mostAttended, pool } from "./arithmetic.mjs";
export { kernelsOf } from "./kernels.mjs";
export { readTable } from "./table.mjs";

/**
 * Bring an explorer of a page to life; `bare` is the address of a page with it alone, with a star
 * for its place among the page's explorers.
 */
export const mount = (root, bare) =>
  enliven(root, (data) => {
    const place = [...document.querySelectorAll(".nw-explorer")].indexOf(root);
    const explorer = explore(root, data, {
      inputs: true,
      ask: (change) => explorer.show(change),
      addresses: bare && {
        link: (state) => `${location.href.split("#")[0]}#${hashOf(place, state)}`,
        embed: (state) => frameOf(`${bare.replace("*", place)}#${hashOf(0, state)}`, root),
      },
      rested: bare && ((state) => keep(place, state, hashOf)),
    });
    explorer.show({});
    if (bare) kept(place, readHash, root);
  });

/** Mount every explorer of a page. */
export function mountAll(page = document, bare = undefined) {
  for (const root of page.querySelectorAll(".nw-explorer")) mount(root, bare);
}

export default { mountAll, render };
