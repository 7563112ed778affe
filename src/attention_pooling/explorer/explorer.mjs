// The explorer of an estimate and its attention weights: in a page, and as the view of a widget.

import { explore } from "./explore.mjs";
import { enliven } from "./page.mjs";
import { render } from "./widget.mjs";

export { attentionWeights, effectiveKeys, leaveOneOut, pool } from "./arithmetic.mjs";
export { KERNELS } from "./kernels.mjs";

/** Bring an explorer of a page to life. */
export const mount = (root) =>
  enliven(root, (data) => {
    const explorer = explore(root, data, { inputs: true, ask: (change) => explorer.show(change) });
    explorer.show({});
  });

/** Mount every explorer of a page. */
export function mountAll(page = document) {
  for (const root of page.querySelectorAll(".nw-explorer")) mount(root);
}

export default { mountAll, render };
