// A panel: a canvas with a frame, two scales and a line of legend above.

import { along, ticks, valueAt, written } from "./scales.mjs";

export const DASH = [5, 3];

/** What a record of a panel says, at its place in the page. */
export class Panel {
  constructor(parent, record, state) {
    this.record = record;
    this.element = parent.appendChild(document.createElement("div"));
    this.element.className = `nw-panel nw-${record.name}`;
    this.canvas = this.element.appendChild(document.createElement("canvas"));
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", record.label);
    this.frame = document.createElement("canvas");
    this.pen = this.canvas.getContext("2d");
    this.scale(state);
  }

  /** Take the data as they are now, and tell whether a scale has changed. */
  scale(state) {
    const before = JSON.stringify([this.scaleX, this.scaleY, this.legend]);
    this.legend = this.record.legend(state);
    [this.scaleX, this.scaleY] = this.record.scales(state, this);
    this.record.prepare?.(this, state);
    return before !== JSON.stringify([this.scaleX, this.scaleY, this.legend]);
  }

  /** Take size and ink from the page as it is now, and draw what no control moves. */
  fit(ink, state) {
    const { canvas, frame, scaleX, scaleY } = this;
    // Slides show a figure enlarged, where the browser says by how much.
    this.dpr = (window.devicePixelRatio || 1) * (canvas.currentCSSZoom ?? 1);
    this.ink = ink;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    const pen = frame.getContext("2d");
    for (const sheet of [canvas, frame]) {
      const [across, down] = [width, height].map((side) => Math.max(1, Math.round(side * this.dpr)));
      if (sheet.width !== across) sheet.width = across;
      if (sheet.height !== down) sheet.height = down;
    }
    pen.setTransform(this.dpr, 0, 0, this.dpr, 0, 0);
    pen.setLineDash([]);
    pen.lineWidth = 1;
    pen.clearRect(0, 0, width, height);
    pen.font = ink.font;
    pen.textBaseline = "middle";
    this.top = 28;
    this.bottom = height - 40;
    const marksY = ticks(scaleY, (this.bottom - this.top) / 32);
    const wide = (mark) => pen.measureText(written(mark, 12)).width;
    this.left = Math.ceil(Math.max(0, ...marksY.map(wide))) + 30;
    this.right = width - 12;

    pen.strokeStyle = pen.fillStyle = ink.colour;
    pen.globalAlpha = 0.55;
    pen.beginPath();
    pen.moveTo(this.left - 0.5, this.top);
    pen.lineTo(this.left - 0.5, this.bottom + 0.5);
    pen.lineTo(this.right, this.bottom + 0.5);
    let marksX;
    let room = 24;
    do {
      marksX = ticks(scaleX, (this.right - this.left) / room);
      room *= 1.2;
    } while (marksX.some((mark, i) => i && this.x(mark) - this.x(marksX[i - 1]) < wide(mark) + 12));
    for (const mark of marksX) {
      pen.moveTo(this.x(mark), this.bottom);
      pen.lineTo(this.x(mark), this.bottom + 5);
    }
    for (const mark of marksY) {
      pen.moveTo(this.left, this.y(mark));
      pen.lineTo(this.left - 5, this.y(mark));
    }
    pen.stroke();
    pen.globalAlpha = 1;
    pen.textAlign = "center";
    for (const mark of marksX) pen.fillText(written(mark, 12), this.x(mark), this.bottom + 13);
    pen.fillText(scaleX.label, (this.left + this.right) / 2, height - 9, this.right - this.left);
    pen.textAlign = "right";
    for (const mark of marksY) pen.fillText(written(mark, 12), this.left - 8, this.y(mark));
    pen.save();
    pen.translate(9, (this.top + this.bottom) / 2);
    pen.rotate(-Math.PI / 2);
    pen.textAlign = "center";
    pen.fillText(scaleY.label, 0, 0, height - 4);
    pen.restore();
    pen.textAlign = "left";
    const long = this.legend.reduce((sum, [text]) => sum + pen.measureText(text).width + 28, -10);
    let at = Math.min(this.left, width - long);
    for (const [text, colour, dash, how] of this.legend) {
      pen.strokeStyle = pen.fillStyle = colour;
      pen.lineWidth = 2;
      pen.setLineDash(dash || []);
      pen.beginPath();
      if (dash) {
        pen.moveTo(at, 10);
        pen.lineTo(at + 14, 10);
        pen.stroke();
      } else {
        pen.arc(at + 9, 10, 4, 0, 7);
        pen[how ?? "fill"]();
      }
      at += 18;
      pen.fillStyle = ink.colour;
      pen.fillText(text, at, 10);
      at += pen.measureText(text).width + 10;
    }
    pen.setLineDash([]);
    this.record.fit?.(this, state);
  }

