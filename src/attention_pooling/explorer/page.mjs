// A figure in a page: it comes alive from the data beside its still figure, and is found again as it
// was left, from an address or after another page.

/** Bring a figure to life once, by a function of its data. */
export function enliven(root, build) {
  if (!root.explorer) build(JSON.parse(root.querySelector("script").textContent));
  return root.explorer;
}

/** A frame for a page of the reader's own, in which nothing but the figure's script may run. */
export function frameOf(address, root) {
  const { href } = new URL(address, location.href);
  const height = Math.ceil(root.getBoundingClientRect().height / 10) * 10 + 40;
  const safe = href.replace(/&/g, "&amp;").replace(/"/g, "&quot;");
  return (
    `<iframe src="${safe}" title="Explorer" sandbox="allow-scripts" loading="lazy" ` +
    `width="100%" height="${height}" style="border: 0"></iframe>`
  );
}

/** Keep a state in the page's history, exactly, and in its address as far as there is room. */
export function keep(place, state, hashOf) {
  const kept = { ...history.state?.figures, [place]: state };
  let [address] = location.href.split("#");
  try {
    address += `#${hashOf(place, state)}`;
  } catch {
    // Too long for an address.
  }
  try {
    history.replaceState({ ...history.state, figures: kept }, "", address);
  } catch {
    // A document without an address of its own, or too much for its history.
  }
}

/** Set a figure as it was left, or as an address says, now and whenever that changes. */
export function kept(place, readHash, root) {
  const follow = () => {
    try {
      const found = readHash(location.hash);
      const left = history.state?.figures?.[place];
      if (left) root.explorer.set(left);
      else if (found?.place === place) {
        root.explorer.set(found.change);
        root.scrollIntoView({ block: "center" });
      }
    } catch (error) {
      root.querySelector(".nw-alert").textContent = `The address cannot be used: ${error.message}`;
    }
  };
  addEventListener("hashchange", follow);
  follow();
}
