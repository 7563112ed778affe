// What a screen reader is told: when the reader's hand has come to rest, and not before.

/** Return a function that has words said by an element, and one that stops it. */
export function speaker(element) {
  let waiting;
  const stop = () => clearTimeout(waiting);
  const say = (words) => {
    stop();
    waiting = setTimeout(() => (element.textContent = words()), 700);
  };
  return [say, stop];
}