  draw(state) {
    this.record.draw(this, state);
  }

  x(value) {
    return this.left + along(value, this.scaleX) * (this.right - this.left);
  }

  y(value) {
    return this.bottom - along(value, this.scaleY) * (this.bottom - this.top);
  }

  /** A place of the window as a place of the canvas. */
  place({ clientX, clientY }) {
    const { left, top, width } = this.canvas.getBoundingClientRect();
    const share = this.canvas.clientWidth / width;
    return { x: (clientX - left) * share, y: (clientY - top) * share };
  }

  /** The values on both scales at a place of the window. */
  under(event) {
    const { x, y } = this.place(event);
    return {
      x: valueAt((x - this.left) / (this.right - this.left), this.scaleX),
      y: valueAt((this.bottom - y) / (this.bottom - this.top), this.scaleY),
    };
  }

  /** Begin a drawing with an image, if there is one, and the frame. */
  begin(image) {
    const { pen, canvas, dpr } = this;
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, canvas.width, canvas.height);
    if (image) pen.putImageData(image, Math.round(this.left * dpr), Math.round(this.top * dpr));
    pen.drawImage(this.frame, 0, 0);
    pen.setTransform(dpr, 0, 0, dpr, 0, 0);
    return pen;
  }

  curve(xs, ys, colour, dash = []) {
    const { pen } = this;
    pen.strokeStyle = colour;
    pen.lineWidth = 2;
    pen.lineJoin = "round";
    pen.setLineDash(dash);
    pen.beginPath();
    for (let j = 0, down = false; j < xs.length; j++) {
      const there = Number.isFinite(ys[j]);
      if (there && !down) pen.moveTo(this.x(xs[j]) - 1, this.y(ys[j]));
      if (there) pen.lineTo(this.x(xs[j]), this.y(ys[j]));
      down = there;
    }
    pen.stroke();
    pen.setLineDash([]);
  }

  /** What lies no farther from a curve than `reaches`, within the frame. */
  band(xs, ys, reaches, colour) {
    const { pen } = this;
    const y = (j, side) =>
      Math.min(Math.max(this.y(ys[j] + side * reaches[j]), this.top), this.bottom);
    pen.fillStyle = colour;
    pen.globalAlpha = 0.2;
    for (let j = 0, first = 0; j <= xs.length; j++) {
      if (Number.isFinite(ys[j] + reaches[j])) continue;
      pen.beginPath();
      for (let i = first; i < j; i++) pen.lineTo(this.x(xs[i]), y(i, 1));
      for (let i = j - 1; i >= first; i--) pen.lineTo(this.x(xs[i]), y(i, -1));
      pen.fill();
      first = j + 1;
    }
    pen.globalAlpha = 1;
  }

  upright(x, colour, width) {
    this.pen.fillStyle = colour;
    this.pen.fillRect(x - width / 2, this.top, width, this.bottom - this.top);
  }

  /** A ring around what the reader points at. */
  ring(x, y, radius = 8) {
    const { pen } = this;
    pen.strokeStyle = this.ink.colour;
    pen.lineWidth = 1.5;
    pen.beginPath();
    pen.arc(x, y, radius, 0, 7);
    pen.stroke();
  }

  dot(x, y, radius, colour) {
    const { pen } = this;
    pen.fillStyle = colour;
    pen.beginPath();
    pen.arc(x, y, radius, 0, 7);
    pen.fill();
  }

  /** The query, as a line that can be dragged by a dot on the lower edge; its place. */
  query({ query, colors }) {
    const at = this.x(query);
    this.upright(at, colors.query, 1.5);
    this.dot(at, this.bottom, 6, colors.query);
    return at;
  }
}
