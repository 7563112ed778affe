// What comes from Python enters the page as data: text, pictures, and HTML without any script.

const TAGS = new Set(
  ("a b blockquote br caption code dd div dl dt em figcaption figure h1 h2 h3 h4 h5 h6 hr i img li ol p " +
    "pre small span strong sub sup table tbody td tfoot th thead tr ul").split(" "),
);
const ATTRIBUTES = new Set(
  "alt class colspan height href role rowspan src style title width".split(" "),
);

const allowed = ({ name, value }) =>
  (ATTRIBUTES.has(name) || name.startsWith("aria-")) &&
  (name !== "src" || value.startsWith("data:image/")) &&
  (name !== "href" || /^(https?:|#)/.test(value)) &&
  (name !== "style" || !/url|image|position|\\/i.test(value));

/** Parse HTML, and keep what can do nothing. */
export function harmless(html) {
  // A document made so runs and loads nothing.
  const { body } = new DOMParser().parseFromString(html, "text/html");
  for (const element of body.querySelectorAll("*")) {
    if (TAGS.has(element.localName)) {
      for (const attribute of [...element.attributes]) {
        if (!allowed(attribute)) element.removeAttribute(attribute.name);
      }
    } else element.remove();
  }
  return [...body.childNodes];
}

export function made(tag, className, content = []) {
  const element = document.createElement(tag);
  element.className = className;
  element.append(...content);
  return element;
}

/** Add to an output what a message of Python's shows; the first picture goes into the `frame` it had. */
export function show(area, message, frame) {
  const { kind } = message;
  if (kind === "stream") {
    const last = area.lastElementChild;
    const name = `output stream live-${message.stream}`;
    if (last?.className === name) last.firstChild.append(message.text);
    else area.append(made("div", name, [made("pre", "", [message.text])]));
  } else if (kind === "text") {
    area.append(made("div", "output text_plain", [made("pre", "", [message.text])]));
  } else if (kind === "error") {
    area.append(made("div", "output live-error", [made("pre", "", [message.text])]));
  } else if (kind === "image") {
    const image = made("img", "");
    image.src = `data:image/png;base64,${message.png}`;
    image.width = message.width;
    image.alt = "The figure that this cell has drawn.";
    const figure = area.querySelector("figure") ? null : frame();
    if (figure) figure.prepend(image);
    area.append(figure ?? made("div", "output image_png", [image]));
  } else if (kind === "html") {
    area.append(made("div", "output text_html", harmless(message.html)));
  }
}
